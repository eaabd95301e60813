// What kernels of pairwise thermostats share: the points near a point, weights and noise.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

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

/// Some points and those near each, in lists filled up to whole vectors.
struct Near {
    static constexpr std::size_t enough = 24;  ///< points that are worth a round
    std::vector<std::uint32_t> centre, first, other;
};

/// A cell, and the runs around it.
struct Search {
    const PairwiseCells* cells;
    PairwiseCells::Run own;
    PairwiseCells::Run runs[9];
};

/// Room for all that a search may find.
REGRAIN_INLINE void make_room(const Search& s, Near& near, std::size_t at) {
    std::size_t most = 32;
    for (const auto& run : s.runs) most += run.end - run.begin + 16;
    most = at + most * (s.own.end - s.own.begin);
    if (near.other.size() < most) near.other.resize(2 * most);
}

// Appends the points near those of a cell, and what fills up the last vector of each list, which
// need not be a neighbour: the forces know. Returns the new end of the lists.
template <int W>
REGRAIN_INLINE std::size_t search(const Search& s, Near& near, std::size_t at, std::size_t width) {
    using Float = typename simd::Types<W>::Float;
    const PairwiseCells& cells = *s.cells;
    make_room(s, near, at);
    std::uint32_t* other = near.other.data();
    for (std::uint32_t i = s.own.begin; i < s.own.end; ++i) {
        if (cells.points()[i].image != 0) continue;
        near.centre.push_back(i);
        near.first.push_back(static_cast<std::uint32_t>(at));
        const float x = cells.x()[i], y = cells.y()[i], z = cells.z()[i];
        for (const auto& run : s.runs) {
            for (std::uint32_t k = run.begin; k < run.end; k += W) {
                const Float dx = simd::load<Float>(cells.x() + k) - x;
                const Float dy = simd::load<Float>(cells.y() + k) - y;
                const Float dz = simd::load<Float>(cells.z() + k) - z;
                const Float r2 = dx * dx + dy * dy + dz * dz;
                for (std::uint32_t m = 0; m < W; ++m) {
                    other[at] = k + m;
                    at += static_cast<std::size_t>(r2[m] < cells.generous()) &
                          static_cast<std::size_t>(k + m < run.end) &
                          static_cast<std::size_t>(k + m != i);
                }
            }
        }
        while (at % width != 0) other[at++] = cells.far_point();
    }
    return at;
}

#if REGRAIN_X86
// AVX-512 can compact a vector in one instruction, which no portable expression gives.
REGRAIN_TARGET_V4 inline std::size_t search_v4(const Search& s, Near& near, std::size_t at) {
    const PairwiseCells& cells = *s.cells;
    make_room(s, near, at);
    std::uint32_t* other = near.other.data();
    const PairPoint* points = cells.points().data();
    const float *px = cells.x(), *py = cells.y(), *pz = cells.z();
    const __m512 cutoff2 = _mm512_set1_ps(cells.generous());
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i far_point = _mm512_set1_epi32(static_cast<int>(cells.far_point()));
    for (std::uint32_t i = s.own.begin; i < s.own.end; ++i) {
        if (points[i].image != 0) continue;
        near.centre.push_back(i);
        near.first.push_back(static_cast<std::uint32_t>(at));
        const __m512 x = _mm512_set1_ps(px[i]);
        const __m512 y = _mm512_set1_ps(py[i]);
        const __m512 z = _mm512_set1_ps(pz[i]);
        const __m512i self = _mm512_set1_epi32(static_cast<int>(i));
        for (const auto& run : s.runs) {
            for (std::uint32_t k = run.begin; k < run.end; k += 16) {
                const __m512 dx = _mm512_sub_ps(_mm512_loadu_ps(px + k), x);
                const __m512 dy = _mm512_sub_ps(_mm512_loadu_ps(py + k), y);
                const __m512 dz = _mm512_sub_ps(_mm512_loadu_ps(pz + k), z);
                const __m512 r2 =
                    _mm512_fmadd_ps(dx, dx, _mm512_fmadd_ps(dy, dy, _mm512_mul_ps(dz, dz)));
                const __m512i number =
                    _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(k)));
                const std::uint32_t left = run.end - k;
                const auto listed =
                    static_cast<__mmask16>(left >= 16 ? 0xFFFFU : (1U << left) - 1U);
                const __mmask16 others = _mm512_mask_cmpneq_epi32_mask(listed, number, self);
                const __mmask16 inside = _mm512_mask_cmp_ps_mask(others, r2, cutoff2, _CMP_LT_OQ);
                _mm512_storeu_si512(other + at, _mm512_maskz_compress_epi32(inside, number));
                at += static_cast<std::size_t>(__builtin_popcount(inside));
            }
        }
        _mm512_storeu_si512(other + at, far_point);
        at = (at + 7) / 8 * 8;
    }
    return at;
}
REGRAIN_TARGET_V3 inline std::size_t search_v3(const Search& s, Near& near, std::size_t at) {
    return search<8>(s, near, at, 4);
}
#endif
inline std::size_t search_any(const Search& s, Near& near, std::size_t at) {
    return search<4>(s, near, at, 2);
}
using Finder = std::size_t (*)(const Search&, Near&, std::size_t);

