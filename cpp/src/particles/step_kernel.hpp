// The one pass over the particles that a time step makes besides the forces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "noise.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/motion.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// Exchange of heat with a bath: v <- keep v + spread / sqrt(m) * noise, with numbers of the type
/// of the particle, or with one for all.
struct Bath {
    noise::Source source;
    std::vector<double> keep;
    std::vector<float> spread;
};

/// Half kicks, a drift, and with a bath the exchange of heat and perhaps another drift. Half kicks
/// of neighbouring steps are added one after the other, so that the bits do not depend on where a
/// run is cut into pieces.
struct Pass {
    Row* rows;
    Motion* motion;
    const Vec3* force;  ///< one more than there are rows is read
    const double* mass;
    const std::uint32_t* ids;
    int kicks;
    double half_kick;  ///< dt / 2
    double drift;      ///< time
    const Bath* bath;  ///< or none
    bool drift_again;  ///< after the exchange of heat
    double fastest;    ///< a velocity with a component above it is not trusted
};

struct PassOutcome {
    double heat{0.0};
    bool wild{false};  ///< a velocity too high, or not a number
    PassOutcome& operator+=(const PassOutcome& o) {
        heat += o.heat;
        wild = wild || o.wild;
        return *this;
    }
};

/// The pass over rows [begin, end).
PassOutcome step_kernel(const Pass& pass, std::size_t begin, std::size_t end);

}  // namespace regrain::particles
