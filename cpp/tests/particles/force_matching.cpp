#include "regrain/particles/force_matching.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "regrain/base/bspline.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/random.hpp"

using regrain::Box;
using regrain::BSplineBasis;
using regrain::QrFactor;
using regrain::Vec3;
using regrain::particles::ForceDesign;
using regrain::particles::UniformSpline;

namespace {

struct System {
    Box box{std::array<std::array<double, 3>, 3>{{{2, 0, 0}, {0.5, 2.1, 0}, {0.3, -0.7, 1.9}}}};
    std::vector<Vec3> positions, forces;
    std::vector<std::int32_t> types;
    explicit System(std::size_t n) {
        const regrain::Philox random(7, 1);
        for (std::uint32_t i = 0; i < n; ++i) {
            const auto a = random.uniform2(0, i), b = random.uniform2(1, i);
            positions.push_back(box.cartesian({a[0], a[1], b[0]}));
            forces.push_back({a[0] - 0.5, b[1], a[1]});
            types.push_back(b[0] < 0.4 ? 0 : 1);
        }
    }
    [[nodiscard]] ForceDesign::Frame frame() const { return {positions, forces, box}; }
};

// What the pairs of two types give, image by image.
std::vector<double> pair_rows(const System& s, const UniformSpline& spline, std::int32_t a,
                              std::int32_t b, const std::vector<ForceDesign::Pair>& excluded) {
    const BSplineBasis basis =
        BSplineBasis::uniform(spline.low, spline.high, spline.intervals, spline.degree);
    const std::size_t n = s.positions.size(), width = spline.functions();
    std::vector<double> rows(3 * n * width, 0.0), values(spline.degree + 1);
    for (std::uint32_t i = 0; i < n; ++i) {
        for (std::uint32_t j = 0; j < n; ++j) {
            const bool met =
                (s.types[i] == a && s.types[j] == b) || (s.types[i] == b && s.types[j] == a);
            bool out = !met;
            for (const auto& [k, l] : excluded) out |= (k == i && l == j) || (k == j && l == i);
            if (out) continue;
            for (int image = 0; image < 343; ++image) {
                const Vec3 shift = s.box.cartesian({static_cast<double>(image % 7 - 3),
                                                    static_cast<double>(image / 7 % 7 - 3),
                                                    static_cast<double>(image / 49 - 3)});
                const Vec3 d = s.positions[i] - s.positions[j] + shift;
                const double r = regrain::norm(d);
                if (r >= spline.high || r == 0.0 || r < spline.low) continue;
                const std::size_t first = basis.evaluate(r, values);
                for (std::size_t k = 0; k < values.size(); ++k) {
                    rows[(3 * i + 0) * width + first + k] += values[k] * d.x / r;
                    rows[(3 * i + 1) * width + first + k] += values[k] * d.y / r;
                    rows[(3 * i + 2) * width + first + k] += values[k] * d.z / r;
                }
            }
        }
    }
    return rows;
}

}  // namespace

TEST("rows of pairs are the sums over all images, in a box smaller than the reach") {
    const System s(50);
    const std::vector<ForceDesign::Pair> excluded{{0, 1}, {3, 7}};
    for (const std::size_t degree : {0u, 1u, 3u, 5u, 7u}) {
        ForceDesign design(s.types, 2, excluded);
        const UniformSpline own{0.0, 1.3, 9, degree}, mixed{0.0, 0.9, 5, degree};
        design.add_pairs(own, {0, 0});
        design.add_pairs(mixed, {0, 1});
        CHECK(design.columns() == own.functions() + mixed.functions());
        const std::vector<double> rows = design.rows(s.frame());
        const std::size_t width = design.columns() + 1;
        const std::vector<double> first = pair_rows(s, own, 0, 0, excluded);
        const std::vector<double> second = pair_rows(s, mixed, 0, 1, excluded);
        double worst = 0.0;
        for (std::size_t i = 0; i < 150; ++i) {
            for (std::size_t k = 0; k < own.functions(); ++k) {
                worst =
                    std::max(worst, std::abs(rows[i * width + k] - first[i * own.functions() + k]));
            }
            for (std::size_t k = 0; k < mixed.functions(); ++k) {
                worst = std::max(worst, std::abs(rows[i * width + own.functions() + k] -
                                                 second[i * mixed.functions() + k]));
            }
        }
        CHECK(worst < 1e-12);
    }
}

TEST("the factor of a frame is that of its rows, and counts each pair once") {
    const System s(130);  // more than one block
    ForceDesign design(s.types, 2, {});
    design.add_pairs({0.1, 0.8, 6, 3}, {0, 1});
    design.add_pairs({0.1, 0.8, 6, 3}, {1, 1});
    QrFactor direct(design.columns() + 1), factor(design.columns() + 1);
    direct.add(design.rows(s.frame()));
    std::vector<std::uint64_t> counts(design.intervals());
    design.factor(s.frame(), factor, counts);
    const std::vector<double> a = direct.r(), b = factor.r();
    for (std::size_t k = 0; k < a.size(); ++k) CHECK_NEAR(std::abs(a[k]), std::abs(b[k]), 1e-10);
    const std::vector<ForceDesign::Frame> twice(2, s.frame());
    std::vector<std::uint64_t> of_both(design.intervals(), 7);  // overwritten
    const std::vector<QrFactor> both = design.factors(twice, of_both);
    CHECK(both.size() == 2 && both[0].r() == b && both[1].r() == b);
    for (std::size_t c = 0; c < counts.size(); ++c) CHECK(of_both[c] == 2 * counts[c]);
    std::uint64_t met = 0, wanted = 0;
    for (const std::uint64_t c : counts) met += c;
    for (std::size_t i = 0; i < s.positions.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (s.types[i] + s.types[j] == 0) continue;
            wanted += regrain::norm(s.box.minimum_image(s.positions[i] - s.positions[j])) < 0.8;
        }
    }
    CHECK(met == wanted);
}

TEST("what a design refuses") {
    using regrain::Error;
    const System s(5);
    CHECK_THROWS(Error, ForceDesign(s.types, 1, {}));
    CHECK_THROWS(Error, ForceDesign(s.types, 2, std::vector<ForceDesign::Pair>{{0, 5}}));
    ForceDesign design(s.types, 2, {});
    CHECK_THROWS(Error, (design.add_pairs({0.1, 0.8, 6, 8}, {0, 1}), 0));
    CHECK_THROWS(Error, (design.add_pairs({0.1, 0.8, 6, 3}, {0, 2}), 0));
    const std::vector<std::array<std::int32_t, 2>> bonds{{0, 5}};
    CHECK_THROWS(Error, (design.add_bonds({0.1, 0.8, 6, 3}, bonds), 0));
    CHECK_THROWS(Error, (design.add_triples({0, 3, 6, 3}, {0, 0, 0}, {-1.0, 1.0}, {1.0, 1.0}), 0));
    design.add_pairs({0.1, 0.8, 6, 3}, {0, 1});
    System bad(5);
    bad.forces[3].y = std::nan("");
    CHECK_THROWS(Error, design.rows(bad.frame()));
    bad.forces.pop_back();
    CHECK_THROWS(Error, design.rows(bad.frame()));
}
