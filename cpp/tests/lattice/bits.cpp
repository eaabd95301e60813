// Spins as bits against a plain loop that draws the same bits one spin at a time.
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/random_blocks.hpp"
#include "regrain/lattice/sampler.hpp"

namespace {

using regrain::lattice::Method;
using regrain::lattice::Model;
using regrain::lattice::single_spin_sampler;

Model nearest(std::vector<int> shape, double strength) {
    Model model;
    model.shape = shape;
    model.periodic.assign(shape.size(), true);
    model.terms.push_back({strength, {}});
    for (std::size_t a = 0; a < shape.size(); ++a) {
        std::vector<int> one(shape.size(), 0);
        one[a] = 1;
        model.terms[0].clusters.push_back({std::vector<int>(shape.size(), 0), one});
    }
    return model;
}

std::vector<std::int8_t> random_spins(std::size_t n) {
    std::vector<std::uint32_t> words((n + 127) / 128 * 4);
    regrain::RandomBlocks(5, 99).fill(0, 0, words.size() / 4, words.data());
    std::vector<std::int8_t> spins(n);
    for (std::size_t k = 0; k < n; ++k) {
        spins[k] = static_cast<std::int8_t>(2 * ((words[k / 32] >> (k % 32)) & 1U) - 1);
    }
    return spins;
}

// One sweep: the same places for bits as bits.hpp says, everything else anew.
void plain_sweep(std::vector<std::int8_t>& spins, const std::vector<int>& shape, double strength,
                 bool heat_bath, std::uint64_t seed, std::uint64_t sweep) {
    const regrain::RandomBlocks random(seed, 0);
    const int lx = shape.back(), lz = shape[0], ly = shape.size() == 3 ? shape[1] : 1;
    const int segment = lz / 16;
    const auto at = [&](int a, int b, int c) -> std::int8_t& {
        const int p = (a + lz) % lz, q = (b + ly) % ly, r = (c + lx) % lx;
        return spins[static_cast<std::size_t>((p * ly + q) * lx + r)];
    };
    for (int colour = 0; colour < 2; ++colour) {
        for (int a = 0; a < lz; ++a) {
            for (int b = 0; b < ly; ++b) {
                for (int c = 0; c < lx; ++c) {
                    if ((a + b + c) % 2 != colour) continue;
                    int sum = at(a - 1, b, c) + at(a + 1, b, c) + at(a, b, c - 1) + at(a, b, c + 1);
                    if (shape.size() == 3) sum += at(a, b - 1, c) + at(a, b + 1, c);
                    const double pull = 2 * strength * sum;
                    std::int8_t& spin = at(a, b, c);
                    const double chance =
                        heat_bath ? 1 / (1 + std::exp(-pull)) : std::exp(-pull * spin);
                    const auto row =
                        static_cast<std::uint64_t>((colour * segment + a % segment) * ly + b);
                    const auto j = static_cast<std::uint64_t>(c / 2);
                    const std::uint64_t slot = row * static_cast<std::uint64_t>(lx / 64) + j / 32;
                    // Bits until the rest of them cannot matter any more.
                    const auto word = static_cast<std::uint64_t>(a / segment);
                    double draw = 0, rest = 1;
                    for (std::uint64_t plane = 0; plane < 64 && std::abs(draw - chance) <= rest;
                         ++plane) {
                        std::uint32_t words[4];
                        random.fill(sweep, (slot * 64 + plane) * 4 + word / 4, 1, words);
                        rest /= 2;
                        draw += rest * ((words[word % 4] >> (j % 32)) & 1U);
                    }
                    if (heat_bath) {
                        spin = draw < chance ? 1 : -1;
                    } else if (draw < chance) {
                        spin = static_cast<std::int8_t>(-spin);
                    }
                }
            }
        }
    }
}

}  // namespace

TEST("bits are updated as single spins with the same draws are") {
    for (const auto& shape : std::vector<std::vector<int>>{{32, 64}, {32, 128}, {32, 4, 64}}) {
        for (const double strength : {0.3, -0.2}) {
            for (const bool heat_bath : {false, true}) {
                std::size_t n = 1;
                for (const int length : shape) n *= static_cast<std::size_t>(length);
                auto expected = random_spins(n);
                const auto sampler =
                    single_spin_sampler(nearest(shape, strength),
                                        heat_bath ? Method::heat_bath : Method::metropolis, 3, 1);
                sampler->assign(expected, 4);
                std::vector<std::int8_t> found(n);
                sampler->values(found);
                CHECK(found == expected);
                sampler->run(2);
                sampler->values(found);
                plain_sweep(expected, shape, strength, heat_bath, 3, 5);
                plain_sweep(expected, shape, strength, heat_bath, 3, 6);
                CHECK(found == expected);
                std::vector<std::uint8_t> bits(n / 8);
                sampler->bits(bits);
                for (std::size_t k = 0; k < n; ++k) {
                    CHECK(((bits[k / 8] >> (k % 8)) & 1) == (expected[k] > 0 ? 1 : 0));
                }
            }
        }
    }
}

TEST("threads do not change bits") {
    const std::size_t n = 512 * 512;
    const auto start = random_spins(n);
    std::vector<std::vector<std::int8_t>> found;
    const int before = regrain::threads();
    for (const int threads : {1, 2, 3}) {
        regrain::set_threads(threads);
        const auto sampler =
            single_spin_sampler(nearest({512, 512}, 0.44), Method::metropolis, 1, 1);
        sampler->assign(start, 0);
        sampler->run(5);
        found.emplace_back(n);
        sampler->values(found.back());
    }
    regrain::set_threads(before);
    CHECK(found[0] == found[1]);
    CHECK(found[0] == found[2]);
    CHECK(found[0] != start);
}
