#include "step_kernel.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "simd.hpp"

namespace regrain::particles {

namespace {

// Particles whose noise is made at once: the arrays stay in the first-level cache.
constexpr std::size_t block = 64;

struct Noise {
    alignas(64) std::array<float, block> x, y, z;
};

// Normal numbers by Box and Muller in single precision, whose 24 bits are far more than a kick
// needs (the tails still reach 6.7 sigma, as a float near zero has a fine grid). Written without
// branches and calls, so that a loop over it becomes vector code.

// -2 ln of a uniform number (word + 1/2) / 2^32, kept below 1 where it would round to 1.
REGRAIN_INLINE float twice_minus_log(std::uint32_t word) {
    const auto n = static_cast<std::int32_t>(std::min(word >> 1, 0x7FFFFFBFU));
    const float u = static_cast<float>(n) * 0x1p-31F + 0x1p-33F;
    // u = m 2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh((m - 1) / (m + 1)).
    const auto bits = std::bit_cast<std::uint32_t>(u);
    const std::uint32_t shifted = bits - 0x3F3504F3U;
    const auto e = static_cast<float>(static_cast<std::int32_t>(shifted) >> 23);
    const float m = std::bit_cast<float>((shifted & 0x007FFFFFU) + 0x3F3504F3U);
    const float s = (m - 1.0F) / (m + 1.0F);
    const float s2 = s * s;
    const float artanh = s * (1.0F + s2 * (1.0F / 3 + s2 * (1.0F / 5 + s2 * (1.0F / 7))));
    return -2.0F * (e * 0.693147180559945F + 2.0F * artanh);
}

struct SinCos {
    float sin, cos;
};

// Of the angle word * 2 pi / 2^32: the nearest quarter turn, and Taylor series to a rounding error
// for the rest, which is at most pi / 4.
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

REGRAIN_INLINE void make_noise(const Bath& bath, const std::uint32_t* ids, const Motion* motion,
                               std::size_t count, Noise& noise) {
    alignas(64) std::array<std::uint32_t, block> a, b, c, d;
    const auto low = static_cast<std::uint32_t>(bath.step);
    const auto high = static_cast<std::uint32_t>((bath.step >> 32) & 0xFFFFU);
    const auto key0 = static_cast<std::uint32_t>(bath.seed);
    const auto key1 = static_cast<std::uint32_t>(bath.seed >> 32);
    const std::uint32_t stream = bath.stream;
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
        // Philox::bits(step, ids[k]), spelled out for the vectoriser.
        std::uint32_t w0 = ids[k], w1 = stream, w2 = low, w3 = high;
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
        a[k] = w0;
        b[k] = w1;
        c[k] = w2;
        d[k] = w3;
    }
    const auto spread = static_cast<float>(bath.spread);
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
        const float size = spread * __builtin_sqrtf(static_cast<float>(motion[k].inverse_mass));
        const float r0 = size * __builtin_sqrtf(twice_minus_log(a[k]));
        const float r1 = size * __builtin_sqrtf(twice_minus_log(c[k]));
        const SinCos t0 = sin_cos(b[k]);
        noise.x[k] = r0 * t0.cos;
        noise.y[k] = r0 * t0.sin;
        noise.z[k] = r1 * sin_cos(d[k]).cos;
    }
}

// One particle is one vector: x, y, z and what else a record holds, which is masked out.
using V = simd::Double<4>;
using I = simd::Int<4>;

template <bool with_bath>
REGRAIN_INLINE PassOutcome pass_over(const Pass& pass, std::size_t begin, std::size_t end) {
    const I xyz{-1, -1, -1, 0};
    const V half = simd::broadcast<4>(pass.half_kick);
    const V limit = simd::broadcast<4>(pass.fastest * pass.fastest);
    V heat{};
    I wild{};
    Noise noise;
    for (std::size_t first = begin; first < end; first += block) {
        const std::size_t count = std::min(block, end - first);
        if constexpr (with_bath) {
            make_noise(*pass.bath, pass.ids + first, pass.motion + first, count, noise);
        }
        for (std::size_t k = 0; k < count; ++k) {
            const std::size_t row = first + k;
            const V record = simd::load<V>(pass.motion + row);
            const V inverse = simd::broadcast<4>(record[3]);
            const V kick = (V)((I)simd::load<V>(pass.force + row) & xyz) * (half * inverse);
            V v = (V)((I)record & xyz);
            for (int n = 0; n < pass.kicks; ++n) v += kick;
            wild |= ~(I)(v * v <= limit);
            V move = v * pass.drift;
            if constexpr (with_bath) {
                const V g{noise.x[k], noise.y[k], noise.z[k], 0.0};
                const V before = v * v;
                v = v * pass.bath->keep + g;
                const V after = v * v;
                heat += (after - before) * (0.5 * pass.mass[row]);
                wild |= ~(I)(after <= limit);
                if (pass.drift_again) move += v * pass.drift;
            }
            const I place = simd::load<I>(pass.rows + row);
            const V moved = (V)(place & xyz) + move;
            simd::store(pass.rows + row, ((I)moved & xyz) | (place & ~xyz));
            simd::store(pass.motion + row, ((I)v & xyz) | ((I)record & ~xyz));
        }
    }
    return {simd::sum<4>(heat), simd::any<4>(wild)};
}

REGRAIN_INLINE PassOutcome pass_any_bath(const Pass& pass, std::size_t begin, std::size_t end) {
    return pass.bath != nullptr ? pass_over<true>(pass, begin, end)
                                : pass_over<false>(pass, begin, end);
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 PassOutcome pass_v4(const Pass& pass, std::size_t begin, std::size_t end) {
    return pass_any_bath(pass, begin, end);
}
REGRAIN_TARGET_V3 PassOutcome pass_v3(const Pass& pass, std::size_t begin, std::size_t end) {
    return pass_any_bath(pass, begin, end);
}
#endif
PassOutcome pass_any(const Pass& pass, std::size_t begin, std::size_t end) {
    return pass_any_bath(pass, begin, end);
}

}  // namespace

PassOutcome step_kernel(const Pass& pass, std::size_t begin, std::size_t end) {
    return simd::dispatch(REGRAIN_LEVELS(pass), pass, begin, end);
}

}  // namespace regrain::particles
