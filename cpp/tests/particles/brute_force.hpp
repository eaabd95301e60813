// The plain reference for everything that searches: loops over all images, no cleverness.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/random.hpp"
#include "regrain/particles/cells.hpp"

namespace brute {

using regrain::Box;
using regrain::Vec3;
using regrain::particles::Image;

struct Pair {
    std::uint32_t i, j;
    Image shift;
    Vec3 d;
};

/// Calls f(i, j, shift, d) for each ordered pair of images closer than the cutoff.
template <class F>
void pairs(const std::vector<Vec3>& r, const Box& box, double cutoff, F&& f) {
    const Vec3 h = box.heights();
    for (std::uint32_t i = 0; i < r.size(); ++i) {
        for (std::uint32_t j = 0; j < r.size(); ++j) {
            const Vec3 s = box.fractional(r[j] - r[i]);
            const auto low = [&](double x, double height) {
                return static_cast<std::int32_t>(std::floor(-x - cutoff / height)) - 1;
            };
            const auto high = [&](double x, double height) {
                return static_cast<std::int32_t>(std::ceil(-x + cutoff / height)) + 1;
            };
            for (auto a = low(s.x, h.x); a <= high(s.x, h.x); ++a)
                for (auto b = low(s.y, h.y); b <= high(s.y, h.y); ++b)
                    for (auto c = low(s.z, h.z); c <= high(s.z, h.z); ++c) {
                        if (i == j && a == 0 && b == 0 && c == 0) continue;
                        const Image shift{a, b, c};
                        const Vec3 d =
                            (r[j] - r[i]) + regrain::particles::lattice_vector(box, shift);
                        if (norm2(d) < cutoff * cutoff) f(i, j, shift, d);
                    }
        }
    }
}

/// Boxes of several shapes: cubic, flat, triclinic, strongly skewed, smaller than a cutoff of 1.
inline std::vector<Box> boxes() {
    using M = std::array<std::array<double, 3>, 3>;
    return {Box(Vec3{4.0, 4.0, 4.0}),
            Box(Vec3{2.5, 7.0, 3.1}),
            Box(Vec3{0.7, 0.9, 5.0}),
            Box(Vec3{0.35, 0.4, 0.3}),
            Box(M{{{4.0, 0.0, 0.0}, {1.5, 3.5, 0.0}, {-1.2, 0.9, 3.0}}}),
            Box(M{{{3.0, 0.0, 0.0}, {7.5, 3.5, 0.0}, {-9.2, 11.0, 3.0}}}),
            Box(M{{{1.0, 0.0, 0.0}, {0.5, 0.9, 0.0}, {0.5, 0.3, 0.8}}}),
            Box(M{{{0.5, 0.0, 0.0}, {2.4, 0.6, 0.0}, {1.7, -1.1, 0.7}}})};
}

/// Random positions, some of them several boxes away, some exactly on faces.
inline std::vector<Vec3> positions(const Box& box, std::size_t n, std::uint64_t seed) {
    const regrain::Philox random(seed, 1);
    std::vector<Vec3> r;
    for (std::uint32_t i = 0; i < n; ++i) {
        const auto u = random.uniform2(0, i, 0);
        const auto v = random.uniform2(0, i, 1);
        Vec3 s{3.0 * u[0] - 1.0, 3.0 * u[1] - 1.0, 3.0 * v[0] - 1.0};
        if (i % 7 == 0) s.x = std::round(s.x);
        if (i % 11 == 0) s = {std::round(s.x), std::round(s.y), std::round(s.z)};
        r.push_back(box.cartesian(s));
    }
    return r;
}

}  // namespace brute
