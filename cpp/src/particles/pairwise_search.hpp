// What kernels of pairwise thermostats share: pairs of near points, weights and noise.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../base/vector_lines.hpp"
#include "pairwise_cells.hpp"
#include "regrain/particles/pairwise.hpp"
#include "simd.hpp"

#if REGRAIN_X86
#include <immintrin.h>
#endif

namespace regrain::particles {

// One translation unit's own: the instructions of a function depend on who includes it.
namespace {

using simd::Columns;
using simd::Double;
using simd::Index;
using simd::Int;

/// Pairs of near points. Vectors of 16 may be written behind the last.
struct Pairs {
    static constexpr std::size_t enough = 256;  ///< that are worth a round
    std::vector<std::uint32_t> first, second;
    std::size_t count{0};

    /// Room for all that a search may find.
    void make_room(const PairwiseCells::Near& near) {
        std::size_t most = 0;
        for (const auto& run : near.runs) most += run.end - run.begin + 16;
        most = count + most * (near.own.end - near.own.begin + 4) + 16;
        if (first.size() >= most) return;
        first.resize(2 * most);
        second.resize(2 * most);
    }
};

// Appends the pairs of the points of a cell. The forces know those that are not so near.
template <int W>
REGRAIN_INLINE void search(const PairwiseCells& cells, const PairwiseCells::Near& near,
                           Pairs& pairs) {
    using Float = typename simd::Types<W>::Float;
    pairs.make_room(near);
    std::uint32_t *first = pairs.first.data(), *second = pairs.second.data();
    std::size_t at = pairs.count;
    for (const auto& run : near.runs) {
        for (std::uint32_t k = run.begin; k < run.end; k += W) {
            const Float x = simd::load<Float>(cells.x() + k);
            const Float y = simd::load<Float>(cells.y() + k);
            const Float z = simd::load<Float>(cells.z() + k);
            for (std::uint32_t i = near.own.begin; i < near.own.end; ++i) {
                const Float dx = x - cells.x()[i], dy = y - cells.y()[i], dz = z - cells.z()[i];
                const Float r2 = dx * dx + dy * dy + dz * dz;
                for (std::uint32_t m = 0; m < W; ++m) {
                    first[at] = i;
                    second[at] = k + m;
                    at += static_cast<std::size_t>(r2[m] < cells.generous()) &
                          static_cast<std::size_t>(k + m < run.end) &
                          static_cast<std::size_t>(k + m > i);
                }
            }
        }
    }
    pairs.count = at;
}

#if REGRAIN_X86
// AVX-512 can compact a vector in one instruction, which no portable expression gives.
REGRAIN_TARGET_V4 inline void search_v4(const PairwiseCells& cells, const PairwiseCells::Near& near,
                                        Pairs& pairs) {
    pairs.make_room(near);
    std::uint32_t *first = pairs.first.data(), *second = pairs.second.data();
    std::size_t at = pairs.count;
    const float *px = cells.x(), *py = cells.y(), *pz = cells.z();
    const __m512 cutoff2 = _mm512_set1_ps(cells.generous());
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    // Points by fours and, often, one vector per run: loops of unknown length cost more than they
    // do.
    for (const auto& run : near.runs) {
        for (const float* v : {px, py, pz}) __builtin_prefetch(v + run.end + 16);
    }
    constexpr std::uint32_t abreast = 4;
    for (std::uint32_t first_of_four = near.own.begin; first_of_four < near.own.end;
         first_of_four += abreast) {
        for (const auto& run : near.runs) {
            for (std::uint32_t k = run.begin; k < run.end; k += 16) {
                const __m512 x = _mm512_loadu_ps(px + k);
                const __m512 y = _mm512_loadu_ps(py + k);
                const __m512 z = _mm512_loadu_ps(pz + k);
                const __m512i number =
                    _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(k)));
                const std::uint32_t left = run.end - k;
                const std::uint32_t listed = left >= 16 ? 0xFFFFU : (1U << left) - 1U;
#pragma GCC unroll 4
                for (std::uint32_t m = 0; m < abreast; ++m) {
                    const std::uint32_t i = first_of_four + m;
                    const __m512 dx = _mm512_sub_ps(x, _mm512_set1_ps(px[i]));
                    const __m512 dy = _mm512_sub_ps(y, _mm512_set1_ps(py[i]));
                    const __m512 dz = _mm512_sub_ps(z, _mm512_set1_ps(pz[i]));
                    const __m512 r2 =
                        _mm512_fmadd_ps(dx, dx, _mm512_fmadd_ps(dy, dy, _mm512_mul_ps(dz, dz)));
                    const __m512i self = _mm512_set1_epi32(static_cast<int>(i));
                    const auto mine = static_cast<__mmask16>(i < near.own.end ? listed : 0U);
                    const __mmask16 behind = _mm512_mask_cmpgt_epu32_mask(mine, number, self);
                    const __mmask16 inside =
                        _mm512_mask_cmp_ps_mask(behind, r2, cutoff2, _CMP_LT_OQ);
                    const __m512i found = _mm512_maskz_compress_epi32(inside, number);
                    const auto hits = static_cast<std::size_t>(__builtin_popcount(inside));
                    // Half a vector is written in half of the time, as most writes cross a line.
                    if (hits > 8) {
                        _mm512_storeu_si512(first + at, self);
                        _mm512_storeu_si512(second + at, found);
                    } else {
                        simd::store(first + at, __builtin_shufflevector(self, self, 0, 1, 2, 3));
                        simd::store(second + at, __builtin_shufflevector(found, found, 0, 1, 2, 3));
                    }
                    at += hits;
                }
            }
        }
    }
    pairs.count = at;
}
REGRAIN_TARGET_V3 inline void search_v3(const PairwiseCells& cells, const PairwiseCells::Near& near,
                                        Pairs& pairs) {
    search<8>(cells, near, pairs);
}
#endif
inline void search_any(const PairwiseCells& cells, const PairwiseCells::Near& near, Pairs& pairs) {
    search<4>(cells, near, pairs);
}
using Finder = void (*)(const PairwiseCells&, const PairwiseCells::Near&, Pairs&);

