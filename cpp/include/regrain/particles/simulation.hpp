#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/force_field.hpp"
#include "regrain/particles/motion.hpp"
#include "regrain/particles/pair_engine.hpp"
#include "regrain/particles/pairwise.hpp"

/// Particles in time. Units are consistent ones: energy = mass length^2 / time^2; temperatures are
/// given as kT, pressures as energy / length^3.
namespace regrain::particles {

/// One number for all, or one for each type.
struct PerType {
    std::vector<double> values;
    PerType() = default;
    PerType(double value) : values{value} {}
    PerType(std::vector<double> by_type) : values(std::move(by_type)) {}
    [[nodiscard]] double operator[](std::size_t type) const {
        return values[values.size() == 1 ? 0 : type];
    }
};

/// Newton's equations by velocity Verlet.
struct Nve {};

/// Langevin's equation by BAOAB (Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34).
struct Langevin {
    double kt;
    PerType friction;  ///< 1 / time; zero for types without a bath
};

/// Langevin's equation without inertia, by the scheme of Leimkuhler and Matthews (Appl. Math. Res.
/// Express 2013, 34, section 3): noise of two neighbouring steps makes averages of second order.
/// Velocities have no meaning.
struct Brownian {
    double kt;
    PerType friction;   ///< 1 / time: displacements are dt F / (m friction); or none given, and ...
    PerType diffusion;  ///< length^2 / time: displacements are dt F diffusion / kt
};

/// Friction with a memory, m dv/dt = F - m int K(t - s) v(s) ds + noise, for K(t) = sum_k
/// strength_k exp(-t / time_k), by one auxiliary velocity per term (Baczewski and Bond, J. Chem.
/// Phys. 139, 044107 (2013)), whose exchange with the velocity is solved exactly.
struct GeneralizedLangevin {
    double kt;
    std::vector<double> strengths, times;
};

/// A chain of Nose-Hoover thermostats (Martyna, Tuckerman, Tobias and Klein, Mol. Phys. 87, 1117
/// (1996)) with masses Q_1 = g kT time^2, Q_j = kT time^2.
struct NoseHoover {
    double kt, time;
    int chain{3};
};

using Dynamics =
    std::variant<Nve, Langevin, NoseHoover, Brownian, GeneralizedLangevin, Dpd, LoweAndersen>;

/// Which edges of the cell change by themselves.
enum class Coupling : std::uint8_t {
    isotropic,      ///< all by the same factor
    semiisotropic,  ///< x and y by the same factor, z by another
    anisotropic,    ///< each by its own
    lateral         ///< x and y by the same factor, z not at all
};

/// Stochastic cell rescaling (Bernetti and Bussi, J. Chem. Phys. 153, 114107 (2020); Del Tatto,
/// Raiteri, Bernetti and Bussi, Appl. Sci. 12, 1139 (2022)) to the density of states
/// V^N exp(-(U + pressure V - tension A) / kT) dL of the edges L that are free, where A = V / L_z.
/// The volume is integrated by its square root, where its noise is constant, and the shape by
/// logarithms.
struct CellRescale {
    double kt, pressure, time, compressibility;
    int every{10};  ///< time steps between scalings
    Coupling coupling{Coupling::isotropic};
    double tension{0.0};  ///< energy / area, of all interfaces that are normal to z
};

struct SimulationSettings {
    double dt;
    Dynamics dynamics;
    std::optional<CellRescale> barostat{};
    std::uint64_t seed{0};
    double skin{0.3};
    std::vector<std::uint32_t> frozen{};  ///< ids of particles that never move
    Precision precision{Precision::full};
    std::optional<FlowGradient> flow{};
};

/// What a step is judged by. `virial` and the tensors are symmetric: xx yy zz xy xz yz.
struct Measurement {
    std::vector<std::pair<std::string, double>> energies;  ///< by the name of the term
    std::array<double, 6> virial{}, kinetic_tensor{};      ///< sums of r_a f_b and of m v_a v_b
    std::vector<Vec3> external;                            ///< force of each external field on all
    std::vector<Vec3> impulses;     ///< by external field, of walls that particles bounce off: the
                                    ///< momentum given since the start; none without such walls
    std::vector<double> variables;  ///< collective ones
    /// Of a solvent that collides, else none: what carries momentum a along b besides, as one of
    /// nine, by rows. It is not symmetric where collisions do not keep the angular momentum.
    std::vector<double> collisional;
    double work{0.0};       ///< of what changes in time or has no energy, since the start
    double conserved{0.0};  ///< total energy minus the heat and work the thermostat and barostat
                            ///< put in; its drift is the error of the time step
    /// Of one term; zero for a name that there is none of.
    [[nodiscard]] double energy(std::string_view term) const {
        double sum = 0.0;
        for (const auto& [name, energy] : energies) sum += name == term ? energy : 0.0;
        return sum;
    }
    [[nodiscard]] double potential() const {
        double sum = 0.0;
        for (const auto& [name, energy] : energies) sum += energy;
        return sum;
    }
    [[nodiscard]] double kinetic() const {
        return 0.5 * (kinetic_tensor[0] + kinetic_tensor[1] + kinetic_tensor[2]);
    }
};

/// Moves particles. Positions, velocities and images go in and out by particle id.
///
/// Where nothing outside acts all but Langevin conserve the momentum, and `assign` takes out what
/// there is of it (unless there is one particle only), so that 3 n - 3 degrees of freedom share the
/// kinetic energy. Under Langevin, beside frozen particles and in external fields the centre of
/// mass moves and there are 3 for each particle that is not frozen.
class REGRAIN_EXPORT Simulation {
public:
    /// Throws Error unless masses, dt and the parameters of dynamics and barostat are positive.
    Simulation(const ForceField& field, std::span<const std::int32_t> types,
               std::span<const double> masses, const SimulationSettings& settings);
    ~Simulation();
    Simulation(Simulation&&) noexcept;
    Simulation& operator=(Simulation&&) noexcept;

