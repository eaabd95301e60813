#include "regrain/particles/external.hpp"

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/random.hpp"
#include "regrain/particles/simulation.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

constexpr double edge = 20.0;

// More particles than one chunk of work, of two types, in a field that moves, a table, a force
// without an energy, and with a distance and a sum over pairs restrained.
struct System {
    ForceField field;
    std::vector<Vec3> positions;
    std::vector<std::int32_t> types;
    std::vector<double> masses;

    explicit System(std::size_t n = 9000) : types(n), masses(n, 1.5) {
        const Philox random(3, 0);
        for (std::uint32_t i = 0; i < n; ++i) {
            const auto a = random.uniform2(0, i), b = random.uniform2(1, i);
            positions.push_back({edge * a[0], edge * a[1], edge * b[0]});
            types[i] = static_cast<std::int32_t>(i % 3 == 0);
        }
        field.types = 2;
        field.pair_of_types = {-1, -1, -1, -1};
        const Constants wave{{"k", 2.0 * M_PI / edge}};
        const auto table = CubicTable::spline(0.0, edge, std::array{0.0, 1.0, 0.5, 0.0});
        field.external.terms = {
            {FormulaField{{"sin(k*x + t)*cos(k*z)"}, wave}, {1, 0}, "wave", ""},
            {FormulaField{{"0", "0.1*cos(k*z)", "0"}, wave}, {1, 1}, "drive", ""},
            {TableField{{0.0, 1.0, 0.0}, 0.0, table}, {0, 1}, "table", ""},
        };
        field.bias.variables = {{CollectiveVariable::Kind::distance,
                                 {{0}, {1, 2}},
                                 {{1.0}, {0.25, 0.75}},
                                 2,
                                 1.0,
                                 6,
                                 "distance"}};
        field.bias.terms = {{Restraint{1.0, 3.0, 0.5}, {0}, "restraint"},
                            {FormulaBias{"0.1*d^2", {"d"}, {}}, {0}, "formula"}};
        positions[2] = positions[1] + Vec3{1.0, 0.5, 0.2};
    }

    [[nodiscard]] Simulation start() const {
        Simulation simulation(field, types, masses, {0.01, NoseHoover{1.0, 0.5, 3}, {}, 7, 0.2});
        simulation.assign(positions, {}, {}, 1.0, Box(Vec3{edge, edge, edge}));
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

double energy(const Measurement& m, const std::string& name) {
    for (const auto& [term, value] : m.energies) {
        if (term == name) return value;
    }
    return std::nan("");
}

}  // namespace

TEST("fields and biases are those of their formulas, on the types they act on") {
    const System system;
    Simulation s = system.start();
    const Measurement m = s.measure();
    const auto& table = std::get<TableField>(system.field.external.terms[2].field).table;
    double wanted = 0.0, drive = 0.0;
    const double k = 2.0 * M_PI / edge;
    for (std::size_t i = 0; i < s.size(); ++i) {
        const Vec3& r = system.positions[i];
        wanted += system.types[i] == 0 ? std::sin(k * r.x) * std::cos(k * r.z) : table(r.y).u;
        drive += 0.1 * std::cos(k * r.z);
    }
    CHECK_NEAR(energy(m, "external"), wanted, 1e-9);
    CHECK(m.external.size() == 3);
    CHECK_NEAR(m.external[1].y, drive, 1e-9);
    CHECK(m.external[1].x == 0.0 && m.external[2].x == 0.0);
    const Vec3 centre = 0.25 * system.positions[1] + 0.75 * system.positions[2];
    const double d = norm(Box(Vec3{edge, edge, edge}).minimum_image(centre - system.positions[0]));
    CHECK(m.variables.size() == 1);
    CHECK_NEAR(m.variables[0], d, 1e-12);
    CHECK_NEAR(energy(m, "bias"), 0.5 * (d - 3.0) * (d - 3.0) + 0.1 * d * d, 1e-12);
    CHECK(s.degrees_of_freedom() == 3 * s.size());
}

TEST("runs in fields have the same bits for any number of threads and from a snapshot") {
    const int before = threads();
    std::vector<std::vector<Vec3>> found;
    for (const int count : {1, 2, 3}) {
        set_threads(count);
        Simulation s = System().start();
        s.run(6);
        found.push_back(all(s));
    }
    set_threads(before);
    CHECK(found[0] == found[1] && found[1] == found[2]);
    Simulation first = System().start(), second = System().start();
    first.run(3);
    second.restore(first.snapshot());
    second.run(3);
    CHECK(all(second) == found[0]);
    first.run(3);
    CHECK(first.measure().work == second.measure().work && first.measure().work != 0.0);
}

TEST("the work of what changes in time is in the conserved energy") {
    double spread[2];
    for (int round = 0; round < 2; ++round) {
        System system(300);
        system.field.bias.variables[0].groups[1] = {1};  // 1 and 2 do not stay together
        system.field.bias.variables[0].weights[1] = {1.0};
        system.positions[0] = system.positions[1] + Vec3{2.0, 1.0, 0.5};
        system.field.external.terms.pop_back();  // whose force jumps at a face
        const double dt = round == 0 ? 0.04 : 0.02;
        Simulation s(system.field, system.types, system.masses, {dt, Nve{}, {}, 7, 0.2});
        s.assign(system.positions, {}, {}, 1.0, Box(Vec3{edge, edge, edge}));
        const double start = s.measure().conserved;
        spread[round] = 0.0;
        for (int k = 0; k < 50; ++k) {
            s.run(round == 0 ? 5 : 10);
            spread[round] = std::max(spread[round], std::abs(s.measure().conserved - start));
        }
    }
    CHECK(spread[1] < 0.02);
    CHECK(spread[0] / spread[1] > 2.5);  // of second order: 4
}

TEST("what makes no field or bias is refused") {
    const auto start = [](auto&& change) {
        System system(30);
        change(system.field);
        static_cast<void>(system.start());
    };
    CHECK_THROWS(Error, start([](ForceField& f) {
                     f.external.terms[0].field = FormulaField{{"1/(x - x)"}, {}};
                 }));
    CHECK_THROWS(Error, start([](ForceField& f) {
                     f.external.terms[0].field = FormulaField{{"q*x"}, {}};  // without charges
                 }));
    CHECK_THROWS(Error, start([](ForceField& f) { f.bias.variables[0].groups[0] = {30}; }));
    CHECK_THROWS(Error, start([](ForceField& f) { f.bias.variables[0].groups.pop_back(); }));
    CHECK_THROWS(Error, start([](ForceField& f) { f.bias.variables[0].weights[1] = {1.0}; }));
    CHECK_THROWS(Error, start([](ForceField& f) { f.bias.terms[0].variables = {1}; }));
    CHECK_THROWS(Error, start([](ForceField& f) { f.bias.terms[1].variables = {}; }));
    CHECK_THROWS(Error, start([](ForceField& f) {
                     f.bias.terms[1].law = FormulaBias{"log(-d)", {"d"}, {}};
                 }));
}
