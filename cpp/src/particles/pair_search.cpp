#include "pair_search.hpp"

#include <algorithm>

#include "simd.hpp"

#if REGRAIN_X86
#include <immintrin.h>
#endif

namespace regrain::particles {

namespace {

constexpr float nowhere = 1e18F;

// The runs of points that may be within reach of a region, and room for all of them.
void collect_runs(const PairGrid::Layout& points, const PairGrid::Region& region, Nearby& found) {
    const auto [bins, columns, layers] = points.bins;
    const auto apart = [](std::int32_t at, const PairGrid::Range& range) {
        return std::max({0, range.first - at, at - range.last});
    };
    const std::int32_t k_first = std::max(0, region.z.first - points.far);
    const std::int32_t k_last = std::min(region.z.last + points.far, layers - 1);
    const std::int32_t j_first = std::max(0, region.y.first - points.far);
    const std::int32_t j_last = std::min(region.y.last + points.far, columns - 1);
    const auto most = static_cast<std::size_t>((k_last - k_first + 1) * (j_last - j_first + 1));
    if (found.runs.size() < most) found.runs.resize(2 * most);
    Nearby::Run* run = found.runs.data();
    std::size_t total = 2 * PairGrid::overread;
    for (std::int32_t k = k_first; k <= k_last; ++k) {
        const std::int32_t* half = points.half + apart(k, region.z) * (points.far + 1);
        for (std::int32_t j = j_first; j <= j_last; ++j) {
            const std::int32_t reach = half[apart(j, region.y)];
            if (reach < 0) continue;
            const std::uint32_t* start =
                points.start +
                (static_cast<std::ptrdiff_t>(k) * columns + j) * static_cast<std::ptrdiff_t>(bins);
            *run = {start[std::max(0, region.x.first - reach)],
                    start[std::min(bins, region.x.last + reach + 1)]};
            total += run->end - run->begin;
            ++run;
        }
    }
    found.runs_end = run;
    if (found.row.size() >= total) return;
    found.row.resize(2 * total);
    for (std::vector<float>* v : {&found.x, &found.y, &found.z}) v->resize(2 * total);
}

// Distances by vectors, then a compaction without branches.
template <int W>
REGRAIN_INLINE void group_in(const PairGrid::Layout& points, const GroupPlaces& group, float limit,
                             Nearby& found) {
    using V = simd::Float<W>;
    std::size_t count = 0;
    for (const Nearby::Run* run = found.runs.data(); run != found.runs_end; ++run) {
        for (std::uint32_t p = run->begin; p < run->end; p += W) {
            const V x = simd::load<V>(points.x + p);
            const V y = simd::load<V>(points.y + p);
            const V z = simd::load<V>(points.z + p);
            V least{};
            for (std::size_t g = 0; g < group_size; ++g) {
                const auto [gx, gy, gz] = group.at[g];
                const V dx = x - gx, dy = y - gy, dz = z - gz;
                const V r2 = dx * dx + dy * dy + dz * dz;
                least = g == 0 ? r2 : (r2 < least ? r2 : least);
            }
            for (std::uint32_t m = 0; m < W; ++m) {
                const std::uint32_t row = points.row[p + m];
                found.row[count] = row;
                found.x[count] = x[m];
                found.y[count] = y[m];
                found.z[count] = z[m];
                count += static_cast<std::size_t>(least[m] < limit) &
                         static_cast<std::size_t>(row - group.first >= group.count) &
                         static_cast<std::size_t>(p + m < run->end);
            }
        }
    }
    found.count = count;
    for (std::size_t k = 0; k < PairGrid::overread; ++k) found.x[count + k] = nowhere;
}

struct RowQuery {
    const Nearby* nearby;
    std::array<float, 3> place;
    float limit;
    std::uint32_t* rows;
};

template <int W>
REGRAIN_INLINE std::size_t row_in(const RowQuery& q) {
    using V = simd::Float<W>;
    const Nearby& near = *q.nearby;
    std::size_t found = 0;
    for (std::size_t k = 0; k < near.count; k += W) {
        const V dx = simd::load<V>(near.x.data() + k) - q.place[0];
        const V dy = simd::load<V>(near.y.data() + k) - q.place[1];
        const V dz = simd::load<V>(near.z.data() + k) - q.place[2];
        const V r2 = dx * dx + dy * dy + dz * dz;
        for (int m = 0; m < W; ++m) {
            q.rows[found] = near.row[k + static_cast<std::size_t>(m)];
            found += static_cast<std::size_t>(r2[m] < q.limit);
        }
    }
    return found;
}

#if REGRAIN_X86
// AVX-512 can compact a vector in one instruction, which no portable expression gives.
REGRAIN_TARGET_V4 void group_v4(const PairGrid::Layout& points, const GroupPlaces& group,
                                float limit_, Nearby* to) {
    Nearby& found = *to;
    __m512 gx[group_size], gy[group_size], gz[group_size];
    for (std::size_t g = 0; g < group_size; ++g) {
        gx[g] = _mm512_set1_ps(group.at[g][0]);
        gy[g] = _mm512_set1_ps(group.at[g][1]);
        gz[g] = _mm512_set1_ps(group.at[g][2]);
    }
    const __m512 limit = _mm512_set1_ps(limit_);
    const __m512i own = _mm512_set1_epi32(static_cast<int>(group.first));
    const __m512i width = _mm512_set1_epi32(static_cast<int>(group.count));
    std::uint32_t* to_row = found.row.data();
    float *to_x = found.x.data(), *to_y = found.y.data(), *to_z = found.z.data();
    std::size_t count = 0;
    for (const Nearby::Run* run = found.runs.data(); run != found.runs_end; ++run) {
        for (std::uint32_t p = run->begin; p < run->end; p += 16) {
            const __m512 x = _mm512_loadu_ps(points.x + p);
            const __m512 y = _mm512_loadu_ps(points.y + p);
            const __m512 z = _mm512_loadu_ps(points.z + p);
            __m512 least = limit;
            for (std::size_t g = 0; g < group_size; ++g) {
                const __m512 dx = _mm512_sub_ps(x, gx[g]);
                const __m512 dy = _mm512_sub_ps(y, gy[g]);
                const __m512 dz = _mm512_sub_ps(z, gz[g]);
                const __m512 r2 =
                    _mm512_fmadd_ps(dx, dx, _mm512_fmadd_ps(dy, dy, _mm512_mul_ps(dz, dz)));
                least = r2 < least ? r2 : least;  // GCC 12 warns of _mm512_min_ps
            }
            const __m512i row = _mm512_loadu_si512(points.row + p);
            const auto inside = static_cast<__mmask16>((1U << std::min(16U, run->end - p)) - 1U);
            const __mmask16 other =
                _mm512_mask_cmpge_epu32_mask(inside, _mm512_sub_epi32(row, own), width);
            const __mmask16 near = _mm512_mask_cmp_ps_mask(other, least, limit, _CMP_LT_OQ);
            _mm512_storeu_si512(to_row + count, _mm512_maskz_compress_epi32(near, row));
            _mm512_storeu_ps(to_x + count, _mm512_maskz_compress_ps(near, x));
            _mm512_storeu_ps(to_y + count, _mm512_maskz_compress_ps(near, y));
            _mm512_storeu_ps(to_z + count, _mm512_maskz_compress_ps(near, z));
            count += static_cast<std::size_t>(__builtin_popcount(near));
        }
    }
    found.count = count;
    _mm512_storeu_ps(to_x + count, _mm512_set1_ps(nowhere));
}
REGRAIN_TARGET_V3 void group_v3(const PairGrid::Layout& points, const GroupPlaces& group,
                                float limit, Nearby* found) {
    group_in<8>(points, group, limit, *found);
}

REGRAIN_TARGET_V4 std::size_t row_v4(const RowQuery& q) {
    const float *px = q.nearby->x.data(), *py = q.nearby->y.data(), *pz = q.nearby->z.data();
    const std::uint32_t* row = q.nearby->row.data();
    const __m512 x = _mm512_set1_ps(q.place[0]), y = _mm512_set1_ps(q.place[1]),
                 z = _mm512_set1_ps(q.place[2]), limit = _mm512_set1_ps(q.limit);
    const std::size_t count = q.nearby->count;
    std::uint32_t* out = q.rows;
    for (std::size_t k = 0; k < count; k += 16) {
        const __m512 dx = _mm512_sub_ps(_mm512_loadu_ps(px + k), x);
        const __m512 dy = _mm512_sub_ps(_mm512_loadu_ps(py + k), y);
        const __m512 dz = _mm512_sub_ps(_mm512_loadu_ps(pz + k), z);
        const __m512 r2 = _mm512_fmadd_ps(dx, dx, _mm512_fmadd_ps(dy, dy, _mm512_mul_ps(dz, dz)));
        const __mmask16 near = _mm512_cmp_ps_mask(r2, limit, _CMP_LT_OQ);
        _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(near, _mm512_loadu_si512(row + k)));
        out += __builtin_popcount(near);
    }
    return static_cast<std::size_t>(out - q.rows);
}
REGRAIN_TARGET_V3 std::size_t row_v3(const RowQuery& q) { return row_in<8>(q); }
#endif
void group_any(const PairGrid::Layout& points, const GroupPlaces& group, float limit,
               Nearby* found) {
    group_in<4>(points, group, limit, *found);
}
std::size_t row_any(const RowQuery& q) { return row_in<4>(q); }

}  // namespace

void search_group(const PairGrid::Layout& points, const PairGrid::Region& region,
                  const GroupPlaces& group, float reach, Nearby& found) {
    collect_runs(points, region, found);
    simd::dispatch(REGRAIN_LEVELS(group), points, group, reach * reach, &found);
}

std::size_t search_row(const Nearby& nearby, const std::array<float, 3>& place, float reach,
                       std::uint32_t* rows) {
    return simd::dispatch(REGRAIN_LEVELS(row), RowQuery{&nearby, place, reach * reach, rows});
}

}  // namespace regrain::particles
