#pragma once

#include <array>

#include "regrain/base/box.hpp"
#include "regrain/base/vec3.hpp"

namespace regrain::particles {

/// A linear map that keeps boxes lower triangular. It acts on rows: r' = r A with A lower
/// triangular, so that x' = xx x + yx y + zx z.
struct CellMap {
    double xx{1.0}, yy{1.0}, zz{1.0}, yx{0.0}, zx{0.0}, zy{0.0};

    [[nodiscard]] Vec3 operator()(const Vec3& r) const {
        return {r.x * xx + r.y * yx + r.z * zx, r.y * yy + r.z * zy, r.z * zz};
    }
    [[nodiscard]] CellMap inverse() const {
        CellMap m{1.0 / xx, 1.0 / yy, 1.0 / zz};
        m.yx = -yx * m.xx * m.yy;
        m.zy = -zy * m.yy * m.zz;
        m.zx = -(zx * m.xx + zy * m.yx) * m.zz;
        return m;
    }
    [[nodiscard]] Box operator()(const Box& box) const {
        const auto vector = [this](const Vec3& v) {
            const Vec3 u = (*this)(v);
            return std::array{u.x, u.y, u.z};
        };
        return Box(std::array{vector(box.a()), vector(box.b()), vector(box.c())});
    }
};

}  // namespace regrain::particles
