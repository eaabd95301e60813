#include "pair_loop.hpp"

namespace regrain::particles {

namespace {

template <int W>
REGRAIN_INLINE void charge_rows(PairTask& task) {
    run_rows<W, ChargePotential<W>>(task);
}
template <int W>
REGRAIN_INLINE void charge_groups(PairTask& task) {
    run_groups<W, ChargePotential<W>>(task);
}
REGRAIN_PAIR_KERNEL(charge_rows)
REGRAIN_PAIR_KERNEL(charge_groups)

}  // namespace

const PairKernels charge_kernels{&charge_rows_kernel, &charge_groups_kernel};

}  // namespace regrain::particles
