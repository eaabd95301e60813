#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "regrain/base/vec3.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// Velocity and inverse mass of one particle: one aligned vector load. A frozen particle has
/// neither: no force moves it. Where the cell flows (shear), the velocity is that relative to the
/// flow at the place of the particle.
struct alignas(32) Motion {
    Vec3 v;
    double inverse_mass;
};

/// A steady imposed flow: its velocity at r is (yx y + zx z, zy z, 0), for a cell that stays lower
/// triangular while the flow carries it along.
struct FlowGradient {
    double yx{0.0}, zx{0.0}, zy{0.0};  ///< of v_x with y, of v_x with z, of v_y with z

    /// How much faster the flow is at the tip of d than at its tail.
    [[nodiscard]] Vec3 operator()(const Vec3& d) const {
        return {yx * d.y + zx * d.z, zy * d.z, 0.0};
    }
};

/// What forces may depend on: the particles by row, and when it is.
struct Present {
    const PairEngine& engine;        ///< rows, ids, row_of, images, box, lists
    std::span<const Motion> motion;  ///< by row
    /// By id: a row's place without wrapping is row + (engine.images()[row] + image_offset[id]) *
    /// vectors of the box.
    std::span<const std::array<std::int32_t, 3>> image_offset;
    std::uint64_t step;  ///< what these are the forces of
    double time;         ///< step * dt
    FlowGradient
        flow;  ///< so that the relative velocity of a pair is that of its motions + flow(d)
    /// The velocities are not yet those of the step: so much time of the forces is missing.
    double kick_to_come{0.0};
};

}  // namespace regrain::particles
