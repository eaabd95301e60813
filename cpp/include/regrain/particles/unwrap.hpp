#pragma once

#include <span>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"

namespace regrain::particles {

/// Adds to unwrapped positions the shortest step from the previous frame to this one, in the box of
/// this one; returns the length of the longest step. Right while no particle moves by half the box
/// between frames. Steps, not distances from the unwrapped positions: those go wrong where the box
/// changes (von Buelow, Bullerjahn and Hummer, J. Chem. Phys. 153, 021101 (2020)).
REGRAIN_EXPORT double follow(std::span<Vec3> unwrapped, std::span<const Vec3> previous,
                             std::span<const Vec3> positions, const Box& box);

}  // namespace regrain::particles
