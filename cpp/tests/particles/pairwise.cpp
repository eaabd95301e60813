#include "regrain/particles/pairwise.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "brute_force.hpp"
#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/simulation.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

using Image = std::array<std::int32_t, 3>;

constexpr double rc = 1.1;
constexpr std::uint32_t pair_noise = 5;  // the stream of the generator

// A fluid of two types and three masses that starts anywhere.
struct Fluid {
    Box box;
    ForceField field;
    std::vector<Vec3> positions, velocities;
    std::vector<std::int32_t> types;
    std::vector<double> masses;

    Fluid(const Box& b, std::size_t n, double a = 25.0)
        : box(b), positions(n), velocities(n), types(n), masses(n) {
        field.types = 2;
        field.pair_of_types = {0, 1, 1, -1};
        field.pair_potentials = {Soft{a, rc}, Soft{0.5 * a, rc}};
        const Philox random(3, 1);
        Vec3 momentum;
        double mass = 0.0;
        for (std::uint32_t i = 0; i < n; ++i) {
            const auto g = random.normal4(0, i);
            velocities[i] = {g[0], g[1], g[2]};
            types[i] = i % 3 == 0 ? 1 : 0;
            masses[i] = 0.5 + static_cast<double>(i % 3);
            momentum += masses[i] * velocities[i];
            mass += masses[i];
            // Some of them on faces, most of them in other images.
            const auto u = random.uniform2(1, i), w = random.uniform2(2, i);
            const auto whole = [i](std::uint32_t k, double x) {
                return i % 7 == k ? std::floor(x) : x;
            };
            const double x = whole(0, 3.0 * u[0] - 1.0);
            const double y = whole(1, 3.0 * u[1] - 1.0);
            const double z = whole(2, 3.0 * w[0] - 1.0);
            positions[i] = box.cartesian({x, y, z});
        }
        for (Vec3& v : velocities) v -= momentum * (1.0 / mass);
    }
    [[nodiscard]] Simulation start(const Dynamics& dynamics, double dt) const {
        Simulation s(field, types, masses,
                     {.dt = dt, .dynamics = dynamics, .seed = 11, .skin = 0.2});
        s.assign(positions, {}, velocities, 1.0, box);
        return s;
    }
};

const std::vector<double> frictions{4.5, 9.0, 9.0, 2.0};
Dpd dpd(bool splitting = false, double exponent = 2.0, double predictor = 0.65) {
    return {1.3, rc, frictions, exponent, splitting, predictor};
}
const Dynamics kinds[] = {dpd(), dpd(false, 0.5, 0.5), dpd(true), LoweAndersen{1.3, rc, 9.0}};

std::vector<Vec3> all(const Simulation& s) {
    std::vector<Vec3> out(2 * s.size());
    std::vector<Image> images(s.size());
    s.places(std::span(out).first(s.size()), images);
    s.velocities(std::span(out).subspan(s.size()));
    return out;
}

// Chi-square of counts that should be equal, as a number of standard deviations.
double excess(const std::vector<double>& counts) {
    double total = 0.0, chi2 = 0.0;
    for (const double c : counts) total += c;
    const double expected = total / static_cast<double>(counts.size());
    for (const double c : counts) chi2 += (c - expected) * (c - expected) / expected;
    const double freedom = static_cast<double>(counts.size()) - 1.0;
    return (chi2 - freedom) / std::sqrt(2.0 * freedom);
}

}  // namespace

TEST("the noise of pairs is symmetric, uniform and of unit variance") {
    const PairNoise noise(1, pair_noise, 0);
    constexpr std::uint32_t n = 1000;
    std::vector<double> high(4096), low(4096);
    double mean = 0.0, square = 0.0, fourth = 0.0;
    for (std::uint32_t i = 0; i < n; ++i) {
        for (std::uint32_t j = i + 1; j < n; ++j) {
            const std::uint32_t word = noise.bits(i, j);
            CHECK(word == noise.bits(j, i));
            const double u = PairNoise::uniform(word);
            mean += u;
            square += u * u;
            fourth += u * u * u * u;
            high[word >> 20] += 1.0;
            low[word & 0xFFFU] += 1.0;
        }
    }
    const double pairs = 0.5 * n * (n - 1);
    // Five standard errors; the moments of a uniform distribution are 1, 9/5, 27/7 and 9.
    CHECK_NEAR(mean / pairs, 0.0, 5.0 / std::sqrt(pairs));
    CHECK_NEAR(square / pairs, 1.0, 5.0 * std::sqrt((9.0 / 5 - 1) / pairs));
    CHECK_NEAR(fourth / pairs, 9.0 / 5, 5.0 * std::sqrt((9.0 - 81.0 / 25) / pairs));
    CHECK(std::abs(excess(high)) < 5.0);
    CHECK(std::abs(excess(low)) < 5.0);
    CHECK_NEAR(PairNoise::uniform(0), -PairNoise::uniform(0xFFFFFFFFU), 1e-15);
}

