#include "regrain/particles/bonded.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/potentials.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

constexpr double pi = std::numbers::pi;

// ---------------------------------------------------------------- the plain reference
struct Reference {
    std::vector<Vec3> forces;
    BondedSums sums;
};

void add(Reference& out, std::uint32_t id, const Vec3& place, const Vec3& f) {
    out.forces[id] += f;
    auto& w = out.sums.virial;
    w[0] += place.x * f.x;
    w[1] += place.y * f.y;
    w[2] += place.z * f.z;
    w[3] += place.x * f.y;
    w[4] += place.x * f.z;
    w[5] += place.y * f.z;
}

// Places of the particles of a term, the first at the origin, then from one to the next.
template <std::size_t N>
std::array<Vec3, N> whole(const std::uint32_t (&id)[N], const std::vector<Vec3>& r,
                          const Box& box) {
    std::array<Vec3, N> at{};
    for (std::size_t k = 1; k < N; ++k) {
        at[k] = at[k - 1] + box.minimum_image(r[id[k]] - r[id[k - 1]]);
    }
    return at;
}

// Forces as gradients written out anew: of a length, of the cosine of an angle, and of a dihedral
// by the normals of its planes (Bekker, Berendsen and van Gunsteren, J. Comput. Chem. 16, 527
// (1995)).
Reference reference(const ForceField& field, const std::vector<Vec3>& r, const Box& box) {
    Reference out{std::vector<Vec3>(r.size()), {}};
    for (const auto& term : field.bonds.terms) {
        const auto at = whole(term.particle, r, box);
        const double length = norm(at[1]);
        const EnergySlope u = evaluate_bond(field.bonds.potentials[term.potential], length);
        const Vec3 f = at[1] * (-u.slope / length);
        out.sums.bonds += u.energy;
        add(out, term.particle[0], at[0], -f);
        add(out, term.particle[1], at[1], f);
    }
    for (const auto& term : field.angles.terms) {
        const auto at = whole(term.particle, r, box);
        const Vec3 a = at[0] - at[1], c = at[2] - at[1];
        const Vec3 ea = a * (1.0 / norm(a)), ec = c * (1.0 / norm(c));
        const double cosine = dot(ea, ec), sine = norm(cross(ea, ec));
        const double theta = std::atan2(sine, cosine);
        const EnergySlope u = evaluate_angle(field.angles.potentials[term.potential], theta);
        const double by_cosine = u.slope / sine;  // a force
        const Vec3 fa = (ec - cosine * ea) * (by_cosine / norm(a));
        const Vec3 fc = (ea - cosine * ec) * (by_cosine / norm(c));
        out.sums.angles += u.energy;
        add(out, term.particle[0], at[0], fa);
        add(out, term.particle[1], at[1], -(fa + fc));
        add(out, term.particle[2], at[2], fc);
    }
    for (const auto& term : field.dihedrals.terms) {
        const auto at = whole(term.particle, r, box);
        const Vec3 ij = at[1] - at[0], jk = at[2] - at[1], kl = at[3] - at[2];
        const Vec3 m = cross(ij, jk), n = cross(jk, kl);
        const double phi = std::atan2(norm(jk) * dot(ij, n), dot(m, n));
        const EnergySlope u = evaluate_dihedral(field.dihedrals.potentials[term.potential], phi);
        const Vec3 fi = m * (u.slope * norm(jk) / norm2(m));
        const Vec3 fl = n * (-u.slope * norm(jk) / norm2(n));
        const double p = dot(ij, jk) / norm2(jk), q = dot(kl, jk) / norm2(jk);
        const Vec3 s = p * fi - q * fl;
        out.sums.dihedrals += u.energy;
        add(out, term.particle[0], at[0], fi);
        add(out, term.particle[1], at[1], -fi - s);
        add(out, term.particle[2], at[2], s - fl);
        add(out, term.particle[3], at[3], fl);
    }
    return out;
}

// ---------------------------------------------------------------------------- systems
std::vector<double> values(double from, double to, std::size_t n, double (*f)(double)) {
    std::vector<double> y;
    for (std::size_t i = 0; i < n; ++i) {
        y.push_back(f(from + (to - from) * static_cast<double>(i) / static_cast<double>(n - 1)));
    }
    return y;
}

