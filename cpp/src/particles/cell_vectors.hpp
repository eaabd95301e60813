// Vectors in space, W of them at a time, and their nearest images.
#pragma once

#include <limits>

#include "regrain/base/box.hpp"
#include "simd.hpp"
#include "simd_math.hpp"

namespace regrain::particles {

/// A box as nearest images need it.
struct Cell {
    const Box* box;
    Vec3 inverse;  ///< of the diagonal
    double safe2;  ///< no image of a vector is shorter if it is shorter than this, squared

    explicit Cell(const Box& b) : box(&b), inverse{1.0 / b.a().x, 1.0 / b.b().y, 1.0 / b.c().z} {
        // Where the axes are at right angles, rounding finds the nearest image of any vector.
        const double safe =
            b.orthorhombic() ? std::numeric_limits<double>::infinity() : 0.5 * b.min_height();
        safe2 = safe * safe;
    }
};

namespace simd {

template <int W>
struct Vector {
    Double<W> x, y, z;

    REGRAIN_INLINE Vector operator+(const Vector& o) const { return {x + o.x, y + o.y, z + o.z}; }
    REGRAIN_INLINE Vector operator-(const Vector& o) const { return {x - o.x, y - o.y, z - o.z}; }
    REGRAIN_INLINE Vector operator*(const Double<W>& s) const { return {x * s, y * s, z * s}; }
    REGRAIN_INLINE Vector operator-() const { return {-x, -y, -z}; }
};

template <int W>
REGRAIN_INLINE Double<W> dot(const Vector<W>& a, const Vector<W>& b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
template <int W>
REGRAIN_INLINE Vector<W> cross(const Vector<W>& a, const Vector<W>& b) {
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/// The places of W rows.
template <int W, class Row>
REGRAIN_INLINE Vector<W> places(const Row* rows, const std::uint32_t* row) {
    const Columns<W> r =
        transpose<W>([&](int k) __attribute__((always_inline)) { return rows + row[k]; });
    return {r.x, r.y, r.z};
}

template <int W>
REGRAIN_INLINE Vector<W> nearest_image(const Cell& cell, const Vector<W>& difference) {
    const Box& box = *cell.box;
    Vector<W> d = difference;
    const Double<W> c = rounded<W>(d.z * cell.inverse.z);
    d = {d.x - c * box.c().x, d.y - c * box.c().y, d.z - c * box.c().z};
    const Double<W> b = rounded<W>(d.y * cell.inverse.y);
    d = {d.x - b * box.b().x, d.y - b * box.b().y, d.z};
    d.x -= rounded<W>(d.x * cell.inverse.x) * box.a().x;
    const Double<W> far = dot(d, d) > cell.safe2 ? broadcast<W>(1.0) : Double<W>{};
    if (any<W>((Int<W>)far)) [[unlikely]] {
        for (int k = 0; k < W; ++k) {
            const Vec3 best = box.minimum_image({d.x[k], d.y[k], d.z[k]});
            d.x[k] = best.x;
            d.y[k] = best.y;
            d.z[k] = best.z;
        }
    }
    return d;
}

}  // namespace simd
}  // namespace regrain::particles
