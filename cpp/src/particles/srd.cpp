#include "regrain/particles/srd.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <string>

#include "../base/messages.hpp"
#include "kinetic.hpp"
#include "regrain/base/parallel.hpp"
#include "simulation_impl.hpp"
#include "srd_solvent.hpp"
#include "start.hpp"

namespace regrain::particles {

namespace {

void check(const CollisionSettings& s) {
    require(positive(s.dt), "dt must be a positive number", s.dt);
    require(s.every >= 1, "there are 1 or more steps between collisions", s.every);
    for (const double edge : {s.cell.x, s.cell.y, s.cell.z}) {
        require(positive(edge), "the edge of a cell must be a positive number", edge);
    }
    const bool rotates = s.rule == CollisionRule::rotation;
    require(!rotates || (s.angle > 0.0 && s.angle <= std::numbers::pi),
            "the angle of rotation must be above 0 and at most pi", s.angle);
    const bool any_wall = s.walls[0] || s.walls[1] || s.walls[2];
    require(positive(s.kt) || (rotates && !s.thermostat && !any_wall && s.kt == 0.0),
            "Andersen's rule, a thermostat and walls need a positive temperature", s.kt);
    require(finite(s.acceleration), "the acceleration must be finite", norm(s.acceleration));
    require(finite(s.wall_velocity), "the velocity of walls must be finite", norm(s.wall_velocity));
    require(s.reverse >= -1 && s.reverse <= 2, "the axis of a reversed acceleration is 0, 1 or 2",
            s.reverse);
    const std::array<double, 3> pull{s.acceleration.x, s.acceleration.y, s.acceleration.z};
    const std::array<double, 3> wall{s.wall_velocity.x, s.wall_velocity.y, s.wall_velocity.z};
    for (std::size_t k = 0; k < 3; ++k) {
        if (s.walls[k] && (pull[k] != 0.0 || wall[k] != 0.0)) {
            throw Error(std::string("there are walls across ") + "xyz"[k] +
                        ": they can neither move nor be pushed against along it");
        }
    }
    if (s.reverse >= 0) {
        const auto axis = static_cast<std::size_t>(s.reverse);
        if (s.walls[axis] || pull[axis] != 0.0 || norm2(s.acceleration) == 0.0) {
            throw Error(std::string("an acceleration that is reversed half way along ") +
                        "xyz"[axis] + " must be across it, and there can be no walls there");
        }
    }
    if (!any_wall && norm2(s.wall_velocity) > 0.0) throw Error("there are no walls to move");
}

}  // namespace

struct SolventSimulation::Impl {
    CollisionSettings settings;
    Solvent solvent;
    std::optional<Simulation> beads;
    std::vector<double> masses, bead_masses;
    std::vector<std::uint32_t> solvent_ids, bead_ids;
    Box box{Vec3{1.0, 1.0, 1.0}};
    std::uint64_t step{0};
    // What is needed for the conserved energy: the kinetic energy of the solvent at the start, and
    // what beads were given in collisions.
    double start_energy{0.0}, given{0.0};
    CollisionStress stress;  // of the last collision before a measurement

    Impl(const ForceField& field, std::span<const std::int32_t> types,
         std::span<const double> all_masses, std::span<const std::uint8_t> is_solvent,
         const CollisionSettings& s)
        : settings(s), solvent(s), masses(all_masses.begin(), all_masses.end()) {
        check_masses(masses);
        for (std::size_t i = 0; i < masses.size(); ++i) {
            auto& ids = is_solvent[i] != 0 ? solvent_ids : bead_ids;
            ids.push_back(static_cast<std::uint32_t>(i));
        }
        if (solvent_ids.empty()) throw Error("there are no particles of the solvent");
        for (const std::uint32_t id : bead_ids) bead_masses.push_back(masses[id]);
        if (types.size() != bead_ids.size()) {
            throw Error("got " + std::to_string(types.size()) + " types for " +
                        std::to_string(bead_ids.size()) + " particles that are no solvent");
        }
        if (!field.rigid_bonds.empty() && kept_energy()) {
            throw Error(
                "rigid bonds take energy out of collisions, and nothing gives it back without a "
                "thermostat; give the solvent one, or the bonds springs");
        }
        if (!bead_ids.empty()) {
            SimulationSettings inner{};
            inner.dt = s.dt;
            inner.dynamics = Nve{};
            inner.seed = s.seed;
            inner.skin = s.skin;
            inner.precision = s.precision;
            beads.emplace(field, types, bead_masses, inner);
        }
    }

