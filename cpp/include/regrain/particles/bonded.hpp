#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/force_field.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// Energies of the bonded terms by kind, and their common virial.
struct BondedSums {
    double bonds{0.0}, angles{0.0}, dihedrals{0.0};
    std::array<double, 6> virial{};
};

/// Bonds, angles and dihedrals between nearest images.
///
/// Each term writes the forces on its particles to a place of its own, and each particle then adds
/// up its places in a fixed order: no write conflicts, the same bits for any number of threads.
///
/// Where a force has no direction (an angle at 0 or pi, a dihedral with three particles in a line)
/// it is zero: the potential has a cusp there, unless its slope vanishes.
class REGRAIN_EXPORT BondedForces {
public:
    /// Throws Error for a particle or a potential that is not there.
    BondedForces(const ForceField& field, std::size_t particles);

    [[nodiscard]] bool empty() const { return slot_force_.empty(); }

    /// Adds forces to the rows, `row_of[id]` being the row of a particle. Throws Error naming ids
    /// and length for an overstretched FENE bond or a bond outside of its table.
    BondedSums compute(std::span<const Row> rows, std::span<const std::uint32_t> row_of,
                       std::span<const std::uint32_t> ids, const Box& box, std::span<Vec3> forces);

private:
    BondedTerms<2, BondPotential> bonds_;
    BondedTerms<3, AnglePotential> angles_;
    BondedTerms<4, DihedralPotential> dihedrals_;
    std::vector<Vec3> slot_force_;
    std::vector<std::uint32_t> slot_of_particle_;  ///< slots grouped by particle ...
    std::vector<std::uint32_t> first_slot_;        ///< ... from first_slot_[id]
};

}  // namespace regrain::particles