    /// The start: step 0. Without velocities they are drawn from the distribution of `kt`.
    void assign(std::span<const Vec3> positions,
                std::span<const std::array<std::int32_t, 3>> images,
                std::span<const Vec3> velocities, double kt, const Box& box);

    /// Between runs, by id: whoever lets particles collide with something else gives them theirs.
    void set_velocities(std::span<const Vec3> velocities);
    /// Before that, where there are rigid bonds: gives velocities that would change their lengths,
    /// from the distribution of kT, so that collisions which know nothing of bonds act on a Maxwell
    /// distribution and leave one. `set_velocities` takes them out again.
    void release_rigid_bonds(double kt);

    /// Takes so many steps. Throws Error naming step, particle and distance when a particle is not
    /// a number any more or moves further than `max_move` in a step; the state is lost then.
    void run(std::uint64_t steps);

    /// Energies, virial, kinetic tensor and conserved quantity of the present step.
    [[nodiscard]] Measurement measure();

    [[nodiscard]] std::uint64_t step() const;
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::size_t degrees_of_freedom() const;
    [[nodiscard]] double max_move() const;
    [[nodiscard]] const Box& box() const;
    /// Positions in the box, and the images they are in.
    void places(std::span<Vec3> positions, std::span<std::array<std::int32_t, 3>> images) const;
    void velocities(std::span<Vec3> out) const;
    void forces(std::span<Vec3> out) const;
    [[nodiscard]] const PairEngine& engine() const;

    /// All that decides future bits, by row.
    struct Snapshot {
        PairEngine::Snapshot engine;
        std::vector<Vec3> velocities, forces;
        std::vector<std::array<std::int32_t, 3>> image_offsets;  ///< by id
        std::uint64_t step{0};
        std::map<std::string, std::vector<double>> states;  ///< of all else that remembers
    };
    [[nodiscard]] Snapshot snapshot() const;
    void restore(const Snapshot& snapshot);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace regrain::particles
