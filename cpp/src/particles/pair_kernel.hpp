// The loop over neighbours, for any potential.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pair_list.hpp"
#include "pair_parameters.hpp"
#include "pair_places.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// One chunk of rows for a kernel. Forces are added to.
struct PairTask {
    const PairParameters* parameters;
    const KindParameters* kind;  ///< null for charges
    const Row* rows;             ///< for charges, these instead of types
    const Places* places;        ///< of the rows; null in double precision
    const PairList::Chunk* list;
    std::size_t begin, end;
    Vec3* forces;
    Sums* sums;              ///< null when not wanted
    bool suspicious{false};  ///< set when a pair may overlap or lie before its table
};

using PairKernel = void (*)(PairTask&);

/// In double precision from the lists of rows, and in mixed precision from the lists of groups.
struct PairKernels {
    PairKernel full, mixed;
};

extern const PairKernels lennard_jones_kernels, table_kernels, yukawa_kernels, gaussian_kernels,
    soft_kernels;
/// Of charges, which are in double precision in both.
extern const PairKernels charge_kernels;

/// Those of each kind of potential, in the order of PairPotential.
inline constexpr std::array<const PairKernels*, PairParameters::kinds> pair_kernels{
    &lennard_jones_kernels, &table_kernels, &yukawa_kernels, &gaussian_kernels, &soft_kernels};

}  // namespace regrain::particles