CubicTable table(double from, double to, double (*f)(double)) {
    return CubicTable::spline(from, to, values(from, to, 61, f));
}

// Chains that wind through the box; each kind of potential acts on some of their terms, twice with
// other numbers.
struct System {
    Box box;
    ForceField field;
    std::vector<std::int32_t> types;
    std::vector<Vec3> r;

    System(const Box& b, std::size_t n) : box(b), types(n, 0) {
        std::mt19937 random(7);
        std::normal_distribution<double> normal;
        const auto wiggle = [](double x) { return std::sin(3.0 * x) + 0.2 * x; };
        const auto round = [](double x) { return std::cos(x) + 0.3 * std::sin(2.0 * x); };
        field.pair_of_types = {-1};
        field.bonds.potentials = {Harmonic{30.0, 0.9},
                                  Fene{20.0, 1.6},
                                  TabulatedBonded{table(0.5, 1.8, wiggle)},
                                  Fene{30.0, 1.5},
                                  TabulatedBonded{table(0.4, 2.0, wiggle)},
                                  Harmonic{50.0, 1.1}};
        field.angles.potentials = {Harmonic{5.0, 1.9},
                                   CosineSquared{4.0, 2.2},
                                   TabulatedBonded{table(0.0, pi, wiggle)},
                                   TabulatedBonded{table(0.0, pi, round)},
                                   CosineSquared{3.0, pi},
                                   Harmonic{3.0, pi}};
        const TabulatedBonded turn{periodic_table(values(-pi, pi, 61, round))};
        field.dihedrals.potentials = {Harmonic{2.0, 2.9},
                                      Periodic{1.5, 0.4, 3},
                                      turn,
                                      Fourier{{1.0, 0.5, -0.3}, {0.1, -2.0, 3.0}},
                                      Harmonic{1.0, -0.3},
                                      Periodic{0.7, -1.0, 1}};
        Vec3 place{0.1, 0.2, 0.3};
        for (std::uint32_t i = 0; i < n; ++i) {
            Vec3 step{normal(random), normal(random), normal(random)};
            step *= 1.0 / norm(step);
            // Neither folded back nor straight: nothing near where forces end.
            const double along = i < 2 ? 0.0 : dot(step, r[i - 1] - r[i - 2]);
            if (i >= 2 && std::abs(along) > 0.9) step = cross(step, Vec3{0.3, 0.5, 0.8});
            place += step * (1.0 / norm(step));
            r.push_back(place);
            const std::uint32_t kind = i % 6;
            if (i >= 1) field.bonds.terms.push_back({{i - 1, i}, kind});
            if (i >= 2) field.angles.terms.push_back({{i - 2, i - 1, i}, kind});
            if (i >= 3) field.dihedrals.terms.push_back({{i - 3, i - 2, i - 1, i}, kind});
        }
    }
};

const Box skewed(std::array<std::array<double, 3>, 3>{
    {{6.0, 0.0, 0.0}, {2.7, 5.5, 0.0}, {-2.1, 2.4, 5.8}}});

struct Found {
    std::vector<Vec3> forces;
    BondedSums sums;
};

Found compute(System& s, double pair_cutoff = 0.0) {
    if (pair_cutoff > 0.0) {  // there is a list, and rows are sorted
        s.field.pair_of_types = {0};
        s.field.pair_potentials = {LennardJones{0.0, 0.1, pair_cutoff}};
    }
    PairEngine engine(s.field, s.types, 0.1);
    engine.assign(s.r, s.box);
    BondedForces bonded(s.field, s.r.size());
    std::vector<Vec3> by_row(s.r.size());
    Found found{std::vector<Vec3>(s.r.size()), bonded.compute(engine, by_row, true)};
    std::vector<Vec3> again(s.r.size());
    const BondedSums none = bonded.compute(engine, again, false);
    CHECK(none.bonds == 0.0 && none.virial[0] == 0.0);
    for (std::size_t row = 0; row < s.r.size(); ++row) {
        found.forces[engine.ids()[row]] = by_row[row];
        CHECK_NEAR(norm(by_row[row] - again[row]), 0.0, 1e-12 * (1.0 + norm(by_row[row])));
    }
    return found;
}

}  // namespace

