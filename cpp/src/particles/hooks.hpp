// What may take part in a time step besides forces and a bath. A simulation has at most one of
// each; simulation_impl.hpp says when each is called. Numbers that decide future bits go in and out
// by `state`.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "cell_map.hpp"
#include "regrain/particles/motion.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

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
    /// Degrees of freedom that it takes away.
    [[nodiscard]] virtual std::size_t degrees() const = 0;
    /// Once per start, and before each drift: directions are those of these places.
    virtual void remember(const PairEngine& engine) = 0;
    /// After a drift of `time`: moves rows to where the lengths are right again, and changes
    /// velocities by that over `time`.
    virtual void places(PairEngine& engine, std::span<Motion> motion, double time) = 0;
    /// After kicks and baths: takes out velocities that would change a length.
    virtual void velocities(const PairEngine& engine, std::span<Motion> motion) = 0;
    /// Of the forces of constraint of the last whole step.
    [[nodiscard]] virtual std::array<double, 6> virial() const = 0;
};

/// Friction and noise between pairs. A method uses one of the two ways.
class Pairwise : public Hook {
public:
    /// Whether it exchanges momentum after the last kick of a step, rather than adding forces.
    [[nodiscard]] virtual bool exchanges() const = 0;
    /// Adds forces of the present velocities to those of the interactions. They are the velocities
    /// in the middle of the step: half a kick was made with the forces before.
    virtual void forces(const Present&, std::span<Vec3>) {}
    /// Changes the velocities at the end of a step; returns the heat that particles were given.
    virtual double exchange(const Present&, std::span<Motion>) { return 0.0; }
    /// Of the forces added last.
    [[nodiscard]] virtual std::array<double, 6> virial() const { return {}; }
};

}  // namespace regrain::particles
