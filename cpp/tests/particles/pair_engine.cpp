#include "regrain/particles/pair_engine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "check.hpp"
#include "pair_systems.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/potentials.hpp"

using namespace regrain;
using namespace regrain::particles;
using namespace pair_systems;

namespace {

// ---------------------------------------------------------------- the plain reference
struct Value {
    double u, f;  // energy and -dU/dr
};

// What a mode makes of a potential that would go on beyond its cutoff.
template <class Bare>
Value ended(const Bare& bare, double cutoff, Cutoff mode, double r) {
    if (r >= cutoff) return {0.0, 0.0};
    const Value v = bare(r);
    const Value c = bare(cutoff);
    if (mode == Cutoff::cut) return v;
    if (mode == Cutoff::shifted) return {v.u - c.u, v.f};
    return {v.u - c.u + (r - cutoff) * c.f, v.f - c.f};
}

struct Plain {
    double r;
    Value operator()(const LennardJones& p) const {
        const auto bare = [&](double x) {
            const double s6 = std::pow(p.sigma / x, 6);
            return Value{4.0 * p.epsilon * (s6 * s6 - s6),
                         24.0 * p.epsilon * (2.0 * s6 * s6 - s6) / x};
        };
        return ended(bare, p.cutoff, p.mode, r);
    }
    Value operator()(const TabulatedPair& p) const {
        if (r >= p.table.x_max()) return {0.0, 0.0};
        const auto v = p.table(r);
        return {v.u, -v.slope};
    }
    Value operator()(const Yukawa& p) const {
        const auto bare = [&](double x) {
            const double u = p.epsilon * std::exp(-p.kappa * x) / x;
            return Value{u, p.kappa * u + u / x};
        };
        return ended(bare, p.cutoff, p.mode, r);
    }
    Value operator()(const Gaussian& p) const {
        const auto bare = [&](double x) {
            const double u = p.epsilon * std::exp(-0.5 * (x / p.sigma) * (x / p.sigma));
            return Value{u, u * x / (p.sigma * p.sigma)};
        };
        return ended(bare, p.cutoff, p.mode, r);
    }
    Value operator()(const Soft& p) const {
        if (r >= p.cutoff) return {0.0, 0.0};
        const double rest = 1.0 - r / p.cutoff;
        return {0.5 * p.a * p.cutoff * rest * rest, p.a * rest};
    }
};

Value plain(const PairPotential& potential, double r) { return std::visit(Plain{r}, potential); }

struct Reference {
    std::vector<Vec3> forces;
    Sums sums;
};

Reference reference(const ForceField& field, const std::vector<std::int32_t>& types,
                    const std::vector<Vec3>& r, const Box& box) {
    Reference out{std::vector<Vec3>(r.size()), {}};
    brute::pairs(r, box, field.cutoff(),
                 [&](std::uint32_t i, std::uint32_t j, const Image&, const Vec3& d) {
                     const auto pair = static_cast<std::size_t>(types[i]) * field.types +
                                       static_cast<std::size_t>(types[j]);
                     if (field.pair_of_types[pair] < 0) return;
                     const std::pair key(std::min(i, j), std::max(i, j));
                     const auto& out_of = field.exclusions;
                     if (std::find(out_of.begin(), out_of.end(), key) != out_of.end()) return;
                     const auto which = static_cast<std::size_t>(field.pair_of_types[pair]);
                     const double distance = norm(d);
                     const Value v = plain(field.pair_potentials[which], distance);
                     const Vec3 on_j = (v.f / distance) * d;
                     out.forces[i] -= on_j;
                     out.sums += {0.5 * v.u,
                                  {0.5 * d.x * on_j.x, 0.5 * d.y * on_j.y, 0.5 * d.z * on_j.z,
                                   0.5 * d.x * on_j.y, 0.5 * d.x * on_j.z, 0.5 * d.y * on_j.z}};
                 });
    return out;
}

void check_against_reference(const ForceField& field, const std::vector<Vec3>& r, const Box& box,
                             PairEngine& engine, const std::vector<std::int32_t>& types) {
    std::vector<Vec3> rows(r.size());
    const Sums sums = engine.compute(rows, true);
    const auto forces = by_id(engine, rows);
    const Reference expected = reference(field, types, r, box);
    double scale = 1e-3;
    for (const Vec3& f : expected.forces) scale = std::max(scale, norm(f));
    for (std::size_t i = 0; i < r.size(); ++i)
        CHECK_NEAR(norm(forces[i] - expected.forces[i]), 0.0, 1e-11 * scale);
    const double total = static_cast<double>(r.size()) * scale;
    CHECK_NEAR(sums.energy, expected.sums.energy, 1e-11 * total);
    for (std::size_t k = 0; k < 6; ++k)
        CHECK_NEAR(sums.virial[k], expected.sums.virial[k], 1e-11 * total);
    const Sums none = engine.compute(rows, false);
    CHECK(none.energy == 0.0 && none.virial == (std::array<double, 6>{}));
}

double energy_of(const ForceField& field, const std::vector<std::int32_t>& types,
                 const std::vector<Vec3>& r, const Box& box) {
    PairEngine engine(field, types, 0.0);
    engine.assign(r, box);
    std::vector<Vec3> forces(r.size());
    return engine.compute(forces, true).energy;
}

}  // namespace

