#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "brute_force.hpp"
#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/angles.hpp"
#include "regrain/particles/rdf.hpp"
#include "regrain/particles/structure_factor.hpp"
#include "regrain/particles/unwrap.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

std::vector<Vec3> scattered(std::size_t n, double size, std::uint32_t stream) {
    const Philox random(21, stream);
    std::vector<Vec3> r;
    for (std::uint32_t i = 0; i < n; ++i) {
        const auto u = random.uniform2(0, i, 0);
        const auto v = random.uniform2(0, i, 1);
        r.push_back({size * (u[0] - 0.5), size * (u[1] - 0.5), size * (v[0] - 0.5)});
    }
    return r;
}

std::vector<std::int32_t> alternating(std::size_t n, std::int32_t kinds) {
    std::vector<std::int32_t> types(n);
    for (std::size_t i = 0; i < n; ++i) types[i] = static_cast<std::int32_t>(i) % kinds;
    return types;
}

}  // namespace

TEST("distances by pair of types are those of the double loop, in boxes of any shape") {
    const std::vector<std::int32_t> types = alternating(50, 3);
    const std::vector<Vec3> r = scattered(50, 9.0, 1);
    for (const Box& box : brute::boxes()) {
        const double r_max = 0.5 * box.min_height();
        std::vector<std::uint64_t> expected(9 * 7, 0);
        brute::pairs(r, box, r_max, [&](auto i, auto j, const auto&, const Vec3& d) {
            if (i == j) return;
            const auto bin = static_cast<std::size_t>(norm(d) * 7.0 / r_max);
            ++expected[static_cast<std::size_t>(3 * types[i] + types[j]) * 7 + bin];
        });
        std::vector<std::uint64_t> counts(9 * 7, 99);
        PairHistogram(types, 3, r_max, 7).count(r, box, counts);
        CHECK(counts == expected);
    }
}

TEST("excluded pairs are left out from both sides, on any number of threads") {
    const std::vector<std::int32_t> types = alternating(3000, 1);
    const std::vector<Vec3> r = scattered(3000, 10.0, 2);
    const Box box(Vec3{10.0, 10.0, 10.0});
    std::vector<PairHistogram::Exclusion> excluded;
    for (std::uint32_t i = 0; i + 1 < 3000; i += 2) excluded.emplace_back(i, i + 1);
    PairHistogram all(types, 1, 5.0, 10);
    PairHistogram without(types, 1, 5.0, 10, excluded);
    std::vector<std::uint64_t> every(10), some(10), again(10);
    all.count(r, box, every);
    without.count(r, box, some);
    std::size_t near = 0;
    for (const auto& [i, j] : excluded) {
        near += norm(box.minimum_image(r[j] - r[i])) < 5.0 ? 1 : 0;
    }
    std::uint64_t left = 0;
    for (std::size_t k = 0; k < 10; ++k) left += every[k] - some[k];
    CHECK(left == 2 * near);
    const int before = threads();
    set_threads(3);
    without.count(r, box, again);
    set_threads(before);
    CHECK(again == some);
}

TEST("a reach beyond half the box is refused") {
    const std::vector<Vec3> r = scattered(4, 1.0, 3);
    std::vector<std::uint64_t> counts(5);
    PairHistogram histogram(alternating(4, 1), 1, 1.0, 5);
    CHECK_THROWS(Error, histogram.count(r, Box(Vec3{1.9, 5.0, 5.0}), counts));
    AngleHistogram angles(alternating(4, 1), {-1, -1, -1}, 1.0, 5);
    CHECK_THROWS(Error, angles.count(r, Box(Vec3{1.9, 5.0, 5.0}), counts));
    CHECK_THROWS(Error, PairHistogram(alternating(4, 2), 1, 1.0, 5));
    CHECK_THROWS(Error, PairHistogram(alternating(4, 1), 1, 1.0, 0));
}

TEST("neighbour angles are those of all triplets") {
    const std::vector<std::int32_t> types = alternating(40, 2);
    const std::vector<Vec3> r = scattered(40, 9.0, 4);
    for (const Box& box : brute::boxes()) {
        const double r_max = 0.5 * box.min_height();
        std::vector<std::vector<std::pair<std::uint32_t, Vec3>>> near(r.size());
        brute::pairs(r, box, r_max, [&](auto i, auto j, const auto&, const Vec3& d) {
            near[i].emplace_back(j, d);
        });
        std::vector<std::uint64_t> expected(12, 0);
        for (std::size_t i = 0; i < r.size(); ++i) {
            if (types[i] != 1) continue;
            for (std::size_t k = 0; k < near[i].size(); ++k) {
                for (std::size_t m = 0; m < k; ++m) {
                    const auto& [j, a] = near[i][k];
                    const auto& [l, b] = near[i][m];
                    if (types[j] == types[l]) continue;
                    const double theta = std::acos(dot(a, b) / (norm(a) * norm(b)));
                    ++expected[static_cast<std::size_t>(theta * 12 / std::numbers::pi)];
                }
            }
        }
        std::vector<std::uint64_t> counts(12);
        AngleHistogram(types, {0, 1, 1}, r_max, 12).count(r, box, counts);
        CHECK(counts == expected);
    }
}

