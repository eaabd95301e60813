#include "interactions.hpp"

#include "regrain/base/error.hpp"
#include "regrain/particles/simulation.hpp"

namespace regrain::particles {

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
    const Sums c = coulomb.compute(now.engine, forces);
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
