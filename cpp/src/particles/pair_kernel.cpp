#include "pair_kernel.hpp"

#include "pair_loop.hpp"

namespace regrain::particles {

namespace {

template <int W>
REGRAIN_INLINE void lennard_jones(PairTask& task) {
    typed_loop<W, LennardJonesPotential>(task);
}
template <int W>
REGRAIN_INLINE void table(PairTask& task) {
    typed_loop<W, TablePotential>(task);
}
template <int W>
REGRAIN_INLINE void yukawa(PairTask& task) {
    typed_loop<W, YukawaPotential>(task);
}
template <int W>
REGRAIN_INLINE void gaussian(PairTask& task) {
    typed_loop<W, GaussianPotential>(task);
}
template <int W>
REGRAIN_INLINE void soft(PairTask& task) {
    typed_loop<W, SoftPotential>(task);
}
template <int W>
REGRAIN_INLINE void charge(PairTask& task) {
    with_or_without_sums<W, ChargePotential<W>>(task);
}

}  // namespace

REGRAIN_PAIR_KERNEL(lennard_jones)
REGRAIN_PAIR_KERNEL(table)
REGRAIN_PAIR_KERNEL(yukawa)
REGRAIN_PAIR_KERNEL(gaussian)
REGRAIN_PAIR_KERNEL(soft)
REGRAIN_PAIR_KERNEL(charge)

const std::array<PairKernel, PairParameters::kinds> pair_kernels{
    &lennard_jones_kernel, &table_kernel, &yukawa_kernel, &gaussian_kernel, &soft_kernel};

}  // namespace regrain::particles
