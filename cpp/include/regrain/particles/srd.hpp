#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/force_field.hpp"
#include "regrain/particles/simulation.hpp"

/// Multi-particle collision dynamics: a solvent of points that stream freely and now and then
/// exchange momentum with those of their cell (Malevanets and Kapral, J. Chem. Phys. 110, 8605
/// (1999); Gompper, Ihle, Kroll and Winkler, Adv. Polym. Sci. 221, 1 (2009)).
namespace regrain::particles {

/// What happens to velocities relative to that of the cell: all are turned by one angle about one
/// random axis (SRD), or drawn anew (MPC-AT: Noguchi, Kikuchi and Gompper, EPL 78, 10005 (2007)).
enum class CollisionRule { rotation, andersen };

struct CollisionSettings {
    double dt;
    int every;  ///< time steps between collisions
    Vec3 cell;  ///< edges of a cell, which divide those of the box
    CollisionRule rule{CollisionRule::rotation};
    double angle{0.0};             ///< of rotation, radians
    bool angular_momentum{false};  ///< conserve that of each cell, too
    bool thermostat{false};        ///< of rotation: draw the energy of each cell
    bool shift{true};              ///< the grid, by random vectors
    double kt{0.0};                ///< of thermostat, Andersen's rule and walls
    std::array<bool, 3> walls{};   ///< at both faces across x, y, z
    Vec3 wall_velocity{};          ///< of upper walls; lower ones have the opposite
    Vec3 acceleration{};           ///< of the solvent
    int reverse{-1};               ///< axis: the upper half of the box feels the opposite
    /// Steps between measurements, at multiples of which the stress of the last collision is known.
    std::uint64_t measured_every{1};
    std::uint64_t seed{0};
    double skin{0.3};                      ///< of the beads' neighbour list
    Precision precision{Precision::full};  ///< of the forces on beads
};

/// Moves a solvent and beads in it; the same face as Simulation, arrays by particle id. Beads move
/// by Newton's equations in the force field between collisions and take part in these.
class REGRAIN_EXPORT SolventSimulation {
public:
    /// `beads` is the force field of those particles that are no solvent, numbered among
    /// themselves, with their `types`; `masses` and `solvent` are of all particles. Throws Error
    /// for settings, masses or a box that make no sense.
    SolventSimulation(const ForceField& beads, std::span<const std::int32_t> types,
                      std::span<const double> masses, std::span<const std::uint8_t> solvent,
                      const CollisionSettings& settings);
    ~SolventSimulation();
    SolventSimulation(SolventSimulation&&) noexcept;
    SolventSimulation& operator=(SolventSimulation&&) noexcept;

    /// The start: step 0. Without velocities they are drawn from the distribution of `kt`, with no
    /// total momentum; given ones stay what they are.
    void assign(std::span<const Vec3> positions,
                std::span<const std::array<std::int32_t, 3>> images,
                std::span<const Vec3> velocities, double kt, const Box& box);

    /// Takes so many steps; the solvent moves in the steps that are multiples of `every`.
    void run(std::uint64_t steps);

    /// Energies and virial of the beads, the kinetic tensor of all, and what the last collision
    /// carried. Right at a collision the virial has half of what that changed in the kinetic
    /// tensor: the mean over time is that of before and after.
    [[nodiscard]] Measurement measure();

    [[nodiscard]] std::uint64_t step() const;
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::size_t degrees_of_freedom() const;
    [[nodiscard]] const Box& box() const;
    /// Positions in the box, and the images they are in, at the time of the present step.
    void places(std::span<Vec3> positions, std::span<std::array<std::int32_t, 3>> images) const;
    void velocities(std::span<Vec3> out) const;
    void forces(std::span<Vec3> out) const;  ///< zero for the solvent

    /// How often the solvent was sorted anew.
    [[nodiscard]] std::uint64_t sorts() const;

    /// All that decides future bits, the solvent in the order that it is kept in.
    struct Snapshot {
        std::vector<Vec3> positions, velocities;
        std::vector<std::uint32_t> ids;
        std::vector<std::array<std::int32_t, 3>> images;
        std::vector<std::uint64_t> borders;  ///< of the slabs of cells
        std::array<double, 3> lengths{};
        std::uint64_t step{0};
        std::vector<double> numbers;
        std::vector<Simulation::Snapshot> beads;  ///< one or none
    };
    [[nodiscard]] Snapshot snapshot() const;
    void restore(const Snapshot& snapshot);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace regrain::particles