TEST("the noise of pairs next to each other in ids, steps and seeds is independent") {
    constexpr std::uint32_t n = 400;
    double by_one = 0.0, by_both = 0.0, by_row = 0.0, by_step = 0.0, by_seed = 0.0, triangle = 0.0;
    double ring = 0.0;
    double by_power = 0.0, two_words = 0.0, count = 0.0;
    std::vector<double> both(64 * 64);
    for (std::uint64_t step = 0; step < 8; ++step) {
        const PairNoise noise(7, pair_noise, step), later(7, pair_noise, step + 1);
        const PairNoise other(8, pair_noise, step);
        const auto u = [](const PairNoise& from, std::uint32_t i, std::uint32_t j) {
            return PairNoise::uniform(from.bits(i, j));
        };
        for (std::uint32_t i = 0; i < n; ++i) {
            for (std::uint32_t j = i + 2; j < n; ++j) {
                const double here = u(noise, i, j);
                by_one += here * u(noise, i, j + 1);
                by_row += here * u(noise, i + 1, j);
                by_both += here * u(noise, i + 1, j + 1);
                by_power += here * u(noise, i, j + 1024);
                by_step += here * u(later, i, j);
                by_seed += here * u(other, i, j);
                triangle += here * u(noise, j, j + 5) * u(noise, i, j + 5);
                // Words of pairs come from differences, which add up to zero around a ring.
                ring += here * u(noise, j, j + 5) * u(noise, j + 5, j + 9) * u(noise, i, j + 9);
                const std::uint32_t word = noise.bits(i, j);
                two_words += here * PairNoise::uniform(noise.more(word));
                both[(word >> 26) * 64 + (noise.bits(i, j + 1) >> 26)] += 1.0;
                count += 1.0;
            }
        }
    }
    const double limit = 5.0 / std::sqrt(count);
    for (const double c :
         {by_one, by_row, by_both, by_power, by_step, by_seed, triangle, ring, two_words}) {
        CHECK_NEAR(c / count, 0.0, limit);
    }
    CHECK(std::abs(excess(both)) < 5.0);
}

TEST("each bit of a pair, a step and a seed changes half of the bits of its noise") {
    constexpr int trials = 4096;
    // Five standard deviations of the share of one bit; a trial and the one that is its flip may be
    // the same difference, so that half of the trials count.
    const double limit = 5.0 * 0.5 / std::sqrt(trials / 2);
    const auto flips = [&](auto&& word) {
        for (int in = 0; in < 20; ++in) {
            std::array<int, 32> changed{};
            for (int t = 0; t < trials; ++t) {
                const std::uint32_t difference = word(t, 0U) ^ word(t, 1U << in);
                for (std::size_t out = 0; out < 32; ++out)
                    changed[out] += static_cast<int>((difference >> out) & 1U);
            }
            for (const int c : changed) CHECK_NEAR(c / double(trials), 0.5, limit);
        }
    };
    flips([](int t, std::uint32_t flip) {
        const auto i = static_cast<std::uint32_t>(t);
        return PairNoise(1, pair_noise, 3).bits(i ^ flip, i + 5000000U);
    });
    flips([](int t, std::uint32_t flip) {
        const auto i = static_cast<std::uint32_t>(t);
        return PairNoise(1, pair_noise, 3).bits(i, (i + 5000000U) ^ flip);
    });
    flips([](int t, std::uint32_t flip) {
        return PairNoise(1, pair_noise, static_cast<std::uint32_t>(t) ^ flip).bits(17, 18);
    });
    flips([](int t, std::uint32_t flip) {
        return PairNoise(static_cast<std::uint32_t>(t) ^ flip, pair_noise, 3).bits(17, 18);
    });
}

