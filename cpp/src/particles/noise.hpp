// Normal numbers for the kernels, from random bits: by Box and Muller in single precision, whose 24
// bits are far more than a kick needs (the tails still reach 6.7 sigma, as a float near zero has a
// fine grid). Written without branches and calls, so that a loop over them becomes vector code.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "simd.hpp"

namespace regrain::particles::noise {

/// How many are made at once: the arrays stay in the first-level cache.
inline constexpr std::size_t block = 64;

struct alignas(64) Words {
    std::array<std::uint32_t, block> a, b, c, d;
};

/// Of which generator, in which step.
struct Source {
    std::uint64_t seed;
    std::uint32_t stream;
    std::uint64_t step;
};

/// Philox::bits(step, index(k), draw) for k < count, spelled out for the vectoriser.
template <class Index>
REGRAIN_INLINE void draw(const Source& source, std::uint16_t number, std::size_t count,
                         Index&& index, Words& out) {
    const auto low = static_cast<std::uint32_t>(source.step);
    const auto high = static_cast<std::uint32_t>((source.step >> 32) & 0xFFFFU) |
                      (static_cast<std::uint32_t>(number) << 16);
    const auto key0 = static_cast<std::uint32_t>(source.seed);
    const auto key1 = static_cast<std::uint32_t>(source.seed >> 32);
    const std::uint32_t stream = source.stream;
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
        std::uint32_t w0 = index(k), w1 = stream, w2 = low, w3 = high;
        std::uint32_t k0 = key0, k1 = key1;
#pragma GCC unroll 10
        for (int round = 0; round < 10; ++round) {
            const std::uint64_t p0 = 0xD2511F53ULL * w0;
            const std::uint64_t p1 = 0xCD9E8D57ULL * w2;
            w0 = static_cast<std::uint32_t>(p1 >> 32) ^ w1 ^ k0;
            w1 = static_cast<std::uint32_t>(p1);
            w2 = static_cast<std::uint32_t>(p0 >> 32) ^ w3 ^ k1;
            w3 = static_cast<std::uint32_t>(p0);
            k0 += 0x9E3779B9U;
            k1 += 0xBB67AE85U;
        }
        out.a[k] = w0;
        out.b[k] = w1;
        out.c[k] = w2;
        out.d[k] = w3;
    }
}

/// ln of u > 0, to 1e-7.
REGRAIN_INLINE float log_of(float u) {
    // u = m 2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh((m - 1) / (m + 1)).
    const auto bits = std::bit_cast<std::uint32_t>(u);
    const std::uint32_t shifted = bits - 0x3F3504F3U;
    const auto e = static_cast<float>(static_cast<std::int32_t>(shifted) >> 23);
    const float m = std::bit_cast<float>((shifted & 0x007FFFFFU) + 0x3F3504F3U);
    const float s = (m - 1.0F) / (m + 1.0F);
    const float s2 = s * s;
    const float artanh = s * (1.0F + s2 * (1.0F / 3 + s2 * (1.0F / 5 + s2 * (1.0F / 7))));
    return e * 0.693147180559945F + 2.0F * artanh;
}

/// A uniform number (word + 1/2) / 2^32, kept below 1 where it would round to 1.
REGRAIN_INLINE float uniform(std::uint32_t word) {
    const auto n = static_cast<std::int32_t>(std::min(word >> 1, 0x7FFFFFBFU));
    return static_cast<float>(n) * 0x1p-31F + 0x1p-33F;
}

REGRAIN_INLINE float twice_minus_log(std::uint32_t word) { return -2.0F * log_of(uniform(word)); }

struct SinCos {
    float sin, cos;
};

/// Of the angle word * 2 pi / 2^32: the nearest quarter turn, and Taylor series to a rounding error
/// for the rest, which is at most pi / 4.
REGRAIN_INLINE SinCos sin_cos(std::uint32_t word) {
    const std::uint32_t quarter = (word + 0x20000000U) >> 30;
    const auto rest = static_cast<std::int32_t>(word - (quarter << 30));
    const float x = static_cast<float>(rest) * 1.46291807926715968e-9F;  // 2 pi / 2^32
    const float x2 = x * x;
    const float sine =
        x * (1.0F + x2 * (-1.0F / 6 + x2 * (1.0F / 120 + x2 * (-1.0F / 5040 + x2 / 362880))));
    const float cosine =
        1.0F + x2 * (-0.5F + x2 * (1.0F / 24 + x2 * (-1.0F / 720 + x2 * (1.0F / 40320))));
    // Odd quarters exchange the two, and signs are bits.
    const auto sine_bits = std::bit_cast<std::uint32_t>(sine);
    const auto cosine_bits = std::bit_cast<std::uint32_t>(cosine);
    const std::uint32_t exchange = (sine_bits ^ cosine_bits) & (0U - (quarter & 1U));
    return {std::bit_cast<float>(sine_bits ^ exchange ^ ((quarter & 2U) << 30)),
            std::bit_cast<float>(cosine_bits ^ exchange ^ (((quarter + 1U) & 2U) << 30))};
}

struct alignas(64) Normals {
    std::array<float, block> x, y, z;
};

/// Three standard normal numbers each.
REGRAIN_INLINE void normals(const Words& words, std::size_t count, Normals& out) {
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
        const float r0 = __builtin_sqrtf(twice_minus_log(words.a[k]));
        const float r1 = __builtin_sqrtf(twice_minus_log(words.c[k]));
        const SinCos t0 = sin_cos(words.b[k]);
        out.x[k] = r0 * t0.cos;
        out.y[k] = r0 * t0.sin;
        out.z[k] = r1 * sin_cos(words.d[k]).cos;
    }
}

}  // namespace regrain::particles::noise
