#include "regrain/particles/srd.hpp"

#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/random.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

using Image = std::array<std::int32_t, 3>;

constexpr double degree = std::numbers::pi / 180.0;

CollisionSettings settings(CollisionRule rule = CollisionRule::rotation, bool angular = false) {
    CollisionSettings s{};
    s.dt = 0.1;
    s.every = 1;
    s.cell = {1.0, 1.0, 1.0};
    s.rule = rule;
    s.angle = 130.0 * degree;
    s.angular_momentum = angular;
    s.kt = 1.0;
    s.seed = 17;
    s.measured_every = 4;
    return s;
}

// Solvent at random places, and a bonded chain of heavy beads that repel each other.
struct System {
    ForceField field;
    std::vector<Vec3> positions;
    std::vector<double> masses;
    std::vector<std::uint8_t> solvent;
    std::vector<std::int32_t> types;  // of the beads
    Box box;

    System(const Vec3& edges, std::size_t per_cell, std::size_t beads = 0) : box(edges) {
        const Philox generator(5, 9);
        const auto n = static_cast<std::size_t>(edges.x * edges.y * edges.z) * per_cell;
        for (std::uint32_t i = 0; i < n; ++i) {
            const auto a = generator.uniform2(0, i), b = generator.uniform2(1, i);
            positions.push_back({a[0] * edges.x, a[1] * edges.y, b[0] * edges.z});
            masses.push_back(1.0);
            solvent.push_back(1);
        }
        field.pair_of_types = {-1};
        field.bonds.potentials = {Harmonic{100.0, 0.8}};
        for (std::uint32_t i = 0; i < beads; ++i) {
            const auto k = static_cast<std::size_t>(i * n / beads);
            positions.insert(positions.begin() + static_cast<std::ptrdiff_t>(k),
                             Vec3{0.5 * edges.x, 0.5 * edges.y, 0.5 + 0.8 * i});
            masses.insert(masses.begin() + static_cast<std::ptrdiff_t>(k), 8.0);
            solvent.insert(solvent.begin() + static_cast<std::ptrdiff_t>(k), 0);
            types.push_back(0);
            if (i > 0) field.bonds.terms.push_back({{i - 1, i}, 0});
        }
    }

    [[nodiscard]] SolventSimulation make(const CollisionSettings& s) const {
        return {field, types, masses, solvent, s};
    }
    [[nodiscard]] SolventSimulation start(const CollisionSettings& s) const {
        SolventSimulation simulation = make(s);
        simulation.assign(positions, {}, {}, 1.0, box);
        return simulation;
    }
};

struct Seen {
    std::vector<Vec3> r, v;
    std::vector<Image> images;
    explicit Seen(const SolventSimulation& s) : r(s.size()), v(s.size()), images(s.size()) {
        s.places(r, images);
        s.velocities(v);
    }
    friend bool operator==(const Seen&, const Seen&) = default;
};

Vec3 momentum(const Seen& seen, const std::vector<double>& masses) {
    Vec3 sum;
    for (std::size_t i = 0; i < masses.size(); ++i) sum += masses[i] * seen.v[i];
    return sum;
}

// The shift of the grid in a collision, in cells.
Vec3 shift(const CollisionSettings& s, std::uint64_t collision) {
    if (!s.shift) return {};
    const auto w = Philox(s.seed, 64).bits(collision, 0);
    return {w[0] * 0x1p-32, w[1] * 0x1p-32, w[2] * 0x1p-32};
}

using Cell = std::array<std::int64_t, 3>;

Cell cell_of(const Vec3& r, const Vec3& shift, const Box& box) {
    const auto index = [](double x, double length) {
        return static_cast<std::int64_t>(std::floor(x)) % std::llround(length);
    };
    return {index(r.x + shift.x, box.a().x), index(r.y + shift.y, box.b().y),
            index(r.z + shift.z, box.c().z)};
}

