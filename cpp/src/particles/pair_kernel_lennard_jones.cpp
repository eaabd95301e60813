#include "pair_loop.hpp"

namespace regrain::particles {

REGRAIN_TYPED_KERNELS(lennard_jones, LennardJonesPotential)

}  // namespace regrain::particles
