#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"

namespace regrain::particles {

using Image = std::array<std::int32_t, 3>;

/// The rows of a linear map, one per bead: entry k, for offsets[bead] <= k < offsets[bead + 1],
/// says that atoms[k] enters the bead's position with weights[k] and its force with
/// force_weights[k]. The weights of a bead add up to 1.
struct BeadRows {
    std::vector<std::size_t> offsets;
    std::vector<std::int32_t> atoms;
    std::vector<double> weights;
    std::vector<double> force_weights;
};

/// Beads at weighted centres of atoms, across periodic boundaries. Each bead is made whole atom by
/// atom: every atom is taken at its image next to an atom it is bonded to (if need be by way of
/// atoms outside the bead) or, where no bonds lead to it, next to the first atom of the bead.
/// Immutable; one object serves all frames and threads.
class REGRAIN_EXPORT BeadMapping {
public:
    /// Throws Error for a bead without atoms, an atom that is not there, and sizes that disagree.
    BeadMapping(std::size_t n_atoms, const BeadRows& rows,
                std::span<const std::array<std::int32_t, 2>> bonds);

    [[nodiscard]] std::size_t atoms() const { return n_atoms_; }
    [[nodiscard]] std::size_t beads() const { return walk_.offsets.size() - 1; }

    /// Centres of the beads, wrapped into the cell, with the images that lead back to the beads
    /// beside their first atoms (whose own images are `fine_images`; zero if that is empty).
    ///
    /// Throws Error where the images of a bead's atoms are ambiguous: a step between two atoms of
    /// half the smallest height of the box or more, or, in a bead that bonds do not hold together,
    /// half of the cell or more between its outermost atoms along a lattice direction.
    void positions(const Box& box, std::span<const Vec3> fine, std::span<const Image> fine_images,
                   std::span<Vec3> centres, std::span<Image> images) const;

    /// Sums of the atoms' vectors with the weights of the positions (velocities).
    void average(std::span<const Vec3> fine, std::span<Vec3> coarse) const;
    /// Sums of the atoms' vectors with the force weights.
    void forces(std::span<const Vec3> fine, std::span<Vec3> coarse) const;

private:
    std::size_t n_atoms_;
    BeadRows walk_;  ///< every atom after its parent; atoms passed on the way have zero weights
    std::vector<std::size_t> parents_;  ///< entry beside which an entry is placed
    std::vector<bool> loose_;           ///< bonds do not hold the bead together

    [[nodiscard]] std::size_t chunk() const;
    void weighted(std::span<const Vec3> fine, const std::vector<double>& weights,
                  std::span<Vec3> coarse) const;
    [[nodiscard]] Vec3 centre(std::size_t bead, const Box& box, double half_height2,
                              std::span<const Vec3> fine, std::vector<Vec3>& place) const;
    void check_width(std::size_t bead, const Box& box, std::span<const Vec3> place) const;
};

}  // namespace regrain::particles
