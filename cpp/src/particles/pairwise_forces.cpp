#include "pairwise_forces.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "interactions.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain::particles {

PairwiseForces::PairwiseForces(const Dpd& law, std::size_t types, std::vector<double> repulsion,
                               double dt, std::uint64_t seed)
    : parameters_{types, law.cutoff, law.exponent, {}},
      pass_(law.cutoff),
      dt_(dt),
      ahead_((law.predictor - 0.5) * dt),
      seed_(seed) {
    for (std::size_t k = 0; k < types * types; ++k) {
        const double friction = law.friction[k];
        const double noise = std::sqrt(2.0 * friction * law.kt / dt) * PairNoise::scale;
        parameters_.of_pair.push_back({{repulsion[k], friction, noise, 0.0}});
    }
}

void PairwiseForces::forces(const Present& now, std::span<Vec3> forces, Totals* totals) {
    if (now.step == 0) lead_.clear();
    follow_rows(now.engine);
    const PairNoise noise(seed_, pair_noise, now.step);
    const PairwiseSums sums = pass_.add(parameters_, now, lead_, noise, forces, totals != nullptr);
    follow_heat(sums, now.step == 0);
    if (ahead_ != 0.0) {
        lead_.resize(forces.size());
        parallel_for(forces.size(), [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row)
                lead_[row] = forces[row] * (ahead_ * now.motion[row].inverse_mass);
        });
    }
    if (totals == nullptr) return;
    totals->add("pair", sums.energy);
    totals->add(sums.virial);
}

// Where rows have another order than before, so has the lead.
void PairwiseForces::follow_rows(const PairEngine& engine) {
    if (ahead_ == 0.0 || version_ == engine.version()) return;
    version_ = engine.version();
    const std::vector<Vec3> by_id = lead_by_id();
    ids_.assign(engine.ids().begin(), engine.ids().end());
    for (std::size_t row = 0; row < lead_.size(); ++row) lead_[row] = by_id[ids_[row]];
}

std::vector<Vec3> PairwiseForces::lead_by_id() const {
    std::vector<Vec3> by_id(lead_.size());
    for (std::size_t row = 0; row < lead_.size(); ++row) by_id[ids_[row]] = lead_[row];
    return by_id;
}

// Of the two half kicks around this moment one ends a step and one begins the next; before the
// first step there is only the latter.
void PairwiseForces::follow_heat(const PairwiseSums& sums, bool first) {
    const double early = 0.5 * dt_ * (sums.along + 0.25 * dt_ * sums.square);
    const double late = 0.5 * dt_ * (sums.along + 0.75 * dt_ * sums.square);
    heat_ = first ? 0.0 : heat_ + pending_ + early;
    pending_ = first ? early : late;
}

// Of present velocities, and the noise of the last forces.
void PairwiseForces::measure(const Present& now, Totals& totals) {
    std::vector<Vec3> scratch(now.motion.size());
    const PairNoise noise(seed_, pair_noise, now.step);
    const PairwiseSums sums = pass_.add(parameters_, now, {}, noise, scratch, true);
    totals.add("pair", sums.energy);
    totals.add(sums.virial);
    totals.add(sums.thermal);
}

std::vector<double> PairwiseForces::state() const {
    std::vector<double> all{heat_, pending_};
    for (const Vec3& v : lead_by_id()) all.insert(all.end(), {v.x, v.y, v.z});
    return all;
}

void PairwiseForces::set_state(std::span<const double> state) {
    if (state.size() < 2 || (state.size() - 2) % 3 != 0) {
        throw Error("the snapshot is one of other dynamics: pairwise forces have another state");
    }
    heat_ = state[0];
    pending_ = state[1];
    lead_.clear();
    for (std::size_t k = 2; k < state.size(); k += 3)
        lead_.push_back({state[k], state[k + 1], state[k + 2]});
    ids_.resize(lead_.size());
    std::iota(ids_.begin(), ids_.end(), 0U);
    version_ = no_version;
}

}  // namespace regrain::particles
