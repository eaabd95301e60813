#include "regrain/particles/neighbors.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "brute_force.hpp"
#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

using Key = std::tuple<std::uint32_t, std::uint32_t, Image>;

std::vector<Key> keys(const NeighborList& list) {
    std::vector<Key> out;
    for (std::size_t k = 0; k < list.i.size(); ++k)
        out.emplace_back(list.i[k], list.j[k], list.shift[k]);
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<Key> reference(const std::vector<Vec3>& r, const Box& box, double cutoff, bool half) {
    std::vector<Key> out;
    brute::pairs(r, box, cutoff,
                 [&](std::uint32_t i, std::uint32_t j, const Image& shift, const Vec3&) {
                     if (!half || i < j || (i == j && shift > Image{0, 0, 0}))
                         out.emplace_back(i, j, shift);
                 });
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

TEST("full and half lists equal brute force over images, in boxes of any shape and size") {
    std::uint64_t seed = 1;
    for (const Box& box : brute::boxes()) {
        for (const double cutoff : {0.3, 1.0, 1.7}) {
            const auto r = brute::positions(box, 60, seed++);
            for (const bool half : {true, false}) {
                const auto expected = reference(r, box, cutoff, half);
                CHECK(keys(neighbor_list(r, box, {cutoff, half})) == expected);
            }
        }
    }
}

TEST("a crystal whose distances are exactly the cutoff has the same pairs as brute force") {
    std::vector<Vec3> r;
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j)
            for (int k = 0; k < 4; ++k) r.push_back({0.1 * i, 0.1 * j, 0.1 * k});
    const Box box(Vec3{0.4, 0.4, 0.4});
    for (const double cutoff : {0.1, 0.2, 0.1 * std::sqrt(2.0)}) {
        for (const bool half : {true, false}) {
            CHECK(keys(neighbor_list(r, box, {cutoff, half})) == reference(r, box, cutoff, half));
        }
    }
}

TEST("a full list is symmetric to the bit and sorted by i") {
    const Box box = brute::boxes()[5];
    const auto r = brute::positions(box, 300, 5);
    const NeighborList list = neighbor_list(r, box, {1.1, false});
    CHECK(std::is_sorted(list.i.begin(), list.i.end()));
    std::set<std::tuple<std::uint32_t, std::uint32_t, double, double, double>> seen;
    for (std::size_t k = 0; k < list.i.size(); ++k)
        seen.emplace(list.i[k], list.j[k], list.d[k].x, list.d[k].y, list.d[k].z);
    for (std::size_t k = 0; k < list.i.size(); ++k)
        CHECK(seen.contains({list.j[k], list.i[k], -list.d[k].x, -list.d[k].y, -list.d[k].z}));
}

TEST("distance vectors lead from i to the image of j") {
    const Box box = brute::boxes()[4];
    const auto r = brute::positions(box, 80, 9);
    const NeighborList list = neighbor_list(r, box, {1.3, true});
    CHECK(!list.i.empty());
    for (std::size_t k = 0; k < list.i.size(); ++k) {
        const Vec3 d = r[list.j[k]] + lattice_vector(box, list.shift[k]) - r[list.i[k]];
        CHECK_NEAR(norm(d - list.d[k]), 0.0, 1e-13);
        CHECK(norm(list.d[k]) < 1.3);
    }
}

TEST("excluded pairs are left out with all their images, and no others") {
    const Box box(Vec3{1.5, 1.5, 1.5});
    const auto r = brute::positions(box, 40, 3);
    const std::vector<std::pair<std::uint32_t, std::uint32_t>> out{{0, 1}, {0, 7}, {3, 39}};
    for (const bool half : {true, false}) {
        auto expected = reference(r, box, 1.2, half);
        std::erase_if(expected, [&](const Key& k) {
            const auto [i, j, shift] = k;
            const std::pair pair(std::min(i, j), std::max(i, j));
            return std::find(out.begin(), out.end(), pair) != out.end();
        });
        CHECK(keys(neighbor_list(r, box, {1.2, half, out})) == expected);
    }
}

// The summand vanishes at the cutoff: images at exactly that distance, which these boxes have, may
// round to either side of it.
TEST("sums over pairs see each pair once, with the same bits on any number of threads") {
    for (const Box& box : brute::boxes()) {
        const auto r = brute::positions(box, 70, 17);
        double expected = 0.0;
        brute::pairs(r, box, 1.0, [&](auto, auto, const Image&, const Vec3& d) {
            expected += 0.5 * (1.0 - norm2(d));
        });
        const Cells cells(r, box, 1.5);
        const auto sum = [&] {
            return cells.sum_pairs<double>(
                1.0, [](double& s, const Cells::Pair& p) { s += 1.0 - p.r2; }, 8);
        };
        CHECK_NEAR(sum(), expected, 1e-11 * (1.0 + expected));
        const int before = threads();
        set_threads(1);
        const double one = sum();
        set_threads(3);
        CHECK(sum() == one);
        set_threads(before);
        const double both = cells.sum_neighborhoods<double>(
            1.0, [](double& s, std::uint32_t, const Cells::Neighbors& near) {
                for (std::size_t k = 0; k < near.count; ++k) s += 0.5 * (1.0 - near.r2[k]);
            });
        CHECK_NEAR(both, expected, 1e-11 * (1.0 + expected));
    }
}

TEST("cells keep their memory and forget the last frame") {
    const Box box(Vec3{3.0, 3.0, 3.0});
    const auto many = brute::positions(box, 200, 1);
    const auto few = brute::positions(box, 20, 2);
    Cells cells(many, box, 0.8);
    cells.assign(few, box);
    CHECK(cells.size() == 20);
    const auto count =
        cells.sum_pairs<std::size_t>(0.8, [](std::size_t& s, const Cells::Pair&) { ++s; });
    CHECK(count == reference(few, box, 0.8, true).size());
    cells.assign({}, box);
    CHECK(cells.size() == 0 && cells.points() == 0);
    CHECK(neighbor_list({}, box, {1.0}).i.empty());
}

TEST("what cannot be searched is refused") {
    const Box box(Vec3{3.0, 3.0, 3.0});
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    const std::vector<Vec3> fine{{0.0, 0.0, 0.0}, {1.0, 1.0, 1.0}};
    CHECK_THROWS(Error, neighbor_list(std::vector<Vec3>{{0.0, nan, 0.0}}, box, {1.0}));
    CHECK_THROWS(Error, neighbor_list(std::vector<Vec3>{{infinity, 0.0, 0.0}}, box, {1.0}));
    CHECK_THROWS(Error, neighbor_list(std::vector<Vec3>{{1e300, 0.0, 0.0}}, box, {1.0}));
    CHECK_THROWS(Error, neighbor_list(fine, box, {0.0}));
    CHECK_THROWS(Error, neighbor_list(fine, box, {nan}));
    CHECK_THROWS(Error, neighbor_list(fine, box, {1e5}));  // more images than there is memory
    Cells::Neighbors near;
    CHECK_THROWS(Error, (Cells(fine, box, 1.0).around({0.0, 0.0, 0.0}, 1.1, near), 0));
}
