#include "thermal_noise.hpp"

namespace regrain::particles {

void thermal_noise(const Philox& generator, std::uint64_t step, std::span<const std::uint32_t> ids,
                   Vec3* out) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto g = generator.normal4(step, ids[i]);
        out[i] = {g[0], g[1], g[2]};
    }
}

}  // namespace regrain::particles