    [[nodiscard]] std::size_t size() const { return masses.size(); }
    [[nodiscard]] bool kept_energy() const { return solvent.kind.rotates && !settings.thermostat; }
    [[nodiscard]] bool conserves_momentum() const {
        const auto& w = settings.walls;
        return !w[0] && !w[1] && !w[2] && norm2(settings.acceleration) == 0.0 && size() > 1;
    }
    // Whether the rule keeps the energy, so that it is not booked as heat.
    [[nodiscard]] bool conserves_energy() const { return kept_energy() && conserves_momentum(); }

    // ------------------------------------------------------------------ the start

    void check_finite(const Vec3& v, const char* what, std::size_t i) const {
        if (finite(v)) return;
        throw Error(std::string("the ") + what + " of particle " + std::to_string(i) +
                    " is not a number");
    }

    void assign(std::span<const Vec3> positions, std::span<const Image> images,
                std::span<const Vec3> velocities, double kt, const Box& new_box) {
        const std::vector<Vec3> drawn =
            velocities.empty() ? draw_velocities(settings.seed, masses, kt) : std::vector<Vec3>{};
        if (velocities.empty()) velocities = drawn;
        std::vector<SolventPlace> places;
        std::vector<SolventMotion> motion;
        std::vector<Image> own_images;
        for (const std::uint32_t id : solvent_ids) {
            check_finite(positions[id], "position", id);
            check_finite(velocities[id], "velocity", id);
            Image image = images.empty() ? Image{} : images[id];
            const Vec3 r = inside(positions[id], new_box, image, id);
            places.push_back({r, id, 0});
            motion.push_back({velocities[id], masses[id]});
            own_images.push_back(image);
        }
        solvent.assign(std::move(places), std::move(motion), std::move(own_images), new_box);
        box = new_box;
        step = 0;
        given = 0.0;
        stress = {};
        if (beads) {
            std::vector<Vec3> r, v;
            std::vector<Image> i;
            for (const std::uint32_t id : bead_ids) {
                r.push_back(positions[id]);
                v.push_back(velocities[id]);
                i.push_back(images.empty() ? Image{} : images[id]);
            }
            beads->assign(r, i, v, kt, box);
            beads->set_velocities(v);
        }
        start_energy = 0.5 * trace(solvent_tensor());
    }

    // Across walls there are no images: who is on the other side of a wall does not belong here.
    [[nodiscard]] Vec3 inside(const Vec3& r, const Box& b, Image& image, std::size_t id) const {
        const std::array<double, 3> x{r.x, r.y, r.z}, length{b.a().x, b.b().y, b.c().z};
        for (std::size_t k = 0; k < 3; ++k) {
            if (settings.walls[k] && !(x[k] >= 0.0 && x[k] <= length[k])) {
                throw Error("particle " + std::to_string(id) + " of the solvent is at " + shown(r) +
                            ", on the other side of the walls across " + "xyz"[k] +
                            ", which are at 0 and " + std::to_string(length[k]));
            }
        }
        Image shifted = image;
        const Vec3 wrapped = b.wrap(r, &shifted);
        std::array<double, 3> found{wrapped.x, wrapped.y, wrapped.z};
        for (std::size_t k = 0; k < 3; ++k) {
            if (settings.walls[k]) {
                found[k] = std::min(x[k], std::nextafter(length[k], 0.0));
            } else {
                image[k] = shifted[k];
            }
        }
        return {found[0], found[1], found[2]};
    }

    // ------------------------------------------------------------------ time

    // Whether a measurement is due before the next collision.
    [[nodiscard]] bool is_looked_at() const {
        const std::uint64_t often = std::max<std::uint64_t>(1, settings.measured_every);
        const std::uint64_t last = step + static_cast<std::uint64_t>(settings.every) - 1;
        return last / often * often >= step;
    }

    void collide() {
        CollisionStress* looked_at = is_looked_at() ? &stress : nullptr;
        if (!beads) {
            solvent.collide({}, looked_at);
            return;
        }
        std::vector<Vec3> r(bead_ids.size()), v(bead_ids.size());
        std::vector<Image> i(bead_ids.size());
        beads->places(r, i);
        beads->velocities(v);
        const auto energy = [&] {
            double sum = 0.0;
            for (std::size_t b = 0; b < v.size(); ++b) sum += 0.5 * bead_masses[b] * norm2(v[b]);
            return sum;
        };
        const double before = energy();
        beads->release_rigid_bonds(settings.kt);
        beads->velocities(v);
        solvent.collide({r, v, bead_masses}, looked_at);
        beads->set_velocities(v);
        beads->velocities(v);  // without what rigid bonds do not allow
        given += energy() - before;
    }