TEST("forces, energy and virial equal brute force over images in boxes of any shape and size") {
    std::uint64_t seed = 1;
    for (const Box& box : brute::boxes()) {
        const double least = std::max(0.06, 0.35 * std::min(1.0, box.min_height()));
        const auto r = apart(box, 60, least, seed++);
        std::vector<ForceField> fields{mixed(), kinds()};
        for (PairPotential& potential : every_kind()) fields.push_back(one(std::move(potential)));
        for (const ForceField& field : fields) {
            const auto types = types_of(r.size(), field.types);
            ForceField fitting = field;
            std::erase_if(fitting.exclusions, [&](auto p) { return p.second >= r.size(); });
            PairEngine engine(fitting, types, 0.2);
            engine.assign(r, box);
            check_against_reference(fitting, r, box, engine, types);
        }
    }
}

TEST("many chunks of particles, of several types, equal brute force") {
    const Box box({{{8.0, 0.0, 0.0}, {2.5, 8.5, 0.0}, {-3.0, 1.0, 7.5}}});
    const auto r = apart(box, 700, 0.3, 21);
    CHECK(r.size() == 700);
    for (const ForceField& field : {mixed(), kinds()}) {
        const auto types = types_of(r.size(), field.types);
        PairEngine engine(field, types, 0.25);
        engine.assign(r, box);
        check_against_reference(field, r, box, engine, types);
    }
}

TEST("what the engine runs is the function that a user plots") {
    for (const PairPotential& potential : every_kind()) {
        for (const double r : {0.31, 0.62, 1.0, 1.09369, 1.0938, 1.3}) {
            const EnergySlope value = particles::evaluate(potential, r);
            const Value expected = plain(potential, r);
            CHECK_NEAR(value.energy, expected.u, 1e-13 * (1.0 + std::abs(expected.u)));
            CHECK_NEAR(value.slope, -expected.f, 1e-13 * (1.0 + std::abs(expected.f)));
        }
    }
}

