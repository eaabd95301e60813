// The time step. All dynamics are: thermostat, kick, drift, middle, drift, forces, kick,
// thermostat, where heat (a bath) and the cell (a barostat, a flow) change in the middle; what
// does not take part costs nothing.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "../base/messages.hpp"
#include "brownian.hpp"
#include "flow.hpp"
#include "kinetic.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/barostat.hpp"
#include "simulation_impl.hpp"

namespace regrain::particles {

void Simulation::Impl::run(std::uint64_t steps) {
    const bool joined = joins_kicks();
    for (std::uint64_t k = 0; k < steps; ++k) advance(joined && k > 0 ? 2 : 1);
    if (joined && steps > 0) kick(1);
}

void Simulation::Impl::advance(int kicks) {
    thermostat_half();
    move(kicks);
    follow_particles();
    evaluate(step + 1, barostat_acts(step + 1) || barostat_acts(step + 2) || settings.flow);
    if (!joins_kicks()) finish();
    watch_heat();
    ++step;
}

// Where nothing comes between the last half kick of a step and the first of the next, one pass
// makes both.
bool Simulation::Impl::joins_kicks() const {
    return !chain && !constraints && !brownian() && !(pairwise && pairwise->exchanges());
}

void Simulation::Impl::thermostat_half() {
    if (!chain) return;
    const double factor = chain->advance(kinetic(), 0.5 * settings.dt);
    parallel_for(size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) motion[row].v *= factor;
    });
}

// From the first half kick to the new places: in one pass over the particles, if it can be.
void Simulation::Impl::move(int kicks) {
    const double dt = settings.dt;
    const bool cell_changes = barostat_acts(step + 1);
    if (langevin) langevin->source.step = step;
    if (settings.flow) return flow_along(kicks);
    if (brownian()) {
        change_cell();
        return diffuse();
    }
    if (cell_changes && pairwise && !pairwise->exchanges()) {
        // Half a kick by noise heats what the next half cools again: the barostat takes the
        // velocities from before.
        if (kicks == 2) pass(1, 0.0);
        kicks = 1;
        whole_kinetic = cell_kinetic();
    }
    const Bath* bath = langevin ? &*langevin : nullptr;
    const bool in_one = !constraints && !memory && !(walls && bath);
    if (in_one && !cell_changes) return pass(kicks, bath ? 0.5 * dt : dt, bath, true);
    if (in_one) {
        pass(kicks, 0.5 * dt, bath);
    } else {
        kick(kicks);
        if (!bath && !memory && !cell_changes) return drift(dt);
        drift(0.5 * dt);
        constrain_velocities();
        exchange_heat();
    }
    change_cell();
    drift(0.5 * dt);
}

// The same under a flow. A bath and the flow do not commute, so the flow is halved around the bath.
void Simulation::Impl::flow_along(int kicks) {
    const double dt = settings.dt;
    if (brownian()) {
        diffuse();
        flow_for(dt);
        return rename_lattice();
    }
    const bool heat = langevin || memory;
    pass(kicks, 0.5 * dt);
    flow_for(heat ? 0.5 * dt : dt);
    if (heat) {
        exchange_heat();
        flow_for(0.5 * dt);
    }
    rename_lattice();
    drift(0.5 * dt);
}

void Simulation::Impl::exchange_heat() {
    if (langevin) pass(0, 0.0, &*langevin);
    if (memory) {
        exchanged +=
            memory->exchange({settings.seed, bath_noise, step}, engine.ids(), mass, motion);
    }
    if (langevin || memory) exchanged -= constrain_velocities();
}

void Simulation::Impl::diffuse() {
    const double fastest = max_move / settings.dt;
    const BrownianPass work{engine.rows().data(), motion.data(), force.data(),
                            engine.ids().data(),  brownian(),    {settings.seed, bath_noise, step},
                            settings.dt,          fastest};
    const auto outcome = parallel_sum<PassOutcome>(size(), [&](std::size_t begin, std::size_t end) {
        return brownian_kernel(work, begin, end);
    });
    if (outcome.wild) name_the_wild();
}

