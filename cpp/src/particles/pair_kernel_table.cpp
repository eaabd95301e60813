#include "pair_loop.hpp"

namespace regrain::particles {

REGRAIN_TYPED_KERNELS(table, TablePotential)

}  // namespace regrain::particles
