// Velocities and checks before the first step.
#include <algorithm>
#include <cmath>
#include <string>

#include "flow.hpp"
#include "pairwise_hooks.hpp"
#include "regrain/base/error.hpp"
#include "rigid_bonds.hpp"
#include "simulation_impl.hpp"
#include "start.hpp"

namespace regrain::particles {

Simulation::Impl::Impl(const ForceField& field, std::span<const std::int32_t> given,
                       std::span<const double> masses, const SimulationSettings& s)
    : settings(s),
      types(given.begin(), given.end()),
      cutoff(field.cutoff()),
      excludes(!field.exclusions.empty()),
      interactions(without_fused(field, s.dynamics), types, s),
      mass_of_id(masses.begin(), masses.end()),
      mass(types.size()),
      motion(types.size()),
      force(types.size() + 1),
      image_offset(types.size()),
      cell_noise(s.seed, barostat_noise) {
    check_masses(mass_of_id);
    freeze();
    if (!field.rigid_bonds.empty()) {
        check_rigid();
        constraints = std::make_unique<RigidBonds>(field, inverse_mass_of_id);
    }
    if (HardWalls::any(field.external)) {
        walls.emplace(field.external);
        check_walls();
    }
    pairwise = make_pairwise(field, s);
    soft_move = particles::soft_move(field, s.dynamics);
    make_bath();
}

// Brownian dynamics has no velocities to project, and auxiliary velocities would have to turn with
// the bonds.
void Simulation::Impl::check_rigid() const {
    if (!brownian() && !std::holds_alternative<GeneralizedLangevin>(settings.dynamics)) return;
    throw Error(
        "Brownian and generalised Langevin dynamics have no rigid bonds; give the bonds a "
        "spring, or use Langevin");
}

// Particles bounce between drifts, each by itself, and in a box that rests.
void Simulation::Impl::check_walls() const {
    if (!brownian() && !constraints && !settings.flow) return;
    throw Error(std::string("walls that particles bounce off do not go with ") +
                (brownian()    ? "Brownian dynamics, which has no velocities"
                 : constraints ? "rigid bonds, whose ends would bounce one by one"
                               : "a flow that carries the cell along; let the walls move") +
                "; or use walls with an energy, such as HarmonicWall");
}

void Simulation::Impl::make_bath() {
    const double dt = settings.dt;
    if (const auto* d = std::get_if<NoseHoover>(&settings.dynamics)) {
        chain.emplace(d->kt, d->time, d->chain, degrees());
    }
    if (const auto* d = std::get_if<Langevin>(&settings.dynamics)) {
        langevin.emplace(Bath{{settings.seed, bath_noise, 0}, {}, {}});
        for (const double friction : d->friction.values) {
            const double keep = std::exp(-friction * dt);
            langevin->keep.push_back(keep);
            langevin->spread.push_back(
                static_cast<float>(std::sqrt(d->kt * -std::expm1(-2.0 * friction * dt))));
        }
        if (d->kt > 0.0 && left_alone()) watch.emplace(mean_friction(d->friction), dt, degrees());
    }
    if (const auto* d = std::get_if<GeneralizedLangevin>(&settings.dynamics)) {
        memory.emplace(*d, dt, size());
    }
}

// Of those that move.
double Simulation::Impl::mean_friction(const PerType& friction) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < size(); ++i) {
        if (inverse_mass_of_id[i] > 0.0) sum += friction[static_cast<std::size_t>(types[i])];
    }
    return sum / static_cast<double>(size() - settings.frozen.size());
}

void Simulation::Impl::freeze() {
    inverse_mass_of_id.resize(size());
    std::transform(mass_of_id.begin(), mass_of_id.end(), inverse_mass_of_id.begin(),
                   [](double m) { return 1.0 / m; });
    std::vector<std::uint32_t>& frozen = settings.frozen;
    std::sort(frozen.begin(), frozen.end());
    frozen.erase(std::unique(frozen.begin(), frozen.end()), frozen.end());
    if (!frozen.empty() && frozen.back() >= size()) {
        throw Error("particle " + std::to_string(frozen.back()) +
                    " is to be frozen, but there are " + std::to_string(size()) +
                    " particles, counted from 0");
    }
    if (frozen.size() == size()) throw Error("all particles are frozen; leave some to move");
    if (!frozen.empty() && settings.barostat) {
        throw Error("a barostat would move frozen particles with the cell; leave out one of both");
    }
    for (const std::uint32_t id : frozen) inverse_mass_of_id[id] = 0.0;
}

// ------------------------------------------------------------------ degrees of freedom

std::array<bool, 3> Simulation::Impl::kept_momentum() const {
    if (has_bath() || size() == 1 || !settings.frozen.empty()) return {false, false, false};
    return interactions.keeps_momentum();
}