void Simulation::Impl::kick(int count) {
    pass(count, 0.0);
    constrain_velocities();
}

void Simulation::Impl::drift(double time) {
    if (constraints) constraints->remember(engine);
    pass(0, time);
    if (constraints) constraints->places(engine, motion, time);
}

void Simulation::Impl::follow_particles() {
    std::span<const std::uint32_t> old_row = engine.refresh();
    // Neighbours in space are to be neighbours in memory, also where nothing else wants it.
    constexpr std::uint64_t often = 10;
    if (pairwise && !engine.lists() && step % often == 0)
        old_row = engine.reorder(pairwise->order(present(step + 1)));
    if (old_row.empty()) return;
    old_motion.swap(motion);
    motion.resize(size());
    parallel_for(size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) motion[row] = old_motion[old_row[row]];
    });
    gather_masses();
}

void Simulation::Impl::evaluate(std::uint64_t at, bool with_sums) {
    Present now = present(at);
    if (at > 0 && !brownian()) now.kick_to_come = 0.5 * settings.dt;
    Totals totals = interactions.compute(now, forces(), with_sums);
    if (at > 0) add_work(0.5 * settings.dt * (rate_of_work + totals.power));
    rate_of_work = totals.power;
    if (pairwise) pair_forces(now, with_sums ? &totals : nullptr);
    if (with_sums) virial = cell_virial(now, totals.virial);
    if (settings.flow && with_sums) {
        const double before = std::exchange(flow_power, power(*settings.flow, totals.virial));
        if (at > 0) exchanged += 0.5 * settings.dt * (before + flow_power);
    }
    if (!barostat_acts(at) || at == 0) return;
    // The second half of the work of the change of the cell in this step.
    for (std::size_t k = 0; k < 3; ++k) exchanged -= 0.5 * virial[k] * pending[k];
}

// Friction and noise count as heat what they do to free particles. Of particles on rigid bonds they
// move only what the bonds allow, m P(f / m) of a force f, in the half kicks before and after.
void Simulation::Impl::pair_forces(const Present& now, Totals* totals) {
    if (!constraints || pairwise->exchanges()) return pairwise->forces(now, forces(), totals);
    const std::vector<Vec3> others = force;
    pairwise->forces(now, forces(), totals);
    std::vector<Motion> kicks = motion;
    for (std::size_t row = 0; row < size(); ++row) {
        kicks[row].v = (force[row] - others[row]) * kicks[row].inverse_mass;
    }
    std::vector<Motion> allowed = kicks;
    constraints->velocities(engine, allowed);
    double along = 0.0, square = 0.0;
    for (std::size_t row = 0; row < size(); ++row) {
        const Vec3 missing = allowed[row].v - kicks[row].v;
        along += mass[row] * dot(missing, motion[row].v);
        square += dot(missing, force[row]);
    }
    const double half = 0.5 * settings.dt;
    const double early = half * (along + 0.5 * half * square);
    if (now.step > 0) exchanged += late_heat + early;
    late_heat = now.step > 0 ? half * (along + 1.5 * half * square) : early;
}

void Simulation::Impl::add_work(double done) {
    work += done;
    exchanged += done;
}

std::array<double, 6> Simulation::Impl::with_hooks(std::array<double, 6> w) const {
    const auto add = [&w](const std::array<double, 6>& more) {
        for (std::size_t k = 0; k < 6; ++k) w[k] += more[k];
    };
    if (constraints) add(constraints->virial(present(step), force));
    return w;
}

// A cell moves the centres of rigid bodies, so that what is inside of them has no part in its work.
std::array<double, 6> Simulation::Impl::cell_virial(const Present& now,
                                                    std::array<double, 6> w) const {
    if (constraints) {
        const Constraints::Inner inner = constraints->inner(now, force);
        for (std::size_t k = 0; k < 6; ++k) w[k] -= inner.virial[k];
    }
    return w;
}

