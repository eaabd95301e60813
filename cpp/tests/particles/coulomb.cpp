#include "regrain/particles/coulomb.hpp"

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <vector>

#include "brute_force.hpp"
#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/simulation.hpp"
#include "regrain/particles/structure_factor.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

constexpr double accuracy = 1e-9;

struct System {
    ForceField field;
    std::vector<Vec3> positions;
    std::vector<std::int32_t> types;
    Box box;

    System(const Box& cell, std::size_t n, std::variant<Ewald, ReactionField> method)
        : positions(brute::positions(cell, n, 3)), types(n, 0), box(cell) {
        field.pair_of_types = {-1};
        field.charges = Charges{method, std::vector<double>(n), 2.0};
        const Philox random(5, 2);
        for (std::uint32_t i = 0; i < n; ++i) {
            // Positions on faces may coincide.
            const auto u = random.uniform2(0, i);
            const auto v = random.uniform2(0, i, 1);
            positions[i] += {0.01 * u[0], 0.01 * u[1], 0.01 * v[0]};
            field.charges->values[i] = i % 4 == 0 ? 0.0 : v[1] - 0.5;
        }
    }

    void neutralise() {
        double sum = 0.0;
        for (const double q : field.charges->values) sum += q;
        field.charges->values[1] -= sum;
    }
};

struct Found {
    Sums sums;
    std::vector<Vec3> forces;
};

Found found(const System& s) {
    PairEngine engine(s.field, s.types, 0.1);
    engine.assign(s.positions, s.box);
    std::vector<Vec3> rows(s.types.size());
    Found f{engine.compute(rows, true), std::vector<Vec3>(rows.size())};
    CoulombForces coulomb(s.field, s.types.size());
    f.sums += coulomb.compute(engine, rows);
    for (std::size_t i = 0; i < rows.size(); ++i) f.forces[engine.ids()[i]] = rows[i];
    return f;
}

// Ewald's sum as it is in books.
Found expected(const System& s, double cutoff, double alpha) {
    const std::size_t n = s.types.size();
    const std::vector<double>& q = s.field.charges->values;
    const double f = s.field.charges->factor;
    Found out{{}, std::vector<Vec3>(n)};
    brute::pairs(s.positions, s.box, cutoff, [&](auto i, auto j, const Image&, const Vec3& d) {
        const double r = norm(d);
        const double u = f * q[i] * q[j] * std::erfc(alpha * r) / r;
        const double cloud = f * q[i] * q[j] * 2.0 * alpha * std::numbers::inv_sqrtpi *
                             std::exp(-alpha * alpha * r * r);
        out.sums.charge += 0.5 * u;
        const Vec3 force = d * (-(u + cloud) / (r * r));
        out.forces[i] += force;
        out.sums.virial[0] -= 0.5 * force.x * d.x;
        out.sums.virial[5] -= 0.5 * force.y * d.z;
    });
    for (const auto& index : reciprocal_indices(s.box, 9.5 * alpha)) {
        const Vec3 k = wave_vector(s.box, index);
        std::complex<double> sum;
        for (std::size_t i = 0; i < n; ++i) sum += q[i] * std::polar(1.0, dot(k, s.positions[i]));
        const double weight = 4.0 * std::numbers::pi / s.box.volume() / norm2(k) *
                              std::exp(-norm2(k) / (4.0 * alpha * alpha)) * f;
        const double energy = weight * std::norm(sum);
        const double pull = 2.0 * energy * (1.0 / norm2(k) + 0.25 / (alpha * alpha));
        out.sums.charge += energy;
        out.sums.virial[0] += energy - pull * k.x * k.x;
        out.sums.virial[5] -= pull * k.y * k.z;
        for (std::size_t i = 0; i < n; ++i) {
            const auto wave = std::conj(sum) * q[i] * std::polar(1.0, dot(k, s.positions[i]));
            out.forces[i] += k * (2.0 * weight * wave.imag());
        }
    }
    double total = 0.0;
    for (const double x : q) {
        out.sums.charge -= f * x * x * alpha * std::numbers::inv_sqrtpi;
        total += x;
    }
    const double background =
        -f * std::numbers::pi * total * total / (2.0 * alpha * alpha * s.box.volume());
    out.sums.charge += background;
    out.sums.virial[0] += background;
    return out;
}

