// The vectors of the core under the name by which the kernels of particles know them.
#pragma once

#include "../base/vectors.hpp"

namespace regrain::particles::simd {
using namespace regrain::vectors;
}