// Straight from the definition: stream, sort into cells of edge 1, turn about the axis that the
// generator gives. The slow axis of the numbering of cells is that of the most cells, the last of
// several.
void reference(const System& system, const CollisionSettings& s, std::uint64_t collisions,
               Seen& seen) {
    const Box& box = system.box;
    const std::array<std::int64_t, 3> n{std::llround(box.a().x), std::llround(box.b().y),
                                        std::llround(box.c().z)};
    std::size_t slow = n[1] > n[0] ? 1 : 0;
    if (n[2] >= n[slow]) slow = 2;
    for (std::uint64_t step = 0; step < collisions; ++step) {
        std::map<Cell, std::vector<std::size_t>> members;
        for (std::size_t i = 0; i < seen.r.size(); ++i) {
            seen.r[i] = box.wrap(seen.r[i] + s.dt * seen.v[i], &seen.images[i]);
            members[cell_of(seen.r[i], shift(s, step), box)].push_back(i);
        }
        for (const auto& [cell, ids] : members) {
            std::int64_t number = 0, stride = 1;
            for (std::size_t k = 0; k < 3; ++k) {
                if (k == slow) continue;
                number += cell[k] * stride;
                stride *= n[k];
            }
            number += cell[slow] * stride;
            const auto w = Philox(s.seed, 65).bits(step, static_cast<std::uint32_t>(number));
            const double z = (static_cast<std::int32_t>(w[0]) + 0.5) * 0x1p-31;
            const double phi = 2.0 * std::numbers::pi * w[1] * 0x1p-32;
            const Vec3 axis{std::sqrt(1 - z * z) * std::cos(phi),
                            std::sqrt(1 - z * z) * std::sin(phi), z};
            Vec3 mean;
            double mass = 0.0;
            for (const std::size_t i : ids) {
                mean += system.masses[i] * seen.v[i];
                mass += system.masses[i];
            }
            mean *= 1.0 / mass;
            for (const std::size_t i : ids) {
                const Vec3 v = seen.v[i] - mean;
                seen.v[i] = mean + std::cos(s.angle) * v + std::sin(s.angle) * cross(axis, v) +
                            (1 - std::cos(s.angle)) * dot(axis, v) * axis;
            }
        }
    }
}

double largest_difference(const std::vector<Vec3>& a, const std::vector<Vec3>& b) {
    double most = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, norm(a[i] - b[i]));
    return most;
}

struct Kind {
    CollisionRule rule;
    bool angular, thermostat;
};
constexpr Kind kinds[] = {
    {CollisionRule::rotation, false, false}, {CollisionRule::rotation, false, true},
    {CollisionRule::rotation, true, false},  {CollisionRule::rotation, true, true},
    {CollisionRule::andersen, false, false}, {CollisionRule::andersen, true, false}};

}  // namespace

TEST("a solvent collides as its definition says, in boxes of any shape and at any pace") {
    const Vec3 edges[] = {{6, 6, 6}, {5, 6, 41}, {47, 4, 6}, {3, 50, 4}};
    for (const Vec3& edge : edges) {
        const System system(edge, 12);
        for (const double dt : {0.1, 1.7}) {  // the longer leaves the windows of all slabs
            CollisionSettings s = settings();
            s.dt = dt;
            SolventSimulation simulation = system.start(s);
            Seen expected(simulation);
            reference(system, s, 3, expected);
            simulation.run(3);
            const Seen found(simulation);
            // Axes come from sines of single precision: 1e-7 per collision.
            CHECK_NEAR(largest_difference(found.v, expected.v), 0.0, 1e-5);
            CHECK_NEAR(largest_difference(found.r, expected.r), 0.0, 1e-5);
            CHECK(found.images == expected.images);
        }
    }
}

