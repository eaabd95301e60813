// Bonded terms grouped by the kind of their potential, as their kernels want them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bonded_kernel.hpp"
#include "regrain/particles/force_field.hpp"

namespace regrain::particles {

/// The terms of one group as the force field gave them.
struct BondedTermsOfGroup {
    BondedGroup group;
    std::vector<std::uint32_t> particle;   ///< group.width of each term
    std::vector<std::uint32_t> potential;  ///< number of its potential within the group
    std::vector<std::uint32_t> given;      ///< number of the term among those of its kind
    std::vector<std::uint32_t> order;      ///< terms by the rows of their particles

    /// Follows the order of rows: sorts the terms, and fills the arrays that the kernels read.
    void sort(std::span<const std::uint32_t> row_of);
};

/// One group for each kind of potential that occurs.
std::vector<BondedTermsOfGroup> grouped(const BondedTerms<2, BondPotential>& bonds);
std::vector<BondedTermsOfGroup> grouped(const BondedTerms<3, AnglePotential>& angles);
std::vector<BondedTermsOfGroup> grouped(const BondedTerms<4, DihedralPotential>& dihedrals);

}  // namespace regrain::particles
