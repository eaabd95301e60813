#include "regrain/base/bspline.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "regrain/base/error.hpp"

namespace regrain {

BSplineBasis::BSplineBasis(std::vector<double> knots, std::size_t degree)
    : knots_(std::move(knots)), degree_(degree) {
    if (degree > max_degree) {
        throw Error("B-splines of degree " + std::to_string(degree) + " were asked for; at most " +
                    std::to_string(max_degree) + " is supported");
    }
    if (knots_.size() < 2 * (degree + 1)) {
        throw Error("B-splines of degree " + std::to_string(degree) + " need at least " +
                    std::to_string(2 * (degree + 1)) + " knots, got " +
                    std::to_string(knots_.size()));
    }
    for (std::size_t i = 0; i < knots_.size(); ++i) {
        if (!std::isfinite(knots_[i]) || (i > 0 && knots_[i] < knots_[i - 1])) {
            throw Error("knot " + std::to_string(i) + " is " + std::to_string(knots_[i]) +
                        "; knots must be finite and must not decrease");
        }
    }
    if (!(x_max() > x_min())) throw Error("the knots of a B-spline basis span no interval");
    for (std::size_t i = 0; i + degree + 1 < knots_.size(); ++i) {
        if (!(knots_[i + degree + 1] > knots_[i])) {
            throw Error("knot " + std::to_string(knots_[i]) + " is repeated more than " +
                        std::to_string(degree + 1) + " times, the degree plus one");
        }
    }
}

BSplineBasis BSplineBasis::uniform(double x_min, double x_max, std::size_t intervals,
                                   std::size_t degree) {
    if (!(std::isfinite(x_min) && std::isfinite(x_max) && x_max > x_min && intervals > 0)) {
        throw Error("B-splines need an increasing range and at least one interval, got " +
                    std::to_string(x_min) + " to " + std::to_string(x_max) + " in " +
                    std::to_string(intervals));
    }
    std::vector<double> knots(intervals + 1 + 2 * degree, x_min);
    const double width = x_max - x_min;
    for (std::size_t i = 0; i < intervals; ++i) {
        knots[degree + i] =
            x_min + width * (static_cast<double>(i) / static_cast<double>(intervals));
    }
    std::fill(knots.begin() + static_cast<std::ptrdiff_t>(degree + intervals), knots.end(), x_max);
    BSplineBasis basis(std::move(knots), degree);
    basis.per_spacing_ = static_cast<double>(intervals) / width;
    return basis;
}

std::size_t BSplineBasis::interval(double x) const {
    const std::size_t first = degree_, last = size() - 1;
    std::size_t i;
    if (per_spacing_ > 0.0) {
        const double place =
            std::clamp((x - x_min()) * per_spacing_, 0.0, static_cast<double>(last - first));
        i = first + static_cast<std::size_t>(place);
        // The product above may round across a knot.
        if (i > first && x < knots_[i]) --i;
        if (i < last && x >= knots_[i + 1]) ++i;
        return i;
    }
    const auto begin = knots_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = knots_.begin() + static_cast<std::ptrdiff_t>(last + 1);
    i = static_cast<std::size_t>(std::upper_bound(begin, end, x) - knots_.begin());
    i = std::max(i, first + 1) - 1;
    while (!(knots_[i + 1] > knots_[i])) --i;  // the last interval, when its knots are repeated
    return i;
}

std::size_t BSplineBasis::evaluate(double x, std::span<double> values, std::size_t order) const {
    if (values.size() != degree_ + 1) {
        throw Error("a B-spline basis of degree " + std::to_string(degree_) + " has " +
                    std::to_string(degree_ + 1) + " values at a point, got room for " +
                    std::to_string(values.size()));
    }
    if (!std::isfinite(x)) throw Error("a B-spline was asked for at a point that is not finite");
    const std::size_t i = interval(x);
    std::fill(values.begin(), values.end(), 0.0);
    if (order > degree_) return i - degree_;
    values[0] = 1.0;
    // From degree q - 1 to q: values[j] belongs to the function that starts at knot i - q + j.
    for (std::size_t q = 1; q <= degree_; ++q) {
        const bool differentiate = q + order > degree_;
        double carried = 0.0;
        for (std::size_t j = 0; j < q; ++j) {
            const double left = knots_[i + 1 + j - q], right = knots_[i + 1 + j];
            const double part = values[j] / (right - left);
            if (differentiate) {
                const auto slope = static_cast<double>(q) * part;
                values[j] = carried - slope;
                carried = slope;
            } else {
                values[j] = carried + (right - x) * part;
                carried = (x - left) * part;
            }
        }
        values[q] = carried;
    }
    return i - degree_;
}

}  // namespace regrain
