#include "pair_loop.hpp"

namespace regrain::particles {

REGRAIN_TYPED_KERNELS(soft, SoftPotential)

}  // namespace regrain::particles
