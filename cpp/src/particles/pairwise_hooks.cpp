#include "pairwise_hooks.hpp"

#include <optional>

#include "pairwise_exchange.hpp"
#include "pairwise_forces.hpp"

namespace regrain::particles {

namespace {

std::optional<double> cutoff_of(const Dynamics& dynamics) {
    if (const auto* dpd = std::get_if<Dpd>(&dynamics)) return dpd->cutoff;
    if (const auto* lowe = std::get_if<LoweAndersen>(&dynamics)) return lowe->cutoff;
    return {};
}

// Of a pair of types, where the thermostat computes it.
const Soft* fused(const ForceField& field, std::size_t pair, const Dynamics& dynamics) {
    const int index = field.pair_of_types[pair];
    const std::optional<double> cutoff = cutoff_of(dynamics);
    // What rigid bonds take from friction and noise is told from forces that are these alone.
    if (index < 0 || !cutoff || !field.exclusions.empty() || !field.rigid_bonds.empty())
        return nullptr;
    const auto* soft = std::get_if<Soft>(&field.pair_potentials[static_cast<std::size_t>(index)]);
    return soft != nullptr && soft->cutoff == *cutoff ? soft : nullptr;
}

std::vector<double> repulsion(const ForceField& field, const Dynamics& dynamics) {
    std::vector<double> a(field.types * field.types, 0.0);
    for (std::size_t pair = 0; pair < field.pair_of_types.size() && pair < a.size(); ++pair) {
        if (const Soft* soft = fused(field, pair, dynamics)) a[pair] = soft->a;
    }
    return a;
}

}  // namespace

std::unique_ptr<Pairwise> make_pairwise(const ForceField& field, const SimulationSettings& s) {
    const std::size_t types = field.types;
    if (const auto* dpd = std::get_if<Dpd>(&s.dynamics)) {
        if (!dpd->splitting) {
            return std::make_unique<PairwiseForces>(*dpd, types, repulsion(field, s.dynamics), s.dt,
                                                    s.seed);
        }
        return std::make_unique<PairwiseExchange>(*dpd, types, repulsion(field, s.dynamics), s.dt,
                                                  s.seed);
    }
    if (const auto* lowe = std::get_if<LoweAndersen>(&s.dynamics)) {
        return std::make_unique<PairwiseExchange>(*lowe, types, repulsion(field, s.dynamics), s.dt,
                                                  s.seed);
    }
    return nullptr;
}

ForceField without_fused(const ForceField& field, const Dynamics& dynamics) {
    ForceField rest = field;
    for (std::size_t pair = 0; pair < field.pair_of_types.size(); ++pair) {
        if (fused(field, pair, dynamics) != nullptr) rest.pair_of_types[pair] = -1;
    }
    return rest;
}

double soft_move(const ForceField& field, const Dynamics& dynamics) {
    const std::optional<double> cutoff = cutoff_of(dynamics);
    if (!cutoff || field.charges || !field.triples.empty()) return 0.0;
    for (const int index : field.pair_of_types) {
        if (index < 0) continue;
        const auto& potential = field.pair_potentials[static_cast<std::size_t>(index)];
        if (!std::holds_alternative<Soft>(potential)) return 0.0;
    }
    return *cutoff;
}

}  // namespace regrain::particles