/// Calls f(first, second, live) with the pairs of a tile, W by W; of the last W only some are live,
/// the others are of points that are far from each other. Often the last of one round wait for
/// the next. Before that it calls fetch(point) for the points that they may be of.
template <int W, class Fetch, class F>
REGRAIN_INLINE void for_pairs(const PairwiseCells& cells, PairwiseCells::Tile tile, Finder find,
                              Fetch&& fetch, F&& f) {
    Pairs pairs;
    std::size_t column = tile.column, cell = 1;
    while (column < tile.end) {
        while (column < tile.end && pairs.count < Pairs::enough) {
            const PairwiseCells::Near near = cells.near(column, cell);
            for (const auto& run : near.runs) {
                // The last cell is new, and mostly has no more than four.
                for (std::uint32_t k = 0; k < 4; ++k) fetch(run.last + k);
            }
            if (near.own.begin != near.own.end) find(cells, near, pairs);
            if (++cell > cells.cells()) {
                cell = 1;
                ++column;
            }
        }
        std::size_t whole = pairs.count / W * W;
        if (column == tile.end && whole < pairs.count) {
            whole += W;
            for (std::size_t k = pairs.count; k < whole; ++k) {
                pairs.first[k] = cells.far_point();
                pairs.second[k] = cells.far_point() + 1;
            }
        }
        for (std::size_t k = 0; k < whole; k += W) {
            const std::size_t live = pairs.count - k;
            f(pairs.first.data() + k, pairs.second.data() + k,
              live < W ? static_cast<int>(live) : W);
        }
        if (column == tile.end) return;
        const std::size_t rest = pairs.count - whole;
        for (std::size_t k = 0; k < rest; ++k) {
            pairs.first[k] = pairs.first[whole + k];
            pairs.second[k] = pairs.second[whole + k];
        }
        pairs.count = rest;
    }
}

/// w^(exponent / 2) for w in [0, 1].
template <int W>
REGRAIN_INLINE Double<W> random_weight(const Double<W>& w, double exponent) {
    if (exponent == 2.0) return w;
    Double<W> power;
    for (int m = 0; m < W; ++m) power[m] = std::pow(w[m], 0.5 * exponent);
    return power;
}

/// Twice as many numbers of 32 bits, the words of pairs from the differences of those of particles
/// in every other one: a conversion would be taken apart lane by lane.
template <int W>
REGRAIN_INLINE Index<2 * W> words(const PairNoise& noise, const Double<W>& difference) {
    constexpr double integer = 0x1p52;  // its low bits are those of the integer added to it
    const Double<W> size = difference < 0.0 ? -difference : difference;
    return PairNoise::mixed<Index<2 * W>>((Index<2 * W>)(size + integer) ^ noise.key(1));
}

/// These as numbers.
template <int W>
REGRAIN_INLINE Double<W> numbers(const Index<2 * W>& words) {
    constexpr double integer = 0x1p52;
    const Int<W> bits = ((Int<W>)words & 0xFFFFFFFF) | std::bit_cast<std::int64_t>(integer);
    return (Double<W>)bits - integer;
}

}  // namespace

}  // namespace regrain::particles
