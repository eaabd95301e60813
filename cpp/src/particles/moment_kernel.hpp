// Sums of powers of the place within an interval times a vector: how rows of B-splines are made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "regrain/base/vec3.hpp"
#include "regrain/particles/force_matching.hpp"

namespace regrain::particles {

/// B-splines as polynomials in the place t within an interval, from -1/2 to 1/2, with one piece
/// before the range and one beyond it, on which they go on linearly. On piece i + 1 those numbered
/// i to i + degree are not zero; on the first and the last piece the same as on their neighbour.
struct Pieces {
    explicit Pieces(const UniformSpline& spline);

    double low, per_length;
    std::size_t functions, count;  ///< functions, and pieces
    std::size_t lanes;             ///< powers that are kept of each piece: 4 or 8
    /// Coefficients: [piece][power][function on it], lanes x lanes for each piece.
    std::vector<double> coefficients;

    /// Numbers of one particle: [piece][x, y, z][power].
    [[nodiscard]] std::size_t moments() const { return count * 3 * lanes; }

    struct Place {
        std::size_t piece;
        double t;
    };
    [[nodiscard]] Place place(double x) const {
        const double s = (x - low) * per_length + 1.0;
        const double last = static_cast<double>(count - 1);
        const double cut = s < 0.0 ? 0.0 : (s > last ? last : s);
        const auto piece = static_cast<std::size_t>(cut);
        return {piece, s - static_cast<double>(piece) - 0.5};
    }
};

/// Neighbours of one particle for one interaction: points and squared distances, which may be read
/// as whole vectors of up to 8.
struct MomentJob {
    const Pieces& pieces;
    const double *x, *y, *z;  // coordinates of points
    Vec3 centre;
    const std::uint32_t* point;
    const double* r2;
    std::size_t count;
    // Scratch of `count` each, with room for a vector more.
    double *inverse, *t;
    std::int32_t* piece;
    double* moments;  // what is added to
};
/// Adds the unit vectors from neighbours to the particle, times the powers at their distances.
void add_pair_moments(const MomentJob& job);

/// Adds v times the values, and w times the derivatives with respect to x, at one place.
void add_moment(const Pieces& pieces, Pieces::Place at, const Vec3& v, double* moments);
void add_moment(const Pieces& pieces, Pieces::Place at, const Vec3& v, const Vec3& w,
                double* moments);

/// Writes the sums of B-splines of three rows into a block: function k of component c goes to
/// column[k * stride + c].
void write_splines(const Pieces& pieces, const double* moments, double* column, std::size_t stride);

}  // namespace regrain::particles
