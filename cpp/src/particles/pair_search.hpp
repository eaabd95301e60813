// The parts of the neighbour search of the pair engine that depend on the instruction set.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pair_grid.hpp"

namespace regrain::particles {

/// Points that may be near the rows of a block: row numbers, coordinates from the middle of the
/// block, and the squares of these added up.
class Nearby {
public:
    std::size_t count{0};

    /// These have room behind the `count` that were found.
    [[nodiscard]] float* x() { return at(0); }
    [[nodiscard]] float* y() { return at(1); }
    [[nodiscard]] float* z() { return at(2); }
    [[nodiscard]] float* square() { return at(3); }
    [[nodiscard]] std::uint32_t* row() { return &rows_.data()->v[0]; }
    void make_room(std::size_t points);

private:
    // Whole lines of the cache.
    template <class T>
    struct alignas(64) Line {
        T v[16];
    };
    float* at(std::size_t array) { return &numbers_[array].data()->v[0]; }
    std::array<std::vector<Line<float>>, 4> numbers_;
    std::vector<Line<std::uint32_t>> rows_;
};

/// Copies the points of the bins around a region. `middle` is that of the block.
void gather_nearby(const PairGrid::Layout& points, const PairGrid::Region& region,
                   const std::array<float, 3>& middle, Nearby& found);

/// Rows that share a list, which they are not in: `count` from `first` on. Places from the middle
/// of the block; where there are fewer, the last is there again.
template <std::size_t most>
struct RowsAt {
    std::array<std::array<float, 3>, most> at;
    std::uint32_t first, count;
};

/// Finds the points for which the square of the distance to one of the rows is below the limit.
/// Returns how many; writes up to PairGrid::overread more.
std::size_t search_rows(Nearby& nearby, const RowsAt<1>& rows, float limit, std::uint32_t* found);
std::size_t search_rows(Nearby& nearby, const RowsAt<group_size>& rows, float limit,
                        std::uint32_t* found);

}  // namespace regrain::particles