TEST("bonded coordinates of known geometry, across boundaries") {
    const Box box(Vec3{3.0, 3.0, 3.0});
    const std::vector<Vec3> r{{2.9, 0.1, 0.0}, {0.1, 0.1, 0.0}, {0.1, 2.9, 0.0}, {0.1, 2.9, 0.2}};
    const std::vector<std::array<std::int32_t, 2>> bonds{{0, 1}, {2, 3}};
    CHECK_NEAR(bond_lengths(r, box, bonds)[0], 0.2, 1e-14);
    const std::vector<std::array<std::int32_t, 3>> angles{{0, 1, 2}};
    CHECK_NEAR(bond_angles(r, box, angles)[0], std::numbers::pi / 2, 1e-12);
    const std::vector<std::array<std::int32_t, 4>> dihedrals{{0, 1, 2, 3}, {3, 2, 1, 0}};
    const std::vector<double> phi = dihedral_angles(r, box, dihedrals);
    CHECK_NEAR(phi[0], phi[1], 1e-12);
    CHECK_NEAR(std::abs(phi[0]), std::numbers::pi / 2, 1e-12);
    CHECK_THROWS(Error, bond_lengths(r, box, std::vector<std::array<std::int32_t, 2>>{{0, 4}}));
    const std::vector<std::array<std::int32_t, 3>> flat{{0, 0, 1}};
    CHECK_THROWS(Error, bond_angles(r, box, flat));
}

TEST("density modes are the sum of exponentials") {
    const std::vector<Vec3> r = scattered(1300, 20.0, 5);
    for (const Box& box : brute::boxes()) {
        const auto indices = reciprocal_indices(box, 20.0);
        const auto modes = density_modes(r, box, indices);
        double worst = 0.0;
        for (std::size_t m = 0; m < indices.size(); m += 1 + indices.size() / 50) {
            const Vec3 q = wave_vector(box, indices[m]);
            CHECK(norm(q) <= 20.0 * (1 + 1e-9));
            std::complex<double> sum;
            for (const Vec3& x : r) sum += std::polar(1.0, dot(q, x));
            worst = std::max(worst, std::abs(sum - modes[m]));
        }
        CHECK(worst < 1e-8);
        // Any list of indices will do; those of -q are the conjugates.
        auto some = reciprocal_indices(box, 15.0);
        for (auto& index : some) index = {-index[0], -index[1], -index[2]};
        some.insert(some.begin(), {0, 0, 0});  // of a small box there may be no others
        const auto turned = density_modes(r, box, some);
        CHECK(turned[0] == std::complex<double>(1300.0, 0.0));
        const auto straight = density_modes(r, box, reciprocal_indices(box, 15.0));
        for (std::size_t m = 0; m < straight.size(); ++m)
            CHECK(std::abs(turned[m + 1] - std::conj(straight[m])) < 1e-9);
    }
    CHECK(density_modes(r, Box(Vec3{1.0, 1.0, 1.0}), {}).empty());
    CHECK_THROWS(Error, reciprocal_indices(Box(Vec3{1.0, 1.0, 1.0}), 0.0));
    CHECK_THROWS(Error, reciprocal_indices(Box(Vec3{100.0, 100.0, 100.0}), 1e4));
}

TEST("unwrapped positions follow the shortest steps") {
    const Box box(Vec3{3.0, 3.0, 3.0});
    std::vector<Vec3> unwrapped{{2.9, 1.0, 1.0}};
    const std::vector<Vec3> before{{2.9, 1.0, 1.0}};
    const std::vector<Vec3> after{{0.2, 1.0, 1.0}};
    CHECK_NEAR(follow(unwrapped, before, after, box), 0.3, 1e-14);
    CHECK_NEAR(unwrapped[0].x, 3.2, 1e-14);
    CHECK_THROWS(Error, follow(unwrapped, before, std::vector<Vec3>(2), box));
}