void Simulation::Impl::finish() {
    if (brownian()) return;
    kick(1);
    if (pairwise && pairwise->exchanges()) {
        exchanged += release_rigid_bonds(pairwise->kt());
        exchanged += pairwise->exchange(present(step + 1), motion);
        exchanged -= constrain_velocities();
    }
    thermostat_half();
}

// ------------------------------------------------------------------ the cell

void Simulation::Impl::change_cell() {
    if (barostat_acts(step + 1)) rescale_cell();
}

// Cell, places and (inversely: SLLOD) velocities; the work on energies of places is known from
// their virials before and after the step.
void Simulation::Impl::flow_for(double time) {
    exchanged += deform_cell(carry(*settings.flow, time));
}

void Simulation::Impl::rename_lattice() {
    const LatticeNames names(engine.box());
    if (!names.changed()) return;
    for (std::size_t row = 0; row < size(); ++row) {
        const Image& folded = engine.images()[row];
        Image& offset = image_offset[engine.ids()[row]];
        Image total;
        for (std::size_t k = 0; k < 3; ++k) total[k] = folded[k] + offset[k];
        total = names(total);
        for (std::size_t k = 0; k < 3; ++k) offset[k] = total[k] - folded[k];
    }
    engine.rename_box(names.box);
}

// Of what a cell moves: centres of rigid bodies, and all else.
std::array<double, 6> Simulation::Impl::cell_kinetic() const {
    std::array<double, 6> kinetic = kinetic_tensor();
    if (!constraints) return kinetic;
    const Constraints::Inner inner = constraints->inner(present(step), force);
    for (std::size_t k = 0; k < 6; ++k) kinetic[k] -= inner.kinetic[k];
    return kinetic;
}

void Simulation::Impl::rescale_cell() {
    const std::array<bool, 3> kept = kept_momentum();
    const std::array<double, 6> kinetic = cell_kinetic();
    const CellState now{
        whole_kinetic.value_or(kinetic), virial, {kept[0] * 1.0, kept[1] * 1.0, kept[2] * 1.0}};
    const CellChange change =
        rescale(*settings.barostat, settings.dt, engine.box(), now, cell_noise, step);
    pending = change.log_stretch;
    for (std::size_t k = 0; k < 3; ++k) {
        exchanged += 0.5 * kinetic[k] * std::expm1(-2.0 * pending[k]);
        exchanged -= 0.5 * virial[k] * pending[k];
    }
    deform_cell(change.map);
}

// Places and box undergo the map, velocities its inverse; returns what kinetic energy they gain.
double Simulation::Impl::deform_cell(const CellMap& map) {
    const CellMap inverse = map.inverse();
    const std::span<Row> rows = engine.rows();
    const auto gained = parallel_sum<double>(size(), [&](std::size_t begin, std::size_t end) {
        double sum = 0.0;
        for (std::size_t row = begin; row < end; ++row) {
            const Vec3 r = map({rows[row].x, rows[row].y, rows[row].z});
            rows[row] = {r.x, r.y, r.z, rows[row].tag};
            const Vec3 before = std::exchange(motion[row].v, inverse(motion[row].v));
            sum += 0.5 * mass[row] * (norm2(motion[row].v) - norm2(before));
        }
        return sum;
    });
    engine.set_box(map(engine.box()));
    if (constraints) constraints->keep_shape(map, engine, motion);
    check_box();
    limit_moves();
    return gained;
}

// ------------------------------------------------------------------ particles

// Every kick is made by the same kernel, so that its bits are the same wherever it is made.
void Simulation::Impl::pass(int kicks, double drift, const Bath* bath, bool drift_again) {
    const double fastest = max_move / settings.dt;
    const Pass work{engine.rows().data(),
                    motion.data(),
                    force.data(),
                    mass.data(),
                    engine.ids().data(),
                    kicks,
                    0.5 * settings.dt,
                    drift,
                    bath,
                    drift_again,
                    fastest};
    const auto outcome = parallel_sum<PassOutcome>(
        size(), [&](std::size_t begin, std::size_t end) { return step_kernel(work, begin, end); });
    exchanged += outcome.heat;
    if (outcome.wild) name_the_wild();
    if (walls && drift > 0.0) add_work(walls->bounce(engine, motion, mass, drift));
}

