// What may take part in a time step besides forces and a bath. A simulation has at most one of
// each; simulation_impl.hpp says when each is called. Numbers that decide future bits go in and out
// by `state`.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "regrain/particles/cell_map.hpp"
#include "regrain/particles/motion.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

struct Totals;

class Hook {
public:
    Hook() = default;
    Hook(const Hook&) = delete;
    Hook& operator=(const Hook&) = delete;
    virtual ~Hook() = default;
    [[nodiscard]] virtual std::vector<double> state() const { return {}; }
    virtual void set_state(std::span<const double>) {}
};

/// Keeps lengths of bonds.
class Constraints : public Hook {
public:
    /// What is inside of rigid bodies: sums over their particles of (r - R)_a f_b and of
    /// m (v - V)_a (v - V)_b, where R and V are those of their centres of mass.
    struct Inner {
        std::array<double, 6> virial{}, kinetic{};
    };

    /// Degrees of freedom that it takes away.
    [[nodiscard]] virtual std::size_t degrees() const = 0;
    /// At the start: moves rows that are a little off to where the lengths are right.
    virtual void settle(PairEngine& engine, std::span<Motion> motion) = 0;
    /// Before each drift: directions are those of these places.
    virtual void remember(const PairEngine& engine) = 0;
    /// After a drift of `time`: moves rows to where the lengths are right again, and changes
    /// velocities by that over `time`.
    virtual void places(PairEngine& engine, std::span<Motion> motion, double time) = 0;
    /// After kicks and baths: takes out velocities that would change a length; returns the kinetic
    /// energy that goes with them.
    virtual double velocities(const PairEngine& engine, std::span<Motion> motion) = 0;
    /// Of the forces of constraint that go with these forces and velocities.
    [[nodiscard]] virtual std::array<double, 6> virial(const Present& now,
                                                       std::span<const Vec3> force) = 0;
    /// A cell moves centres of mass only: what its pressure is without.
    [[nodiscard]] virtual Inner inner(const Present& now, std::span<const Vec3> force) const = 0;
    /// After rows and velocities underwent the map of a cell and its inverse: gives bodies their
    /// shape and their inner velocities back.
    virtual void keep_shape(const CellMap& map, PairEngine& engine,
                            std::span<Motion> motion) const = 0;
};

/// Friction and noise between pairs, as forces or as an exchange of momentum after the last kick of
/// a step; and the soft repulsion between them, where that comes in the same pass.
class Pairwise : public Hook {
public:
    /// Whether it exchanges momentum.
    [[nodiscard]] virtual bool exchanges() const = 0;
    /// That of the velocities which an exchange leaves.
    [[nodiscard]] virtual double kt() const { return 0.0; }
    /// Adds forces of the present velocities to those of all else. They are the velocities in the
    /// middle of the step: half a kick was made with the forces before. Energy and virial of the
    /// repulsion alone are added where they are asked for.
    virtual void forces(const Present& now, std::span<Vec3> forces, Totals* totals) = 0;
    /// Changes the velocities at the end of a step; returns the heat that particles were given.
    virtual double exchange(const Present&, std::span<Motion>) { return 0.0; }
    /// Energy and virial at the end of a step, with the virial of friction and noise.
    virtual void measure(const Present& now, Totals& totals) = 0;
    /// The rows in the order of space.
    [[nodiscard]] virtual std::span<const std::uint32_t> order(const Present& now) = 0;
    /// That particles were given by forces, until the end of the last step.
    [[nodiscard]] virtual double heat() const { return 0.0; }
};

}  // namespace regrain::particles
