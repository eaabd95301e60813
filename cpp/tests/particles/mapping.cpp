#include "regrain/particles/mapping.hpp"

#include <string>

#include "check.hpp"
#include "regrain/base/error.hpp"

using regrain::Box;
using regrain::Error;
using regrain::Vec3;
using regrain::particles::BeadMapping;
using regrain::particles::BeadRows;
using regrain::particles::Image;
using Bonds = std::vector<std::array<std::int32_t, 2>>;

namespace {

BeadRows one_bead(std::vector<std::int32_t> atoms) {
    const std::size_t n = atoms.size();
    const std::vector<double> equal(n, 1.0 / static_cast<double>(n));
    return {{0, n}, std::move(atoms), equal, std::vector<double>(n, 1.0)};
}

Vec3 centre(const BeadMapping& mapping, const Box& box, const std::vector<Vec3>& fine) {
    std::vector<Vec3> beads(mapping.beads());
    std::vector<Image> images(mapping.beads());
    mapping.positions(box, fine, {}, beads, images);
    return beads[0];
}

}  // namespace

TEST("a bead across a face is made whole and wrapped") {
    const Box box(Vec3{4, 4, 4});
    const std::vector<Vec3> fine{{3.9, 1, 1}, {0.3, 1, 1}};
    const BeadMapping mapping(2, one_bead({0, 1}), {});
    CHECK_NEAR(centre(mapping, box, fine).x, 0.1, 1e-14);
    CHECK_NEAR(centre(mapping, box, fine).y, 1.0, 1e-14);
}

TEST("images lead from the wrapped bead to the atoms as they were") {
    const Box box({{{4, 0, 0}, {1.5, 4, 0}, {-1, 1.7, 5}}});
    const std::vector<Vec3> fine{{3.9, 3.9, 4.9}, {4.3, 4.1, 5.3}};
    const std::vector<Image> fine_images{{2, 0, -1}, {7, 7, 7}};  // only the first atom's count
    const BeadMapping mapping(2, one_bead({0, 1}), {});
    std::vector<Vec3> beads(1);
    std::vector<Image> images(1);
    mapping.positions(box, fine, fine_images, beads, images);
    const auto shift = [&](const Image& n) {
        return box.cartesian(
            {static_cast<double>(n[0]), static_cast<double>(n[1]), static_cast<double>(n[2])});
    };
    const Vec3 unwrapped = beads[0] + shift(images[0]);
    const Vec3 expected = 0.5 * (fine[0] + fine[1]) + shift(fine_images[0]);
    CHECK_NEAR(norm(unwrapped - expected), 0.0, 1e-13);
}

TEST("bonds lead the way, through atoms outside the bead too") {
    const Box box(Vec3{4, 4, 4});
    std::vector<Vec3> chain;
    Bonds bonds;
    for (std::int32_t i = 0; i < 9; ++i) {
        chain.push_back(box.wrap({0.45 * i, 0, 0}));
        if (i > 0) bonds.push_back({i - 1, i});
    }
    const BeadMapping bonded(9, one_bead({0, 8, 5}), bonds);
    CHECK_NEAR(centre(bonded, box, chain).x, 0.45 * 13 / 3, 1e-13);
    const BeadMapping ends(9, one_bead({0, 8}), {});
    CHECK_NEAR(centre(ends, box, chain).x, 3.8, 1e-13);  // the nearest images
    const std::vector<Vec3> pull{{1, 0, 0}, {9, 9, 9}, {9, 9, 9}, {9, 9, 9}, {9, 9, 9},
                                 {0, 3, 0}, {9, 9, 9}, {9, 9, 9}, {0, 0, 6}};
    std::vector<Vec3> sum(1);
    bonded.forces(pull, sum);
    CHECK(sum[0] == Vec3{1, 3, 6});  // atoms on the way add nothing
    bonded.average(pull, sum);
    CHECK_NEAR(sum[0].z, 2.0, 1e-14);
}

TEST("a bead of several pieces uses bonds where there are any") {
    const Box box(Vec3{4, 4, 4});
    const std::vector<Vec3> fine{{0.1, 0, 0}, {3.9, 0, 0}, {0.5, 0, 0}, {0.9, 0, 0}};
    const BeadMapping mapping(4, one_bead({0, 1, 2, 3}), Bonds{{0, 1}, {2, 3}});
    CHECK_NEAR(centre(mapping, box, fine).x, (0.1 - 0.1 + 0.5 + 0.9) / 4, 1e-14);
}

TEST("a bead as wide as half the box is refused, though nearest images would hide it") {
    const Box box(Vec3{4, 4, 4});
    const BeadMapping mapping(3, one_bead({0, 1, 2}), {});
    const auto wide = [&](double width) {
        return centre(mapping, box, {{0, 0, 0}, {0.5 * width, 0, 0}, {width, 0, 0}});
    };
    CHECK_NEAR(wide(1.99).x, 0.995, 1e-14);
    CHECK_THROWS(Error, wide(2.0));
    CHECK_THROWS(Error, wide(2.6));  // 1.4 the other way round
    CHECK_THROWS(Error, wide(3.4));  // seems to reach from -0.6 to 1.7
}

TEST("rows that disagree are refused") {
    CHECK_THROWS(Error, BeadMapping(2, {{0, 1}, {2}, {1.0}, {1.0}}, {}));     // no atom 2
    CHECK_THROWS(Error, BeadMapping(2, {{0, 1}, {-1}, {1.0}, {1.0}}, {}));    // no atom -1
    CHECK_THROWS(Error, BeadMapping(2, {{0, 0, 1}, {0}, {1.0}, {1.0}}, {}));  // empty bead
    CHECK_THROWS(Error, BeadMapping(2, {{0, 2}, {0}, {1.0}, {1.0}}, {}));     // offsets
    CHECK_THROWS(Error, BeadMapping(2, {{0, 1}, {0}, {}, {1.0}}, {}));        // weights
    CHECK_THROWS(Error, BeadMapping(2, one_bead({0, 0}), {}));                // twice
    CHECK_THROWS(Error, BeadMapping(2, one_bead({0}), Bonds{{0, 2}}));        // bond
    const BeadMapping mapping(2, one_bead({0, 1}), {});
    CHECK_THROWS(Error, centre(mapping, Box(Vec3{4, 4, 4}), {{0, 0, 0}}));  // 1 of 2
}
