#include "regrain/particles/simulation.hpp"

#include <cmath>
#include <string>

#include "regrain/base/error.hpp"
#include "simulation_impl.hpp"
#include "start.hpp"

namespace regrain::particles {

Simulation::Simulation(const ForceField& field, std::span<const std::int32_t> types,
                       std::span<const double> masses, const SimulationSettings& settings) {
    if (types.empty()) throw Error("there are no particles; give at least one");
    if (masses.size() != types.size()) {
        throw Error("got " + std::to_string(types.size()) + " types and " +
                    std::to_string(masses.size()) + " masses; give one of each per particle");
    }
    check(settings, field.types);
    impl_ = std::make_unique<Impl>(field, types, masses, settings);
}
Simulation::~Simulation() = default;
Simulation::Simulation(Simulation&&) noexcept = default;
Simulation& Simulation::operator=(Simulation&&) noexcept = default;

void Simulation::assign(std::span<const Vec3> positions, std::span<const Image> images,
                        std::span<const Vec3> velocities, double kt, const Box& box) {
    check_start(size(), positions.size(), images.size(), velocities.size());
    impl_->assign(positions, images, velocities, kt, box);
}

void Simulation::set_velocities(std::span<const Vec3> velocities) {
    if (velocities.size() != size()) {
        throw Error("got velocities of " + std::to_string(velocities.size()) + " of " +
                    std::to_string(size()) + " particles");
    }
    for (std::size_t row = 0; row < size(); ++row) {
        Motion& motion = impl_->motion[row];
        motion.v = motion.inverse_mass > 0.0 ? velocities[impl_->engine.ids()[row]] : Vec3{};
    }
    impl_->constrain_velocities();
}

void Simulation::release_rigid_bonds(double kt) { impl_->release_rigid_bonds(kt); }

void Simulation::run(std::uint64_t steps) { impl_->run(steps); }

Measurement Simulation::measure() {
    Impl& s = *impl_;
    std::vector<Vec3> scratch(size());
    Totals totals = s.interactions.compute(s.present(s.step), scratch, true);
    if (s.pairwise) s.pairwise->measure(s.present(s.step), totals);
    Measurement m;
    m.energies = std::move(totals.energies);
    m.virial = s.with_hooks(totals.virial);
    m.kinetic_tensor = s.kinetic_tensor();
    m.external = std::move(totals.external);
    m.variables = std::move(totals.variables);
    if (s.walls) m.impulses.assign(s.walls->impulses().begin(), s.walls->impulses().end());
    m.work = s.work;
    m.conserved = m.potential() + m.kinetic() - s.exchanged + (s.chain ? s.chain->energy() : 0.0);
    if (s.pairwise) m.conserved -= s.pairwise->heat();
    return m;
}

std::uint64_t Simulation::step() const { return impl_->step; }
std::size_t Simulation::size() const { return impl_->size(); }
std::size_t Simulation::degrees_of_freedom() const { return impl_->degrees(); }
double Simulation::max_move() const { return impl_->max_move; }
const Box& Simulation::box() const { return impl_->engine.box(); }
const PairEngine& Simulation::engine() const { return impl_->engine; }

void Simulation::places(std::span<Vec3> positions, std::span<Image> images) const {
    const PairEngine& e = impl_->engine;
    for (std::size_t row = 0; row < size(); ++row) {
        const std::uint32_t id = e.ids()[row];
        const Row& r = e.rows()[row];
        images[id] = impl_->image_offset[id];
        for (std::size_t k = 0; k < 3; ++k) images[id][k] += e.images()[row][k];
        positions[id] = e.box().wrap({r.x, r.y, r.z}, &images[id]);
    }
}

void Simulation::velocities(std::span<Vec3> out) const {
    for (std::size_t row = 0; row < size(); ++row) {
        out[impl_->engine.ids()[row]] = impl_->motion[row].v;
    }
}

void Simulation::forces(std::span<Vec3> out) const {
    for (std::size_t row = 0; row < size(); ++row) {
        out[impl_->engine.ids()[row]] = impl_->force[row];
    }
}

// ------------------------------------------------------------------ all that decides future bits

namespace {
constexpr const char* another = "the snapshot is one of another system or of other dynamics";
}

void Simulation::Impl::for_each_memory(
    const std::function<void(const char*, const Get&, const Set&)>& f) {
    f(
        "sums",
        [&] {
            return std::vector{exchanged, flow_power, virial[0],    virial[1],
                               virial[2], work,       rate_of_work, late_heat};
        },
        [&](std::span<const double> v) {
            if (v.size() != 8) throw Error(another);
            exchanged = v[0];
            flow_power = v[1];
            std::copy(v.begin() + 2, v.begin() + 5, virial.begin());
            work = v[5];
            rate_of_work = v[6];
            late_heat = v[7];
        });
    if (chain) {
        f(
            "chain", [&] { return chain->state(); },
            [&](std::span<const double> v) {
                if (v.size() != chain->state().size()) throw Error(another);
                chain->set_state(v);
            });
    }
    if (memory) {
        f(
            "memory", [&] { return memory->state(); },
            [&](std::span<const double> v) { memory->set_state(v); });
    }
    if (watch) {
        f(
            "watch", [&] { return watch->state(); },
            [&](std::span<const double> v) {
                if (v.size() != watch->state().size()) throw Error(another);
                watch->set_state(v);
            });
    }
    if (walls) {
        f(
            "walls", [&] { return walls->state(); },
            [&](std::span<const double> v) { walls->set_state(v); });
    }
    const auto hook = [&f](const char* name, Hook* it) {
        if (it == nullptr) return;
        f(
            name, [it] { return it->state(); },
            [it](std::span<const double> v) { it->set_state(v); });
    };
    hook("constraints", constraints.get());
    hook("pairwise", pairwise.get());
}

Simulation::Snapshot Simulation::snapshot() const {
    Impl& s = *impl_;
    Snapshot shot{s.engine.snapshot(), {}, s.force, s.image_offset, s.step, {}};
    shot.forces.resize(size());
    for (const Motion& motion : s.motion) shot.velocities.push_back(motion.v);
    s.for_each_memory(
        [&](const char* name, const auto& get, const auto&) { shot.states[name] = get(); });
    return shot;
}

void Simulation::restore(const Snapshot& shot) {
    Impl& s = *impl_;
    bool fits = shot.velocities.size() == size() && shot.forces.size() == size() &&
                shot.image_offsets.size() == size();
    std::size_t memories = 0;
    s.for_each_memory([&](const char* name, const auto&, const auto&) {
        fits = fits && shot.states.contains(name);
        ++memories;
    });
    if (!fits || shot.states.size() != memories) {
        throw Error(another);
    }
    s.engine.restore(shot.engine);
    for (std::size_t row = 0; row < size(); ++row) s.motion[row].v = shot.velocities[row];
    std::copy(shot.forces.begin(), shot.forces.end(), s.force.begin());
    s.image_offset = shot.image_offsets;
    s.step = shot.step;
    s.for_each_memory(
        [&](const char* name, const auto&, const auto& set) { set(shot.states.at(name)); });
    s.gather_masses();
    s.limit_moves();
}

}  // namespace regrain::particles
