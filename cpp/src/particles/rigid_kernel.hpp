// Newton's method for the lengths of rigid bonds, for clusters of bonds of one shape at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cell_vectors.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/motion.hpp"

namespace regrain::particles {

/// How particles of a cluster are joined, and how the matrix of their constraints is taken apart.
/// Bonds are numbered in the order of elimination. The matrix, and its factors in its place, are
/// one array: diagonal, then for each two bonds that meet (or do so in a factor) the entry below
/// and the one above the diagonal.
struct RigidShape {
    using Bond = std::array<std::uint32_t, 2>;
    struct Meeting {
        std::uint32_t low, high;  ///< numbers of two bonds
        std::uint32_t particle;   ///< that they share ...
        double sign;  ///< ... 1 if both begin or both end there, -1, or 0: only in a factor
    };
    struct Update {
        std::uint32_t target, row, column;  ///< target -= row * column
    };

    std::size_t particles{0};
    std::vector<Bond> bonds;
    std::vector<Meeting> meetings;             ///< by `low`
    std::vector<std::uint32_t> first_meeting;  ///< of each bond as the low one, and the end
    std::vector<Update> updates;               ///< of all that follows the elimination of a bond
    std::vector<std::uint32_t> first_update;   ///< of each bond, and the end

    std::vector<Bond> tree;  ///< from the first particle on: one that was reached, and the next

    RigidShape() = default;
    /// The bonds join all particles, each two of them at most once. They are put into an order of
    /// elimination that makes few new entries; `order` says where each of them was.
    RigidShape(std::size_t particles, std::vector<Bond> bonds, std::vector<std::size_t>& order);
    [[nodiscard]] std::size_t entries() const { return bonds.size() + 2 * meetings.size(); }
};

/// Clusters of one shape, in blocks of 8, the last filled up with a cluster that is never written.
struct RigidGroup {
    static constexpr std::size_t block = 8;

    RigidShape shape;
    std::size_t count{0};
    std::vector<std::uint32_t> row;  ///< (block, particle, cluster of the block)
    std::vector<double> length;      ///< (block, bond, cluster of the block)
    std::vector<double> direction;   ///< (block, bond, xyz, cluster of the block): remembered

    [[nodiscard]] std::size_t blocks() const { return (count + block - 1) / block; }
};

enum class RigidWork : std::uint8_t { remember, places, velocities, virial };

struct RigidTask {
    RigidWork work;
    RigidGroup* group;
    const Cell* cell;
    const Row* rows;
    const Motion* motion;
    Row* to_rows;  ///< what is to be changed of these, or none
    Motion* to_motion;
    const Vec3* force;       ///< for the virial
    double rate;             ///< of velocities by displacements: 1 / time
    std::size_t begin, end;  ///< blocks
    std::array<double, 6> virial{};
    double energy{0.0};     ///< kinetic, that velocities lost
    bool failed{false};     ///< lengths were not found
    bool redundant{false};  ///< some bonds follow from others
};

/// Lengths are right to this, relative.
inline constexpr double rigid_tolerance = 1e-12;

void rigid_kernel(RigidTask& task);

}  // namespace regrain::particles
