// All that gives forces by the places of particles. A new kind is a member here and two lines in
// `compute`.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "regrain/particles/bias.hpp"
#include "regrain/particles/bonded.hpp"
#include "regrain/particles/coulomb.hpp"
#include "regrain/particles/external.hpp"
#include "regrain/particles/force_field.hpp"
#include "regrain/particles/motion.hpp"
#include "regrain/particles/pair_engine.hpp"
#include "regrain/particles/triples.hpp"
#include "scaled_pairs.hpp"

namespace regrain::particles {

struct SimulationSettings;

/// Energies by the name of the term, and the virial of all: xx yy zz xy xz yz.
struct Totals {
    std::vector<std::pair<std::string, double>> energies;
    std::array<double, 6> virial{};
    double power{0.0};  ///< rate of the work of what changes in time or has no energy; always
    std::vector<Vec3> external;     ///< force of each external field on all particles
    std::vector<double> variables;  ///< collective ones

    void add(const char* name, double energy) { energies.emplace_back(name, energy); }
    void add(const std::array<double, 6>& w) {
        for (std::size_t k = 0; k < 6; ++k) virial[k] += w[k];
    }
};

struct Interactions {
    PairEngine engine;
    TripleForces triples;
    BondedForces bonded;
    CoulombForces coulomb;
    ScaledPairForces scaled_pairs;
    BiasForces bias;
    ExternalForces external;  // the last, as it is told all other forces

    Interactions(const ForceField& field, std::span<const std::int32_t> types,
                 const SimulationSettings& settings);

    /// Forces on the rows (overwritten); energies and virial when asked for, else zeros.
    Totals compute(const Present& now, std::span<Vec3> forces, bool with_sums);

    /// Whether the total force along x, y and z is zero: not where something outside acts.
    [[nodiscard]] std::array<bool, 3> keeps_momentum() const;
};

}  // namespace regrain::particles