TEST("the forces are those of the definition, in boxes of any shape") {
    for (const Box& box : brute::boxes()) {
        if (box.min_height() < 2.0 * rc) continue;
        for (const double exponent : {2.0, 1.0, 0.5}) {
            const double dt = 0.02;
            const Fluid fluid(box, 150);
            Simulation s = fluid.start(dpd(false, exponent), dt);
            std::vector<Vec3> found(s.size()), expected(s.size());
            s.forces(found);
            const PairNoise noise(11, pair_noise, 0);
            double energy = 0.0;
            std::array<double, 6> virial{};
            double size = 0.0;
            brute::pairs(fluid.positions, box, rc, [&](auto i, auto j, const Image&, Vec3 d) {
                const double r = norm(d);
                const Vec3 e = d * (-1.0 / r);
                const auto pair = static_cast<std::size_t>(2 * fluid.types[i] + fluid.types[j]);
                const double a = std::array{25.0, 12.5, 12.5, 0.0}[pair];
                const double w = 1.0 - r / rc, gamma = frictions[pair];
                const double wr = std::pow(w, 0.5 * exponent);
                const double u = dot(fluid.velocities[i] - fluid.velocities[j], e);
                const double f =
                    a * w - gamma * wr * wr * u +
                    std::sqrt(2.0 * gamma * 1.3 / dt) * wr * PairNoise::uniform(noise.bits(i, j));
                expected[i] += f * e;
                energy += 0.25 * a * rc * w * w;
                virial[0] += 0.5 * f * r * e.x * e.x;
                virial[5] += 0.5 * f * r * e.y * e.z;
                size += std::abs(f);
            });
            CHECK(size > 0.0);
            for (std::size_t i = 0; i < s.size(); ++i)
                CHECK_NEAR(norm(found[i] - expected[i]), 0.0, 1e-10);
            const Measurement m = s.measure();
            CHECK_NEAR(m.energy("pair"), energy, 1e-10 * energy);
            CHECK_NEAR(m.virial[0], virial[0], 1e-12 * size);
            CHECK_NEAR(m.virial[5], virial[5], 1e-12 * size);
        }
    }
}

TEST("a pair that exchanges momentum ends as the exact solution says") {
    // Two particles that are alone: u' = keep u + noise, and what is across e stays.
    const double dt = 0.3;
    Fluid fluid(Box(Vec3{4.0, 4.0, 4.0}), 2, 0.0);
    fluid.field.pair_of_types = {-1, -1, -1, -1};
    fluid.positions = {{3.9, 1.0, 1.0}, {0.4, 1.2, 0.9}};
    Simulation s = fluid.start(dpd(true), dt);
    s.run(1);
    const std::vector<Vec3> after = all(s);
    const Vec3 d = fluid.box.minimum_image(after[0] - after[1]);
    const double r = norm(d);
    const Vec3 e = d * (1.0 / r);
    CHECK(r < rc);
    const double inverse = 1.0 / fluid.masses[0] + 1.0 / fluid.masses[1];
    const double keep = std::exp(-9.0 * (1.0 - r / rc) * (1.0 - r / rc) * dt * inverse);
    const PairNoise noise(11, pair_noise, 1);
    const std::uint32_t a = noise.bits(0, 1), b = noise.more(a);
    const double normal = std::sqrt(-2.0 * std::log((a + 0.5) * 0x1p-32)) *
                          std::cos(2.0 * std::acos(-1.0) * (b + 0.5) * 0x1p-32);
    const Vec3 before = fluid.velocities[0] - fluid.velocities[1];
    const Vec3 now = after[2] - after[3];
    const double expected =
        keep * dot(before, e) + std::sqrt(1.3 * inverse * (1.0 - keep * keep)) * normal;
    CHECK_NEAR(dot(now, e), expected, 1e-5);
    CHECK_NEAR(norm(cross(now - before, e)), 0.0, 1e-13);
}

TEST("momentum is conserved to round-off, and angular momentum where nothing is periodic") {
    for (const Dynamics& kind : kinds) {
        // A drop in the middle of a box that is never left.
        Fluid fluid(Box(Vec3{40.0, 40.0, 40.0}), 200);
        const Philox random(9, 1);
        for (std::uint32_t i = 0; i < 200; ++i) {
            const auto g = random.normal4(0, i);
            fluid.positions[i] = Vec3{20.0 + g[0], 20.0 + g[1], 20.0 + g[2]};
        }
        const auto momenta = [&](const Simulation& s) {
            const std::vector<Vec3> now = all(s);
            std::array<Vec3, 2> sum;
            for (std::size_t i = 0; i < s.size(); ++i) {
                const Vec3 p = fluid.masses[i] * now[s.size() + i];
                sum[0] += p;
                sum[1] += cross(now[i] - Vec3{20.0, 20.0, 20.0}, p);
            }
            return sum;
        };
        Simulation s = fluid.start(kind, 0.01);
        const auto before = momenta(s);
        s.run(100);
        const auto after = momenta(s);
        CHECK_NEAR(norm(after[0] - before[0]), 0.0, 1e-11);
        CHECK_NEAR(norm(after[1] - before[1]), 0.0, 1e-10);
        CHECK(norm(all(s)[200] - fluid.velocities[0]) > 0.1);
    }
}

