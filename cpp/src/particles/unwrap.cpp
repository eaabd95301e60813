#include "regrain/particles/unwrap.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "regrain/base/error.hpp"

namespace regrain::particles {

double follow(std::span<Vec3> unwrapped, std::span<const Vec3> previous,
              std::span<const Vec3> positions, const Box& box) {
    const std::size_t n = positions.size();
    if (unwrapped.size() != n || previous.size() != n) {
        throw Error("the frames hold " + std::to_string(previous.size()) + " and " +
                    std::to_string(n) + " particles; a trace keeps its particles");
    }
    double longest = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        const Vec3 step = box.minimum_image(positions[i] - previous[i]);
        unwrapped[i] += step;
        longest = std::max(longest, norm2(step));
    }
    return std::sqrt(longest);
}

}  // namespace regrain::particles
