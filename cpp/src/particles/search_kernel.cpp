#include "search_kernel.hpp"

#include <limits>

#include "simd.hpp"

#if REGRAIN_X86
#include <immintrin.h>
#endif

namespace regrain::particles {

namespace {

// Candidates end in a vector of points that are nowhere.
constexpr double nowhere = std::numeric_limits<double>::infinity();

struct Target {
    double *x, *y, *z;
    std::uint32_t* point;
};

// Runs are short: copied in whole vectors, of which the next run overwrites the excess.
template <int W>
REGRAIN_INLINE std::size_t copy(std::span<const SearchRun> runs, const PointArrays& from,
                                const Target& to, std::size_t count) {
    using V = simd::Double<W>;
    for (const SearchRun& run : runs) {
        const std::size_t length = run.end - run.begin;
        for (std::size_t k = 0; k < length; k += W) {
            simd::store(to.x + count + k, simd::load<V>(from.x + run.begin + k));
            simd::store(to.y + count + k, simd::load<V>(from.y + run.begin + k));
            simd::store(to.z + count + k, simd::load<V>(from.z + run.begin + k));
            simd::store(to.point + count + k,
                        simd::iota<W>(run.begin + static_cast<std::uint32_t>(k)));
        }
        count += length;
    }
    return count;
}

struct Query {
    PointArrays candidates;
    const std::uint32_t* number;
    std::size_t count;
    Vec3 r;
    std::uint32_t self;
    double cutoff2;
    std::uint32_t* point;
    double* r2;
};

// Distances by vectors, then a compaction without branches.
template <int W>
REGRAIN_INLINE std::size_t filter(const Query& q) {
    const auto [x, y, z] = q.candidates;
    std::size_t found = 0;
    for (std::size_t k = 0; k < q.count; k += W) {
        const simd::Double<W> dx = simd::load<simd::Double<W>>(x + k) - q.r.x;
        const simd::Double<W> dy = simd::load<simd::Double<W>>(y + k) - q.r.y;
        const simd::Double<W> dz = simd::load<simd::Double<W>>(z + k) - q.r.z;
        const simd::Double<W> r2 = dx * dx + dy * dy + dz * dz;
        for (int m = 0; m < W; ++m) {
            const std::uint32_t p = q.number[k + static_cast<std::size_t>(m)];
            q.point[found] = p;
            if (q.r2 != nullptr) q.r2[found] = r2[m];
            found +=
                static_cast<std::size_t>(r2[m] < q.cutoff2) & static_cast<std::size_t>(p != q.self);
        }
    }
    return found;
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 std::size_t copy_v4(std::span<const SearchRun> runs, const PointArrays& from,
                                      const Target& to, std::size_t count) {
    return copy<8>(runs, from, to, count);
}
REGRAIN_TARGET_V3 std::size_t copy_v3(std::span<const SearchRun> runs, const PointArrays& from,
                                      const Target& to, std::size_t count) {
    return copy<4>(runs, from, to, count);
}

// AVX-512 can compact a vector in one instruction, which no portable expression gives.
REGRAIN_TARGET_V4 std::size_t filter_v4(const Query& q) {
    const auto [px, py, pz] = q.candidates;
    const std::uint32_t* number = q.number;
    std::uint32_t* point = q.point;
    double* out = q.r2;
    const __m512d x = _mm512_set1_pd(q.r.x), y = _mm512_set1_pd(q.r.y), z = _mm512_set1_pd(q.r.z);
    const __m512d cutoff2 = _mm512_set1_pd(q.cutoff2);
    const __m256i self = _mm256_set1_epi32(static_cast<int>(q.self));
    const std::size_t count = q.count;
    std::size_t found = 0;
    for (std::size_t k = 0; k < count; k += 8) {
        const __m512d dx = _mm512_sub_pd(_mm512_load_pd(px + k), x);
        const __m512d dy = _mm512_sub_pd(_mm512_load_pd(py + k), y);
        const __m512d dz = _mm512_sub_pd(_mm512_load_pd(pz + k), z);
        const __m512d r2 = _mm512_fmadd_pd(dx, dx, _mm512_fmadd_pd(dy, dy, _mm512_mul_pd(dz, dz)));
        const __m256i p = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(number + k));
        const __mmask8 near =
            _mm512_mask_cmp_pd_mask(_mm256_cmpneq_epi32_mask(p, self), r2, cutoff2, _CMP_LT_OQ);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(point + found),
                            _mm256_maskz_compress_epi32(near, p));
        if (out != nullptr) _mm512_storeu_pd(out + found, _mm512_maskz_compress_pd(near, r2));
        found += static_cast<std::size_t>(__builtin_popcount(near));
    }
    return found;
}
REGRAIN_TARGET_V3 std::size_t filter_v3(const Query& q) { return filter<4>(q); }
#endif
std::size_t copy_any(std::span<const SearchRun> runs, const PointArrays& from, const Target& to,
                     std::size_t count) {
    return copy<2>(runs, from, to, count);
}
std::size_t filter_any(const Query& q) { return filter<2>(q); }

}  // namespace

void copy_runs(std::span<const SearchRun> runs, const PointArrays& points,
               Cells::Candidates& candidates) {
    constexpr std::size_t lane = 8;
    std::size_t most = candidates.count + 2 * overread;
    for (const SearchRun& run : runs) most += run.end - run.begin;
    if (candidates.point.size() < most) {
        const std::size_t lanes = (2 * most + lane - 1) / lane;
        for (auto* v : {&candidates.x, &candidates.y, &candidates.z}) v->resize(lanes);
        candidates.point.resize(lanes * lane);
    }
    const Target to{&candidates.x.data()->v[0], &candidates.y.data()->v[0],
                    &candidates.z.data()->v[0], candidates.point.data()};
    candidates.count = simd::dispatch(REGRAIN_LEVELS(copy), runs, points, to, candidates.count);
    for (std::size_t k = 0; k < overread; ++k) to.x[candidates.count + k] = nowhere;
}

std::size_t filter_candidates(const Cells::Candidates& c, const Vec3& r, std::uint32_t self,
                              double cutoff2, std::uint32_t* point, double* r2) {
    if (c.count == 0) return 0;
    const PointArrays from{&c.x.data()->v[0], &c.y.data()->v[0], &c.z.data()->v[0]};
    return simd::dispatch(REGRAIN_LEVELS(filter),
                          Query{from, c.point.data(), c.count, r, self, cutoff2, point, r2});
}

}  // namespace regrain::particles
