#include "mesh_kernel.hpp"

#include "simd.hpp"
#include "simd_math.hpp"

namespace regrain::particles {

namespace {

using simd::Double;

/// Numbers of eight points in a row.
template <int W>
struct Eight {
    static constexpr int parts = 8 / W;
    Double<W> part[parts];
};

template <int W>
REGRAIN_INLINE Eight<W> from(const double* numbers) {
    Eight<W> e;
#pragma GCC unroll 4
    for (int k = 0; k < Eight<W>::parts; ++k) e.part[k] = simd::load<Double<W>>(numbers + k * W);
    return e;
}
template <int W>
REGRAIN_INLINE void store(double* numbers, const Eight<W>& e) {
#pragma GCC unroll 4
    for (int k = 0; k < Eight<W>::parts; ++k) simd::store(numbers + k * W, e.part[k]);
}
template <int W>
REGRAIN_INLINE Eight<W> zero() {
    Eight<W> e;
#pragma GCC unroll 4
    for (int k = 0; k < Eight<W>::parts; ++k) e.part[k] = Double<W>{};
    return e;
}
/// a + b x
template <int W>
REGRAIN_INLINE Eight<W> add(const Eight<W>& a, const Eight<W>& b, double x) {
    const Double<W> factor = simd::broadcast<W>(x);
    Eight<W> e;
#pragma GCC unroll 4
    for (int k = 0; k < Eight<W>::parts; ++k) e.part[k] = a.part[k] + b.part[k] * factor;
    return e;
}
template <int W>
REGRAIN_INLINE double product(const Eight<W>& a, const Eight<W>& b) {
    Double<W> total = a.part[0] * b.part[0];
#pragma GCC unroll 4
    for (int k = 1; k < Eight<W>::parts; ++k) total += a.part[k] * b.part[k];
    return simd::sum<W>(total);
}

// Horner's scheme for all points together.
template <int W>
REGRAIN_INLINE Eight<W> polynomials(const Splines::Powers& powers, std::size_t count, double x) {
    Eight<W> e = from<W>(powers[count - 1].data());
    for (std::size_t n = count - 1; n > 0; --n) e = add<W>(from<W>(powers[n - 1].data()), e, x);
    return e;
}

struct SpreadTask {
    const Splines& splines;
    const MeshShape& shape;
    std::span<const MeshCharge> charges;
    std::size_t begin, end;
    double* mesh;
};

template <int W>
REGRAIN_INLINE void spread(const SpreadTask& t) {
    const std::size_t order = t.splines.order, row = t.shape.row();
    for (const MeshCharge& c : t.charges) {
        double x[8], y[8];
        store<W>(x, polynomials<W>(t.splines.value, order, c.at[0]));
        store<W>(y, polynomials<W>(t.splines.value, order, c.at[1]));
        const Eight<W> z = add<W>(zero<W>(), polynomials<W>(t.splines.value, order, c.at[2]), c.q);
        for (std::size_t i = 0; i < order; ++i) {
            std::size_t plane = c.cell[0] + i;
            if (plane >= t.shape.points[0]) plane -= t.shape.points[0];
            if (plane < t.begin || plane >= t.end) continue;
            double* at = t.mesh + plane * t.shape.plane() + c.cell[1] * row + c.cell[2];
            for (std::size_t j = 0; j < order; ++j, at += row) {
                store<W>(at, add<W>(from<W>(at), z, x[i] * y[j]));
            }
        }
    }
}

struct SlopeTask {
    const Splines& splines;
    const MeshShape& shape;
    std::span<const MeshCharge> charges;
    const double* mesh;
    Vec3* slopes;
};

template <int W>
REGRAIN_INLINE void slopes(const SlopeTask& t) {
    const std::size_t order = t.splines.order, row = t.shape.row();
    for (const MeshCharge& c : t.charges) {
        double x[8], y[8], dx[8], dy[8];
        store<W>(x, polynomials<W>(t.splines.value, order, c.at[0]));
        store<W>(y, polynomials<W>(t.splines.value, order, c.at[1]));
        store<W>(dx, polynomials<W>(t.splines.slope, order - 1, c.at[0]));
        store<W>(dy, polynomials<W>(t.splines.slope, order - 1, c.at[1]));
        Eight<W> along_x = zero<W>(), along_y = zero<W>(), along_z = zero<W>();
        for (std::size_t i = 0; i < order; ++i) {
            std::size_t plane = c.cell[0] + i;
            if (plane >= t.shape.points[0]) plane -= t.shape.points[0];
            const double* at = t.mesh + plane * t.shape.plane() + c.cell[1] * row + c.cell[2];
            Eight<W> level = zero<W>(), rise = zero<W>();
            for (std::size_t j = 0; j < order; ++j, at += row) {
                const Eight<W> points = from<W>(at);
                level = add<W>(level, points, y[j]);
                rise = add<W>(rise, points, dy[j]);
            }
            along_x = add<W>(along_x, level, dx[i]);
            along_y = add<W>(along_y, rise, x[i]);
            along_z = add<W>(along_z, level, x[i]);
        }
        const Eight<W> z = polynomials<W>(t.splines.value, order, c.at[2]);
        const Eight<W> dz = polynomials<W>(t.splines.slope, order - 1, c.at[2]);
        t.slopes[c.index] = {product<W>(along_x, z), product<W>(along_y, z),
                             product<W>(along_z, dz)};
    }
}

// Numbers that do not fill a vector go through one of their own.
template <int W>
REGRAIN_INLINE void exponentials(const std::span<double>& x) {
    std::size_t k = 0;
    for (; k + W <= x.size(); k += W) {
        simd::store(&x[k], simd::exp<W>(simd::load<Double<W>>(&x[k])));
    }
    double rest[W] = {};
    for (std::size_t n = k; n < x.size(); ++n) rest[n - k] = x[n];
    simd::store(rest, simd::exp<W>(simd::load<Double<W>>(rest)));
    for (std::size_t n = k; n < x.size(); ++n) x[n] = rest[n - k];
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void spread_v4(const SpreadTask& t) { spread<8>(t); }
REGRAIN_TARGET_V3 void spread_v3(const SpreadTask& t) { spread<4>(t); }
REGRAIN_TARGET_V4 void slopes_v4(const SlopeTask& t) { slopes<8>(t); }
REGRAIN_TARGET_V3 void slopes_v3(const SlopeTask& t) { slopes<4>(t); }
REGRAIN_TARGET_V4 void exponentials_v4(const std::span<double>& x) { exponentials<8>(x); }
REGRAIN_TARGET_V3 void exponentials_v3(const std::span<double>& x) { exponentials<4>(x); }
#endif
void spread_any(const SpreadTask& t) { spread<2>(t); }
void slopes_any(const SlopeTask& t) { slopes<2>(t); }
void exponentials_any(const std::span<double>& x) { exponentials<2>(x); }

}  // namespace

// M_n(x) = (x M_n-1(x) + (n - x) M_n-1(x - 1)) / (n - 1), in pieces between integers: piece i is a
// polynomial of s = x - i - 1/2. Of a charge the last piece belongs to the first point.
Splines::Splines(std::size_t order_) : order(order_) {
    using Piece = std::array<double, most>;
    std::array<Piece, most> piece{};
    piece[0][0] = 1.0;
    for (std::size_t n = 2; n <= order; ++n) {
        std::array<Piece, most> next{};
        for (std::size_t i = 0; i < n; ++i) {
            // (c + s) times a piece, over n - 1
            const auto add_product = [&](double c, double sign, const Piece& p) {
                const double part = 1.0 / static_cast<double>(n - 1);
                for (std::size_t k = 0; k < n; ++k) next[i][k] += part * c * p[k];
                for (std::size_t k = 1; k < n; ++k) next[i][k] += part * sign * p[k - 1];
            };
            const double middle = static_cast<double>(i) + 0.5;
            if (i + 1 < n) add_product(middle, 1.0, piece[i]);
            if (i > 0) add_product(static_cast<double>(n) - middle, -1.0, piece[i - 1]);
        }
        piece = next;
    }
    for (std::size_t point = 0; point < order; ++point) {
        const Piece& p = piece[order - 1 - point];
        for (std::size_t k = 0; k < order; ++k) value[k][point] = p[k];
        for (std::size_t k = 1; k < order; ++k) {
            slope[k - 1][point] = static_cast<double>(k) * p[k];
        }
    }
}

void spread_kernel(const Splines& splines, const MeshShape& shape,
                   std::span<const MeshCharge> charges, std::size_t begin, std::size_t end,
                   double* mesh) {
    simd::dispatch(REGRAIN_LEVELS(spread), SpreadTask{splines, shape, charges, begin, end, mesh});
}

void slope_kernel(const Splines& splines, const MeshShape& shape,
                  std::span<const MeshCharge> charges, const double* mesh, Vec3* slopes) {
    simd::dispatch(REGRAIN_LEVELS(slopes), SlopeTask{splines, shape, charges, mesh, slopes});
}

void exp_kernel(std::span<double> x) { simd::dispatch(REGRAIN_LEVELS(exponentials), x); }

}  // namespace regrain::particles
