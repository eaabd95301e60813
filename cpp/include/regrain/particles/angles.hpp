#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/cells.hpp"

/// Lengths and angles between particles, by minimum images.
namespace regrain::particles {

/// Lengths of bonds (i, j).
REGRAIN_EXPORT std::vector<double> bond_lengths(std::span<const Vec3> positions, const Box& box,
                                                std::span<const std::array<std::int32_t, 2>> bonds);
/// Angles at j, in [0, pi]. Throws Error naming the particles where two of them coincide.
REGRAIN_EXPORT std::vector<double> bond_angles(std::span<const Vec3> positions, const Box& box,
                                               std::span<const std::array<std::int32_t, 3>> angles);
/// Torsions about j-k, in [-pi, pi], 0 for cis and positive clockwise (IUPAC). Throws Error naming
/// the particles where three of them are on a line.
REGRAIN_EXPORT std::vector<double> dihedral_angles(
    std::span<const Vec3> positions, const Box& box,
    std::span<const std::array<std::int32_t, 4>> dihedrals);

/// Counts the angles between all pairs of neighbours that a particle has within r_max. Integers,
/// the same for any number of threads.
class REGRAIN_EXPORT AngleHistogram {
public:
    /// `types` per particle; `triplet` = types of the one end, the centre, the other end, in either
    /// order, any type where negative. Bin k holds angles in [k, k + 1) pi / bins.
    AngleHistogram(std::span<const std::int32_t> types, const std::array<std::int32_t, 3>& triplet,
                   double r_max, std::size_t bins);

    [[nodiscard]] std::size_t bins() const { return bins_; }
    /// The counts of a frame. Throws Error where r_max exceeds half the smallest height of the box.
    void count(std::span<const Vec3> positions, const Box& box, std::span<std::uint64_t> counts);

private:
    std::vector<std::int32_t> types_;
    std::array<std::int32_t, 3> triplet_;
    double r_max_;
    std::size_t bins_;
    Cells cells_;
};

}  // namespace regrain::particles
