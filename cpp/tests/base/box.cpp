#include "regrain/base/box.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/random.hpp"

using namespace regrain;

namespace {

using Vectors = std::array<std::array<double, 3>, 3>;

// A box whose tilts go far beyond the usual half edge.
Box random_box(std::uint32_t k) {
    const Philox random(11, 0);
    const auto u = random.uniform2(0, k, 0);
    const auto v = random.uniform2(0, k, 1);
    const auto w = random.uniform2(0, k, 2);
    const double a = 1.0 + u[0];
    const double b = 1.0 + u[1];
    const double c = 1.0 + v[0];
    return Box(
        Vectors{{{a, 0, 0}, {3 * (v[1] - 0.5), b, 0}, {3 * (w[0] - 0.5), 3 * (w[1] - 0.5), c}}});
}

Vec3 random_vector(std::uint32_t k, double size) {
    const Philox random(12, 0);
    const auto u = random.uniform2(0, k, 0);
    const auto v = random.uniform2(0, k, 1);
    return {size * (u[0] - 0.5), size * (u[1] - 0.5), size * (v[0] - 0.5)};
}

// The definition, over far more images than can matter.
double shortest(const Box& box, const Vec3& d) {
    double best = std::numeric_limits<double>::max();
    for (int i = -14; i <= 14; ++i)
        for (int j = -14; j <= 14; ++j)
            for (int k = -14; k <= 14; ++k)
                best = std::min(best, norm2(d + box.cartesian({double(i), double(j), double(k)})));
    return best;
}

}  // namespace

TEST("fractional and Cartesian coordinates are inverse to each other") {
    for (std::uint32_t k = 0; k < 200; ++k) {
        const Box box = random_box(k);
        const Vec3 r = random_vector(k, 10.0);
        CHECK(norm(box.cartesian(box.fractional(r)) - r) < 1e-13);
    }
}

TEST("the minimum image is the shortest of all images, in skewed boxes too") {
    for (std::uint32_t k = 0; k < 60; ++k) {
        const Box box = random_box(k);
        const Vec3 d = random_vector(k, 6.0);
        CHECK_NEAR(norm2(box.minimum_image(d)), shortest(box, d), 1e-11);
    }
}

TEST("wrapping lands inside and the images give the position back") {
    for (std::uint32_t k = 0; k < 500; ++k) {
        const Box box = random_box(k);
        const Vec3 r = random_vector(k, 40.0);
        std::array<std::int32_t, 3> image{};
        const Vec3 w = box.wrap(r, &image);
        const Vec3 s = box.fractional(w);
        CHECK(s.x >= 0 && s.x < 1 && s.y >= 0 && s.y < 1 && s.z >= 0 && s.z < 1);
        const Vec3 n{double(image[0]), double(image[1]), double(image[2])};
        CHECK(norm(w + box.cartesian(n) - r) < 1e-12);
    }
}

TEST("a coordinate a hair below zero wraps inside, not onto the far face") {
    const Box box(Vec3{3.0, 3.0, 3.0});
    const Vec3 w = box.wrap({-1e-18, -1e-18, -1e-18});
    CHECK(w.x >= 0 && w.x < 3 && w.y >= 0 && w.y < 3 && w.z >= 0 && w.z < 3);
}

TEST("heights are the distances between faces") {
    // b at 60 degrees to a: the height over b is a sin 60.
    const double h = std::sqrt(3.0) / 2.0;
    const Box box(Vectors{{{2, 0, 0}, {0.5, h, 0}, {0, 0, 5}}});
    CHECK_NEAR(box.heights().x, 2 * h, 1e-14);
    CHECK_NEAR(box.heights().y, h, 1e-14);
    CHECK_NEAR(box.heights().z, 5.0, 1e-14);
    CHECK_NEAR(box.volume(), 2 * h * 5, 1e-14);
}

TEST("boxes that are none are refused") {
    CHECK_THROWS(Error, Box(Vec3{1.0, 0.0, 1.0}));
    CHECK_THROWS(Error, Box(Vec3{1.0, -2.0, 1.0}));
    CHECK_THROWS(Error, Box(Vec3{1.0, std::nan(""), 1.0}));
    CHECK_THROWS(Error, Box(Vectors{{{1, 0.1, 0}, {0, 1, 0}, {0, 0, 1}}}));
    CHECK_THROWS(Error, Box(Vectors{{{1, 0, 0}, {0, 1e-3, 0}, {500, 500, 1}}}));
}
