// Bonds of fixed length.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hooks.hpp"
#include "regrain/particles/force_field.hpp"
#include "rigid_kernel.hpp"

namespace regrain::particles {

/// Keeps the lengths of bonds to rounding by Newton's method (M-SHAKE: Kraeutler, van Gunsteren and
/// Huenenberger, J. Comput. Chem. 22, 501 (2001)) and takes out velocities along them (RATTLE:
/// Andersen, J. Comput. Phys. 52, 24 (1983)), cluster by cluster of bonds that are joined; clusters
/// that are joined alike are worked on in vectors.
class RigidBonds final : public Constraints {
public:
    /// Bonds between two particles that cannot move (no inverse mass) take nothing away and are
    /// only looked at. Throws Error for bonds that are none or given twice.
    RigidBonds(const ForceField& field, std::span<const double> inverse_mass);

    [[nodiscard]] std::size_t degrees() const override { return degrees_; }
    void settle(PairEngine& engine, std::span<Motion> motion) override;
    void remember(const PairEngine& engine) override;
    void places(PairEngine& engine, std::span<Motion> motion, double time) override;
    double velocities(const PairEngine& engine, std::span<Motion> motion) override;
    [[nodiscard]] std::array<double, 6> virial(const Present& now,
                                               std::span<const Vec3> force) override;
    [[nodiscard]] Inner inner(const Present& now, std::span<const Vec3> force) const override;
    void keep_shape(const CellMap& map, PairEngine& engine,
                    std::span<Motion> motion) const override;

private:
    struct Clusters {
        RigidGroup group;
        std::vector<std::uint32_t> particle;  ///< ids, (cluster, particle)
        std::vector<double> length;           ///< (cluster, bond)
        std::vector<std::uint32_t> order;     ///< clusters by their rows
    };

    /// A bond, and how long it is.
    struct Found {
        RigidBond bond{};
        double length{0.0};
        [[nodiscard]] double off() const;
    };

    void gather(std::span<const RigidBond> bonds, std::size_t particles);
    void follow(const PairEngine& engine);
    struct Outcome {
        std::array<double, 6> virial{};
        double energy{0.0};
        bool failed{false}, redundant{false};
        Outcome& operator+=(const Outcome& o);
    };

    Outcome work(const RigidTask& what, const PairEngine& engine);
    [[nodiscard]] Found worst(const PairEngine& engine) const;
    /// Calls f(ids of the particles, their rows, their places from the centre of mass) for some
    /// clusters.
    template <class F>
    void visit(const Clusters& kind, std::size_t begin, std::size_t end, const PairEngine& engine,
               F&& f) const;

    /// Weighed by the masses of these particles.
    [[nodiscard]] Vec3 mean(const std::uint32_t* ids, std::span<const Vec3> of) const;

    std::size_t degrees_{0};
    std::vector<RigidBond> bonds_;  ///< all of them
    std::vector<double> mass_;      ///< by id; zero where there is no inverse
    std::vector<Clusters> kinds_;
    std::optional<std::uint64_t> version_;  ///< of the list whose order the clusters follow
};

}  // namespace regrain::particles