    void run_beads(std::uint64_t steps) {
        try {
            beads->run(steps);
        } catch (const Error& error) {
            if (bead_ids.back() + 1 == bead_ids.size()) throw;
            throw Error(std::string(error.what()) + "; particles are numbered without the solvent");
        }
    }

    void run(std::uint64_t steps) {
        const auto every = static_cast<std::uint64_t>(settings.every);
        const std::uint64_t end = step + steps;
        while (step < end) {
            const std::uint64_t next = (step / every + 1) * every;
            const std::uint64_t now = std::min(next, end) - step;
            if (beads) run_beads(now);
            step += now;
            if (step == next) collide();
        }
        solvent.settle();
    }

    // ------------------------------------------------------------------ looking

    [[nodiscard]] double since_collision() const {
        return static_cast<double>(step % static_cast<std::uint64_t>(settings.every)) * settings.dt;
    }

    struct Particle {
        std::uint32_t id;
        Vec3 r, v;
        double mass;
        Image image;
    };
    // The k-th of the solvent, so long after the last collision.
    [[nodiscard]] Particle particle(std::size_t k, double time) const {
        const SolventPlace& place = solvent.places[k];
        const SolventMotion& motion = solvent.motion[k];
        Particle p{place.id, place.r, motion.v, motion.mass, solvent.images[k]};
        if (time > 0.0) solvent.stream(time, p.r, p.v, p.image, p.id);
        return p;
    }

    [[nodiscard]] std::array<double, 6> solvent_tensor() const {
        return sum_kinetic_tensor(solvent.size(), [this, time = since_collision()](std::size_t k) {
            const Particle p = particle(k, time);
            return std::pair(p.mass, p.v);
        });
    }

    Measurement measure() {
        Measurement m = beads ? beads->measure() : Measurement{};
        const std::array<double, 6> own = solvent_tensor();
        for (std::size_t k = 0; k < 6; ++k) m.kinetic_tensor[k] += own[k];
        // A collision is a force for no time, whose mean is that over the time between two. Right
        // at one the particles carry the mean of before and after, of which the tensor has the
        // latter.
        for (const double sum : stress.virial) m.collisional.push_back(sum / solvent.interval());
        for (std::size_t k = 0; k < 6 && since_collision() == 0.0; ++k) {
            m.virial[k] += 0.5 * (stress.before[k] - stress.after[k]);
        }
        m.conserved += conserves_energy() ? 0.5 * trace(own) : start_energy - given;
        return m;
    }

