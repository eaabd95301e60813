#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

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
/// Terms are grouped by the kind of their potential and follow the order of the engine's rows, so
/// that a vector of them works on particles that are close in memory. Each term writes the forces
/// on its particles to places of its own, and each particle then adds up its places in a fixed
/// order: no write conflicts, the same bits for any number of threads.
///
/// Where a force has no direction (an angle at 0 or pi, a dihedral with three particles in a line)
/// it is zero: the potential has a cusp there, unless its slope vanishes.
class REGRAIN_EXPORT BondedForces {
public:
    /// Throws Error for a particle or a potential that is not there.
    BondedForces(const ForceField& field, std::size_t particles);
    ~BondedForces();
    BondedForces(BondedForces&&) noexcept;
    BondedForces& operator=(BondedForces&&) noexcept;

    [[nodiscard]] bool empty() const { return impl_ == nullptr; }

    /// Adds forces to the rows of the engine; the sums are zero unless asked for. Throws Error
    /// naming ids and length for an overstretched FENE bond or a bond outside of its table.
    BondedSums compute(const PairEngine& engine, std::span<Vec3> forces, bool with_sums);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace regrain::particles
