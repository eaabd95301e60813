#include "pair_loop.hpp"

namespace regrain::particles {

REGRAIN_TYPED_KERNELS(yukawa, YukawaPotential)

}  // namespace regrain::particles