    // Calls f(particle) for each particle of the solvent at the present time.
    template <class F>
    void for_solvent(F&& f) const {
        const double time = since_collision();
        parallel_for(solvent.size(), [&](std::size_t begin, std::size_t end) {
            for (std::size_t k = begin; k < end; ++k) f(particle(k, time));
        });
    }
};

SolventSimulation::SolventSimulation(const ForceField& beads, std::span<const std::int32_t> types,
                                     std::span<const double> masses,
                                     std::span<const std::uint8_t> solvent,
                                     const CollisionSettings& settings) {
    if (masses.size() != solvent.size()) {
        throw Error("got " + std::to_string(masses.size()) + " masses and " +
                    std::to_string(solvent.size()) +
                    " marks of the solvent; give one of each "
                    "per particle");
    }
    check(settings);
    impl_ = std::make_unique<Impl>(beads, types, masses, solvent, settings);
}
SolventSimulation::~SolventSimulation() = default;
SolventSimulation::SolventSimulation(SolventSimulation&&) noexcept = default;
SolventSimulation& SolventSimulation::operator=(SolventSimulation&&) noexcept = default;

void SolventSimulation::assign(std::span<const Vec3> positions, std::span<const Image> images,
                               std::span<const Vec3> velocities, double kt, const Box& box) {
    check_start(size(), positions.size(), images.size(), velocities.size());
    impl_->assign(positions, images, velocities, kt, box);
}

void SolventSimulation::run(std::uint64_t steps) { impl_->run(steps); }
Measurement SolventSimulation::measure() { return impl_->measure(); }
std::uint64_t SolventSimulation::step() const { return impl_->step; }
std::size_t SolventSimulation::size() const { return impl_->size(); }
std::size_t SolventSimulation::degrees_of_freedom() const {
    const Impl& s = *impl_;
    std::size_t all = 3 * size();
    if (s.beads) {  // rigid bonds take some; their own centre of mass is free to move
        const std::size_t free = 3 * s.bead_ids.size() - (s.bead_ids.size() > 1 ? 3 : 0);
        all -= free - s.beads->degrees_of_freedom();
    }
    return all - (s.conserves_momentum() ? 3 : 0);
}
const Box& SolventSimulation::box() const { return impl_->box; }
std::uint64_t SolventSimulation::sorts() const { return impl_->solvent.sorts; }

void SolventSimulation::places(std::span<Vec3> positions, std::span<Image> images) const {
    const Impl& s = *impl_;
    s.for_solvent([&](const Impl::Particle& p) {
        positions[p.id] = p.r;
        images[p.id] = p.image;
    });
    if (!s.beads) return;
    std::vector<Vec3> r(s.bead_ids.size());
    std::vector<Image> i(s.bead_ids.size());
    s.beads->places(r, i);
    for (std::size_t b = 0; b < r.size(); ++b) {
        positions[s.bead_ids[b]] = r[b];
        images[s.bead_ids[b]] = i[b];
    }
}

void SolventSimulation::velocities(std::span<Vec3> out) const {
    const Impl& s = *impl_;
    s.for_solvent([&](const Impl::Particle& p) { out[p.id] = p.v; });
    if (!s.beads) return;
    std::vector<Vec3> v(s.bead_ids.size());
    s.beads->velocities(v);
    for (std::size_t b = 0; b < v.size(); ++b) out[s.bead_ids[b]] = v[b];
}

void SolventSimulation::forces(std::span<Vec3> out) const {
    const Impl& s = *impl_;
    std::fill(out.begin(), out.end(), Vec3{});
    if (!s.beads) return;
    std::vector<Vec3> f(s.bead_ids.size());
    s.beads->forces(f);
    for (std::size_t b = 0; b < f.size(); ++b) out[s.bead_ids[b]] = f[b];
}

SolventSimulation::Snapshot SolventSimulation::snapshot() const {
    const Impl& s = *impl_;
    Snapshot shot;
    for (std::size_t k = 0; k < s.solvent.size(); ++k) {
        shot.positions.push_back(s.solvent.places[k].r);
        shot.ids.push_back(s.solvent.places[k].id);
        shot.velocities.push_back(s.solvent.motion[k].v);
    }
    shot.images = s.solvent.images;
    shot.borders = s.solvent.borders;
    shot.lengths = {s.box.a().x, s.box.b().y, s.box.c().z};
    shot.step = s.step;
    shot.numbers = {s.start_energy, s.given};
    const auto keep = [&](const auto& sums) {
        shot.numbers.insert(shot.numbers.end(), sums.begin(), sums.end());
    };
    keep(s.stress.virial);
    keep(s.stress.before);
    keep(s.stress.after);
    if (s.beads) shot.beads.push_back(s.beads->snapshot());
    return shot;
}

void SolventSimulation::restore(const Snapshot& shot) {
    Impl& s = *impl_;
    const std::size_t n = s.solvent_ids.size();
    bool same = shot.positions.size() == n && shot.velocities.size() == n && shot.ids.size() == n &&
                shot.images.size() == n && shot.numbers.size() == 23 &&
                shot.beads.size() == (s.beads ? 1 : 0);
    std::vector<SolventPlace> places;
    std::vector<SolventMotion> motion;
    for (std::size_t k = 0; same && k < n; ++k) {
        same = shot.ids[k] < s.size();
        if (!same) break;
        places.push_back({shot.positions[k], shot.ids[k], 0});
        motion.push_back({shot.velocities[k], s.masses[shot.ids[k]]});
    }
    if (!same) throw Error("the snapshot is one of another system or of other dynamics");
    s.box = Box(Vec3{shot.lengths[0], shot.lengths[1], shot.lengths[2]});
    s.solvent.restore(std::move(places), std::move(motion), shot.images, shot.borders, s.box);
    s.solvent.collisions = shot.step / static_cast<std::uint64_t>(s.settings.every);
    s.step = shot.step;
    s.start_energy = shot.numbers[0];
    s.given = shot.numbers[1];
    auto from = shot.numbers.begin() + 2;
    const auto take = [&](auto& sums) {
        std::copy_n(from, sums.size(), sums.begin());
        from += static_cast<std::ptrdiff_t>(sums.size());
    };
    take(s.stress.virial);
    take(s.stress.before);
    take(s.stress.after);
    if (s.beads) s.beads->restore(shot.beads[0]);
}

}  // namespace regrain::particles
