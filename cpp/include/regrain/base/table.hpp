#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "regrain/base/export.hpp"

namespace regrain {

/// A function given on a uniform grid, continued between the points by cubics: u(x) on interval i
/// is c0 + c1 t + c2 t^2 + c3 t^3 with t = (x - x_i) / dx in [0, 1]. The derivative is that of the
/// very same cubics, so a force from it is the gradient of its energy to round-off.
class REGRAIN_EXPORT CubicTable {
public:
    using Row = std::array<double, 4>;

    /// Natural cubic spline through the values (continuous second derivative), at least 3 points.
    static CubicTable spline(double x_min, double x_max, std::span<const double> values);
    /// Cubic Hermite through values and given slopes du/dx (what file formats with forces define).
    static CubicTable hermite(double x_min, double x_max, std::span<const double> values,
                              std::span<const double> slopes);

    [[nodiscard]] double x_min() const { return x_min_; }
    [[nodiscard]] double x_max() const { return x_max_; }
    [[nodiscard]] double spacing() const { return dx_; }
    /// One row of c0..c3 per interval, what a kernel reads.
    [[nodiscard]] std::span<const Row> rows() const { return rows_; }

    struct Value {
        double u, slope;
    };
    /// Value and derivative; x outside of [x_min, x_max] continues the end cubics (callers decide
    /// whether that is allowed).
    [[nodiscard]] Value operator()(double x) const {
        const double s = (x - x_min_) / dx_;
        auto i = static_cast<std::ptrdiff_t>(s);
        const auto last = static_cast<std::ptrdiff_t>(rows_.size()) - 1;
        i = i < 0 ? 0 : (i > last ? last : i);
        const double t = s - static_cast<double>(i);
        const Row& c = rows_[static_cast<std::size_t>(i)];
        return {c[0] + t * (c[1] + t * (c[2] + t * c[3])),
                (c[1] + t * (2.0 * c[2] + t * 3.0 * c[3])) / dx_};
    }

private:
    CubicTable(double x_min, double x_max, std::span<const double> values);

    double x_min_, x_max_, dx_;
    std::vector<Row> rows_;
};

}  // namespace regrain
