// Which images of a particle lie within reach of the brick, and checks of what is asked for.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "../base/messages.hpp"
#include "regrain/base/box.hpp"
#include "regrain/particles/cells.hpp"

namespace regrain::particles {

/// Throws Error for a position that is not finite or too far away to be folded.
inline void check_position(const Vec3& r, const Box& box, std::size_t particle) {
    if (!finite(r)) {
        throw Error("particle " + std::to_string(particle) + " is at " + shown(r) +
                    "; every coordinate must be a finite number");
    }
    const Vec3 s = box.fractional(r);
    if (std::max({std::abs(s.x), std::abs(s.y), std::abs(s.z)}) > 1e7) {
        throw Error("particle " + std::to_string(particle) + " is at " + shown(r) +
                    ", more than 1e7 boxes away; the run has exploded or the box is wrong");
    }
}

/// Throws Error where so many particles have too many images within the reach.
inline void check_copies(std::size_t particles, const Box& box, double reach) {
    constexpr double max_points = 2.0e9;
    const Vec3 brick{box.a().x, box.b().y, box.c().z};
    const Vec3 extent = brick + 2.0 * Vec3{reach, reach, reach};
    const double copies = extent.x * extent.y * extent.z / box.volume();
    if (copies * static_cast<double>(particles) > max_points) {
        throw Error("a reach of " + std::to_string(reach) + " in a box of " + shown(brick) +
                    " asks for " + std::to_string(copies) + " images of each of " +
                    std::to_string(particles) + " particles; reduce the reach or repeat the box");
    }
}

/// Calls f(place, image) for all images of r, which lies in the brick, that are within the margin
/// around the brick; r itself is one of them.
template <class F>
void for_images(const Box& box, const Vec3& r, double margin, F&& f) {
    const double ax = box.a().x, by = box.b().y, cz = box.c().z;
    const auto inside = [margin](double x, double edge) { return x > margin && x < edge - margin; };
    if (inside(r.x, ax) && inside(r.y, by) && inside(r.z, cz)) return f(r, Image{0, 0, 0});
    // Shifts so that n * period + x lies within the margin; floor without the call of a library.
    const auto down = [](double x) {
        const auto whole = static_cast<std::int32_t>(x);
        return whole - (static_cast<double>(whole) > x ? 1 : 0);
    };
    const auto first = [&](double x, double period) { return -down((margin + x) / period); };
    const auto last = [&](double x, double period) { return down((period + margin - x) / period); };
    for (std::int32_t k = first(r.z, cz), k_end = last(r.z, cz); k <= k_end; ++k) {
        const Vec3 rk = r + static_cast<double>(k) * box.c();
        for (std::int32_t j = first(rk.y, by), j_end = last(rk.y, by); j <= j_end; ++j) {
            const Vec3 rj = rk + static_cast<double>(j) * box.b();
            for (std::int32_t i = first(rj.x, ax), i_end = last(rj.x, ax); i <= i_end; ++i)
                f(rj + static_cast<double>(i) * box.a(), Image{i, j, k});
        }
    }
}

}  // namespace regrain::particles
