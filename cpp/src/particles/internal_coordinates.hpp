// Bond lengths, angles and dihedrals with their gradients: the geometry of bonded forces.
#pragma once

#include <array>
#include <cmath>

#include "regrain/base/vec3.hpp"

namespace regrain::particles {

/// An angle between a and c, vectors from one point, and its gradients with respect to both.
struct AngleGeometry {
    double cosine{1.0}, sine{0.0};
    Vec3 by_a{}, by_c{};  ///< zero where the points are in a line, as there is no direction
    [[nodiscard]] double theta() const { return std::atan2(sine, cosine); }
};

inline AngleGeometry angle_between(const Vec3& a, const Vec3& c) {
    const Vec3 normal = cross(a, c);
    const double length = norm(normal);
    const double a2 = norm2(a), c2 = norm2(c);
    const double scale = std::sqrt(a2 * c2);
    if (!(scale > 0.0)) return {};
    AngleGeometry found{dot(a, c) / scale, length / scale};
    if (!(length > 1e-14 * scale)) return found;
    // The unit vector in the plane, across a and away from c, over |a|.
    found.by_a = cross(a, normal) * (1.0 / (length * a2));
    found.by_c = cross(normal, c) * (1.0 / (length * c2));
    return found;
}

/// A dihedral and its gradient at the four points.
struct DihedralGeometry {
    double phi;
    std::array<Vec3, 4> gradient{};  ///< zero where three of the points are in a line
};

/// Of vectors 2 -> 1, 3 -> 2 and 3 -> 4. Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996): no
/// singularity but the geometric one.
inline DihedralGeometry dihedral_of(const Vec3& f, const Vec3& g, const Vec3& h) {
    const Vec3 a = cross(f, g);
    const Vec3 b = cross(h, g);
    const double g1 = norm(g), a2 = norm2(a), b2 = norm2(b);
    DihedralGeometry found{std::atan2(dot(cross(b, a), g) / (g1 > 0.0 ? g1 : 1.0), dot(a, b)), {}};
    if (a2 <= 1e-24 * norm2(f) * norm2(g) || b2 <= 1e-24 * norm2(h) * norm2(g)) return found;
    const Vec3 first = a * (-g1 / a2), last = b * (g1 / b2);
    const Vec3 s = a * (dot(f, g) / (a2 * g1)) - b * (dot(h, g) / (b2 * g1));
    found.gradient = {first, s - first, -s - last, last};
    return found;
}

}  // namespace regrain::particles
