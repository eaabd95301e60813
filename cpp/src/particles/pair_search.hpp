// The parts of the neighbour search of the pair engine that depend on the instruction set.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pair_grid.hpp"

namespace regrain::particles {

/// Points near a group: row numbers, and coordinates from the middle of the brick.
struct Nearby {
    std::vector<std::uint32_t> row;  ///< these have room behind the `count` that were found
    std::vector<float> x, y, z;
    std::size_t count{0};

    struct Run {
        std::uint32_t begin, end;
    };
    std::vector<Run> runs;  ///< of points that were looked at
    Run* runs_end{nullptr};
};

/// Rows of a group: where they are, and that they are so many from `first` on.
struct GroupPlaces {
    std::array<std::array<float, 3>, group_size> at;
    std::uint32_t first, count;
};

/// Finds the points closer than the reach to one of the group, but the group itself.
void search_group(const PairGrid::Layout& points, const PairGrid::Region& region,
                  const GroupPlaces& group, float reach, Nearby& found);

/// Of these the rows closer than the reach to a place. Returns how many; writes up to
/// PairGrid::overread more.
std::size_t search_row(const Nearby& nearby, const std::array<float, 3>& place, float reach,
                       std::uint32_t* rows);

}  // namespace regrain::particles
