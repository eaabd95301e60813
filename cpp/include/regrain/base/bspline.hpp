#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "regrain/base/export.hpp"

namespace regrain {

/// The B-splines of a degree over a knot vector: piecewise polynomials that are positive on
/// degree + 1 intervals, zero elsewhere, and add up to one between the end knots (C. de Boor,
/// A Practical Guide to Splines, 1978, ch. IX-X). Knots may be repeated: each repetition takes one
/// continuous derivative away.
class REGRAIN_EXPORT BSplineBasis {
public:
    static constexpr std::size_t max_degree = 15;

    /// Over any non-decreasing knots, at least 2 (degree + 1) of them.
    BSplineBasis(std::vector<double> knots, std::size_t degree);
    /// Over equal intervals, the end knots repeated so that the ends are interpolated.
    static BSplineBasis uniform(double x_min, double x_max, std::size_t intervals,
                                std::size_t degree);

    [[nodiscard]] std::size_t degree() const { return degree_; }
    /// Number of basis functions.
    [[nodiscard]] std::size_t size() const { return knots_.size() - degree_ - 1; }
    [[nodiscard]] std::span<const double> knots() const { return knots_; }
    /// The range on which the basis is complete.
    [[nodiscard]] double x_min() const { return knots_[degree_]; }
    [[nodiscard]] double x_max() const { return knots_[size()]; }

    /// The degree + 1 functions that are not zero at x, or their derivative of some order; returns
    /// the index of the first. x outside of the range continues the end polynomials.
    std::size_t evaluate(double x, std::span<double> values, std::size_t order = 0) const;

private:
    [[nodiscard]] std::size_t interval(double x) const;

    std::vector<double> knots_;
    std::size_t degree_;
    double per_spacing_{0.0};  // 1 / spacing of equal intervals, 0 when they differ
};

}  // namespace regrain
