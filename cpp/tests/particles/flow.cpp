#include <cmath>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/simulation.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

using Image = std::array<std::int32_t, 3>;

// A cubic lattice of particles that interact.
struct Fluid {
    ForceField field;
    std::vector<Vec3> positions;
    std::vector<std::int32_t> types;
    std::vector<double> masses;
    Box box;

    explicit Fluid(int edge = 9) : box(Vec3{1.1 * edge, 1.1 * edge, 1.1 * edge}) {
        field.pair_of_types = {0};
        field.pair_potentials = {LennardJones{1.0, 1.0, 2.5, Cutoff::force_shifted}};
        for (int i = 0; i < edge; ++i) {
            for (int j = 0; j < edge; ++j) {
                for (int k = 0; k < edge; ++k) positions.push_back({1.1 * i, 1.1 * j, 1.1 * k});
            }
        }
        types.assign(positions.size(), 0);
        masses.assign(positions.size(), 1.0);
    }

    [[nodiscard]] Simulation start(const Dynamics& dynamics, const FlowGradient& flow) const {
        SimulationSettings settings{0.004, dynamics, {}, 7, 0.2};
        settings.flow = flow;
        Simulation simulation(field, types, masses, settings);
        simulation.assign(positions, {}, {}, 1.0, box);
        return simulation;
    }
};

struct Places {
    std::vector<Vec3> r, v;
    std::vector<Image> images;

    explicit Places(const Simulation& s) : r(s.size()), v(s.size()), images(s.size()) {
        s.places(r, images);
        s.velocities(v);
    }
    bool operator==(const Places&) const = default;
    [[nodiscard]] Vec3 unwrapped(std::size_t i, const Box& box) const {
        return r[i] + static_cast<double>(images[i][0]) * box.a() +
               static_cast<double>(images[i][1]) * box.b() +
               static_cast<double>(images[i][2]) * box.c();
    }
};

const Dynamics kinds[] = {Nve{}, Langevin{1.0, 2.0}, NoseHoover{1.0, 0.3, 1}};
const FlowGradient fast{5.0, 0.0, 0.0}, all_three{2.0, -1.5, 3.0};

}  // namespace

TEST("under a flow the bits do not depend on threads, nor on how a run is cut") {
    const Fluid fluid(13);
    const int before = threads();
    for (const Dynamics& dynamics : kinds) {
        set_threads(1);
        Simulation whole = fluid.start(dynamics, fast);
        whole.run(40);  // a strain of 0.8: another lattice vector takes over
        set_threads(4);
        Simulation pieces = fluid.start(dynamics, fast);
        for (const std::uint64_t steps : {20U, 4U, 1U, 15U}) {
            pieces.run(steps);
            static_cast<void>(pieces.measure());
        }
        CHECK(Places(whole) == Places(pieces));
        CHECK(whole.measure().conserved == pieces.measure().conserved);
        CHECK(std::abs(whole.box().b().x) <= 0.5 * whole.box().a().x);
        CHECK_NEAR(whole.box().b().x, (0.8 - 1.0) * whole.box().b().y, 1e-9);

        Simulation other = fluid.start(dynamics, fast);
        other.run(20);
        const Simulation::Snapshot snapshot = other.snapshot();
        other.run(9);
        other.restore(snapshot);
        other.run(20);
        CHECK(Places(whole) == Places(other));
        CHECK(whole.measure().conserved == other.measure().conserved);
    }
    set_threads(before);
}

TEST("a flow goes back the way it came") {
    const Fluid fluid;
    Simulation forth = fluid.start(Nve{}, all_three);
    const Places start(forth);
    forth.run(100);
    CHECK(!(forth.box() == fluid.box));
    const Places there(forth);
    std::vector<Vec3> back(there.v);
    for (Vec3& v : back) v = -v;
    const FlowGradient reverse{-all_three.yx, -all_three.zx, -all_three.zy};
    Simulation home = fluid.start(Nve{}, reverse);
    home.assign(there.r, there.images, back, 0.0, forth.box());
    home.run(100);
    const Places end(home);
    double worst = 0.0;
    for (std::size_t i = 0; i < home.size(); ++i) {
        const Vec3 d = end.unwrapped(i, home.box()) - start.unwrapped(i, fluid.box);
        worst = std::max({worst, norm(d), norm(end.v[i] + start.v[i])});
    }
    CHECK(worst < 1e-8);
}

// (Where the flow itself goes straight: with yx and zy at once it does not.)
TEST("free particles fly straight through a flow with two gradients") {
    const FlowGradient two{2.0, -1.5, 0.0};
    Fluid fluid(5);
    fluid.field.pair_of_types = {-1};
    fluid.field.pair_potentials.clear();
    Simulation s = fluid.start(Nve{}, two);
    const Places start(s);
    s.run(250);
    const Places end(s);
    for (std::size_t i = 0; i < s.size(); ++i) {
        const Vec3 lab = start.v[i] + two(start.r[i]);
        const Vec3 straight = start.r[i] + 1.0 * lab;
        CHECK_NEAR(norm(end.unwrapped(i, s.box()) - straight), 0.0, 1e-9);
        CHECK_NEAR(norm(end.v[i] + two(straight) - lab), 0.0, 1e-9);
    }
}

TEST("what does not go with a flow is an error") {
    const Fluid fluid;
    const auto start = [&](SimulationSettings settings, double strain) {
        settings.flow = FlowGradient{strain / settings.dt, 0.0, 0.0};
        Simulation s(fluid.field, fluid.types, fluid.masses, settings);
        s.assign(fluid.positions, {}, {}, 1.0, fluid.box);
    };
    start({0.004, Nve{}, {}, 7, 0.2}, 0.1);
    CHECK_THROWS(Error, start({0.004, Nve{}, {}, 7, 0.2}, 0.11));
    CHECK_THROWS(Error, start({0.004, Nve{}, {}, 7, 0.2}, std::nan("")));
    CHECK_THROWS(Error,
                 start({0.004, Langevin{1.0, 1.0}, CellRescale{1, 1, 1, 1, 5}, 7, 0.2}, 0.01));
    CHECK_THROWS(Error, start({0.004, Nve{}, {}, 7, 0.2, {3}}, 0.01));
    CHECK_THROWS(Error, start({0.004, NoseHoover{1.0, 0.5, 2}, {}, 7, 0.2}, 0.01));
}

TEST("bonded particles need a box that stays higher than two cutoffs") {
    Fluid fluid(5);  // 5.5 high, and at a tilt of a half 4.92
    fluid.field.exclusions = {{0, 1}};
    fluid.field.bonds.potentials = {Harmonic{100.0, 1.1}};
    fluid.field.bonds.terms = {{{0, 1}, 0}};
    CHECK_THROWS(Error, fluid.start(Nve{}, fast));
    SimulationSettings settings{0.004, Nve{}, {}, 7, 0.2};
    Simulation still(fluid.field, fluid.types, fluid.masses, settings);
    still.assign(fluid.positions, {}, {}, 1.0, fluid.box);
}
