#include "regrain/base/box.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "regrain/base/error.hpp"

namespace regrain {

namespace {

std::array<std::array<double, 3>, 3> diagonal(const Vec3& l) {
    return {{{l.x, 0.0, 0.0}, {0.0, l.y, 0.0}, {0.0, 0.0, l.z}}};
}

}  // namespace

Box::Box(const Vec3& lengths) : Box(diagonal(lengths)) {}

Box::Box(const std::array<std::array<double, 3>, 3>& v)
    : a_{v[0][0], v[0][1], v[0][2]}, b_{v[1][0], v[1][1], v[1][2]}, c_{v[2][0], v[2][1], v[2][2]} {
    if (!finite(a_) || !finite(b_) || !finite(c_)) {
        throw Error("the box has entries that are not finite numbers; give three lattice vectors");
    }
    if (a_.y != 0.0 || a_.z != 0.0 || b_.z != 0.0) {
        throw Error(
            "the box is not lower triangular (a along x, b in the xy plane); rotate the system so "
            "that "
            "it is");
    }
    if (!(a_.x > 0.0 && b_.y > 0.0 && c_.z > 0.0)) {
        throw Error("the box has no volume: edge lengths " + std::to_string(a_.x) + ", " +
                    std::to_string(b_.y) + ", " + std::to_string(c_.z) +
                    " must be positive; give the periodic cell of the system");
    }
    inverse_diagonal_ = {1.0 / a_.x, 1.0 / b_.y, 1.0 / c_.z};
    if (!orthorhombic()) {
        // A reduced vector has |fractional| <= 1/2 on each axis after rounding, hence a length of
        // at most half the sum of the edges; a shorter equivalent lies within that length, that is
        // within this many planes of each family.
        const double longest = 0.5 * (norm(a_) + norm(b_) + norm(c_));
        const double planes = std::ceil(longest / min_height() + 0.5);
        if (planes > 100.0) {
            throw Error("the box is too skewed: its edges are " + std::to_string(planes) +
                        " times its smallest height; reduce the lattice vectors");
        }
        search_ = static_cast<int>(planes);
    }
}

Vec3 Box::heights() const {
    const double v = volume();
    return {v / norm(cross(b_, c_)), v / norm(cross(c_, a_)), v / norm(cross(a_, b_))};
}

double Box::min_height() const {
    const Vec3 h = heights();
    return std::min({h.x, h.y, h.z});
}

Vec3 Box::wrap(const Vec3& r, std::array<std::int32_t, 3>* image) const {
    Vec3 s = fractional(r);
    const Vec3 n{std::floor(s.x), std::floor(s.y), std::floor(s.z)};
    Vec3 wrapped = r - cartesian(n);
    // A coordinate a rounding error below a face lands on the opposite face itself: fold once more.
    s = fractional(wrapped);
    const Vec3 m{std::floor(s.x), std::floor(s.y), std::floor(s.z)};
    wrapped -= cartesian(m);
    if (image != nullptr) {
        (*image)[0] += static_cast<std::int32_t>(n.x + m.x);
        (*image)[1] += static_cast<std::int32_t>(n.y + m.y);
        (*image)[2] += static_cast<std::int32_t>(n.z + m.z);
    }
    return wrapped;
}

Vec3 Box::minimum_image(const Vec3& d) const {
    const Vec3 s = fractional(d);
    const Vec3 near =
        d - cartesian({std::nearbyint(s.x), std::nearbyint(s.y), std::nearbyint(s.z)});
    if (search_ == 0) return near;
    const double safe = 0.5 * min_height();
    if (norm2(near) <= safe * safe) return near;  // nothing shorter can exist
    Vec3 best = near;
    double shortest = norm2(near);
    for (int i = -search_; i <= search_; ++i) {
        for (int j = -search_; j <= search_; ++j) {
            for (int k = -search_; k <= search_; ++k) {
                const Vec3 other = near + static_cast<double>(i) * a_ +
                                   static_cast<double>(j) * b_ + static_cast<double>(k) * c_;
                const double length = norm2(other);
                if (length < shortest) {
                    shortest = length;
                    best = other;
                }
            }
        }
    }
    return best;
}

}  // namespace regrain
