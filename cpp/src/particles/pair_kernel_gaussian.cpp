#include "pair_loop.hpp"

namespace regrain::particles {

REGRAIN_TYPED_KERNELS(gaussian, GaussianPotential)

}  // namespace regrain::particles
