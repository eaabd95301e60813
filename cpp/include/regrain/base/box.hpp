#pragma once

#include <array>
#include <cstdint>

#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"

namespace regrain {

/// A periodic parallelepiped with lattice vectors a = (ax, 0, 0), b = (bx, by, 0),
/// c = (cx, cy, cz), ax, by, cz > 0: the lower-triangular form of all MD file formats. A box of
/// another orientation has to be rotated by its owner. Immutable.
class REGRAIN_EXPORT Box {
public:
    /// Orthorhombic box of the given edge lengths.
    explicit Box(const Vec3& lengths);
    /// Rows are the lattice vectors; throws Error unless lower triangular with positive diagonal.
    explicit Box(const std::array<std::array<double, 3>, 3>& vectors);

    [[nodiscard]] const Vec3& a() const { return a_; }
    [[nodiscard]] const Vec3& b() const { return b_; }
    [[nodiscard]] const Vec3& c() const { return c_; }
    [[nodiscard]] bool orthorhombic() const { return b_.x == 0.0 && c_.x == 0.0 && c_.y == 0.0; }
    [[nodiscard]] double volume() const { return a_.x * b_.y * c_.z; }
    /// Distances between opposite faces, the lengths that bound a cutoff.
    [[nodiscard]] Vec3 heights() const;
    [[nodiscard]] double min_height() const;

    /// Cartesian <-> fractional coordinates.
    [[nodiscard]] Vec3 fractional(const Vec3& r) const {
        const double w = r.z * inverse_diagonal_.z;
        const double v = (r.y - w * c_.y) * inverse_diagonal_.y;
        const double u = (r.x - v * b_.x - w * c_.x) * inverse_diagonal_.x;
        return {u, v, w};
    }
    [[nodiscard]] Vec3 cartesian(const Vec3& s) const {
        return {s.x * a_.x + s.y * b_.x + s.z * c_.x, s.y * b_.y + s.z * c_.y, s.z * c_.z};
    }

    /// Shifts r by lattice vectors into the cell [0, 1)^3 and subtracts the shifts in `image`, so
    /// that r + image * vectors stays the unwrapped position.
    [[nodiscard]] Vec3 wrap(const Vec3& r, std::array<std::int32_t, 3>* image = nullptr) const;

    /// The shortest vector equivalent to d, exact for any (also strongly skewed) box.
    [[nodiscard]] Vec3 minimum_image(const Vec3& d) const;

    friend bool operator==(const Box& l, const Box& r) {
        return l.a_ == r.a_ && l.b_ == r.b_ && l.c_ == r.c_;
    }

private:
    Vec3 a_, b_, c_;
    Vec3 inverse_diagonal_;
    int search_{
        0};  ///< how many lattice shifts around the rounded one can hold the shortest vector
};

}  // namespace regrain
