// From the laws of pairwise thermostats to what takes part in a step.
#pragma once

#include <memory>

#include "hooks.hpp"
#include "regrain/particles/force_field.hpp"
#include "regrain/particles/simulation.hpp"

namespace regrain::particles {

/// The thermostat that the dynamics ask for, or none.
std::unique_ptr<Pairwise> make_pairwise(const ForceField& field,
                                        const SimulationSettings& settings);

/// The field without the soft potentials that the thermostat computes: those of its own cutoff,
/// where no pairs are excluded.
ForceField without_fused(const ForceField& field, const Dynamics& dynamics);

/// How far a particle may sanely move in a step where there is nothing but soft repulsion and a
/// thermostat of pairs: its cutoff; 0 elsewhere.
double soft_move(const ForceField& field, const Dynamics& dynamics);

}  // namespace regrain::particles
