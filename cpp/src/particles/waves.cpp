#include "waves.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "simd.hpp"

namespace regrain::particles {

namespace {

// Of each n = 0, 1, .. the powers of exp(2 pi i s); 50 of them lose no more than 50 rounding
// errors.
void fill_powers(Phases& f, std::size_t axis, std::int32_t last, const std::vector<double>& s) {
    double* re = f.row(f.first[axis]);
    const std::size_t to_im = f.row_length();
    for (std::size_t p = 0; p < f.size; ++p) {
        re[p] = 1.0;
        re[p + to_im] = 0.0;
    }
    if (last == 0) return;
    double* c1 = re + 2 * to_im;
    for (std::size_t p = 0; p < f.size; ++p) {
        c1[p] = std::cos(2.0 * std::numbers::pi * s[p]);
        c1[p + to_im] = std::sin(2.0 * std::numbers::pi * s[p]);
    }
    const double* c0 = c1;
    for (std::int32_t n = 2; n <= last; ++n) {
        double* c = re + 2 * static_cast<std::size_t>(n) * to_im;
        for (std::size_t p = 0; p < f.size; ++p) {
            c[p] = c0[p] * c1[p] - c0[p + to_im] * c1[p + to_im];
            c[p + to_im] = c0[p] * c1[p + to_im] + c0[p + to_im] * c1[p];
        }
        c0 = c;
    }
}

template <int W>
using V = simd::Double<W>;

template <int W>
struct Complex {
    V<W> re, im;
};

// q exp(i (k y + l z)) of W charges; exp(-i x) is the conjugate of exp(i x).
template <int W>
REGRAIN_INLINE Complex<W> shared(const Phases& f, const Lines& lines, int line, std::size_t p) {
    const double* y = f.along(1, lines.k[line]) + p;
    const double* z = f.along(2, lines.l[line]) + p;
    const V<W> q = simd::load<V<W>>(f.row(f.charges) + p);
    const V<W> a = simd::load<V<W>>(y);
    const V<W> b = simd::load<V<W>>(y + f.row_length()) * (lines.k[line] < 0 ? -1.0 : 1.0);
    const V<W> c = simd::load<V<W>>(z);
    const V<W> d = simd::load<V<W>>(z + f.row_length());
    return {q * (a * c - b * d), q * (a * d + b * c)};
}

template <int W>
REGRAIN_INLINE void overlap(const Phases& f, const Lines& lines, Overlap* out) {
    alignas(64) double u[4][Phases::most];
    for (int line = 0; line < 2; ++line) {
        for (std::size_t p = 0; p < f.size; p += W) {
            const Complex<W> factor = shared<W>(f, lines, line, p);
            simd::store(&u[2 * line][p], factor.re);
            simd::store(&u[2 * line + 1][p], factor.im);
        }
    }
    // Two h at once, where there are registers for it: half as many loads of u.
    constexpr int waves = W == 8 ? 2 : 1;
    for (std::int32_t h = 0; h <= lines.last; h += waves) {
        const double* cosine[waves];
        for (int n = 0; n < waves; ++n) cosine[n] = f.along(0, std::min(h + n, lines.last));
        V<W> sum[waves][8]{};
        for (std::size_t p = 0; p < f.size; p += W) {
            const V<W> re0 = simd::load<V<W>>(&u[0][p]);
            const V<W> im0 = simd::load<V<W>>(&u[1][p]);
            const V<W> re1 = simd::load<V<W>>(&u[2][p]);
            const V<W> im1 = simd::load<V<W>>(&u[3][p]);
#pragma GCC unroll 2
            for (int n = 0; n < waves; ++n) {
                const V<W> c = simd::load<V<W>>(cosine[n] + p);
                const V<W> s = simd::load<V<W>>(cosine[n] + f.row_length() + p);
                sum[n][0] += c * re0;
                sum[n][1] += s * im0;
                sum[n][2] += c * im0;
                sum[n][3] += s * re0;
                sum[n][4] += c * re1;
                sum[n][5] += s * im1;
                sum[n][6] += c * im1;
                sum[n][7] += s * re1;
            }
        }
        for (int n = 0; n < waves && h + n <= lines.last; ++n) {
            for (std::size_t m = 0; m < 8; ++m) out[h + n][m] += simd::sum<W>(sum[n][m]);
        }
    }
}

// As many charges at once as there are registers for: a coupling is loaded once for all of them.
template <int W, int groups>
REGRAIN_INLINE void field(const Phases& f, std::span<const Lines> all, const Coupling* couplings,
                          std::size_t begin, double (*fields)[Phases::block]) {
    for (std::size_t part = 0; part < Phases::block; part += groups * W) {
        const std::size_t p = begin + part;
        V<W> x[groups]{}, y[groups]{}, z[groups]{};
        for (const Lines& lines : all) {
            for (int line = 0; line < 2; ++line) {
                const Coupling* k = couplings + 2 * lines.first + line * (lines.last + 1);
                V<W> re[groups]{}, im[groups]{}, slope_re[groups]{}, slope_im[groups]{};
                for (std::int32_t h = 0; h <= lines.last; ++h) {
                    const double* cosine = f.along(0, h) + p;
                    const double* sine = cosine + f.row_length();
                    const Coupling& to = k[h];
#pragma GCC unroll 4
                    for (int g = 0; g < groups; ++g) {
                        const V<W> c = simd::load<V<W>>(cosine + g * W);
                        const V<W> s = simd::load<V<W>>(sine + g * W);
                        re[g] += c * to[0];
                        im[g] += c * to[2];
                        slope_re[g] += c * to[4];
                        slope_im[g] += c * to[6];
                        re[g] += s * to[1];
                        im[g] += s * to[3];
                        slope_re[g] += s * to[5];
                        slope_im[g] += s * to[7];
                    }
                }
#pragma GCC unroll 4
                for (int g = 0; g < groups; ++g) {
                    const Complex<W> u =
                        shared<W>(f, lines, line, p + static_cast<std::size_t>(g * W));
                    const V<W> wave = u.re * im[g] + u.im * re[g];
                    x[g] += u.re * slope_im[g] + u.im * slope_re[g];
                    y[g] += wave * static_cast<double>(lines.k[line]);
                    z[g] += wave * static_cast<double>(lines.l[line]);
                }
            }
        }
#pragma GCC unroll 4
        for (int g = 0; g < groups; ++g) {
            simd::store(&fields[0][part + static_cast<std::size_t>(g * W)], x[g]);
            simd::store(&fields[1][part + static_cast<std::size_t>(g * W)], y[g]);
            simd::store(&fields[2][part + static_cast<std::size_t>(g * W)], z[g]);
        }
    }
}

struct FieldTask {
    const Phases* phases;
    std::span<const Lines> lines;
    const Coupling* couplings;
    std::size_t begin;
    double (*fields)[Phases::block];
};

template <int W, int groups>
REGRAIN_INLINE void field(const FieldTask& t) {
    field<W, groups>(*t.phases, t.lines, t.couplings, t.begin, t.fields);
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void overlap_v4(const Phases& f, const Lines& l, Overlap* o) {
    overlap<8>(f, l, o);
}
REGRAIN_TARGET_V3 void overlap_v3(const Phases& f, const Lines& l, Overlap* o) {
    overlap<4>(f, l, o);
}
REGRAIN_TARGET_V4 void field_v4(const FieldTask& t) { field<8, 4>(t); }
REGRAIN_TARGET_V3 void field_v3(const FieldTask& t) { field<4, 2>(t); }
#endif
void overlap_any(const Phases& f, const Lines& l, Overlap* o) { overlap<2>(f, l, o); }
void field_any(const FieldTask& t) { field<2, 2>(t); }

}  // namespace

Phases::Phases(std::span<const Charge> batch, const Box& box,
               const std::array<std::int32_t, 3>& last)
    : size((batch.size() + block - 1) / block * block) {
    std::size_t rows = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        first[axis] = rows;
        rows += 2 * (static_cast<std::size_t>(last[axis]) + 1);
    }
    charges = rows;
    data.assign((rows + 1) * row_length(), 0.0);
    std::array<std::vector<double>, 3> s;
    for (auto& along : s) along.assign(size, 0.0);
    for (std::size_t p = 0; p < batch.size(); ++p) {
        const Vec3 at = box.fractional(batch[p].r);
        s[0][p] = at.x - std::round(at.x);
        s[1][p] = at.y - std::round(at.y);
        s[2][p] = at.z - std::round(at.z);
        row(charges)[p] = batch[p].q;
    }
    for (std::size_t axis = 0; axis < 3; ++axis) fill_powers(*this, axis, last[axis], s[axis]);
}

void overlap_kernel(const Phases& phases, const Lines& lines, Overlap* of_lines) {
    simd::dispatch(REGRAIN_LEVELS(overlap), phases, lines, of_lines);
}

void field_kernel(const Phases& phases, std::span<const Lines> lines, const Coupling* couplings,
                  std::size_t begin, double (*fields)[Phases::block]) {
    simd::dispatch(REGRAIN_LEVELS(field), FieldTask{&phases, lines, couplings, begin, fields});
}

}  // namespace regrain::particles