double largest_difference(const std::vector<Vec3>& a, const std::vector<Vec3>& b) {
    double most = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, norm(a[i] - b[i]));
    return most;
}

}  // namespace

static void check_books(const System& s, double tolerance) {
    const Found mine = found(s);
    const Found right = expected(s, 1.4, std::sqrt(std::log(4.0 / accuracy)));
    double force = 0.0;
    for (const Vec3& r : right.forces) force = std::max(force, norm(r));
    // Charges 1/100 apart dwarf everything, relative to which rounding errors are.
    const double scale = tolerance + 1e-9 * force;
    CHECK_NEAR(mine.sums.charge, right.sums.charge, scale);
    CHECK_NEAR(mine.sums.virial[0], right.sums.virial[0], scale);
    CHECK_NEAR(mine.sums.virial[5], right.sums.virial[5], scale);
    CHECK_NEAR(largest_difference(mine.forces, right.forces), 0.0, scale);
    CHECK(mine.sums.energy == 0.0);
}

TEST("Ewald's sum is that of the books in boxes of all shapes, charged or not, wave by wave") {
    for (const Box& box : brute::boxes()) {
        for (const bool neutral : {true, false}) {
            System s(box, 21, Ewald{1.0, accuracy, !neutral, false});
            if (neutral) s.neutralise();
            check_books(s, 1e-6);
        }
    }
}

TEST("and on a mesh") {
    for (const Box& box : brute::boxes()) {
        check_books(System(box, 21, Ewald{1.0, 1e-6, true, true}), 2e-5);
    }
}

TEST("the reaction field is that of the books in boxes of all shapes") {
    const double cutoff = 1.1, ratio = 4.0;
    const double k = (ratio - 1.0) / (2.0 * ratio + 1.0) / std::pow(cutoff, 3);
    const double c = 1.0 / cutoff + k * cutoff * cutoff;
    for (const Box& box : brute::boxes()) {
        const System s(box, 37, ReactionField{cutoff, ratio});
        const std::vector<double>& q = s.field.charges->values;
        std::vector<Vec3> forces(q.size());
        double energy = 0.0;
        double size = 0.0;
        for (const double x : q) energy -= c * x * x;
        brute::pairs(s.positions, box, cutoff, [&](auto i, auto j, const Image&, const Vec3& d) {
            const double r = norm(d);
            energy += q[i] * q[j] * (1.0 / r + k * r * r - c);
            size += std::abs(q[i] * q[j] / r);
            forces[i] += d * (-2.0 * q[i] * q[j] * (1.0 / (r * r * r) - 2.0 * k));
        });
        const Found mine = found(s);
        CHECK_NEAR(mine.sums.charge, energy, 1e-12 * size);
        CHECK_NEAR(largest_difference(mine.forces, forces), 0.0, 1e-8);
    }
}