/// w^(exponent / 2) for w in [0, 1].
template <int W, bool square>
REGRAIN_INLINE Double<W> random_weight(const Double<W>& w, double exponent) {
    if constexpr (square) return w;
    Double<W> power;
    for (int m = 0; m < W; ++m) power[m] = std::pow(w[m], 0.5 * exponent);
    return power;
}

/// Words of a particle and W others. Numbers of 32 bits are hashed where they lie, in every other
/// lane: a conversion would be taken apart lane by lane.
template <int W>
REGRAIN_INLINE Index<2 * W> words(const PairNoise& noise, std::uint32_t id, const Int<W>& tags) {
    using Words = Index<2 * W>;
    const Words ids = (Words)tags;
    const Words mine = Words{} + id;
    const Words low = ids < mine ? ids : mine;
    const Words high = ids < mine ? mine : ids;
    const Words inner = PairNoise::mixed<Words>(low ^ noise.key(0));
    return PairNoise::mixed<Words>(inner ^ high ^ noise.key(1));
}

/// PairNoise::uniform of these, not yet scaled.
template <int W>
REGRAIN_INLINE Double<W> uniform(const PairNoise& noise, std::uint32_t id, const Int<W>& tags) {
    const Index<2 * W> word = words<W>(noise, id, tags);
    constexpr double integer = 0x1p52;  // its low bits are those of the integer added to it
    const Int<W> bits = ((Int<W>)word & 0xFFFFFFFF) | std::bit_cast<std::int64_t>(integer);
    return ((Double<W>)bits - integer) - PairNoise::middle;
}

/// Goes through the cells of some columns.
struct Walk {
    const PairwiseCells* cells;
    std::size_t column, end;
    bool upwards{false};  ///< leaves out the cells below
    std::size_t cell{1};

    /// Finds the neighbours of enough points, if there are so many left.
    REGRAIN_INLINE bool next(Finder find, Near& near) {
        near.centre.clear();
        near.first.clear();
        std::size_t at = 0;
        Search s{cells, {}, {}};
        while (near.centre.size() < Near::enough && column < end) {
            s.own = cells->cell(column, cell);
            if (s.own.begin != s.own.end) {
                cells->around(column, cell, s.runs);
                if (upwards) s.runs[0] = s.runs[1] = s.runs[2] = {};
                at = find(s, near, at);
            }
            if (++cell > cells->cells()) {
                cell = 1;
                ++column;
            }
        }
        near.first.push_back(static_cast<std::uint32_t>(at));
        return !near.centre.empty();
    }
};

}  // namespace

}  // namespace regrain::particles