TEST("the reference of the test before would see a wrong angle") {
    const System system({6, 6, 6}, 12);
    CollisionSettings s = settings();
    SolventSimulation simulation = system.start(s);
    Seen expected(simulation);
    s.angle += 1e-3;
    reference(system, s, 1, expected);
    simulation.run(1);
    CHECK(largest_difference(Seen(simulation).v, expected.v) > 1e-4);
}

TEST("each cell keeps what its rule says: momentum, energy, angular momentum") {
    const System system({6, 6, 10}, 7);
    for (const Kind& kind : kinds) {
        CollisionSettings s = settings(kind.rule, kind.angular);
        s.thermostat = kind.thermostat;
        s.dt = 1e-13;  // so that nobody moves
        SolventSimulation simulation = system.start(s);
        const Seen before(simulation);
        simulation.run(1);
        const Seen after(simulation);
        std::map<Cell, std::vector<std::size_t>> members;
        for (std::size_t i = 0; i < before.r.size(); ++i) {
            members[cell_of(before.r[i], shift(s, 0), system.box)].push_back(i);
        }
        double momentum_error = 0.0, energy_error = 0.0, angular_error = 0.0, moved = 0.0;
        for (const auto& [cell, ids] : members) {
            Vec3 dp, dl;
            double de = 0.0;
            for (const std::size_t i : ids) {
                // From the lower corner of the cell, so that those across the box are beside it.
                Vec3 r = before.r[i] + shift(s, 0);
                r = {r.x - static_cast<double>(cell[0]), r.y - static_cast<double>(cell[1]),
                     r.z - static_cast<double>(cell[2])};
                r = {r.x > 5 ? r.x - 6 : r.x, r.y > 5 ? r.y - 6 : r.y, r.z > 9 ? r.z - 10 : r.z};
                const Vec3 dv = after.v[i] - before.v[i];
                dp += dv;
                dl += cross(r, dv);
                de += 0.5 * (norm2(after.v[i]) - norm2(before.v[i]));
                moved = std::max(moved, norm(dv));
            }
            momentum_error = std::max(momentum_error, norm(dp));
            energy_error = std::max(energy_error, std::abs(de));
            // Two particles cannot keep it under Andersen's rule, and do not collide under SRD+a.
            if (ids.size() > 2) angular_error = std::max(angular_error, norm(dl));
        }
        CHECK(moved > 1.0);
        CHECK_NEAR(momentum_error, 0.0, 1e-13);
        const bool keeps_energy = kind.rule == CollisionRule::rotation && !kind.thermostat;
        // Near-singular tensors of inertia cost SRD+a some digits.
        if (keeps_energy) CHECK_NEAR(energy_error, 0.0, kind.angular ? 1e-9 : 1e-13);
        if (!keeps_energy) CHECK(energy_error > 0.1);
        if (kind.angular) CHECK_NEAR(angular_error, 0.0, 1e-9);
        if (!kind.angular) CHECK(angular_error > 0.1);
    }
}

TEST("momentum of solvent and beads stays to round-off, and the energy of SRD does") {
    const System system({8, 8, 8}, 8, 6);
    for (const Kind& kind : kinds) {
        CollisionSettings s = settings(kind.rule, kind.angular);
        s.thermostat = kind.thermostat;
        s.dt = 0.005;
        s.every = 20;
        SolventSimulation simulation = system.start(s);
        const double energy = simulation.measure().conserved;
        simulation.run(600);
        // A sum of 4000 velocities that are rounded 30 times.
        CHECK_NEAR(norm(momentum(Seen(simulation), system.masses)), 0.0, 1e-10);
        // The error of velocity Verlet with k = 100, m = 8: 1e-4 of the few kT of the bonds.
        CHECK_NEAR(simulation.measure().conserved, energy, 2e-2);
    }
}

