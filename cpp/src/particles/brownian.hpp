// Displacements without inertia.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "noise.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/motion.hpp"
#include "regrain/particles/simulation.hpp"
#include "step_kernel.hpp"

namespace regrain::particles {

/// One pass: r <- r + dt mobility F + sqrt(kT mobility dt / 2) (G_n + G_n+1), with the noise of the
/// step before drawn again. `motion.v` becomes the displacement over dt.
struct BrownianPass {
    Row* rows;
    Motion* motion;
    const Vec3* force;
    const std::uint32_t* ids;
    const Brownian* law;
    noise::Source source;
    double dt;
    double fastest;  ///< a displacement over dt above it is not trusted
};

/// Over rows [begin, end); whether one is not to be trusted.
PassOutcome brownian_kernel(const BrownianPass& pass, std::size_t begin, std::size_t end);

}  // namespace regrain::particles
