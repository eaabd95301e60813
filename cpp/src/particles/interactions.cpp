#include "interactions.hpp"

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/simulation.hpp"

namespace regrain::particles {

namespace {

// A mesh pushes the whole, a little. By mass, so that what is taken out does no work on particles
// whose centre is at rest.
void take_out(const Vec3& push, std::span<const Motion> motion, std::span<Vec3> forces) {
    if (push == Vec3{}) return;
    const auto mass = [&](std::size_t row) {
        const double inverse = motion[row].inverse_mass;
        return inverse > 0.0 ? 1.0 / inverse : 0.0;
    };
    const double total =
        parallel_sum<double>(motion.size(), [&](std::size_t begin, std::size_t end) {
            double sum = 0.0;
            for (std::size_t row = begin; row < end; ++row) sum += mass(row);
            return sum;
        });
    if (total == 0.0) return;  // all are frozen
    const Vec3 share = push * (-1.0 / total);
    parallel_for(motion.size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) forces[row] += share * mass(row);
    });
}

}  // namespace

Interactions::Interactions(const ForceField& field, std::span<const std::int32_t> types,
                           const SimulationSettings& settings)
    : engine(field, types, settings.skin, settings.precision),
      triples(field, settings.skin),
      bonded(field, types.size()),
      coulomb(field, types.size()),
      scaled_pairs(field, types.size()),
      bias(field, types.size()),
      external(field) {}

Totals Interactions::compute(const Present& now, std::span<Vec3> forces, bool with_sums) {
    const Sums pair = engine.compute(forces, with_sums);
    const Sums t = triples.compute(now.engine, forces);
    const Sums c = coulomb.compute(now.engine, forces, with_sums);
    take_out(coulomb.push(), now.motion, forces);
    const Sums s = scaled_pairs.compute(now.engine, forces);
    const BondedSums b = bonded.compute(now.engine, forces, with_sums);
    const BiasSums biases = bias.compute(now, forces);
    const std::vector<ExternalSums> outside = external.compute(now, forces);
    Totals totals;
    totals.power = biases.power;
    ExternalSums all_outside;
    for (const ExternalSums& sums : outside) all_outside += sums;
    totals.power += all_outside.power;
    if (!with_sums) return totals;
    totals.add("pair", pair.energy + s.energy);
    totals.add("triple", t.energy);
    totals.add("bond", b.bonds);
    totals.add("angle", b.angles);
    totals.add("dihedral", b.dihedrals);
    totals.add("charge", pair.charge + c.charge + s.charge);
    totals.add("external", all_outside.energy);
    totals.add("bias", biases.energy);
    for (const ExternalSums& sums : outside) totals.external.push_back(sums.force);
    totals.variables = biases.values;
    for (const auto* virial :
         {&pair.virial, &t.virial, &b.virial, &c.virial, &s.virial, &biases.virial}) {
        totals.add(*virial);
    }
    return totals;
}

std::array<bool, 3> Interactions::keeps_momentum() const {
    std::array<bool, 3> keeps = bias.keeps_momentum();
    const std::array<bool, 3> also = external.keeps_momentum();
    for (std::size_t k = 0; k < 3; ++k) keeps[k] = keeps[k] && also[k];
    return keeps;
}

}  // namespace regrain::particles
