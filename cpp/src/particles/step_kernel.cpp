#include "step_kernel.hpp"

#include <algorithm>
#include <array>

#include "simd.hpp"

namespace regrain::particles {

namespace {

using noise::block;

// Per block of particles: factors of velocities, and noise of its full size.
struct Exchange {
    alignas(64) std::array<double, block> keep;
    alignas(64) std::array<float, block> spread;
    noise::Normals g;
};

REGRAIN_INLINE void factors_of_types(const Pass& pass, std::size_t first, std::size_t count,
                                     Exchange& out) {
    const Bath& bath = *pass.bath;
    for (std::size_t k = 0; k < count; ++k) {
        const auto type = static_cast<std::size_t>(pass.rows[first + k].tag);
        out.keep[k] = bath.keep[type];
        out.spread[k] = bath.spread[type];
    }
}

REGRAIN_INLINE void draw_noise(const Pass& pass, std::size_t first, std::size_t count,
                               Exchange& out) {
    noise::Words words;
    const std::uint32_t* ids = pass.ids + first;
    noise::draw(
        pass.bath->source, 0, count, [ids](std::size_t k) { return ids[k]; }, words);
    noise::normals(words, count, out.g);
    const Motion* motion = pass.motion + first;
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
        const float size =
            out.spread[k] * __builtin_sqrtf(static_cast<float>(motion[k].inverse_mass));
        out.g.x[k] *= size;
        out.g.y[k] *= size;
        out.g.z[k] *= size;
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
    [[maybe_unused]] Exchange exchange;
    [[maybe_unused]] bool by_type = false;
    if constexpr (with_bath) {
        by_type = pass.bath->keep.size() > 1;
        exchange.keep.fill(pass.bath->keep[0]);
        exchange.spread.fill(pass.bath->spread[0]);
    }
    for (std::size_t first = begin; first < end; first += block) {
        const std::size_t count = std::min(block, end - first);
        if constexpr (with_bath) {
            if (by_type) factors_of_types(pass, first, count, exchange);
            draw_noise(pass, first, count, exchange);
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
                const V g{exchange.g.x[k], exchange.g.y[k], exchange.g.z[k], 0.0};
                const V before = v * v;
                v = v * exchange.keep[k] + g;
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
