#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/qr.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/cells.hpp"

namespace regrain::particles {

/// The clamped B-splines of a degree over equal intervals: intervals + degree functions.
struct UniformSpline {
    double low, high;
    std::size_t intervals, degree;
    [[nodiscard]] std::size_t functions() const { return intervals + degree; }
};

/// Force matching (S. Izvekov and G. A. Voth, J. Phys. Chem. B 109, 2469 (2005); W. G. Noid et al.,
/// J. Chem. Phys. 128, 244114 (2008)): forces that are linear in coefficients, as a matrix with
/// three rows per particle. Pairs, bonds, angles and dihedrals have a force -du/dx that is a sum of
/// B-splines of x; outside of their range they go on linearly, except pairs beyond theirs. Triples
/// have an energy f(theta) phi(r1) phi(r2), phi(r) = exp(decay / (r - r_max)), whose f is one.
///
/// A row is never kept: particle by particle, powers of the place within an interval are added up,
/// turned into B-splines once per interval, and go into the triangular factor of the frame.
///
/// One object, once it is set up, serves all threads.
class REGRAIN_EXPORT ForceDesign {
public:
    using Pair = std::pair<std::uint32_t, std::uint32_t>;
    static constexpr std::size_t max_degree = 7;

    /// Types by particle, and pairs that feel no pair force and are no arms of triples.
    ForceDesign(std::span<const std::int32_t> types, std::size_t n_types,
                std::span<const Pair> exclusions);
    ~ForceDesign();
    ForceDesign(const ForceDesign&) = delete;
    ForceDesign& operator=(const ForceDesign&) = delete;

    /// Each adds the columns of one interaction. Throws Error for splines that make no basis, types
    /// and particles that are not there.
    void add_pairs(const UniformSpline& spline, std::array<std::int32_t, 2> types);
    void add_bonds(const UniformSpline& spline, std::span<const std::array<std::int32_t, 2>> bonds);
    void add_angles(const UniformSpline& spline,
                    std::span<const std::array<std::int32_t, 3>> angles);
    void add_dihedrals(const UniformSpline& spline,
                       std::span<const std::array<std::int32_t, 4>> dihedrals);
    /// Types of one end, the centre, the other end; the arms are those to the ends in this order.
    void add_triples(const UniformSpline& spline, std::array<std::int32_t, 3> types,
                     std::array<double, 2> r_max, std::array<double, 2> decay);

    [[nodiscard]] std::size_t particles() const;
    /// Columns so far; in a factor the forces follow as one more.
    [[nodiscard]] std::size_t columns() const;
    /// Intervals of all interactions so far, with one before and one beyond each range.
    [[nodiscard]] std::size_t intervals() const;

    struct Frame {
        std::span<const Vec3> positions, forces;
        Box box;
    };
    /// The factor of the rows of one frame, and how often each interval was met (each pair, bond,
    /// angle, dihedral or triple counts once). Throws Error for another number of particles and for
    /// positions and forces that are not finite.
    void factor(const Frame& frame, QrFactor& factor, std::span<std::uint64_t> counts) const;
    /// The factors of frames side by side, each by one thread; the counts are those of all of them.
    [[nodiscard]] std::vector<QrFactor> factors(std::span<const Frame> frames,
                                                std::span<std::uint64_t> counts) const;
    /// The rows themselves: row-major, 3 x particles times columns + 1. For small systems.
    [[nodiscard]] std::vector<double> rows(const Frame& frame) const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace regrain::particles
