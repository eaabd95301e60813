#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/cells.hpp"

namespace regrain::particles {

struct NeighborOptions {
    double cutoff;
    /// Each pair once (i < j, or i == j for a particle and its own image), or from both sides.
    bool half{true};
    /// Pairs with i < j, sorted, left out with all their images.
    std::span<const std::pair<std::uint32_t, std::uint32_t>> exclusions{};
};

/// All pairs of images with distance < cutoff, for any box, also one smaller than the cutoff (a
/// pair then appears once per image). Sorted by i; the order within one i is that of space. A full
/// list is exactly symmetric: d(i, j) = -d(j, i) to the bit.
class REGRAIN_EXPORT NeighborSearch {
public:
    NeighborSearch(std::span<const Vec3> positions, const Box& box, const NeighborOptions& options);

    [[nodiscard]] std::size_t pairs() const { return first_.back(); }

    /// Where to write: arrays of pairs() entries.
    struct Arrays {
        std::uint32_t *i, *j;
        Image* shift;  ///< lattice vectors added to j
        Vec3* d;       ///< r_j + shift * vectors - r_i
    };
    void write(const Arrays& arrays) const;

private:
    static constexpr std::size_t chunk = 512;

    // What a chunk of particles, in the order of space, found: the points next to each.
    struct Part {
        std::vector<std::uint32_t> point, end;
    };
    void search(Part& part, std::size_t begin, std::size_t end,
                const NeighborOptions& options) const;
    [[nodiscard]] Image shift(std::uint32_t p, std::uint32_t q) const;
    [[nodiscard]] Vec3 vector(std::uint32_t p, std::uint32_t q) const;

    Box box_;
    Cells cells_;
    std::vector<Vec3> given_;  ///< the position as given, for each point
    std::vector<Part> parts_;
    std::vector<std::size_t> first_;  ///< pair of each particle, and the end
};

/// The same in one step.
struct NeighborList {
    std::vector<std::uint32_t> i, j;
    std::vector<Image> shift;
    std::vector<Vec3> d;
};
REGRAIN_EXPORT NeighborList neighbor_list(std::span<const Vec3> positions, const Box& box,
                                          const NeighborOptions& options);

}  // namespace regrain::particles
