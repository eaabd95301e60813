// The loop over neighbours, for any potential.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pair_list.hpp"
#include "pair_parameters.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// One chunk of rows for a kernel. Forces are added to.
struct PairTask {
    const PairParameters* parameters;
    const KindParameters* kind;  ///< null for charges
    const Row* rows;             ///< for charges, these instead of types
    const PairList::Chunk* list;
    std::size_t begin, end;
    Vec3* forces;
    Sums* sums;              ///< null when not wanted
    bool suspicious{false};  ///< set when a pair may overlap or lie before its table
};

using PairKernel = void (*)(PairTask&);

/// The kernel of each kind of potential, in the order of PairPotential.
extern const std::array<PairKernel, PairParameters::kinds> pair_kernels;

void charge_kernel(PairTask& task);

}  // namespace regrain::particles