static void check_bits(bool mesh) {
    System s(Box(Vec3{9.0, 8.0, 10.0}), 1200, Ewald{1.5, 1e-4, false, mesh});
    // On a lattice, held there by springs to a neighbour that is excluded.
    for (std::size_t i = 0; i < s.positions.size(); ++i) {
        const auto at = [&](std::size_t k) { return 0.8 * static_cast<double>(k); };
        s.positions[i] = {at(i % 10), at(i / 10 % 10), at(i / 100)};
        s.field.charges->values[i] = i % 2 == 0 ? 1.0 : -1.0;
    }
    s.field.bonds.potentials = {Harmonic{50.0, 0.8}};
    for (std::uint32_t i = 0; i < 1200; i += 2) {
        s.field.bonds.terms.push_back({{i, i + 1}, 0});
        s.field.exclusions.emplace_back(i, i + 1);
    }
    const std::vector<double> masses(1200, 1.0);
    SimulationSettings settings{0.002, Langevin{0.3, 1.0}, {}, 7, 0.2};
    settings.barostat = CellRescale{0.3, 0.5, 0.5, 0.1, 3};
    const int before = threads();
    const auto start = [&] {
        Simulation simulation(s.field, s.types, masses, settings);
        simulation.assign(s.positions, {}, {}, 0.3, s.box);
        return simulation;
    };
    set_threads(1);
    Simulation whole = start();
    whole.run(10);
    set_threads(3);
    Simulation cut = start();
    cut.run(5);
    const Simulation::Snapshot kept = cut.snapshot();
    Simulation restored(s.field, s.types, masses, settings);
    restored.restore(kept);
    restored.run(5);
    std::vector<Vec3> a(1200), b(1200);
    std::vector<Image> images(1200);
    whole.places(a, images);
    restored.places(b, images);
    CHECK(a == b);
    CHECK(whole.measure().energy("charge") == restored.measure().energy("charge"));
    CHECK(whole.measure().virial == restored.measure().virial);
    CHECK(whole.box() == restored.box());
    CHECK(!(whole.box() == s.box));
    set_threads(before);
}

TEST("the bits of charges do not depend on threads, and a restored run goes on to the same bits") {
    for (const bool mesh : {false, true}) check_bits(mesh);
}

TEST("how many waves follow from cutoff and accuracy, and charges alone count") {
    const System s(Box(Vec3{5.0, 6.0, 7.0}), 100, Ewald{1.0, 1e-5, true, false});
    const CoulombForces coulomb(s.field, 100);
    const auto fine = coulomb.resolution(s.box);
    CHECK_NEAR(fine.alpha, std::sqrt(std::log(4e5)), 1e-12);
    CHECK(fine.wave_vectors == reciprocal_indices(s.box, fine.q_max).size());
    System longer = s;
    longer.field.charges->method = Ewald{2.0, 1e-5, true, false};
    const auto coarse = CoulombForces(longer.field, 100).resolution(s.box);
    CHECK_NEAR(coarse.alpha, 0.5 * fine.alpha, 1e-12);
    CHECK(coarse.wave_vectors < fine.wave_vectors / 7);
    System field = s;
    field.field.charges->method = ReactionField{1.0, 80.0};
    CHECK(CoulombForces(field.field, 100).resolution(s.box).wave_vectors == 0);
    CHECK(CoulombForces(ForceField{}, 100).empty());
}

TEST("charges that are none are refused") {
    const Box box(Vec3{4.0, 4.0, 4.0});
    const auto refused = [&](const System& s) {
        CHECK_THROWS(Error, PairEngine(s.field, s.types, 0.1));
        CHECK_THROWS(Error, CoulombForces(s.field, s.types.size()));
    };
    for (const double cutoff : {0.0, -1.0, std::numeric_limits<double>::infinity()}) {
        refused(System(box, 8, Ewald{cutoff, 1e-5, true}));
        refused(System(box, 8, ReactionField{cutoff, 80.0}));
    }
    refused(System(box, 8, Ewald{1.0, 0.0, true}));
    refused(System(box, 8, Ewald{1.0, 1.0, true}));
    refused(System(box, 8, ReactionField{1.0, 0.5}));
    System s(box, 8, Ewald{1.0, 1e-5, true});
    s.field.charges->values.pop_back();
    refused(s);
    s.field.charges->values.push_back(std::nan(""));
    refused(s);
    s.field.charges->values.back() = 1.0;
    s.field.charges->factor = 0.0;
    refused(s);
    const System net(box, 8, Ewald{1.0, 1e-5, false});
    CHECK_THROWS(Error, CoulombForces(net.field, 8));
}
