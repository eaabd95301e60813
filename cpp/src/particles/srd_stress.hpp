// What one collision carries across its cells.
#pragma once

#include <array>
#include <cstdint>

#include "regrain/base/vec3.hpp"
#include "srd_kernel.hpp"

namespace regrain::particles {

/// Sums over the particles of a collision. A collision is a force for no time at the places of the
/// particles, whose virial is the momentum that they get times their places, measured from the
/// middle of the cell: which keeps its momentum, so that it is the same from anywhere. In a cell
/// that a wall cuts they are measured from the wall, which has what is missing.
struct CollisionStress {
    std::array<double, 9> virial{};  ///< (p' - p)_a r_b, by rows
    std::array<double, 6> before{};  ///< m v_a v_b: xx yy zz xy xz yz
    std::array<double, 6> after{};

    void add(const Vec3& arm, const Vec3& v_before, const Vec3& v_after, double mass);
    CollisionStress& operator+=(const CollisionStress& o);
};

/// The place of a particle as above.
Vec3 arm_in_cell(const CellGrid& grid, const std::array<double, 3>& shift, std::uint32_t cell,
                 const Vec3& r);

}  // namespace regrain::particles