TEST("heat is the change of the energy that potentials do not explain, to round-off") {
    for (const Dynamics& kind : kinds) {
        const Fluid fluid(Box(Vec3{5.0, 6.0, 5.0}), 400, 0.0);
        Simulation s = fluid.start(kind, 0.01);
        const Measurement before = s.measure();
        s.run(50);
        const Measurement after = s.measure();
        CHECK(std::abs(after.kinetic() - before.kinetic()) > 1.0);
        CHECK_NEAR(after.conserved, before.conserved, 1e-10);
    }
}

TEST("pairwise thermostats have the same bits on any number of threads and in pieces") {
    const int threads_before = threads();
    using M = std::array<std::array<double, 3>, 3>;
    for (const Box& box :
         {Box(Vec3{14.0, 13.0, 15.0}), Box(M{{{14.0, 0, 0}, {3.0, 13.0, 0}, {-4.0, 5.5, 15.0}}})}) {
        const Fluid fluid(box, 6000);
        for (const Dynamics& kind : kinds) {
            set_threads(1);
            Simulation whole = fluid.start(kind, 0.01);
            whole.run(7);
            for (const int count : {2, 3}) {
                set_threads(count);
                Simulation pieces = fluid.start(kind, 0.01);
                pieces.run(3);
                static_cast<void>(pieces.measure());
                const Simulation::Snapshot shot = pieces.snapshot();
                Simulation other = fluid.start(kind, 0.01);
                other.restore(shot);
                other.run(4);
                CHECK(all(whole) == all(other));
                CHECK(whole.measure().conserved == other.measure().conserved);
                CHECK(whole.measure().virial == other.measure().virial);
            }
        }
    }
    set_threads(threads_before);
}

TEST("soft potentials beside others, or with excluded pairs, give the same forces") {
    const Fluid fluid(Box(Vec3{6.0, 5.0, 7.0}), 500);
    Fluid beside = fluid;
    beside.field.exclusions = {{0, 1}};
    beside.positions[1] = beside.positions[0] + Vec3{3.0, 2.5, 3.5};  // out of reach in any case
    Fluid same = fluid;
    same.positions[1] = beside.positions[1];
    for (const Dynamics& kind : kinds) {
        Simulation a = same.start(kind, 0.01), b = beside.start(kind, 0.01);
        CHECK(a.engine().mean_neighbors() == 0.0);
        CHECK(b.engine().mean_neighbors() > 0.0);
        std::vector<Vec3> f(a.size()), g(a.size());
        a.forces(f);
        b.forces(g);
        for (std::size_t i = 0; i < a.size(); ++i) CHECK_NEAR(norm(f[i] - g[i]), 0.0, 1e-11);
        CHECK_NEAR(a.measure().potential(), b.measure().potential(), 1e-9);
    }
}

TEST("frozen particles feel friction as walls do, and stay") {
    const Fluid fluid(Box(Vec3{5.0, 5.0, 5.0}), 300);
    for (const Dynamics& kind : kinds) {
        Simulation s(fluid.field, fluid.types, fluid.masses,
                     {.dt = 0.01, .dynamics = kind, .seed = 2, .frozen = {0, 7, 9}});
        s.assign(fluid.positions, {}, fluid.velocities, 1.0, fluid.box);
        s.run(20);
        CHECK(all(s)[300] == Vec3{});
        CHECK(all(s)[301] != fluid.velocities[1]);
        CHECK(std::isfinite(s.measure().conserved));
    }
}

TEST("bad pairwise thermostats are refused") {
    const Fluid fluid(Box(Vec3{5.0, 5.0, 5.0}), 50);
    const auto refused = [&](Dynamics kind, double dt = 0.01) {
        CHECK_THROWS(Error, fluid.start(kind, dt));
    };
    for (const bool splitting : {false, true}) {
        Dpd law = dpd(splitting);
        law.kt = 0.0;
        refused(law);
        law = dpd(splitting);
        law.cutoff = 2.6;  // more than half of the box
        refused(law);
        law = dpd(splitting);
        law.friction[1] = -1.0;
        refused(law);
        law = dpd(splitting);
        law.friction.pop_back();
        refused(law);
        law = dpd(splitting, 0.0);
        refused(law);
    }
    refused(LoweAndersen{1.0, rc, 101.0});  // more than one collision in a step
    refused(LoweAndersen{1.0, rc, 0.0});
    refused(LoweAndersen{0.0, rc, 1.0});
    Fluid close = fluid;
    close.positions[4] = close.positions[7];
    CHECK_THROWS(Error, close.start(dpd(), 0.01));
}