// Mid-step velocities will do: it is a matter of a factor of 1.5.
void Simulation::Impl::watch_heat() {
    if (!watch || !watch->due(step + 1)) return;
    const double kt = 2.0 * kinetic() / static_cast<double>(degrees());
    if (watch->too_hot(kt / bath_kt())) name_the_hot();
}

void Simulation::Impl::name_the_hot() const {
    const auto energy = [&](std::size_t row) { return mass[row] * norm2(motion[row].v); };
    std::size_t hottest = 0;
    for (std::size_t row = 1; row < size(); ++row) {
        if (energy(row) > energy(hottest)) hottest = row;
    }
    throw Error("step " + std::to_string(step + 1) +
                ": the particles are hotter than the bath, by " +
                std::to_string(std::lround(100.0 * watch->excess())) +
                " percent over many of its relaxation times: the time step heats faster than the "
                "friction cools; the hottest is particle " +
                shown_particle(hottest) + "; use a smaller time step");
}

// Returns the kinetic energy that is lost.
double Simulation::Impl::constrain_velocities() {
    return constraints ? constraints->velocities(engine, motion) : 0.0;
}

// Exchanges of momentum give pairs the velocities of free particles. Acting on those that rigid
// bonds allow, they would leave too little of them after the projection: a Maxwell distribution is
// that of the velocities allowed times that of the others, so the others are drawn. Returns the
// kinetic energy that is added.
double Simulation::Impl::release_rigid_bonds(double kt) {
    if (!constraints) return 0.0;
    const Philox generator(settings.seed, rigid_noise);
    std::vector<Motion> free = motion;
    parallel_for(size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            const auto g = generator.normal4(step, engine.ids()[row]);
            free[row].v = Vec3{g[0], g[1], g[2]} * std::sqrt(kt * free[row].inverse_mass);
        }
    });
    std::vector<Motion> allowed = free;
    const double added = constraints->velocities(engine, allowed);
    parallel_for(size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            motion[row].v += free[row].v - allowed[row].v;
        }
    });
    return added;
}

// The first that is not a number, else the fastest: a bath may have slowed it down since.
void Simulation::Impl::name_the_wild() const {
    const auto speed = [&](std::size_t row) {
        const Vec3& v = motion[row].v;
        return std::max({std::abs(v.x), std::abs(v.y), std::abs(v.z)});
    };
    std::size_t wildest = engine.row_of()[0];
    for (const std::uint32_t row : engine.row_of()) {
        if (!finite(motion[wildest].v)) break;
        if (!(speed(row) <= speed(wildest))) wildest = row;
    }
    const Vec3& v = motion[wildest].v;
    const std::string what =
        "step " + std::to_string(step + 1) + ": particle " + shown_particle(wildest);
    if (!finite(v)) {
        throw Error(what + " has a velocity that is not a number; it feels a force of " +
                    shown(force[wildest]));
    }
    throw Error(what + " moves by " + std::to_string(norm(v) * settings.dt) +
                " in one step, and no more than " + std::to_string(max_move) +
                " is trusted; use a smaller time step or a start with fewer overlaps");
}

std::string Simulation::Impl::shown_particle(std::size_t row) const {
    const Row& r = engine.rows()[row];
    return std::to_string(engine.ids()[row]) + " at " + shown({r.x, r.y, r.z});
}

std::array<double, 6> Simulation::Impl::kinetic_tensor() const {
    if (brownian()) {
        // The mean, as if they had velocities.
        const double mean = static_cast<double>(degrees()) / 3.0 * brownian()->kt;
        return {mean, mean, mean};
    }
    return sum_kinetic_tensor(
        size(), [this](std::size_t row) { return std::pair(mass[row], motion[row].v); });
}

}  // namespace regrain::particles