TEST("forces are the gradient of the energy to 1e-7 in triclinic boxes") {
    std::vector<ForceField> fields{mixed(), kinds()};
    for (PairPotential& potential : every_kind()) fields.push_back(one(std::move(potential)));
    const double h = 1e-5;
    constexpr double Vec3::*axes[] = {&Vec3::x, &Vec3::y, &Vec3::z};
    for (const std::size_t which : {4, 5}) {
        const Box box = brute::boxes()[which];
        const auto r = apart(box, 60, 0.35, 3);
        for (const ForceField& field : fields) {
            const auto types = types_of(r.size(), field.types);
            PairEngine engine(field, types, 0.1);
            engine.assign(r, box);
            std::vector<Vec3> rows(r.size());
            engine.compute(rows, false);
            const auto forces = by_id(engine, rows);
            double scale = 0.0;
            for (const Vec3& f : forces) scale = std::max(scale, norm(f));
            for (std::size_t i = 0; i < r.size(); i += 7) {
                const auto axis = axes[i % 3];
                // Fourth-order central difference; the pairs of these configurations do not cross
                // a cutoff within 2 h.
                const auto at = [&](double by) {
                    auto moved = r;
                    moved[i].*axis += by;
                    return energy_of(field, types, moved, box);
                };
                const double slope =
                    (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
                CHECK_NEAR(-slope, forces[i].*axis, 1e-7 * scale);
            }
        }
    }
}

TEST(
    "lists stay right while particles move and the box deforms, and are rebuilt only when needed") {
    const ForceField field = mixed(0.1);  // small cores: the walk may come close
    for (const std::size_t which : {0U, 5U, 6U}) {
        Box box = brute::boxes()[which];
        auto r = apart(box, 70, std::max(0.06, 0.4 * std::min(1.0, box.min_height())), 11);
        const auto types = types_of(r.size(), field.types);
        ForceField fitting = field;
        std::erase_if(fitting.exclusions, [&](auto p) { return p.second >= r.size(); });
        PairEngine engine(fitting, types, 0.3);
        engine.assign(r, box);
        const Philox random(5, 3);
        std::size_t rebuilt = 0;
        for (std::uint32_t step = 0; step < 30; ++step) {
            // A strain, and a small random move on top.
            const double strain = 1.0 + (step % 10 < 5 ? 0.004 : -0.004);
            const auto vectors = [&](const Box& b) {
                const Vec3 p = strain * b.a(), q = strain * b.b(), s = b.c();
                return Box({{{p.x, p.y, p.z}, {q.x, q.y, q.z}, {s.x, s.y, s.z}}});
            };
            const Box next = vectors(box);
            const auto rows = engine.rows();
            for (std::size_t i = 0; i < rows.size(); ++i) {
                const std::uint32_t id = engine.ids()[i];
                const auto move = random.normal4(step, id);
                const Vec3 u = 0.02 * Vec3{move[0], move[1], move[2]};
                const Vec3 s = next.cartesian(box.fractional({rows[i].x, rows[i].y, rows[i].z}));
                rows[i] = {s.x + u.x, s.y + u.y, s.z + u.z, rows[i].tag};
                r[id] = next.cartesian(box.fractional(r[id])) + u;
            }
            box = next;
            engine.set_box(box);
            const std::vector<std::uint32_t> before(engine.ids().begin(), engine.ids().end());
            const auto order = engine.refresh();
            if (!order.empty()) {
                ++rebuilt;
                for (std::size_t i = 0; i < order.size(); ++i)
                    CHECK(engine.ids()[i] == before[order[i]]);
            }
            check_against_reference(fitting, r, box, engine, types);
            for (std::size_t i = 0; i < r.size(); ++i) {
                const Row& row = engine.rows()[i];
                const std::uint32_t id = engine.ids()[i];
                CHECK(engine.row_of()[id] == i);
                const Vec3 unwrapped =
                    Vec3{row.x, row.y, row.z} + lattice_vector(box, engine.images()[i]);
                CHECK_NEAR(norm(unwrapped - r[id]), 0.0, 1e-10);
            }
        }
        CHECK(rebuilt > 1 && rebuilt < 20);
        CHECK(engine.builds() == rebuilt + 1);
    }
}

TEST("a restored engine continues to the same bits, on any number of threads") {
    const ForceField field = one(LennardJones{1.0, 0.5, 1.0937});
    const Box start = brute::boxes()[4];
    const auto r = apart(start, 400, 0.3, 2);
    const auto types = types_of(r.size(), 1);
    const auto step = [](PairEngine& engine, std::uint32_t number) {
        const Philox random(8, 1);
        const auto rows = engine.rows();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto u = random.normal4(number, engine.ids()[i]);
            rows[i].x += 0.01 * u[0];
            rows[i].y += 0.01 * u[1];
            rows[i].z += 0.01 * u[2];
        }
        engine.refresh();
        std::vector<Vec3> forces(rows.size());
        const Sums sums = engine.compute(forces, true);
        return std::pair(by_id(engine, forces), sums);
    };
    PairEngine engine(field, types, 0.25);
    engine.assign(r, start);
    for (std::uint32_t s = 0; s < 7; ++s) step(engine, s);
    const auto saved = engine.snapshot();

    PairEngine other(field, types, 0.25);
    const int threads_before = threads();
    set_threads(threads_before == 1 ? 3 : 1);
    other.restore(saved);
    set_threads(threads_before);
    for (std::uint32_t s = 7; s < 20; ++s) {
        const auto [f, sums] = step(engine, s);
        set_threads(1);
        const auto [g, sums_too] = step(other, s);
        set_threads(threads_before);
        CHECK(f == g);
        CHECK(sums.energy == sums_too.energy && sums.virial == sums_too.virial);
    }
    PairEngine smaller(field, types_of(10, 1), 0.25);
    CHECK_THROWS(Error, (smaller.restore(saved), 0));
}

