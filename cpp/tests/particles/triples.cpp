#include "regrain/particles/triples.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "brute_force.hpp"
#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/potentials.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

// ---------------------------------------------------------------- the plain reference
struct Reference {
    std::vector<Vec3> forces;
    Sums sums;
};

// Calls f(potential, whether its ends are the other way round) of these types, if there is one.
template <class F>
void find(const ForceField& field, std::uint32_t first, std::uint32_t centre, std::uint32_t second,
          F&& f) {
    for (const TripleTerm& term : field.triples) {
        const auto [a, b, c] = term.types;
        if (b != centre) continue;
        if (a == first && c == second) return f(term.potential, false);
        if (a == second && c == first) return f(term.potential, true);
    }
}

// Every two arms of every centre, by the potential as a function of (r1, r2, theta).
Reference reference(const ForceField& field, const std::vector<std::int32_t>& types,
                    const std::vector<Vec3>& r, const Box& box) {
    Reference out{std::vector<Vec3>(r.size()), {}};
    std::vector<std::vector<std::pair<std::uint32_t, Vec3>>> arms(r.size());
    brute::pairs(r, box, field.cutoff(),
                 [&](std::uint32_t i, std::uint32_t j, const Image&, const Vec3& d) {
                     const auto& out_of = field.exclusions;
                     const std::pair key(std::min(i, j), std::max(i, j));
                     if (std::find(out_of.begin(), out_of.end(), key) == out_of.end())
                         arms[i].emplace_back(j, d);
                 });
    const auto pull = [&](std::uint32_t centre, std::uint32_t end, const Vec3& d, const Vec3& f) {
        out.forces[end] += f;
        out.forces[centre] -= f;
        out.sums += {0.0, {d.x * f.x, d.y * f.y, d.z * f.z, d.x * f.y, d.x * f.z, d.y * f.z}};
    };
    const auto type = [&](std::uint32_t i) { return static_cast<std::uint32_t>(types[i]); };
    for (std::uint32_t i = 0; i < r.size(); ++i) {
        for (std::size_t a = 0; a < arms[i].size(); ++a) {
            for (std::size_t b = 0; b < a; ++b) {
                auto [j, dj] = arms[i][a];
                auto [k, dk] = arms[i][b];
                find(field, type(j), type(i), type(k), [&](const TriplePotential& u, bool turned) {
                    if (turned) {
                        std::swap(j, k);
                        std::swap(dj, dk);
                    }
                    const double rj = norm(dj), rk = norm(dk);
                    const Vec3 ej = dj * (1.0 / rj), ek = dk * (1.0 / rk);
                    const double cosine = dot(ej, ek), sine = norm(cross(ej, ek));
                    const TripleValue v = evaluate(u, rj, rk, std::atan2(sine, cosine));
                    out.sums.energy += v.energy;
                    const double by_cosine = sine > 1e-13 ? -v.slope[2] / sine : 0.0;
                    pull(i, j, dj, -v.slope[0] * ej - (by_cosine / rj) * (ek - cosine * ej));
                    pull(i, k, dk, -v.slope[1] * ek - (by_cosine / rk) * (ej - cosine * ek));
                });
            }
        }
    }
    return out;
}

// ---------------------------------------------------------------------------- systems
// Flat at both ends, so that images in a line are no special case.
TabulatedBonded waves() {
    std::vector<double> f(80), slope(80);
    for (std::size_t i = 0; i < f.size(); ++i) {
        const double theta = std::numbers::pi * static_cast<double>(i) / 79.0;
        f[i] = std::cos(3.0 * theta);
        slope[i] = -3.0 * std::sin(3.0 * theta);
    }
    return {CubicTable::hermite(0.0, std::numbers::pi, f, slope)};
}

/// Two types: equal and different arms, a cosine and a table, a pair potential that reaches less.
ForceField mixed() {
    ForceField field;
    field.types = 2;
    field.pair_of_types = {-1, -1, -1, -1};
    field.triples = {
        {{0, 0, 0}, {CosineSquared{4.0, 1.9}, {{{0.9137, 0.4}, {0.9137, 0.4}}}}},
        {{1, 0, 0}, {CosineSquared{-2.0, 1.0}, {{{0.7731, 0.3}, {1.0379, 0.5}}}}},
        {{1, 0, 1}, {waves(), {{{0.8011, 0.2}, {0.8011, 0.2}}}}},
        {{0, 1, 1}, {waves(), {{{0.9019, 0.3}, {0.6173, 0.1}}}}},
    };
    field.exclusions = {{0, 1}, {2, 4}};
    return field;
}

std::vector<Vec3> scattered(const Box& box, std::size_t n, std::uint64_t seed) {
    const Philox random(seed, 3);
    std::vector<Vec3> r;
    for (std::uint32_t i = 0; i < n; ++i) {
        const auto u = random.uniform2(0, i, 0);
        const auto v = random.uniform2(0, i, 1);
        r.push_back(box.cartesian({2.0 * u[0] - 0.5, 2.0 * u[1] - 0.5, 2.0 * v[0] - 0.5}));
    }
    return r;
}

