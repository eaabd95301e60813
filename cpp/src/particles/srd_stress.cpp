#include "srd_stress.hpp"

#include <cmath>

namespace regrain::particles {

namespace {

void add_square(std::array<double, 6>& sums, const Vec3& v, double m) {
    const std::array<double, 6> own{m * v.x * v.x, m * v.y * v.y, m * v.z * v.z,
                                    m * v.x * v.y, m * v.x * v.z, m * v.y * v.z};
    for (std::size_t k = 0; k < 6; ++k) sums[k] += own[k];
}

}  // namespace

void CollisionStress::add(const Vec3& arm, const Vec3& v_before, const Vec3& v_after, double mass) {
    const Vec3 gained = mass * (v_after - v_before);
    const std::array<double, 3> p{gained.x, gained.y, gained.z}, r{arm.x, arm.y, arm.z};
    for (std::size_t a = 0; a < 3; ++a) {
        for (std::size_t b = 0; b < 3; ++b) virial[3 * a + b] += p[a] * r[b];
    }
    add_square(before, v_before, mass);
    add_square(after, v_after, mass);
}

CollisionStress& CollisionStress::operator+=(const CollisionStress& o) {
    for (std::size_t k = 0; k < 9; ++k) virial[k] += o.virial[k];
    for (std::size_t k = 0; k < 6; ++k) {
        before[k] += o.before[k];
        after[k] += o.after[k];
    }
    return *this;
}

Vec3 arm_in_cell(const CellGrid& grid, const std::array<double, 3>& shift, std::uint32_t cell,
                 const Vec3& r) {
    const std::array<double, 3> x{r.x, r.y, r.z};
    std::array<double, 3> arm{};
    for (std::size_t k = 0; k < 3; ++k) {
        const double s = x[k] * grid.inverse_edge[k] + shift[k];
        const std::uint32_t layer = cell / grid.stride[k] % grid.count[k];
        arm[k] = (s - std::floor(s) - 0.5) * grid.edge[k];
        if (grid.wall[k] && layer == 0) arm[k] = x[k];
        if (grid.wall[k] && layer == grid.fits[k]) arm[k] = x[k] - grid.length[k];
    }
    return {arm[0], arm[1], arm[2]};
}

}  // namespace regrain::particles
