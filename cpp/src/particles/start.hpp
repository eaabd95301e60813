// What all simulations check and draw before their first step.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "regrain/base/vec3.hpp"

namespace regrain::particles {

/// Throws Error unless all are positive.
void check_masses(std::span<const double> masses);

/// Throws Error unless there is one of each for all particles; images and velocities may be left
/// out.
void check_start(std::size_t particles, std::size_t positions, std::size_t images,
                 std::size_t velocities);

/// Takes out the momentum along these axes. Particles without a mass do not move.
void stop_drift(std::span<Vec3> velocities, std::span<const double> masses,
                const std::array<bool, 3>& along);

/// Velocities of the distribution of `kt`, without momentum (unless there is one particle only).
/// Those of particles without a mass are zero.
std::vector<Vec3> draw_velocities(std::uint64_t seed, std::span<const double> masses, double kt);

}  // namespace regrain::particles
