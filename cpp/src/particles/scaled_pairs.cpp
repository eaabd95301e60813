#include "scaled_pairs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/potentials.hpp"

namespace regrain::particles {

namespace {

std::string both(std::uint32_t i, std::uint32_t j) {
    return "particles " + std::to_string(std::min(i, j)) + " and " + std::to_string(std::max(i, j));
}

}  // namespace

ScaledPairForces::ScaledPairForces(const ForceField& field, std::size_t particles)
    : types_(field.types),
      pair_of_types_(field.pair_of_types),
      potentials_(field.pair_potentials),
      pair_factor_(field.scaled_pairs.pair_factor),
      charge_factor_(field.scaled_pairs.charge_factor) {
    const auto& pairs = field.scaled_pairs.pairs;
    if (pairs.empty()) return;
    if (!std::isfinite(pair_factor_) || !std::isfinite(charge_factor_)) {
        throw Error("the factors of scaled pairs must be numbers");
    }
    pairs_.emplace(pairs, particles);
    if (!std::includes(field.exclusions.begin(), field.exclusions.end(), pairs.begin(),
                       pairs.end())) {
        throw Error("pairs that act in part must be excluded from acting as a whole");
    }
    if (!field.charges) return;
    const auto* within = std::get_if<ReactionField>(&field.charges->method);
    charge_cutoff_ = within != nullptr ? within->cutoff : std::numeric_limits<double>::infinity();
    for (const double q : field.charges->values) {
        charge_.push_back(q * std::sqrt(field.charges->factor));
    }
}

Sums ScaledPairForces::pair(const PairEngine& engine, std::size_t row, std::uint32_t id,
                            Vec3& force) const {
    const Row& mine = engine.rows()[row];
    const Row& other = engine.rows()[engine.row_of()[id]];
    const std::uint32_t own = engine.ids()[row];
    const Vec3 d =
        engine.box().minimum_image({mine.x - other.x, mine.y - other.y, mine.z - other.z});
    const double r = norm(d);
    if (!(r > 0.0)) {
        throw Error(both(own, id) +
                    " are at the same place (distance 0), where no force has a direction; check "
                    "the configuration");
    }
    const auto type = [](const Row& of) { return static_cast<std::size_t>(of.tag); };
    const int which = pair_of_types_[type(mine) * types_ + type(other)];
    EnergySlope u{0.0, 0.0};
    try {
        if (which >= 0) u = evaluate(potentials_[static_cast<std::size_t>(which)], r);
    } catch (const Error& error) {
        throw Error(both(own, id) + ": " + error.what());
    }
    const double charge =
        r < charge_cutoff_ ? charge_factor_ * charge_[own] * charge_[id] / r : 0.0;
    Vec3 f = d * ((charge / r - pair_factor_ * u.slope) / r);
    force += f;
    // Half, as each pair is seen from both sides.
    f *= 0.5;
    return {0.5 * pair_factor_ * u.energy,
            {d.x * f.x, d.y * f.y, d.z * f.z, d.x * f.y, d.x * f.z, d.y * f.z},
            0.5 * charge};
}

Sums ScaledPairForces::compute(const PairEngine& engine, std::span<Vec3> forces) const {
    if (empty()) return {};
    return parallel_sum<Sums>(engine.size(), [&](std::size_t begin, std::size_t end) {
        Sums sums;
        for (std::size_t row = begin; row < end; ++row) {
            for (const std::uint32_t id : pairs_->of(engine.ids()[row])) {
                sums += pair(engine, row, id, forces[row]);
            }
        }
        return sums;
    });
}

}  // namespace regrain::particles
