#pragma once

#include <cstdint>
#include <span>

#include "regrain/base/random.hpp"
#include "regrain/base/vec3.hpp"

namespace regrain::particles {

/// Three independent standard normal numbers for each particle: a function of the generator, the
/// step and the id alone.
void thermal_noise(const Philox& generator, std::uint64_t step, std::span<const std::uint32_t> ids,
                   Vec3* out);

}  // namespace regrain::particles