std::vector<std::int32_t> alternating(std::size_t n) {
    std::vector<std::int32_t> types(n);
    for (std::size_t i = 0; i < n; ++i) types[i] = static_cast<std::int32_t>(i * i % 3 % 2);
    return types;
}

struct System {
    std::vector<std::int32_t> types;
    PairEngine engine;
    TripleForces triples;

    System(const ForceField& field, std::size_t n, double skin)
        : types(alternating(n)), engine(field, types, skin), triples(field, skin) {}

    Sums compute(std::vector<Vec3>& forces) {
        std::vector<Vec3> rows(engine.size());
        engine.compute(rows, true);
        const Sums sums = triples.compute(engine, rows);
        forces.resize(rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) forces[engine.ids()[i]] = rows[i];
        return sums;
    }

    void check(const ForceField& field, const std::vector<Vec3>& r, const Box& box) {
        std::vector<Vec3> forces;
        const Sums sums = compute(forces);
        const Reference expected = reference(field, types, r, box);
        double scale = 1e-6;
        for (const Vec3& f : expected.forces) scale = std::max(scale, norm(f));
        for (std::size_t i = 0; i < r.size(); ++i)
            CHECK_NEAR(norm(forces[i] - expected.forces[i]), 0.0, 1e-10 * scale);
        const double total = static_cast<double>(r.size()) * scale;
        CHECK_NEAR(sums.energy, expected.sums.energy, 1e-11 * total);
        for (std::size_t k = 0; k < 6; ++k)
            CHECK_NEAR(sums.virial[k], expected.sums.virial[k], 1e-11 * total);
    }
};

}  // namespace

TEST("triples equal brute force over images in boxes of any shape and size") {
    const ForceField field = mixed();
    std::uint64_t seed = 1;
    for (const Box& box : brute::boxes()) {
        const std::size_t n = box.volume() < 1.0 ? 5 : 40;
        const auto r = scattered(box, n, seed++);
        for (const double skin : {0.0, 0.2}) {
            System system(field, n, skin);
            system.engine.assign(r, box);
            system.check(field, r, box);
        }
    }
}

TEST("triples follow particles and boxes that move, with and without a new list") {
    const ForceField field = mixed();
    const Box box = brute::boxes()[4];
    auto r = scattered(box, 300, 5);
    System system(field, r.size(), 0.3);
    system.engine.assign(r, box);
    const Philox random(9, 1);
    for (std::uint32_t step = 0; step < 8; ++step) {
        for (std::size_t row = 0; row < r.size(); ++row) {
            const std::uint32_t id = system.engine.ids()[row];
            const auto g = random.normal4(step, id);
            const double size = step % 3 == 2 ? 0.2 : 0.02;
            Row& at = system.engine.rows()[row];
            at.x += size * g[0];
            at.y += size * g[1];
            at.z += size * g[2];
            r[id] = {at.x, at.y, at.z};
        }
        system.engine.refresh();
        system.check(field, r, box);
    }
    CHECK(system.engine.builds() > 2);
    CHECK(system.engine.builds() < 9);
}

TEST("triples have the same bits on any number of threads") {
    const ForceField field = mixed();
    const Box box(Vec3{6.0, 6.0, 6.0});
    const auto r = scattered(box, 1500, 6);
    const int before = threads();
    std::vector<Vec3> first;
    Sums sums;
    for (const int count : {1, 2, 5}) {
        set_threads(count);
        System system(field, r.size(), 0.1);
        system.engine.assign(r, box);
        std::vector<Vec3> forces;
        const Sums again = system.compute(forces);
        if (count == 1) {
            first = forces;
            sums = again;
        }
        CHECK(again.energy == sums.energy && again.virial == sums.virial);
        for (std::size_t i = 0; i < r.size(); ++i) CHECK(norm(forces[i] - first[i]) == 0.0);
    }
    set_threads(before);
}

TEST("triples that make no sense are refused") {
    const auto with = [](const TripleTerm& term) {
        ForceField field = mixed();
        field.exclusions.clear();
        field.triples.push_back(term);
        const std::vector<std::int32_t> types{0, 1};
        PairEngine engine(field, types, 0.0);
        return TripleForces(field, 0.0);
    };
    const TriplePotential good{CosineSquared{1.0, 1.0}, {{{1.0, 0.5}, {1.0, 0.5}}}};
    TriplePotential bad = good;
    CHECK(!with({{1, 1, 1}, good}).empty());
    CHECK_THROWS(Error, with({{0, 0, 1}, good}));  // there is 1-0-0
    CHECK_THROWS(Error, with({{0, 2, 0}, good}));
    bad.arms[0].r_max = 2.0;
    CHECK_THROWS(Error, with({{1, 1, 1}, bad}));
    bad.arms[1] = bad.arms[0] = {1.0, 0.0};
    CHECK_THROWS(Error, with({{1, 1, 1}, bad}));

    ForceField field = mixed();
    field.exclusions.clear();
    System system(field, 3, 0.1);
    system.engine.assign(std::vector<Vec3>{{1, 1, 1}, {2, 2, 2}, {1, 1, 1}}, Box(Vec3{4, 4, 4}));
    std::vector<Vec3> forces(3);
    CHECK_THROWS(Error, system.triples.compute(system.engine, forces));
}
