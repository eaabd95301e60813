// Charges onto a mesh by B-splines, and the slopes of what is on a mesh at the charges.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "regrain/base/vec3.hpp"

namespace regrain::particles {

/// The B-splines of an order n at the n points of a mesh from the one before a charge on (moved by
/// n - 1, which is the same for all charges), and their derivatives: polynomials of how far the
/// charge is from the middle of the two points. Powers in turn, each for eight points, of which
/// only the first n count.
struct Splines {
    explicit Splines(std::size_t order);

    static constexpr std::size_t most = 8;
    using Powers = std::array<std::array<double, most>, most>;
    std::size_t order;
    Powers value{}, slope{};
};

/// A mesh whose planes have more rows and whose rows have more points than there are, so that no
/// spline leaves them: copies of the first ones.
struct MeshShape {
    std::array<std::size_t, 3> points;

    [[nodiscard]] std::size_t row() const { return points[2] + Splines::most; }
    [[nodiscard]] std::size_t rows() const { return points[1] + Splines::most - 1; }
    [[nodiscard]] std::size_t plane() const { return rows() * row(); }
};

/// A charge between points of the mesh.
struct MeshCharge {
    std::array<double, 3> at;  ///< from the middle, -1/2 to 1/2
    double q;
    std::array<std::uint32_t, 3> cell;
    std::uint32_t index;  ///< among those that were given
};

/// Adds charges to the planes [begin, end) that they reach.
void spread_kernel(const Splines& splines, const MeshShape& shape,
                   std::span<const MeshCharge> charges, std::size_t begin, std::size_t end,
                   double* mesh);

/// Slopes along the three lattice vectors, per spacing of the mesh, at the place of each charge.
void slope_kernel(const Splines& splines, const MeshShape& shape,
                  std::span<const MeshCharge> charges, const double* mesh, Vec3* slopes);

/// exp(x) of n numbers in place.
void exp_kernel(std::span<double> x);

}  // namespace regrain::particles
