#include "moment_kernel.hpp"

#include <algorithm>
#include <cmath>

#include "regrain/base/bspline.hpp"
#include "simd.hpp"

namespace regrain::particles {

Pieces::Pieces(const UniformSpline& spline)
    : low(spline.low),
      per_length(static_cast<double>(spline.intervals) / (spline.high - spline.low)),
      functions(spline.functions()),
      count(spline.intervals + 2),
      lanes(spline.degree < 4 ? 4 : 8),
      coefficients(count * lanes * lanes, 0.0) {
    const BSplineBasis basis =
        BSplineBasis::uniform(spline.low, spline.high, spline.intervals, spline.degree);
    const double width = 1.0 / per_length;
    std::vector<double> values(spline.degree + 1);
    const auto at = [&](std::size_t piece, std::size_t power) {
        return coefficients.data() + (piece * lanes + power) * lanes;
    };
    for (std::size_t i = 0; i < spline.intervals; ++i) {
        const double middle = low + width * (static_cast<double>(i) + 0.5);
        double factor = 1.0;
        for (std::size_t power = 0; power <= spline.degree; ++power) {
            if (power > 0) factor *= width / static_cast<double>(power);
            basis.evaluate(middle, values, power);
            for (std::size_t k = 0; k < values.size(); ++k)
                at(i + 1, power)[k] = factor * values[k];
        }
    }
    // Value v and slope w at an end, where t is half an interval away on the outer piece.
    const auto line = [&](std::size_t piece, double x, double half) {
        basis.evaluate(x, values, 0);
        std::copy(values.begin(), values.end(), at(piece, 0));
        if (spline.degree == 0) return;
        basis.evaluate(x, values, 1);
        for (std::size_t k = 0; k < values.size(); ++k) {
            at(piece, 0)[k] += half * width * values[k];
            at(piece, 1)[k] = width * values[k];
        }
    };
    line(0, spline.low, -0.5);
    line(count - 1, spline.high, 0.5);
}

namespace {

// 1, t, t^2, ... in the lanes of a vector.
template <int L>
REGRAIN_INLINE simd::Double<L> powers(double t) {
    using V = simd::Double<L>;
    const double t2 = t * t;
    if constexpr (L == 4) {
        constexpr V odd{0.0, 1.0, 0.0, 1.0}, even{1.0, 0.0, 1.0, 0.0};
        constexpr V upper{0.0, 0.0, 1.0, 1.0}, lower{1.0, 1.0, 0.0, 0.0};
        return (odd * simd::broadcast<L>(t) + even) * (upper * simd::broadcast<L>(t2) + lower);
    } else {
        constexpr V odd{0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0};
        constexpr V even{1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0};
        constexpr V second{0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0};
        constexpr V first{1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0};
        constexpr V upper{0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0};
        constexpr V lower{1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0};
        return (odd * simd::broadcast<L>(t) + even) * (second * simd::broadcast<L>(t2) + first) *
               (upper * simd::broadcast<L>(t2 * t2) + lower);
    }
}

template <int L>
REGRAIN_INLINE void add_to(double* to, const simd::Double<L>& v) {
    simd::store(to, simd::load<simd::Double<L>>(to) + v);
}

// Where a distance lies, for W neighbours from the k-th on.
template <int W>
REGRAIN_INLINE void find_places(const MomentJob& job, std::size_t k) {
    using V = simd::Double<W>;
    using Index = simd::Whole<W>;
    const V zero{};
    const V r = simd::sqrt<W>(simd::load<V>(job.r2 + k));
    const V s = (r - job.pieces.low) * job.pieces.per_length + 1.0;
    const V last = simd::broadcast<W>(static_cast<double>(job.pieces.count - 1));
    const V above = s < zero ? zero : s;
    const Index piece = __builtin_convertvector(above > last ? last : above, Index);
    simd::store(job.inverse + k, r > zero ? 1.0 / r : zero);
    simd::store(job.t + k, s - __builtin_convertvector(piece, V) - 0.5);
    simd::store(job.piece + k, piece);
}

// Distances and places by vectors, then one neighbour after the other: its sums lie in a row.
template <int W, int L>
REGRAIN_INLINE void add_pairs(const MomentJob& job) {
    for (std::size_t k = 0; k < job.count; k += W) find_places<W>(job, k);
    const double *const x = job.x, *const y = job.y, *const z = job.z;
    const double *const t = job.t, *const inverse = job.inverse;
    const std::uint32_t* const point = job.point;
    const std::int32_t* const piece = job.piece;
    double* const moments = job.moments;
    const Vec3 centre = job.centre;
    const std::size_t count = job.count;
    for (std::size_t k = 0; k < count; ++k) {
        const std::uint32_t q = point[k];
        const double scale = inverse[k];
        const simd::Double<L> p = powers<L>(t[k]);
        double* to = moments + static_cast<std::size_t>(piece[k]) * 3 * L;
        add_to<L>(to, p * simd::broadcast<L>((centre.x - x[q]) * scale));
        add_to<L>(to + L, p * simd::broadcast<L>((centre.y - y[q]) * scale));
        add_to<L>(to + 2 * L, p * simd::broadcast<L>((centre.z - z[q]) * scale));
    }
}

struct Writing {
    const Pieces& pieces;
    const double* moments;
    double* column;
    std::size_t stride;
};

template <int L>
REGRAIN_INLINE simd::Double<L> shifted(const simd::Double<L>& v) {
    if constexpr (L == 4) {
        return __builtin_shufflevector(v, simd::Double<4>{}, 1, 2, 3, 4);
    } else {
        return __builtin_shufflevector(v, simd::Double<8>{}, 1, 2, 3, 4, 5, 6, 7, 8);
    }
}

// The functions of a piece begin where its number is; those before it are complete.
template <int L>
REGRAIN_INLINE void write(const Writing& w) {
    using V = simd::Double<L>;
    const double* c = w.pieces.coefficients.data();
    const double* m = w.moments;
    V sum[3]{};
    const auto add = [&](std::size_t piece) __attribute__((always_inline)) {
        for (int power = 0; power < L; ++power) {
            const V row = simd::load<V>(c + (piece * L + static_cast<std::size_t>(power)) * L);
            for (int d = 0; d < 3; ++d) {
                sum[d] += row * simd::broadcast<L>(m[(piece * 3 + static_cast<std::size_t>(d)) * L +
                                                     static_cast<std::size_t>(power)]);
            }
        }
    };
    const std::size_t intervals = w.pieces.count - 2;
    add(0);
    for (std::size_t i = 0; i + 1 < intervals; ++i) {
        add(i + 1);
        double* to = w.column + i * w.stride;
        for (int d = 0; d < 3; ++d) {
            to[d] = sum[d][0];
            sum[d] = shifted<L>(sum[d]);
        }
    }
    add(intervals);
    add(intervals + 1);
    for (std::size_t k = intervals - 1; k < w.pieces.functions; ++k) {
        double* to = w.column + k * w.stride;
        for (int d = 0; d < 3; ++d) {
            to[d] = sum[d][0];
            sum[d] = shifted<L>(sum[d]);
        }
    }
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void pairs4_v4(const MomentJob& job) { add_pairs<8, 4>(job); }
REGRAIN_TARGET_V3 void pairs4_v3(const MomentJob& job) { add_pairs<4, 4>(job); }
REGRAIN_TARGET_V4 void pairs8_v4(const MomentJob& job) { add_pairs<8, 8>(job); }
REGRAIN_TARGET_V3 void pairs8_v3(const MomentJob& job) { add_pairs<4, 8>(job); }
REGRAIN_TARGET_V4 void write4_v4(const Writing& w) { write<4>(w); }
REGRAIN_TARGET_V3 void write4_v3(const Writing& w) { write<4>(w); }
REGRAIN_TARGET_V4 void write8_v4(const Writing& w) { write<8>(w); }
REGRAIN_TARGET_V3 void write8_v3(const Writing& w) { write<8>(w); }
#endif
void pairs4_any(const MomentJob& job) { add_pairs<2, 4>(job); }
void pairs8_any(const MomentJob& job) { add_pairs<2, 8>(job); }
void write4_any(const Writing& w) { write<4>(w); }
void write8_any(const Writing& w) { write<8>(w); }

}  // namespace

void add_pair_moments(const MomentJob& job) {
    if (job.pieces.lanes == 4) {
        simd::dispatch(REGRAIN_LEVELS(pairs4), job);
    } else {
        simd::dispatch(REGRAIN_LEVELS(pairs8), job);
    }
}

void write_splines(const Pieces& pieces, const double* moments, double* column,
                   std::size_t stride) {
    const Writing writing{pieces, moments, column, stride};
    if (pieces.lanes == 4) {
        simd::dispatch(REGRAIN_LEVELS(write4), writing);
    } else {
        simd::dispatch(REGRAIN_LEVELS(write8), writing);
    }
}

void add_moment(const Pieces& pieces, Pieces::Place at, const Vec3& v, double* moments) {
    add_moment(pieces, at, v, Vec3{}, moments);
}

void add_moment(const Pieces& pieces, Pieces::Place at, const Vec3& v, const Vec3& w,
                double* moments) {
    double* to = moments + at.piece * 3 * pieces.lanes;
    double power = 1.0, slope = 0.0, lower = 0.0;
    for (std::size_t k = 0; k < pieces.lanes; ++k) {
        to[k] += power * v.x + slope * w.x;
        to[pieces.lanes + k] += power * v.y + slope * w.y;
        to[2 * pieces.lanes + k] += power * v.z + slope * w.z;
        lower = power;
        power *= at.t;
        slope = static_cast<double>(k + 1) * lower * pieces.per_length;
    }
}

}  // namespace regrain::particles
