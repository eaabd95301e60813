#include "pair_search.hpp"

#include <algorithm>

#include "simd.hpp"

#if REGRAIN_X86
#include <immintrin.h>
#endif

namespace regrain::particles {

void Nearby::make_room(std::size_t points) {
    const std::size_t most = (points + 2 * PairGrid::overread) / 16 + 1;
    if (rows_.size() >= most) return;
    rows_.resize(2 * most);
    for (auto& array : numbers_) array.resize(2 * most);
}

namespace {

struct Gather {
    const PairGrid::Layout* points;
    const PairGrid::Region* region;
    std::array<float, 3> middle;
    Nearby* found;
};

// By whole vectors, of which the next run overwrites the excess.
template <int W>
REGRAIN_INLINE void copy_run(const Gather& work, std::uint32_t begin, std::uint32_t end,
                             std::size_t to) {
    using V = simd::Float<W>;
    const PairGrid::Layout& from = *work.points;
    Nearby& found = *work.found;
    for (; begin < end; begin += W, to += W) {
        const V x = simd::load<V>(from.x + begin) - work.middle[0];
        const V y = simd::load<V>(from.y + begin) - work.middle[1];
        const V z = simd::load<V>(from.z + begin) - work.middle[2];
        const V square = x * x + y * y + z * z;
        simd::store(found.x() + to, x);
        simd::store(found.y() + to, y);
        simd::store(found.z() + to, z);
        simd::store(found.square() + to, square);
        simd::store(found.row() + to, simd::load<simd::Index<W>>(from.row + begin));
    }
}

// The runs of points that may be within reach of a region.
template <int W>
REGRAIN_INLINE void gather_in(const Gather& work) {
    const PairGrid::Layout& points = *work.points;
    const PairGrid::Region& region = *work.region;
    const auto [bins, columns, layers] = points.bins;
    const auto apart = [](std::int32_t at, const PairGrid::Range& range) {
        return std::max({0, range.first - at, at - range.last});
    };
    const std::int32_t k_first = std::max(0, region.z.first - points.far);
    const std::int32_t k_last = std::min(region.z.last + points.far, layers - 1);
    const std::int32_t j_first = std::max(0, region.y.first - points.far);
    const std::int32_t j_last = std::min(region.y.last + points.far, columns - 1);
    std::size_t count = 0;
    for (std::int32_t k = k_first; k <= k_last; ++k) {
        const std::int32_t* half = points.half + apart(k, region.z) * (points.far + 1);
        for (std::int32_t j = j_first; j <= j_last; ++j) {
            const std::int32_t reach = half[apart(j, region.y)];
            if (reach < 0) continue;
            const std::uint32_t* start =
                points.start +
                (static_cast<std::ptrdiff_t>(k) * columns + j) * static_cast<std::ptrdiff_t>(bins);
            const std::uint32_t begin = start[std::max(0, region.x.first - reach)];
            const std::uint32_t end = start[std::min(bins, region.x.last + reach + 1)];
            work.found->make_room(count + (end - begin));
            copy_run<W>(work, begin, end, count);
            count += end - begin;
        }
    }
    Nearby& found = *work.found;
    found.count = count;
    found.make_room(count);
    constexpr float nowhere = 1e36F;
    for (std::size_t k = count; k < count + PairGrid::overread; ++k) {
        found.x()[k] = found.y()[k] = found.z()[k] = 0.0F;
        found.square()[k] = nowhere;
    }
}

template <std::size_t R>
struct Query {
    Nearby* nearby;
    const RowsAt<R>* rows;
    float limit;
    std::uint32_t* found;
};

// The square of a distance is that of the point, that of the row and a mixed product: three
// multiplications and additions for a pair. What the square of the first row adds is in the limit.
struct RowTerms {
    float x, y, z, square;
    explicit RowTerms(const std::array<float, 3>& at)
        : x(-2.0F * at[0]),
          y(-2.0F * at[1]),
          z(-2.0F * at[2]),
          square(at[0] * at[0] + at[1] * at[1] + at[2] * at[2]) {}
};

// A compaction without branches.
template <int W, std::size_t R>
REGRAIN_INLINE std::size_t rows_in(const Query<R>& q) {
    using V = simd::Float<W>;
    Nearby& near = *q.nearby;
    const RowTerms first(q.rows->at[0]);
    const float limit = q.limit - first.square;
    std::size_t found = 0;
    for (std::size_t k = 0; k < near.count; k += W) {
        const V x = simd::load<V>(near.x() + k);
        const V y = simd::load<V>(near.y() + k);
        const V z = simd::load<V>(near.z() + k);
        const V square = simd::load<V>(near.square() + k);
        V least{};
        for (std::size_t g = 0; g < R; ++g) {
            const RowTerms row(q.rows->at[g]);
            const V own = g == 0 ? square : square + (row.square - first.square);
            const V r2 = own + x * row.x + y * row.y + z * row.z;
            if (g == 0) least = r2;
            least = least < r2 ? least : r2;
        }
        for (std::size_t m = 0; m < W; ++m) {
            const std::uint32_t row = near.row()[k + m];
            q.found[found] = row;
            found += static_cast<std::size_t>(least[m] < limit) &
                     static_cast<std::size_t>(row - q.rows->first >= q.rows->count);
        }
    }
    return found;
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void gather_v4(const Gather& work) { gather_in<16>(work); }
REGRAIN_TARGET_V3 void gather_v3(const Gather& work) { gather_in<8>(work); }

// AVX-512 can compact a vector in one instruction, which no portable expression gives.
template <std::size_t R>
REGRAIN_TARGET_V4 std::size_t rows_v4(const Query<R>& q) {
    const float *px = q.nearby->x(), *py = q.nearby->y(), *pz = q.nearby->z();
    const float* ps = q.nearby->square();
    const std::uint32_t* row = q.nearby->row();
    const std::size_t count = q.nearby->count;
    const RowTerms first(q.rows->at[0]);
    __m512 gx[R], gy[R], gz[R], gs[R];
    for (std::size_t g = 0; g < R; ++g) {
        const RowTerms terms(q.rows->at[g]);
        gx[g] = _mm512_set1_ps(terms.x);
        gy[g] = _mm512_set1_ps(terms.y);
        gz[g] = _mm512_set1_ps(terms.z);
        gs[g] = _mm512_set1_ps(terms.square - first.square);
    }
    const __m512 limit = _mm512_set1_ps(q.limit - first.square);
    const __m512i own = _mm512_set1_epi32(static_cast<int>(q.rows->first));
    const __m512i width = _mm512_set1_epi32(static_cast<int>(q.rows->count));
    std::uint32_t* out = q.found;
    for (std::size_t k = 0; k < count; k += 16) {
        const __m512 x = _mm512_load_ps(px + k), y = _mm512_load_ps(py + k),
                     z = _mm512_load_ps(pz + k), square = _mm512_load_ps(ps + k);
        __m512 least = limit;
        for (std::size_t g = 0; g < R; ++g) {
            const __m512 own = g == 0 ? square : _mm512_add_ps(square, gs[g]);
            const __m512 r2 = _mm512_fmadd_ps(
                x, gx[g], _mm512_fmadd_ps(y, gy[g], _mm512_fmadd_ps(z, gz[g], own)));
            least = r2 < least ? r2 : least;  // GCC 12 warns of _mm512_min_ps
        }
        const __m512i rows = _mm512_loadu_si512(row + k);
        const __mmask16 other = _mm512_cmpge_epu32_mask(_mm512_sub_epi32(rows, own), width);
        const __mmask16 near = _mm512_mask_cmp_ps_mask(other, least, limit, _CMP_LT_OQ);
        _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(near, rows));
        out += __builtin_popcount(near);
    }
    return static_cast<std::size_t>(out - q.found);
}
template <std::size_t R>
REGRAIN_TARGET_V3 std::size_t rows_v3(const Query<R>& q) {
    return rows_in<8>(q);
}
#endif
void gather_any(const Gather& work) { gather_in<4>(work); }
template <std::size_t R>
std::size_t rows_any(const Query<R>& q) {
    return rows_in<4>(q);
}

}  // namespace

void gather_nearby(const PairGrid::Layout& points, const PairGrid::Region& region,
                   const std::array<float, 3>& middle, Nearby& found) {
    simd::dispatch(REGRAIN_LEVELS(gather), Gather{&points, &region, middle, &found});
}

std::size_t search_rows(Nearby& nearby, const RowsAt<1>& rows, float limit, std::uint32_t* found) {
    using Function = std::size_t(const Query<1>&);
    return simd::dispatch<Function>(REGRAIN_LEVELS(rows), Query<1>{&nearby, &rows, limit, found});
}

std::size_t search_rows(Nearby& nearby, const RowsAt<group_size>& rows, float limit,
                        std::uint32_t* found) {
    using Function = std::size_t(const Query<group_size>&);
    return simd::dispatch<Function>(REGRAIN_LEVELS(rows),
                                    Query<group_size>{&nearby, &rows, limit, found});
}

}  // namespace regrain::particles