TEST("the bits of a solvent do not depend on threads, cuts, looks or checkpoints") {
    const int before = threads();
    const System system({8, 8, 40}, 9, 5);  // several slabs
    for (const Kind& kind : kinds) {
        for (const bool wall : {false, true}) {
            CollisionSettings s = settings(kind.rule, kind.angular);
            s.thermostat = kind.thermostat;
            s.dt = 0.05;
            s.every = 2;
            if (wall) {
                s.walls[0] = true;
                s.acceleration = {0.0, 0.01, 0.0};
            }
            set_threads(1);
            SolventSimulation whole = system.start(s);
            whole.run(11);
            const Seen expected(whole);
            for (const int team : {2, 3}) {
                set_threads(team);
                SolventSimulation first = system.start(s);
                for (const std::uint64_t steps : {1, 2, 2, 1}) {
                    first.run(steps);
                    static_cast<void>(first.measure());
                }
                SolventSimulation second = system.make(s);
                second.restore(first.snapshot());
                second.run(5);
                CHECK(second.step() == 11);
                CHECK(Seen(second) == expected);
                CHECK(second.measure().conserved == whole.measure().conserved);
            }
        }
    }
    set_threads(before);
}

TEST("between collisions the solvent is seen where it is") {
    const System system({6, 6, 6}, 5);
    CollisionSettings s = settings();
    s.dt = 0.02;
    s.every = 5;
    s.acceleration = {0.1, 0.0, 0.0};
    SolventSimulation simulation = system.start(s);
    simulation.run(5);
    const Seen before(simulation);
    simulation.run(3);
    const Seen now(simulation);
    const double time = 0.06;
    double most = 0.0;
    for (std::size_t i = 0; i < now.r.size(); ++i) {
        const Vec3 expected = before.r[i] + time * before.v[i] + 0.5 * time * time * s.acceleration;
        most = std::max(most, norm(system.box.minimum_image(now.r[i] - expected)));
        most = std::max(most, norm(now.v[i] - before.v[i] - time * s.acceleration));
    }
    CHECK_NEAR(most, 0.0, 1e-12);
}

TEST("walls turn particles round: there and back on the same path, from both walls") {
    // One particle per box does not collide with anything but walls; these stand for none, as
    // there is almost no solvent.
    System system({2, 2, 2}, 1);
    system.positions = {{1.0, 1.0, 1.9}};
    system.masses = {1.0};
    system.solvent = {1};
    CollisionSettings s = settings();
    s.walls[2] = true;
    s.shift = false;
    s.dt = 1.0;
    s.kt = 1e-30;
    SolventSimulation simulation = system.make(s);
    const std::vector<Vec3> v{{0.3, 0.0, 0.4}};
    simulation.assign(system.positions, {}, v, 1.0, system.box);
    simulation.run(1);
    Seen seen(simulation);
    // It hits z = 2 after 0.25 and goes back for 0.75.
    CHECK_NEAR(norm(seen.r[0] - Vec3{1.0 + 0.3 * (0.25 - 0.75), 1.0, 2.0 - 0.3}), 0.0, 1e-12);
    CHECK_NEAR(norm(seen.v[0] + v[0]), 0.0, 1e-12);
    simulation.run(8);  // 3.4 of 3.6 lengths: past z = 0 and nearly back
    seen = Seen(simulation);
    CHECK_NEAR(seen.r[0].z, 0.4 * 8.0 - 1.7, 1e-12);
    CHECK_NEAR(norm(seen.v[0] - v[0]), 0.0, 1e-12);
    CHECK(seen.images[0] == Image{});
    // On a wall is inside.
    system.positions[0].z = 2.0;
    simulation.assign(system.positions, {}, v, 1.0, system.box);
    simulation.run(1);
    seen = Seen(simulation);
    CHECK_NEAR(seen.r[0].z, 1.6, 1e-12);
    CHECK(seen.images[0] == Image{});
}

