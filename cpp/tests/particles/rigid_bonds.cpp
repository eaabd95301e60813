#include <algorithm>
#include <cmath>
#include <random>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/potentials.hpp"
#include "regrain/particles/simulation.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

// Bodies of three shapes that repel each other softly: triangles, chains of five, and rods.
struct System {
    Box box{Vec3{12.0, 12.0, 12.0}};
    ForceField field;
    std::vector<std::int32_t> types;
    std::vector<double> masses;
    std::vector<Vec3> r;

    explicit System(std::uint32_t bodies) {
        std::mt19937 random(3);
        std::normal_distribution<double> normal;
        std::uniform_real_distribution<double> edge(0.0, 12.0), mass(1.0, 3.0);
        field.pair_of_types = {0};
        field.pair_potentials = {Gaussian{1.0, 0.5, 1.5, Cutoff::force_shifted}};
        for (std::uint32_t b = 0; b < bodies; ++b) {
            const auto first = static_cast<std::uint32_t>(r.size());
            const std::uint32_t n = b % 3 == 0 ? 3 : b % 3 == 1 ? 5 : 2;
            Vec3 at{edge(random), edge(random), edge(random)};
            for (std::uint32_t k = 0; k < n; ++k) {
                r.push_back(at);
                masses.push_back(mass(random));
                at += Vec3{normal(random), normal(random), normal(random)} * 0.5;
            }
            for (std::uint32_t k = 1; k < n; ++k) join(first + k - 1, first + k);
            if (n == 3) join(first, first + 2);
        }
        types.assign(r.size(), 0);
    }

    void join(std::uint32_t i, std::uint32_t j) {
        field.rigid_bonds.push_back({i, j, norm(r[i] - r[j])});
    }

    [[nodiscard]] Simulation start(const Dynamics& dynamics) const {
        Simulation s(field, types, masses,
                     {.dt = 0.005, .dynamics = dynamics, .seed = 5, .skin = 0.4});
        s.assign(r, {}, {}, 1.0, box);
        return s;
    }

    [[nodiscard]] double worst(const Simulation& s) const {
        std::vector<Vec3> now(r.size());
        std::vector<std::array<std::int32_t, 3>> images(r.size());
        s.places(now, images);
        double off = 0.0;
        for (const RigidBond& bond : field.rigid_bonds) {
            const double length = norm(box.minimum_image(now[bond.i] - now[bond.j]));
            off = std::max(off, std::abs(length / bond.length - 1.0));
        }
        return off;
    }
};

}  // namespace

TEST("rigid bonds keep their lengths, and what is no heat is conserved") {
    const System system(60);
    for (const Dynamics& dynamics :
         {Dynamics(Nve{}), Dynamics(Langevin{1.0, 1.0}), Dynamics(NoseHoover{1.0, 0.5, 3})}) {
        Simulation s = system.start(dynamics);
        const double before = s.measure().conserved;
        s.run(60);
        CHECK_NEAR(system.worst(s), 0.0, 1e-11);
        CHECK_NEAR(s.measure().conserved, before, 5e-3 * before);
    }
    // 20 triangles, 20 chains of five and 20 rods: 3, 4 and 1 bonds each.
    CHECK(system.start(Nve{}).degrees_of_freedom() == 3 * 200 - 3 - 20 * 8);
}

TEST("rigid bonds have the same bits for any number of threads") {
    const System system(900);
    const int before = threads();
    std::vector<Vec3> first;
    for (const int count : {1, 2, 3}) {
        set_threads(count);
        Simulation s = system.start(Langevin{1.0, 1.0});
        s.run(12);
        std::vector<Vec3> v(system.r.size());
        s.velocities(v);
        if (first.empty()) first = v;
        CHECK(v == first);
    }
    set_threads(before);
}

TEST("rigid bonds that cannot be") {
    System far(3);
    far.field.rigid_bonds[0].length *= 1.5;
    CHECK_THROWS(Error, far.start(Nve{}));
    System twice(3);
    twice.join(1, 0);
    CHECK_THROWS(Error, twice.start(Nve{}));
    System nobody(3);
    nobody.field.rigid_bonds.push_back({0, 99, 1.0});
    CHECK_THROWS(Error, nobody.start(Nve{}));
    System line(1);
    line.r = {{0.0, 0.0, 0.0}, {1.0, 0.0, 0.0}, {2.0, 0.0, 0.0}};
    line.field.rigid_bonds.clear();
    for (const auto& [i, j] : {std::pair(0U, 1U), {1U, 2U}, {0U, 2U}}) line.join(i, j);
    CHECK_THROWS(Error, line.start(Nve{}));
}

TEST("scaled pairs act in part, beyond those that are excluded") {
    System plain(2);
    plain.field.rigid_bonds.clear();
    const double whole = plain.start(Nve{}).measure().energy("pair");
    const double one = evaluate(plain.field.pair_potentials[0],
                                norm(plain.box.minimum_image(plain.r[0] - plain.r[1])))
                           .energy;
    System scaled = plain;
    scaled.field.exclusions = {{0, 1}};
    scaled.field.scaled_pairs = {{{0, 1}}, 0.3, 1.0};
    const Measurement found = scaled.start(Nve{}).measure();
    CHECK_NEAR(found.energy("pair"), whole - 0.7 * one, 1e-13);
    scaled.field.exclusions.clear();
    CHECK_THROWS(Error, scaled.start(Nve{}));
}
