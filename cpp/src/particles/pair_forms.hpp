// The pair potentials as formulas, without their cutoffs.
#pragma once

#include <cmath>

#include "regrain/particles/force_field.hpp"
#include "regrain/particles/potentials.hpp"

namespace regrain::particles {

inline EnergySlope bare(const LennardJones& p, double r) {
    const double s2 = p.sigma * p.sigma / (r * r);
    const double s6 = s2 * s2 * s2;
    return {4.0 * p.epsilon * s6 * (s6 - 1.0), -24.0 * p.epsilon * s6 * (2.0 * s6 - 1.0) / r};
}

inline EnergySlope bare(const Yukawa& p, double r) {
    const double u = p.epsilon * std::exp(-p.kappa * r) / r;
    return {u, -u * (p.kappa + 1.0 / r)};
}

inline EnergySlope bare(const Gaussian& p, double r) {
    const double inverse = 1.0 / (p.sigma * p.sigma);
    const double u = p.epsilon * std::exp(-0.5 * inverse * r * r);
    return {u, -u * inverse * r};
}

/// What the mode of a cutoff makes of a potential u: u - energy + slope r.
struct AtCutoff {
    double energy, slope;
};

template <class Potential>
AtCutoff at_cutoff(const Potential& p) {
    if (p.mode == Cutoff::cut) return {0.0, 0.0};
    const EnergySlope end = bare(p, p.cutoff);
    if (p.mode == Cutoff::shifted) return {end.energy, 0.0};
    return {end.energy - end.slope * p.cutoff, -end.slope};
}

}  // namespace regrain::particles
