// What an imposed flow does to a cell, and other names for the lattice of one that got too skewed.
#pragma once

#include <array>
#include <cstdint>

#include "regrain/base/box.hpp"
#include "regrain/particles/cell_map.hpp"
#include "regrain/particles/motion.hpp"

namespace regrain::particles {

/// Where the flow carries places in so much time. With drifts before and after it the motion of
/// free particles is exact.
CellMap carry(const FlowGradient& gradient, double time);

/// Rate of work of the flow on energies of places, from the virial of their forces.
double power(const FlowGradient& gradient, const std::array<double, 6>& virial);

/// Lattice vectors b - ba a and c - ca a - cb b of the same lattice, of tilts of at most a half.
struct LatticeNames {
    Box box;
    std::int32_t ba{0}, ca{0}, cb{0};

    explicit LatticeNames(const Box& box);
    [[nodiscard]] bool changed() const { return ba != 0 || ca != 0 || cb != 0; }
    /// The image with the new vectors that `image` was with the old.
    [[nodiscard]] std::array<std::int32_t, 3> operator()(
        const std::array<std::int32_t, 3>& image) const;
};

/// The lowest that a box gets between faces under this flow.
double lowest_height(const FlowGradient& gradient, const Box& box);

}  // namespace regrain::particles
