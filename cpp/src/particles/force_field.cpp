#include "regrain/particles/force_field.hpp"

#include <algorithm>

namespace regrain::particles {

double cutoff_of(const PairPotential& potential) {
    if (const auto* lj = std::get_if<LennardJones>(&potential)) return lj->cutoff;
    return std::get<TabulatedPair>(potential).table.x_max();
}

double ForceField::cutoff() const {
    double largest = charges ? charges->cutoff() : 0.0;
    for (const int index : pair_of_types) {
        if (index < 0) continue;
        largest = std::max(largest, cutoff_of(pair_potentials[static_cast<std::size_t>(index)]));
    }
    for (const TripleTerm& term : triples) {
        for (const TriplePotential::Arm& arm : term.potential.arms)
            largest = std::max(largest, arm.r_max);
    }
    return largest;
}

}  // namespace regrain::particles
