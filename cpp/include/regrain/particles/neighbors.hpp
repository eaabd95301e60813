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

/// Pairs closer than a cutoff as arrays: particle i, particle j, the lattice vectors added to j,
/// and d = r_j + shift * vectors - r_i. Sorted by i; the order within one i is that of space.
struct NeighborList {
    std::vector<std::uint32_t> i, j;
    std::vector<Image> shift;
    std::vector<Vec3> d;
};

struct NeighborOptions {
    double cutoff;
    /// Each pair once (i < j, or i == j for a particle and its own image), or from both sides.
    bool half{true};
    /// Pairs with i < j, sorted, left out with all their images.
    std::span<const std::pair<std::uint32_t, std::uint32_t>> exclusions{};
};

/// All pairs of images with distance < cutoff, for any box, also one smaller than the cutoff (a
/// pair then appears once per image). A full list is exactly symmetric: d(i, j) = -d(j, i) to the
/// bit.
REGRAIN_EXPORT NeighborList neighbor_list(std::span<const Vec3> positions, const Box& box,
                                          const NeighborOptions& options);

}  // namespace regrain::particles
