#include "regrain/base/random_blocks.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.hpp"

using regrain::RandomBlocks;

TEST("a round of AES is that of FIPS 197") {
    // Appendix B of FIPS 197 (2001): the state at the start of rounds 1 and 2, the first round key;
    // and rounds 10 and its output. Bytes in order, so words are little-endian.
    const auto words = [](const char* hex) {
        RandomBlocks::Block out{};
        const auto digit = [](char c) {
            return static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
        };
        for (std::size_t k = 0; k < 16; ++k) {
            const std::uint32_t byte = 16 * digit(hex[2 * k]) + digit(hex[2 * k + 1]);
            out[k / 4] |= byte << (8 * (k % 4));
        }
        return out;
    };
    CHECK(RandomBlocks::round(words("193de3bea0f4e22b9ac68d2ae9f84808"),
                              words("a0fafe1788542cb123a339392a6c7605"),
                              false) == words("a49c7ff2689f352b6b5bea43026a5049"));
    CHECK(RandomBlocks::round(words("eb40f21e592e38848ba113e71bc342d2"),
                              words("d014f9a8c9ee2589e13f0cc8b6630ca6"),
                              true) == words("3925841d02dc09fbdc118597196a0b32"));
}

TEST("blocks are the same with any instructions, and wherever one begins") {
    const RandomBlocks blocks(7, 3);
    std::vector<std::uint32_t> all(4 * 70), portable(4 * 70);
    blocks.fill(5, 11, 70, all.data());
    blocks.fill_portably(5, 11, 70, portable.data());
    CHECK(all == portable);
    for (const std::size_t count : {1U, 2U, 3U, 5U, 17U}) {
        std::vector<std::uint32_t> some(4 * count + 1, 42);
        blocks.fill(5, 11 + 20, count, some.data());
        for (std::size_t k = 0; k < 4 * count; ++k) CHECK(some[k] == all[80 + k]);
        CHECK(some.back() == 42);
    }
}

TEST("another seed, stream, step or index gives other bits, half of them flipped") {
    const auto words = [](std::uint64_t seed, std::uint64_t stream, std::uint64_t step,
                          std::uint64_t index) {
        RandomBlocks::Block w{};
        RandomBlocks(seed, stream).fill(step, index, 1, w.data());
        return w;
    };
    // Each bit of the counter and of the key, from several points: 128 bits that flip with
    // probability 1/2 each, so 64 +- 5.66; the mean over 64 points is within 64 +- 3.5 (5 sigma).
    for (int field = 0; field < 4; ++field) {
        for (int bit = 0; bit < 64; ++bit) {
            int flipped = 0;
            for (std::uint64_t point = 0; point < 64; ++point) {
                std::uint64_t at[4] = {point, 3 * point, 5 * point + 1, 7 * point};
                const auto before = words(at[0], at[1], at[2], at[3]);
                at[field] ^= 1ULL << bit;
                const auto after = words(at[0], at[1], at[2], at[3]);
                for (std::size_t k = 0; k < 4; ++k) flipped += std::popcount(before[k] ^ after[k]);
            }
            CHECK_NEAR(flipped / 64.0, 64.0, 3.6);
        }
    }
}

TEST("bits of neighbouring blocks are fair and know nothing of each other") {
    constexpr std::size_t count = 1 << 14;
    std::vector<std::uint32_t> w(4 * count);
    RandomBlocks(1, 0).fill(1, 0, count, w.data());
    // Ones in each of 128 places, and agreement with the block 1, 2, 64 further on: +- sqrt(n) / 2.
    const double sigma = std::sqrt(static_cast<double>(count)) / 2;
    for (const std::size_t lag : {0U, 1U, 2U, 64U}) {
        for (std::size_t place = 0; place < 128; ++place) {
            double ones = 0;
            for (std::size_t n = 0; n + lag < count; ++n) {
                const std::uint32_t a = w[4 * n + place / 32];
                const std::uint32_t b = lag == 0 ? 0 : w[4 * (n + lag) + place / 32];
                ones += static_cast<double>(((a ^ b) >> (place % 32)) & 1U);
            }
            CHECK_NEAR(ones, static_cast<double>(count - lag) / 2, 5 * sigma);
        }
    }
}