std::size_t Simulation::Impl::degrees() const {
    std::size_t count = 3 * (size() - settings.frozen.size());
    for (const bool kept : kept_momentum()) count -= kept ? 1 : 0;
    if (constraints) count -= constraints->degrees();
    return count;
}

// ------------------------------------------------------------------ the start

void Simulation::Impl::check_box() const {
    if (excludes && engine.box().min_height() < 2.0 * cutoff) {
        throw Error("the box is " + std::to_string(engine.box().min_height()) +
                    " high, less than two cutoffs of " + std::to_string(cutoff) +
                    ", so that a particle sees several images of another, and it is not "
                    "defined which of them a bond excludes; use a larger box or exclude=0");
    }
}

void Simulation::Impl::check_flow() const {
    if (!settings.flow) return;
    const FlowGradient& g = *settings.flow;
    if (settings.barostat || !settings.frozen.empty() || constraints) {
        throw Error(std::string("a flow carries the cell along; leave out ") +
                    (settings.barostat ? "the barostat"
                     : constraints     ? "rigid bonds"
                                       : "frozen particles") +
                    ", or the flow");
    }
    // Its second link takes the steady friction that removes the heat of the flow for a fluctuation
    // and damps it, and the temperature rises (Branka, Phys. Rev. E 61, 4769 (2000)).
    const auto* d = std::get_if<NoseHoover>(&settings.dynamics);
    if (d != nullptr && d->chain > 1) {
        throw Error("a chain of " + std::to_string(d->chain) +
                    " Nose-Hoover thermostats does not hold the temperature of a fluid that a "
                    "flow heats; use a chain of one");
    }
    const double strain = std::max({std::abs(g.yx), std::abs(g.zx), std::abs(g.zy)}) * settings.dt;
    if (!(strain <= 0.1)) {
        throw Error("the flow would shear the cell by " + std::to_string(strain) +
                    " in one step, and 0.1 is the most; use a smaller time step or rate");
    }
    const double low = lowest_height(g, engine.box());
    if (excludes && low < 2.0 * cutoff) {
        throw Error("under this flow the box gets as low as " + std::to_string(low) +
                    ", less than two cutoffs of " + std::to_string(cutoff) +
                    "; use a larger box or exclude=0");
    }
}

// By id.
std::vector<Vec3> Simulation::Impl::start_velocities(std::span<const Vec3> given, double kt) const {
    std::vector<double> moving = mass_of_id;
    for (const std::uint32_t id : settings.frozen) moving[id] = 0.0;
    if (given.empty()) return draw_velocities(settings.seed, moving, kt);
    std::vector<Vec3> by_id(given.begin(), given.end());
    for (const std::uint32_t id : settings.frozen) by_id[id] = {};
    stop_drift(by_id, moving, kept_momentum());
    return by_id;
}

void Simulation::Impl::assign(std::span<const Vec3> positions, std::span<const Image> images,
                              std::span<const Vec3> velocities, double kt, const Box& box) {
    const std::vector<Vec3> by_id = start_velocities(velocities, kt);
    image_offset.assign(size(), Image{});
    std::copy(images.begin(), images.end(), image_offset.begin());
    std::vector<Vec3> folded;
    if (walls) {
        for (std::size_t i = 0; i < size(); ++i) {
            const bool known = finite(positions[i]);
            folded.push_back(known ? box.wrap(positions[i], &image_offset[i]) : positions[i]);
        }
        positions = folded;
    }
    engine.assign(positions, box);
    if (pairwise && !engine.lists()) engine.reorder(pairwise->order(present(0)));
    check_box();
    check_flow();
    for (std::size_t row = 0; row < size(); ++row) motion[row].v = by_id[engine.ids()[row]];
    gather_masses();
    if (walls) walls->start(engine, motion, mass);
    limit_moves();
    step = 0;
    exchanged = work = rate_of_work = flow_power = late_heat = 0.0;
    if (memory) memory->draw({settings.seed, initial_memory, 0}, inverse_mass_of_id);
    if (constraints) {
        constraints->settle(engine, motion);
        follow_particles();
    }
    constrain_velocities();
    evaluate(0, barostat_acts(1) || settings.flow);
}

void Simulation::Impl::gather_masses() {
    const auto ids = engine.ids();
    for (std::size_t row = 0; row < size(); ++row) {
        mass[row] = mass_of_id[ids[row]];
        motion[row].inverse_mass = inverse_mass_of_id[ids[row]];
    }
}

void Simulation::Impl::limit_moves() {
    max_move = cutoff > 0.0 ? 0.2 * cutoff : 0.5 * engine.box().min_height();
    // Soft particles may pass through each other.
    max_move = std::max(max_move, soft_move);
}

}  // namespace regrain::particles
