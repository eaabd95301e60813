#include "regrain/particles/simulation.hpp"

#include <cmath>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/random.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

using Image = std::array<std::int32_t, 3>;

ForceField lennard_jones(bool interacts) {
    ForceField field;
    field.pair_of_types = {interacts ? 0 : -1};
    if (interacts) field.pair_potentials = {LennardJones{1.0, 1.0, 2.5, Cutoff::force_shifted}};
    return field;
}

// Particles on a cubic lattice, some of them bonded in chains of three with bent angles.
struct System {
    ForceField field{lennard_jones(true)};
    std::vector<Vec3> positions;
    std::vector<std::int32_t> types;
    std::vector<double> masses;
    Box box;

    explicit System(int edge = 9) : box(Vec3{1.1 * edge, 1.1 * edge, 1.1 * edge}) {
        for (int i = 0; i < edge; ++i) {
            for (int j = 0; j < edge; ++j) {
                for (int k = 0; k < edge; ++k) positions.push_back({1.1 * i, 1.1 * j, 1.1 * k});
            }
        }
        types.assign(positions.size(), 0);
        masses.assign(positions.size(), 1.0);
        field.bonds.potentials = {Harmonic{100.0, 1.1}};
        field.angles.potentials = {CosineSquared{5.0, 2.0}};
        for (std::uint32_t i = 0; i + 2 < positions.size(); i += 10) {
            field.bonds.terms.push_back({{i, i + 1}, 0});
            field.bonds.terms.push_back({{i + 1, i + 2}, 0});
            field.angles.terms.push_back({{i, i + 1, i + 2}, 0});
        }
    }

    [[nodiscard]] Simulation start(const Dynamics& dynamics, bool barostat) const {
        SimulationSettings settings{0.004, dynamics, {}, 7, 0.2};
        if (barostat) settings.barostat = CellRescale{1.0, 1.0, 0.5, 0.1, 3};
        Simulation simulation(field, types, masses, settings);
        simulation.assign(positions, {}, {}, 1.0, box);
        return simulation;
    }
};

std::vector<Vec3> all(const Simulation& s) {
    std::vector<Vec3> out(2 * s.size());
    std::vector<Image> images(s.size());
    s.places(std::span(out).first(s.size()), images);
    s.velocities(std::span(out).subspan(s.size()));
    return out;
}

const Dynamics kinds[] = {Nve{}, Langevin{1.0, 2.0}, NoseHoover{1.0, 0.3, 3},
                          Brownian{1.0, 50.0, {}},
                          GeneralizedLangevin{1.0, {20.0, 1.0}, {0.1, 2.0}}};

}  // namespace

TEST("the bits do not depend on threads, nor on how a run is cut, nor on looking at it") {
    const System system(17);  // more than one chunk of work
    const int before = threads();
    for (const Dynamics& dynamics : kinds) {
        for (const bool barostat : {false, true}) {
            if (barostat && std::holds_alternative<Nve>(dynamics)) continue;
            set_threads(1);
            Simulation whole = system.start(dynamics, barostat);
            whole.run(12);
            set_threads(4);
            Simulation pieces = system.start(dynamics, barostat);
            for (const std::uint64_t steps : {1U, 4U, 0U, 7U}) {
                pieces.run(steps);
                static_cast<void>(pieces.measure());
            }
            CHECK(all(whole) == all(pieces));
            CHECK(whole.engine().builds() > 0);
            CHECK(whole.measure().conserved == pieces.measure().conserved);
        }
    }
    set_threads(before);
}

TEST("a restored simulation has the bits of one that never stopped") {
    const System system;
    for (const Dynamics& dynamics : kinds) {
        for (const bool barostat : {false, true}) {
            if (barostat && std::holds_alternative<Nve>(dynamics)) continue;
            Simulation whole = system.start(dynamics, barostat);
            whole.run(17);
            const Simulation::Snapshot snapshot = whole.snapshot();
            whole.run(40);
            Simulation other = system.start(dynamics, barostat);
            other.run(3);
            other.restore(snapshot);
            CHECK(other.step() == 17);
            other.run(40);
            CHECK(all(whole) == all(other));
            CHECK(whole.measure().conserved == other.measure().conserved);
        }
    }
    Simulation wrong = System(8).start(kinds[0], false);
    CHECK_THROWS(Error, wrong.restore(system.start(kinds[0], false).snapshot()));
}

