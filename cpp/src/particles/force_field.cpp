#include "regrain/particles/force_field.hpp"

#include <algorithm>

namespace regrain::particles {

namespace {

double cutoff_of_one(const TabulatedPair& p) { return p.table.x_max(); }
template <class Analytic>
double cutoff_of_one(const Analytic& p) {
    return p.cutoff;
}

}  // namespace

double cutoff_of(const PairPotential& potential) {
    return std::visit([](const auto& p) { return cutoff_of_one(p); }, potential);
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