TEST("bonded forces are those of a plain reference, whatever the box and the order") {
    for (const std::size_t n : {4UL, 11UL, 403UL}) {
        for (const Box& box : {skewed, Box(Vec3{5.0, 6.0, 7.0})}) {
            for (const double cutoff : {0.0, 0.5}) {
                System s(box, n);
                const Found found = compute(s, cutoff);
                const Reference expected = reference(s.field, s.r, s.box);
                const auto size = static_cast<double>(n);
                CHECK_NEAR(found.sums.bonds, expected.sums.bonds, 1e-11 * size);
                CHECK_NEAR(found.sums.angles, expected.sums.angles, 1e-11 * size);
                CHECK_NEAR(found.sums.dihedrals, expected.sums.dihedrals, 1e-11 * size);
                for (std::size_t k = 0; k < 6; ++k) {
                    CHECK_NEAR(found.sums.virial[k], expected.sums.virial[k], 1e-10 * size);
                }
                double worst = 0.0;
                for (std::size_t i = 0; i < n; ++i) {
                    worst = std::max(worst, norm(found.forces[i] - expected.forces[i]) /
                                                (1.0 + norm(expected.forces[i])));
                }
                CHECK_NEAR(worst, 0.0, 1e-10);
            }
        }
    }
}

TEST("bonded sums have the same bits for any number of threads") {
    System s(skewed, 9000);
    const int before = threads();
    set_threads(1);
    const Found one = compute(s, 0.5);
    for (const int count : {2, 3}) {
        set_threads(count);
        const Found more = compute(s, 0.5);
        CHECK(more.sums.bonds == one.sums.bonds && more.sums.dihedrals == one.sums.dihedrals);
        CHECK(more.sums.virial == one.sums.virial);
        CHECK(more.forces == one.forces);
    }
    set_threads(before);
}

TEST("where a force has no direction it is zero") {
    System s(Box(Vec3{9.0, 9.0, 9.0}), 4);
    s.r = {{1.0, 1.0, 1.0}, {2.0, 1.0, 1.0}, {3.0, 1.0, 1.0}, {3.0, 1.0, 1.0}};
    s.field.bonds.terms = {{{2, 3}, 0}};
    s.field.angles.terms = {{{0, 1, 2}, 0}, {{0, 2, 3}, 1}};
    s.field.dihedrals.terms = {{{0, 1, 2, 3}, 0}, {{0, 1, 2, 3}, 1}, {{0, 1, 2, 3}, 3}};
    const Found found = compute(s);
    for (const Vec3& f : found.forces) CHECK(f == Vec3{});
    // A bond of no length, an angle of pi and one of no arm, dihedrals as if they were cis.
    CHECK_NEAR(found.sums.bonds, 0.5 * 30.0 * 0.81, 1e-13);
    CHECK_NEAR(found.sums.angles,
               2.5 * std::pow(pi - 1.9, 2) + 2.0 * std::pow(1.0 - std::cos(2.2), 2), 1e-13);
}

TEST("broken bonds and bonds outside of their table are named") {
    const auto message = [](std::uint32_t potential, double length) -> std::string {
        System s(Box(Vec3{9.0, 9.0, 9.0}), 40);
        for (auto& term : s.field.bonds.terms) term.potential = 0;
        s.field.bonds.terms[17].potential = potential;
        s.r[17] = {0.1, 0.1, 0.1};
        s.r[18] = {8.9 + 0.2 - length, 0.1, 0.1};
        try {
            compute(s, 0.5);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    CHECK(message(1, 1.59).empty());
    CHECK(message(1, 1.61).starts_with("particles 17 and 18: a FENE bond of length 1.61"));
    CHECK(message(2, 1.799).empty());
    CHECK(message(2, 1.801).starts_with("particles 17 and 18: a bond length of 1.801"));
    CHECK(message(2, 0.499).starts_with("particles 17 and 18: a bond length of 0.499"));
    ForceField field;
    field.bonds.potentials = {Harmonic{1.0, 1.0}};
    field.bonds.terms = {{{0, 9}, 0}};
    CHECK_THROWS(Error, BondedForces(field, 9));
    field.bonds.terms = {{{0, 8}, 1}};
    CHECK_THROWS(Error, BondedForces(field, 9));
}