TEST("thermal noise is that of Philox, keyed by step and id") {
    const std::vector<double> masses{1.0, 4.0, 0.25};
    const std::vector<std::int32_t> types(3, 0);
    const std::vector<Vec3> zero(3), positions{{1, 1, 1}, {2, 2, 2}, {3, 3, 3}};
    const double dt = 0.1, friction = 3.0, kt = 1.7;
    Simulation s(lennard_jones(false), types, masses, {dt, Langevin{kt, friction}, {}, 99, 0.0});
    s.assign(positions, {}, zero, kt, Box(Vec3{9, 9, 9}));
    s.run(2);
    std::vector<Vec3> v(3), r(3);
    std::vector<Image> images(3);
    s.velocities(v);
    s.places(r, images);
    const Philox philox(99, 2);
    const double keep = std::exp(-friction * dt);
    for (std::uint32_t id = 0; id < 3; ++id) {
        const double size = std::sqrt(kt * (1 - keep * keep) / masses[id]);
        const auto first = philox.normal4(0, id), second = philox.normal4(1, id);
        const double v1 = size * first[0];
        const double v2 = keep * v1 + size * second[0];
        CHECK_NEAR(v[id].x, v2, 1e-5);
        CHECK_NEAR(v[id].y, size * (keep * first[1] + second[1]), 1e-5);
        CHECK_NEAR(v[id].z, size * (keep * first[2] + second[2]), 1e-5);
        CHECK_NEAR(r[id].x - positions[id].x, dt * (v1 + 0.5 * v2), 1e-5);
    }
}

TEST("images and positions follow a particle through the walls, also of a skewed box") {
    const Box box(std::array{std::array{5.0, 0.0, 0.0}, std::array{2.0, 4.0, 0.0},
                             std::array{-1.0, 1.5, 6.0}});
    const std::vector<Vec3> positions{{0.1, 0.1, 0.1}}, velocities{{3.0, -2.0, 1.0}};
    const std::vector<Image> start{{7, -3, 2}};
    Simulation s(lennard_jones(false), std::vector<std::int32_t>(1), std::vector<double>(1, 1.0),
                 {0.01, Nve{}, {}, 0, 0.1});
    s.assign(positions, start, velocities, 0.0, box);
    s.run(1000);
    std::vector<Vec3> r(1);
    std::vector<Image> image(1);
    s.places(r, image);
    const Vec3 shift = static_cast<double>(image[0][0] - 7) * box.a() +
                       static_cast<double>(image[0][1] + 3) * box.b() +
                       static_cast<double>(image[0][2] - 2) * box.c();
    const Vec3 expected = positions[0] + 10.0 * velocities[0];
    CHECK_NEAR(norm(r[0] + shift - expected), 0.0, 1e-9);
    const Vec3 f = box.fractional(r[0]);
    CHECK(f.x >= 0 && f.x < 1 && f.y >= 0 && f.y < 1 && f.z >= 0 && f.z < 1);
}

TEST("velocity Verlet goes back the way it came") {
    const System system;
    Simulation s = system.start(Nve{}, false);
    const std::vector<Vec3> before = all(s);
    s.run(100);
    std::vector<Vec3> now = all(s);
    std::vector<Vec3> back(now.begin() + static_cast<std::ptrdiff_t>(s.size()), now.end());
    for (Vec3& v : back) v = -v;
    s.assign(std::span(now).first(s.size()), {}, back, 0.0, system.box);
    s.run(100);
    now = all(s);
    double worst = 0.0;
    for (std::size_t i = 0; i < s.size(); ++i) {
        worst = std::max(worst, norm(system.box.minimum_image(now[i] - before[i])));
    }
    CHECK(worst < 1e-9);
}

TEST("what is wrong is an error") {
    const System system;
    const auto make = [&](SimulationSettings settings) {
        return Simulation(system.field, system.types, system.masses, settings);
    };
    CHECK_THROWS(Error, make({0.0, Nve{}, {}, 0, 0.1}));
    CHECK_THROWS(Error, make({0.1, Langevin{1.0, 0.0}, {}, 0, 0.1}));
    CHECK_THROWS(Error, make({0.1, Langevin{-1.0, 1.0}, {}, 0, 0.1}));
    CHECK_THROWS(Error, make({0.1, NoseHoover{1.0, 1.0, 0}, {}, 0, 0.1}));
    CHECK_THROWS(Error, make({0.1, Nve{}, CellRescale{1.0, 1.0, 1.0, 1.0, 1}, 0, 0.1}));
    CHECK_THROWS(Error, make({0.1, Langevin{1.0, 1.0}, CellRescale{1, 1, 1, 1, 0}, 0, 0.1}));
    Simulation fast = system.start(Nve{}, false);
    std::vector<Vec3> v(fast.size());
    v[123] = {1e4, 0.0, 0.0};
    fast.assign(system.positions, {}, v, 0.0, system.box);
    CHECK_THROWS(Error, fast.run(1));
    v[123] = {std::nan(""), 0.0, 0.0};
    fast.assign(system.positions, {}, v, 0.0, system.box);
    CHECK_THROWS(Error, fast.run(1));
    ForceField field = system.field;
    field.bonds.terms.push_back({{0, 5000}, 0});
    CHECK_THROWS(Error, Simulation(field, system.types, system.masses, {0.1, Nve{}, {}, 0, 0.1}));
}
