#include "interactions.hpp"

#include "regrain/base/error.hpp"
#include "regrain/particles/simulation.hpp"

namespace regrain::particles {

Interactions::Interactions(const ForceField& field, std::span<const std::int32_t> types,
                           const SimulationSettings& settings)
    : engine(field, types, settings.skin),
      triples(field, settings.skin),
      bonded(field, types.size()),
      coulomb(field, types.size()) {}

Totals Interactions::compute(const Present& now, std::span<Vec3> forces, bool with_sums) {
    const Sums pair = engine.compute(forces, with_sums);
    const Sums t = triples.compute(now.engine, forces);
    const Sums c = coulomb.compute(now.engine, forces);
    const BondedSums b = bonded.compute(now.engine, forces, with_sums);
    Totals totals;
    if (!with_sums) return totals;
    totals.add("pair", pair.energy);
    totals.add("triple", t.energy);
    totals.add("bond", b.bonds);
    totals.add("angle", b.angles);
    totals.add("dihedral", b.dihedrals);
    totals.add("charge", pair.charge + c.charge);
    for (const auto* virial : {&pair.virial, &t.virial, &b.virial, &c.virial}) totals.add(*virial);
    return totals;
}

}  // namespace regrain::particles
