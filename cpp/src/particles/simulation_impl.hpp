// The inside of a simulation. simulation_step.cpp has the time step, simulation_start.cpp what
// comes before the first, simulation.cpp what is asked from outside.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hard_walls.hpp"
#include "heat_watch.hpp"
#include "hooks.hpp"
#include "interactions.hpp"
#include "memory_bath.hpp"
#include "nose_hoover.hpp"
#include "regrain/base/random.hpp"
#include "regrain/particles/simulation.hpp"
#include "step_kernel.hpp"

namespace regrain::particles {

using Image = std::array<std::int32_t, 3>;

// Who draws from the generator of a seed.
enum Stream : std::uint32_t {
    initial_velocities = 1,
    bath_noise = 2,
    barostat_noise = 3,
    initial_memory = 4,
    // pair_noise = 5 is in pairwise_kernel.hpp
    rigid_noise = 6,
};

/// Throws Error unless the settings make sense for so many types.
void check(const SimulationSettings& settings, std::size_t types);

struct Simulation::Impl {
    SimulationSettings settings;
    std::vector<std::int32_t> types;  // by id
    double cutoff;
    bool excludes;
    Interactions interactions;
    PairEngine& engine{interactions.engine};

    std::vector<double> mass_of_id, inverse_mass_of_id;  // the inverse of a frozen one is zero
    std::vector<double> mass;                            // by row
    std::vector<Motion> motion, old_motion;              // by row
    std::vector<Vec3> force;          // by row, and one more that vector loads may touch
    std::vector<Image> image_offset;  // by id

    // What takes part in a step, each of them only where it was asked for.
    std::optional<NoseHooverChain> chain;
    std::optional<Bath> langevin;
    std::optional<MemoryBath> memory;
    std::optional<HeatWatch> watch;
    std::optional<HardWalls> walls;
    std::unique_ptr<Constraints> constraints;
    std::unique_ptr<Pairwise> pairwise;

    std::uint64_t step{0};
    Philox cell_noise;
    double exchanged{0.0};                // heat and work that the particles were given
    double work{0.0}, rate_of_work{0.0};  // that of fields and biases in it
    std::array<double, 6> virial{};       // of the last evaluation that the barostat asked for
    std::optional<std::array<double, 6>> whole_kinetic;  // what the barostat is to see, if not that
    std::array<double, 3> pending{};  // log stretches, until the virial after them is known
    double late_heat{0.0};            // of the next half kick, that rigid bonds do not allow
    double flow_power{0.0};           // of the flow on the interactions, at the last evaluation
    double max_move{0.0};
    double soft_move{0.0};  // where particles may pass through each other, else 0

    Impl(const ForceField& field, std::span<const std::int32_t> types,
         std::span<const double> masses, const SimulationSettings& s);

    [[nodiscard]] std::size_t size() const { return mass_of_id.size(); }
    [[nodiscard]] std::span<Vec3> forces() { return std::span(force).first(size()); }
    [[nodiscard]] Present present(std::uint64_t at) const {
        return {engine,
                motion,
                image_offset,
                at,
                static_cast<double>(at) * settings.dt,
                settings.flow.value_or(FlowGradient{})};
    }

    // ------------------------------------------------------------------ degrees of freedom

    /// Whether friction and noise come from outside, so that the centre of mass diffuses.
    [[nodiscard]] bool has_bath() const { return langevin || memory || brownian() != nullptr; }
    [[nodiscard]] const Brownian* brownian() const {
        return std::get_if<Brownian>(&settings.dynamics);
    }
    /// Components of the total momentum that stay as they are.
    [[nodiscard]] std::array<bool, 3> kept_momentum() const;
    [[nodiscard]] std::size_t degrees() const;

    // ------------------------------------------------------------------ the start

    void assign(std::span<const Vec3> positions, std::span<const Image> images,
                std::span<const Vec3> velocities, double kt, const Box& box);
    void freeze();
    void make_bath();
    /// Whether nothing but the bath gives heat: no flow, and no field that may drive particles.
    [[nodiscard]] bool left_alone() const {
        return !settings.flow && interactions.keeps_momentum() == std::array{true, true, true};
    }
    [[nodiscard]] double mean_friction(const PerType& friction) const;
    void check_box() const;
    void check_flow() const;
    void check_rigid() const;
    void check_walls() const;
    [[nodiscard]] std::vector<Vec3> start_velocities(std::span<const Vec3> given, double kt) const;
    void gather_masses();
    void limit_moves();

    // ------------------------------------------------------------------ the step

    void run(std::uint64_t steps);
    void advance(int kicks);
    [[nodiscard]] bool joins_kicks() const;
    [[nodiscard]] bool barostat_acts(std::uint64_t at) const {
        return settings.barostat && at % static_cast<std::uint64_t>(settings.barostat->every) == 0;
    }
    void thermostat_half();
    void move(int kicks);
    void flow_along(int kicks);
    void kick(int count);
    void drift(double time);
    void change_cell();
    [[nodiscard]] std::array<double, 6> cell_kinetic() const;
    void rescale_cell();
    double deform_cell(const CellMap& map);
    void flow_for(double time);
    void rename_lattice();
    void follow_particles();
    void evaluate(std::uint64_t at, bool with_sums);
    void pair_forces(const Present& now, Totals* totals);
    void add_work(double done);
    void finish();

    void pass(int kicks, double drift, const Bath* bath = nullptr, bool drift_again = false);
    double constrain_velocities();
    double release_rigid_bonds(double kt);
    void exchange_heat();
    void diffuse();
    void watch_heat();
    [[noreturn]] void name_the_hot() const;
    [[nodiscard]] double bath_kt() const { return std::get<Langevin>(settings.dynamics).kt; }
    [[noreturn]] void name_the_wild() const;
    [[nodiscard]] std::string shown_particle(std::size_t row) const;

    // ------------------------------------------------------------------ sums

    /// The virial of the interactions with that of all else added.
    [[nodiscard]] std::array<double, 6> with_hooks(std::array<double, 6> virial) const;
    /// What of it works when the cell changes.
    [[nodiscard]] std::array<double, 6> cell_virial(const Present& now,
                                                    std::array<double, 6> virial) const;
    [[nodiscard]] std::array<double, 6> kinetic_tensor() const;
    [[nodiscard]] double kinetic() const {
        const std::array<double, 6> t = kinetic_tensor();
        return 0.5 * (t[0] + t[1] + t[2]);
    }

    // ------------------------------------------------------------------ what a snapshot holds

    /// Calls f(name, state, set_state) for all that remembers, in a fixed order.
    using Get = std::function<std::vector<double>()>;
    using Set = std::function<void(std::span<const double>)>;
    void for_each_memory(const std::function<void(const char*, const Get&, const Set&)>& f);
};

}  // namespace regrain::particles
