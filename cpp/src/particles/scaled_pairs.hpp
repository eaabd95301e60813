// Excluded pairs that act on each other after all, in part.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "pair_list.hpp"
#include "regrain/particles/force_field.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// Pair potentials and charges times factors between nearest images: pairs three bonds apart.
/// Potentials end at their cutoffs, as between all others; what charges have at a distance is left
/// to CoulombForces, which treats the pairs as excluded.
class ScaledPairForces {
public:
    /// Throws Error for pairs that are not excluded.
    ScaledPairForces(const ForceField& field, std::size_t particles);

    [[nodiscard]] bool empty() const { return !pairs_; }

    /// Adds forces to the rows of the engine. Throws Error naming both particles where they have no
    /// energy.
    Sums compute(const PairEngine& engine, std::span<Vec3> forces) const;

private:
    Sums pair(const PairEngine& engine, std::size_t row, std::uint32_t id, Vec3& force) const;

    std::optional<Exclusions> pairs_;
    std::size_t types_;
    std::vector<int> pair_of_types_;
    std::vector<PairPotential> potentials_;
    std::vector<double> charge_;  ///< by id
    double pair_factor_, charge_factor_;
    double charge_cutoff_{0.0};  ///< of a reaction field; infinite for Ewald's sum
};

}  // namespace regrain::particles