TEST("overlaps, distances before a table and NaN are refused by name") {
    std::vector<Vec3> r{{1.0, 1.0, 1.0}, {3.0, 3.0, 3.0}, {4.98, 1.0, 1.0}, {0.001, 1.0, 1.0}};
    const std::string lj = message(one(LennardJones{1.0, 1.0, 2.0}), r);
    CHECK(lj.find("particles 2 and 3") != std::string::npos);
    CHECK(lj.find("0.021") != std::string::npos);
    r[3].x = 4.98;  // exactly on top
    CHECK(message(one(LennardJones{1.0, 1.0, 2.0}), r).find("particles 2 and 3") !=
          std::string::npos);
    r[3].x = 0.43;
    CHECK(message(one(LennardJones{1.0, 1.0, 2.0}), r).empty());
    const std::string table = message(one(TabulatedPair{soft_table(0.5, 1.5)}), r);
    CHECK(table.find("particles 2 and 3") != std::string::npos);
    CHECK(table.find("0.45") != std::string::npos);
    CHECK(message(one(TabulatedPair{soft_table(0.4, 1.5)}), r).empty());
    r[3].x = r[2].x;  // no direction for a force
    CHECK(message(one(TabulatedPair{soft_table(0.0, 1.5)}), r)
              .starts_with("particles 2 and 3 are at the same place"));
    CHECK(message(one(Soft{25.0, 1.5}), r).starts_with("particles 2 and 3 are at the same place"));
    CHECK(message(one(Yukawa{1.0, 1.0, 1.5}), r).starts_with("particles 2 and 3 are at the same"));
    CHECK(message(one(Gaussian{1.0, 1.0, 1.5}), r).empty());  // smooth there: no force
    r[1].y = std::numeric_limits<double>::quiet_NaN();
    CHECK(message(one(LennardJones{1.0, 1.0, 2.0}), r).find("particle 1") != std::string::npos);
}

TEST("a position that becomes NaN stops the next refresh") {
    const std::vector<Vec3> r{{1.0, 1.0, 1.0}, {3.0, 3.0, 3.0}};
    ForceField nothing;
    nothing.pair_of_types = {-1};
    for (const ForceField& field : {one(LennardJones{1.0, 1.0, 2.0}), nothing}) {
        PairEngine engine(field, types_of(2, 1), 0.1);
        engine.assign(r, Box(Vec3{5.0, 5.0, 5.0}));
        engine.rows()[engine.row_of()[1]].z = std::numeric_limits<double>::quiet_NaN();
        CHECK_THROWS(Error, engine.refresh());
    }
}

TEST("an engine without particles says so") {
    PairEngine engine(one(LennardJones{1.0, 1.0, 2.0}), types_of(2, 1), 0.1);
    std::vector<Vec3> forces(2);
    CHECK_THROWS(Error, engine.refresh());
    CHECK_THROWS(Error, engine.compute(forces, false));
    CHECK_THROWS(Error, engine.box());
    CHECK_THROWS(Error, engine.snapshot());
    CHECK(engine.rows().empty());
    const std::vector<Vec3> three(3);
    CHECK_THROWS(Error, (engine.assign(three, Box(Vec3{5.0, 5.0, 5.0})), 0));
}

TEST("fields that make no sense are refused") {
    const std::vector<std::int32_t> types{0, 0};
    ForceField field = one(LennardJones{1.0, 1.0, 2.0});
    CHECK_THROWS(Error, PairEngine(field, types, -0.1));
    CHECK_THROWS(Error, PairEngine(field, std::vector<std::int32_t>{0, 1}, 0.1));
    field.exclusions = {{1, 0}};
    CHECK_THROWS(Error, PairEngine(field, types, 0.1));
    field.exclusions = {{0, 2}};
    CHECK_THROWS(Error, PairEngine(field, types, 0.1));
    CHECK_THROWS(Error, PairEngine(one(LennardJones{1.0, 0.0, 2.0}), types, 0.1));
    CHECK_THROWS(Error, PairEngine(one(LennardJones{1.0, 1.0, -2.0}), types, 0.1));
    CHECK_THROWS(Error, PairEngine(one(Yukawa{1.0, -1.0, 2.0}), types, 0.1));
    CHECK_THROWS(Error, PairEngine(one(Gaussian{1.0, 0.0, 2.0}), types, 0.1));
    CHECK_THROWS(Error, PairEngine(one(Soft{std::nan(""), 2.0}), types, 0.1));
    ForceField asymmetric = mixed();
    asymmetric.pair_of_types[1] = 2;
    CHECK_THROWS(Error, PairEngine(asymmetric, types, 0.1));
    ForceField unknown = mixed();
    unknown.pair_of_types[0] = 9;
    CHECK_THROWS(Error, PairEngine(unknown, types, 0.1));
    ForceField missing = mixed();
    missing.pair_of_types.pop_back();
    CHECK_THROWS(Error, PairEngine(missing, types, 0.1));
}
