#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace regrain {

/// Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3", SC11 (2011). A draw is a pure function of (seed, stream, step,
/// index, draw): nothing is stored, any thread may ask for any number, and a run continued from a
/// checkpoint draws what it would have drawn.
class Philox {
public:
    using Word = std::array<std::uint32_t, 4>;

    constexpr Philox(std::uint64_t seed, std::uint32_t stream)
        : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
          stream_(stream) {}

    /// 128 random bits for a step (< 2^48), an index in that step and a draw for that index.
    [[nodiscard]] constexpr Word bits(std::uint64_t step, std::uint32_t index,
                                      std::uint16_t draw = 0) const {
        const auto high = static_cast<std::uint32_t>((step >> 32) & 0xFFFFU);
        return rounds({index, stream_, static_cast<std::uint32_t>(step),
                       high | (static_cast<std::uint32_t>(draw) << 16)},
                      key_);
    }

    /// Two uniform numbers in (0, 1), 53 bits each.
    [[nodiscard]] constexpr std::array<double, 2> uniform2(std::uint64_t step, std::uint32_t index,
                                                           std::uint16_t draw = 0) const {
        const Word w = bits(step, index, draw);
        return {open53(w[0], w[1]), open53(w[2], w[3])};
    }

    /// Four independent standard normal numbers (Box-Muller on 32-bit uniforms: tails to 6.7
    /// sigma), what thermal noise needs.
    [[nodiscard]] std::array<double, 4> normal4(std::uint64_t step, std::uint32_t index,
                                                std::uint16_t draw = 0) const {
        const Word w = bits(step, index, draw);
        std::array<double, 4> out{};
        for (std::size_t k = 0; k < 4; k += 2) {
            const double radius =
                std::sqrt(-2.0 * std::log((static_cast<double>(w[k]) + 0.5) * 0x1p-32));
            const double angle =
                2.0 * std::numbers::pi * (static_cast<double>(w[k + 1]) + 0.5) * 0x1p-32;
            out[k] = radius * std::cos(angle);
            out[k + 1] = radius * std::sin(angle);
        }
        return out;
    }

    /// The bare bijection, for tests against published vectors.
    [[nodiscard]] static constexpr Word rounds(Word c, std::array<std::uint32_t, 2> k) {
        for (int round = 0; round < 10; ++round) {
            const std::uint64_t p0 = 0xD2511F53ULL * c[0];
            const std::uint64_t p1 = 0xCD9E8D57ULL * c[2];
            c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
                 static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1],
                 static_cast<std::uint32_t>(p0)};
            k[0] += 0x9E3779B9U;
            k[1] += 0xBB67AE85U;
        }
        return c;
    }

private:
    static constexpr double open53(std::uint32_t a, std::uint32_t b) {
        const std::uint64_t word = (static_cast<std::uint64_t>(a) << 32) | b;
        return (static_cast<double>(word >> 11) + 0.5) * 0x1p-53;
    }

    std::array<std::uint32_t, 2> key_;
    std::uint32_t stream_;
};

}  // namespace regrain
