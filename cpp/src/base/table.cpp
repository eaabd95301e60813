#include "regrain/base/table.hpp"

#include <cmath>
#include <string>

#include "regrain/base/error.hpp"

namespace regrain {

namespace {

// Second derivatives (in units of dx^2) of the natural spline: the tridiagonal system
// m[i-1] + 4 m[i] + m[i+1] = 6 (y[i-1] - 2 y[i] + y[i+1]) with m = 0 at both ends.
std::vector<double> natural_curvature(std::span<const double> y) {
    const std::size_t n = y.size();
    std::vector<double> m(n, 0.0), upper(n, 0.0);
    for (std::size_t i = 1; i + 1 < n; ++i) {
        const double pivot = 4.0 - upper[i - 1];
        upper[i] = 1.0 / pivot;
        m[i] = (6.0 * (y[i - 1] - 2.0 * y[i] + y[i + 1]) - m[i - 1]) / pivot;
    }
    for (std::size_t i = n - 1; i-- > 1;) m[i] -= upper[i] * m[i + 1];
    return m;
}

}  // namespace

CubicTable::CubicTable(double x_min, double x_max, std::span<const double> values)
    : x_min_(x_min), x_max_(x_max), dx_((x_max - x_min) / static_cast<double>(values.size() - 1)) {
    if (values.size() < 3) {
        throw Error("a table needs at least 3 points, got " + std::to_string(values.size()));
    }
    if (!(std::isfinite(x_min) && std::isfinite(x_max) && x_max > x_min)) {
        throw Error("a table needs an increasing range, got " + std::to_string(x_min) + " to " +
                    std::to_string(x_max));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) {
            throw Error("the table is not finite at x = " +
                        std::to_string(x_min + dx_ * static_cast<double>(i)) +
                        "; extrapolate it before use");
        }
    }
    rows_.resize(values.size() - 1);
}

CubicTable CubicTable::spline(double x_min, double x_max, std::span<const double> y) {
    CubicTable table(x_min, x_max, y);
    const std::vector<double> m = natural_curvature(y);
    for (std::size_t i = 0; i + 1 < y.size(); ++i) {
        table.rows_[i] = {y[i], y[i + 1] - y[i] - (2.0 * m[i] + m[i + 1]) / 6.0, 0.5 * m[i],
                          (m[i + 1] - m[i]) / 6.0};
    }
    return table;
}

CubicTable CubicTable::hermite(double x_min, double x_max, std::span<const double> y,
                               std::span<const double> slopes) {
    CubicTable table(x_min, x_max, y);
    if (slopes.size() != y.size()) {
        throw Error("a table of " + std::to_string(y.size()) + " values came with " +
                    std::to_string(slopes.size()) + " slopes; give one per value");
    }
    for (std::size_t i = 0; i + 1 < y.size(); ++i) {
        const double rise = y[i + 1] - y[i];
        const double d0 = slopes[i] * table.dx_;
        const double d1 = slopes[i + 1] * table.dx_;
        if (!std::isfinite(d0) || !std::isfinite(d1)) {
            throw Error("a slope of the table is not finite near x = " +
                        std::to_string(x_min + table.dx_ * static_cast<double>(i)));
        }
        table.rows_[i] = {y[i], d0, 3.0 * rise - 2.0 * d0 - d1, d0 + d1 - 2.0 * rise};
    }
    return table;
}

}  // namespace regrain
