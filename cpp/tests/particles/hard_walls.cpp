#include <array>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/random.hpp"
#include "regrain/particles/simulation.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

constexpr double edge = 10.0;
const Box box(Vec3{edge, edge, edge});

// More particles than one chunk of work, that do not see each other, between two walls across x and
// two across z.
struct Gas {
    ForceField field;
    std::vector<Vec3> positions, velocities;
    std::vector<std::int32_t> types;
    std::vector<double> masses;

    Gas(bool turns_round, double speed, std::size_t n = 9000) : types(n), masses(n, 2.0) {
        const Philox random(5, 0);
        for (std::uint32_t i = 0; i < n; ++i) {
            const auto a = random.uniform2(0, i), b = random.uniform2(1, i);
            const auto g = random.normal4(2, i);
            positions.push_back(
                {1.0 + 8.0 * a[0], edge * a[1], 0.001 * edge + 0.998 * edge * b[0]});
            velocities.push_back(std::sqrt(0.5) * Vec3{g[0], g[1], g[2]});
        }
        field.types = 1;
        field.pair_of_types = {-1};
        for (const int axis : {0, 2}) {
            const double low = axis == 0 ? 1.0 : 0.0;
            field.external.terms.push_back(
                {HardWall{axis, false, low, turns_round, {}}, {1}, "lower", "stay"});
            field.external.terms.push_back(
                {HardWall{axis, true, edge - low, turns_round, {0.0, speed, 0.0}},
                 {1},
                 "upper",
                 "stay"});
        }
    }

    [[nodiscard]] Simulation start(const Dynamics& dynamics) const {
        Simulation simulation(field, types, masses, {0.05, dynamics, {}, 7, 0.2});
        simulation.assign(positions, {}, velocities, 1.0, box);
        return simulation;
    }
};

std::vector<Vec3> all(const Simulation& s) {
    std::vector<Vec3> out(2 * s.size());
    std::vector<std::array<std::int32_t, 3>> images(s.size());
    s.places(std::span(out).first(s.size()), images);
    s.velocities(std::span(out).subspan(s.size()));
    return out;
}

double folded(double x, double low, double high) {
    const double turns = std::floor((x - low) / (high - low));
    const double inside = x - low - turns * (high - low);
    return std::fmod(turns, 2.0) == 0.0 ? low + inside : high - inside;
}

}  // namespace

TEST("mirrors fold straight paths and give what momentum changes") {
    const Gas gas(false, 0.0);
    Simulation s = gas.start(Nve{});
    const std::vector<Vec3> before = all(s);
    const double energy = s.measure().conserved;
    s.run(400);
    const std::vector<Vec3> after = all(s);
    const std::size_t n = s.size();
    Vec3 gained;
    double worst = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        const Vec3 path = before[i] + 20.0 * before[n + i];
        worst = std::max({worst, std::abs(after[i].x - folded(path.x, 1.0, 9.0)),
                          std::abs(after[i].z - folded(path.z, 0.0, edge))});
        CHECK(std::abs(after[n + i].x) == std::abs(before[n + i].x));
        CHECK(after[n + i].y == before[n + i].y);
        gained += 2.0 * (after[n + i] - before[n + i]);
    }
    CHECK(worst < 1e-10);
    const Measurement m = s.measure();
    CHECK(m.conserved == energy && m.work == 0.0);
    Vec3 given;
    for (const Vec3& impulse : m.impulses) given += impulse;
    CHECK(m.impulses.size() == 4);
    CHECK(m.impulses[0].x > 0.0 && m.impulses[1].x < 0.0 && m.impulses[3].z < 0.0);
    CHECK_NEAR(given.x, gained.x, 1e-8);
    CHECK_NEAR(given.z, gained.z, 1e-8);
    CHECK(m.impulses[0].y == 0.0 && m.impulses[0].z == 0.0);
    CHECK(s.degrees_of_freedom() == 3 * n - 1);
}

TEST("walls that move work on what bounces back, with the same bits on any threads") {
    const Gas gas(true, 0.5);
    for (const Dynamics& dynamics :
         {Dynamics{Nve{}}, Dynamics{Langevin{1.0, 0.5}}, Dynamics{NoseHoover{1.0, 0.5, 3}}}) {
        const int before = threads();
        std::vector<std::vector<Vec3>> found;
        for (const int count : {1, 2, 3}) {
            set_threads(count);
            Simulation s = gas.start(dynamics);
            s.run(40);
            found.push_back(all(s));
        }
        set_threads(before);
        CHECK(found[0] == found[1] && found[1] == found[2]);
        Simulation first = gas.start(dynamics), second = gas.start(dynamics);
        const double energy = first.measure().conserved;
        first.run(20);
        second.restore(first.snapshot());
        second.run(20);
        CHECK(all(second) == found[0]);
        first.run(20);
        const Measurement m = first.measure();
        CHECK(m.impulses == second.measure().impulses);
        CHECK(m.work == second.measure().work && m.work > 1.0);
        CHECK_NEAR(m.work, 0.5 * (m.impulses[1].y + m.impulses[3].y), 1e-9 * m.work);
        if (std::holds_alternative<Nve>(dynamics)) CHECK_NEAR(m.conserved, energy, 1e-9 * energy);
        CHECK(first.degrees_of_freedom() == 3 * first.size());
    }
}

TEST("particles behind walls, and what does not go with them, are errors") {
    Gas gas(false, 0.0, 10);
    CHECK_THROWS(Error, gas.start(Brownian{1.0, 1.0, {}}));
    Gas behind = gas;
    behind.positions[3].x = 0.5;
    CHECK_THROWS(Error, behind.start(Nve{}));
    Gas open = gas;
    open.field.external.terms.pop_back();
    open.velocities[0] = {0.0, 0.0, 1.0};
    Simulation s = open.start(Nve{});
    CHECK_THROWS(Error, s.run(400));
    Gas other = gas;
    other.field.external.terms.pop_back();
    Simulation one = gas.start(Nve{}), two = other.start(Nve{});
    CHECK_THROWS(Error, two.restore(one.snapshot()));
}
