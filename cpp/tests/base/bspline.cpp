#include "regrain/base/bspline.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"

using regrain::BSplineBasis;

namespace {

std::vector<double> points(const BSplineBasis& basis, std::size_t count) {
    std::vector<double> x(count);
    for (std::size_t k = 0; k < count; ++k) {
        x[k] = basis.x_min() + (basis.x_max() - basis.x_min()) * static_cast<double>(k) /
                                   static_cast<double>(count - 1);
    }
    return x;
}

const std::vector<double> uneven{-1.0, -0.7, 0.0, 0.0, 0.2, 0.9, 0.9, 0.9, 2.0, 2.5, 3.0, 3.5};

}  // namespace

TEST("B-splines are positive and add up to one, their derivatives to zero") {
    for (std::size_t degree = 0; degree <= 6; ++degree) {
        const BSplineBasis basis = BSplineBasis::uniform(-0.3, 1.9, 11, degree);
        CHECK(basis.size() == 11 + degree);
        std::vector<double> values(degree + 1);
        for (const double x : points(basis, 301)) {
            const std::size_t first = basis.evaluate(x, values);
            CHECK(first + degree < basis.size());
            double sum = 0.0;
            for (const double v : values) {
                CHECK(v >= -1e-15);
                sum += v;
            }
            CHECK_NEAR(sum, 1.0, 1e-14);
            for (std::size_t order = 1; order <= degree; ++order) {
                basis.evaluate(x, values, order);
                double slope = 0.0, size = 0.0;
                for (const double v : values) slope += v, size += std::abs(v);
                CHECK_NEAR(slope, 0.0, 1e-13 * size);
            }
        }
    }
}

TEST("the cubic B-spline of equal knots is the textbook one") {
    // Knots 0..7: the function that starts at 0 is 1/6, 4/6, 1/6 at 1, 2, 3.
    std::vector<double> knots;
    for (int i = 0; i < 12; ++i) knots.push_back(i);
    const BSplineBasis basis(knots, 3);
    std::array<double, 4> v{};
    CHECK(basis.evaluate(4.0, v) == 1);
    CHECK_NEAR(v[0], 1.0 / 6.0, 1e-15);
    CHECK_NEAR(v[1], 4.0 / 6.0, 1e-15);
    CHECK_NEAR(v[2], 1.0 / 6.0, 1e-15);
    CHECK_NEAR(v[3], 0.0, 1e-15);
    basis.evaluate(4.5, v, 2);  // (1 - t), 3 t - 2, 1 - 3 t, t at t = 1/2
    CHECK_NEAR(v[0], 0.5, 1e-14);
    CHECK_NEAR(v[1], -0.5, 1e-14);
    CHECK_NEAR(v[2], -0.5, 1e-14);
    CHECK_NEAR(v[3], 0.5, 1e-14);
}

TEST("the coefficients of x^2 by its polar form reproduce it and its derivatives") {
    // The blossom of x^2 on degree 3: the mean of the products of pairs of the inner knots.
    const BSplineBasis basis(uneven, 3);
    std::vector<double> c(basis.size());
    for (std::size_t j = 0; j < c.size(); ++j) {
        const double a = uneven[j + 1], b = uneven[j + 2], d = uneven[j + 3];
        c[j] = (a * b + b * d + a * d) / 3.0;
    }
    std::array<double, 4> v{};
    for (const double x : points(basis, 97)) {
        const double exact[] = {x * x, 2.0 * x, 2.0, 0.0};
        for (std::size_t order = 0; order < 4; ++order) {
            const std::size_t first = basis.evaluate(x, v, order);
            double sum = 0.0, size = 1.0;
            for (std::size_t j = 0; j < 4; ++j) {
                sum += c[first + j] * v[j];
                size += std::abs(v[j]);
            }
            CHECK_NEAR(sum, exact[order], 1e-13 * size);
        }
    }
}

TEST("equal intervals are found like any others") {
    const BSplineBasis fast = BSplineBasis::uniform(0.1, 0.7, 7, 4);
    const BSplineBasis general({fast.knots().begin(), fast.knots().end()}, 4);
    std::vector<double> a(5), b(5);
    std::vector<double> all = points(fast, 1001);
    for (const double knot : fast.knots()) {
        all.push_back(std::nextafter(knot, -1.0));
        all.push_back(knot);
        all.push_back(std::nextafter(knot, 1.0));
    }
    for (const double x : all) {
        CHECK(fast.evaluate(x, a, 1) == general.evaluate(x, b, 1));
        CHECK(a == b);
    }
}

TEST("the ends of clamped knots are interpolated") {
    const BSplineBasis basis = BSplineBasis::uniform(2.0, 3.0, 5, 3);
    std::array<double, 4> v{};
    CHECK(basis.evaluate(2.0, v) == 0);
    CHECK_NEAR(v[0], 1.0, 1e-15);
    CHECK(basis.evaluate(3.0, v) == basis.size() - 4);
    CHECK_NEAR(v[3], 1.0, 1e-15);
    basis.evaluate(2.5, v, 4);
    CHECK_NEAR(v[0] + v[1] + v[2] + v[3], 0.0, 0.0);
}

TEST("bad knots are refused") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    std::array<double, 4> v{};
    CHECK_THROWS(regrain::Error, BSplineBasis({0.0, 1.0, 2.0}, 1));
    CHECK_THROWS(regrain::Error, BSplineBasis({0.0, 2.0, 1.0, 3.0}, 1));
    CHECK_THROWS(regrain::Error, BSplineBasis({0.0, nan, 1.0, 3.0}, 1));
    CHECK_THROWS(regrain::Error, BSplineBasis({0.0, 1.0, 1.0, 1.0, 2.0}, 1));
    CHECK_THROWS(regrain::Error, BSplineBasis({1.0, 1.0, 1.0, 1.0}, 1));
    CHECK_THROWS(regrain::Error, BSplineBasis::uniform(1.0, 1.0, 3, 3));
    CHECK_THROWS(regrain::Error, BSplineBasis::uniform(0.0, 1.0, 0, 3));
    CHECK_THROWS(regrain::Error, BSplineBasis::uniform(0.0, 1.0, 3, 16));
    const BSplineBasis basis = BSplineBasis::uniform(0.0, 1.0, 3, 3);
    CHECK_THROWS(regrain::Error, basis.evaluate(nan, v));
    CHECK_THROWS(regrain::Error, basis.evaluate(0.5, std::span<double>(v).first(3)));
}
