#include "regrain/base/table.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"

using namespace regrain;

namespace {

std::vector<double> sample(double (*f)(double), double a, double b, std::size_t n) {
    std::vector<double> y(n);
    for (std::size_t i = 0; i < n; ++i)
        y[i] = f(a + (b - a) * static_cast<double>(i) / static_cast<double>(n - 1));
    return y;
}

double error_of(const CubicTable& table, double (*f)(double), double a, double b) {
    double worst = 0.0;
    for (int i = 0; i <= 1000; ++i) {
        const double x = a + (b - a) * i / 1000.0;
        worst = std::max(worst, std::abs(table(x).u - f(x)));
    }
    return worst;
}

double sine(double x) { return std::sin(x); }
double cosine(double x) { return std::cos(x); }
double cubic(double x) { return 1.0 + x * (-2.0 + x * (0.5 + 3.0 * x)); }
double cubic_slope(double x) { return -2.0 + x * (1.0 + 9.0 * x); }

}  // namespace

TEST("Hermite tables reproduce cubics, values and slopes") {
    const auto y = sample(cubic, -1.0, 2.0, 9);
    const auto s = sample(cubic_slope, -1.0, 2.0, 9);
    const auto table = CubicTable::hermite(-1.0, 2.0, y, s);
    for (double x = -1.0; x <= 2.0; x += 0.01) {
        CHECK_NEAR(table(x).u, cubic(x), 1e-13);
        CHECK_NEAR(table(x).slope, cubic_slope(x), 1e-12);
    }
}

TEST("the natural spline of sin on [0, pi] converges with the fourth power of the spacing") {
    // sin'' vanishes at both ends, so the natural end condition is exact there.
    const double pi = std::acos(-1.0);
    const double coarse = error_of(CubicTable::spline(0, pi, sample(sine, 0, pi, 21)), sine, 0, pi);
    const double fine = error_of(CubicTable::spline(0, pi, sample(sine, 0, pi, 41)), sine, 0, pi);
    CHECK(fine < 1e-6);
    CHECK_NEAR(coarse / fine, 16.0, 1.0);
}

TEST("where the second derivative does not vanish at the ends the order is only two") {
    const double coarse =
        error_of(CubicTable::spline(0, 1, sample(cosine, 0, 1, 21)), cosine, 0, 1);
    const double fine = error_of(CubicTable::spline(0, 1, sample(cosine, 0, 1, 41)), cosine, 0, 1);
    CHECK_NEAR(coarse / fine, 4.0, 0.5);
}

TEST("the slope is the derivative of the value, inside and across the points") {
    const auto table = CubicTable::spline(0.2, 3.0, sample(sine, 0.2, 3.0, 12));
    const double h = 1e-5;
    for (double x = 0.25; x < 2.95; x += 0.0173) {
        CHECK_NEAR(table(x).slope, (table(x + h).u - table(x - h).u) / (2 * h), 1e-9);
    }
}

TEST("tables that are none are refused") {
    const std::vector<double> two{1.0, 2.0};
    const std::vector<double> holed{1.0, std::numeric_limits<double>::quiet_NaN(), 2.0};
    const std::vector<double> good{1.0, 2.0, 3.0};
    CHECK_THROWS(Error, CubicTable::spline(0.0, 1.0, two));
    CHECK_THROWS(Error, CubicTable::spline(0.0, 1.0, holed));
    CHECK_THROWS(Error, CubicTable::spline(1.0, 1.0, good));
    CHECK_THROWS(Error, CubicTable::hermite(0.0, 1.0, good, two));
}