TEST("no particle passes a wall, and walls take up momentum") {
    const System system({6, 5, 8}, 10, 3);
    for (const Kind& kind : kinds) {
        CollisionSettings s = settings(kind.rule, kind.angular);
        s.thermostat = kind.thermostat;
        s.dt = 0.3;
        s.walls = {false, true, true};
        SolventSimulation simulation = system.start(s);
        simulation.run(20);
        const Seen seen(simulation);
        bool inside = true;
        for (std::size_t i = 0; i < seen.r.size(); ++i) {
            if (system.solvent[i] == 0) continue;
            inside = inside && seen.r[i].y >= 0.0 && seen.r[i].y < 5.0 && seen.r[i].z >= 0.0 &&
                     seen.r[i].z < 8.0 && seen.images[i][1] == 0 && seen.images[i][2] == 0;
        }
        CHECK(inside);
        CHECK(norm(momentum(seen, system.masses)) > 1e-3);
    }
}

TEST("a thermostat that acts in cells brings the solvent to its temperature") {
    const System system({8, 8, 8}, 10);
    for (const Kind& kind : kinds) {
        CollisionSettings s = settings(kind.rule, kind.angular);
        s.thermostat = kind.thermostat;
        s.kt = 2.5;  // it starts at 1
        SolventSimulation simulation = system.start(s);
        simulation.run(30);
        double mean = 0.0;
        for (int k = 0; k < 30; ++k) {
            simulation.run(1);
            mean += 2.0 / 3.0 * simulation.measure().kinetic() / 5120.0 / 30.0;
        }
        const bool bath = kind.rule == CollisionRule::andersen || kind.thermostat;
        // 15 000 degrees of freedom, nearly independent after each collision: a standard error of
        // 2.5 sqrt(2 / 15360 / 30) = 0.005, five of them; without a bath nothing changes.
        CHECK_NEAR(mean, bath ? 2.5 : 1.0 - 3.0 / 15360.0, bath ? 0.026 : 0.03);
    }
}

TEST("settings of a solvent that make no sense are refused") {
    const System system({6, 6, 6}, 4);
    const auto with = [&](auto&& change) {
        CollisionSettings s = settings();
        change(s);
        return system.start(s);
    };
    using S = CollisionSettings&;
    CHECK_THROWS(Error, with([](S s) { s.cell = {0.7, 1.0, 1.0}; }));
    CHECK_THROWS(Error, with([](S s) { s.cell = {0.0, 1.0, 1.0}; }));
    CHECK_THROWS(Error, with([](S s) { s.angle = 0.0; }));
    CHECK_THROWS(Error, with([](S s) { s.angle = 3.2; }));
    CHECK_THROWS(Error, with([](S s) { s.every = 0; }));
    CHECK_THROWS(Error, with([](S s) { s.rule = CollisionRule::andersen, s.kt = 0.0; }));
    CHECK_THROWS(Error, with([](S s) { s.thermostat = true, s.cell = {0.5, 1.0, 1.0}; }));
    CHECK_THROWS(Error, with([](S s) { s.walls[2] = true, s.acceleration.z = 1.0; }));
    CHECK_THROWS(Error, with([](S s) { s.walls[2] = true, s.cell = {6.0, 6.0, 6.0}; }));
    CHECK_THROWS(Error, with([](S s) { s.reverse = 1; }));
    CHECK_THROWS(Error, with([](S s) { s.wall_velocity.x = 1.0; }));
    System bad = system;
    bad.masses[3] = 0.0;
    CHECK_THROWS(Error, bad.start(settings()));
    bad = system;
    bad.solvent.assign(bad.solvent.size(), 0);
    CHECK_THROWS(Error, bad.start(settings()));
    bad = system;
    bad.positions[5].x = NAN;
    CHECK_THROWS(Error, bad.start(settings()));
    CollisionSettings walled = settings();
    walled.walls[0] = true;
    bad = system;
    bad.positions[5].x = -0.1;
    CHECK_THROWS(Error, bad.start(walled));
    SolventSimulation other = system.start(settings());
    CHECK_THROWS(Error, System({6, 6, 12}, 4).make(settings()).restore(other.snapshot()));
}
