#include "regrain/base/random.hpp"

#include <cmath>

#include "check.hpp"

using namespace regrain;

TEST("Philox4x32-10 gives the vectors published with Random123 (kat_vectors)") {
    CHECK(Philox::rounds({0, 0, 0, 0}, {0, 0}) ==
          Philox::Word{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(Philox::rounds({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                         {0xffffffff, 0xffffffff}) ==
          Philox::Word{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(Philox::rounds({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                         {0xa4093822, 0x299f31d0}) ==
          Philox::Word{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST("every part of the counter matters") {
    const Philox random(1, 2);
    const auto base = random.bits(3, 4, 5);
    CHECK(base != random.bits(4, 4, 5));
    CHECK(base != random.bits(3, 5, 5));
    CHECK(base != random.bits(3, 4, 6));
    CHECK(base != random.bits(3 + (1ULL << 32), 4, 5));
    CHECK(base != Philox(1, 3).bits(3, 4, 5));
    CHECK(base != Philox(1 + (1ULL << 32), 2).bits(3, 4, 5));
}

TEST("normal numbers have the moments of a normal law") {
    // n = 4e5 draws: standard errors of the first four moments are sqrt(1, 2, 15, 96) / sqrt(n).
    const Philox random(2026, 1);
    const std::uint32_t calls = 100000;
    double m[5] = {};
    double cross = 0.0;
    for (std::uint32_t i = 0; i < calls; ++i) {
        const auto z = random.normal4(7, i);
        for (const double x : z) {
            for (int p = 1; p <= 4; ++p) m[p] += std::pow(x, p);
        }
        cross += z[0] * z[1] + z[2] * z[3];
    }
    const double n = 4.0 * calls;
    const double sigma = 1.0 / std::sqrt(n);
    CHECK_NEAR(m[1] / n, 0.0, 4 * sigma);
    CHECK_NEAR(m[2] / n, 1.0, 4 * std::sqrt(2.0) * sigma);
    CHECK_NEAR(m[3] / n, 0.0, 4 * std::sqrt(15.0) * sigma);
    CHECK_NEAR(m[4] / n, 3.0, 4 * std::sqrt(96.0) * sigma);
    CHECK_NEAR(cross / (n / 2), 0.0, 4 * std::sqrt(2.0) * sigma);
}

TEST("uniform numbers stay inside the open interval and fill it evenly") {
    const Philox random(5, 0);
    double mean = 0.0;
    const std::uint32_t n = 100000;
    for (std::uint32_t i = 0; i < n; ++i) {
        const auto u = random.uniform2(0, i);
        CHECK(u[0] > 0 && u[0] < 1 && u[1] > 0 && u[1] < 1);
        mean += 0.5 * (u[0] + u[1]);
    }
    CHECK_NEAR(mean / n, 0.5, 4 / std::sqrt(24.0 * n));
}
