#include "regrain/particles/structure_factor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <string>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "simd.hpp"

namespace regrain::particles {

using Index = std::array<std::int32_t, 3>;

namespace {

constexpr std::size_t batch = 1024;

// The heights of the reciprocal cell bound the indices: |h| <= q_max |a| / 2 pi.
std::int32_t most(double q_max, const Vec3& edge) {
    return static_cast<std::int32_t>(std::floor(q_max * norm(edge) / (2.0 * std::numbers::pi)));
}

// exp(2 pi i n s) of a batch of particles for n = 0..last, one row of cosines and sines each, by
// the recurrence of powers; 50 of them lose no more than 50 rounding errors.
class Powers {
public:
    Powers(std::int32_t last) : rows_(static_cast<std::size_t>(last) + 1) {}

    void assign(std::span<const double> s) {
        n_ = s.size();
        re_.resize(rows_ * n_);
        im_.resize(rows_ * n_);
        for (std::size_t p = 0; p < n_; ++p) {
            re_[p] = 1.0;
            im_[p] = 0.0;
        }
        if (rows_ == 1) return;
        for (std::size_t p = 0; p < n_; ++p) {
            const double angle = 2.0 * std::numbers::pi * s[p];
            re_[n_ + p] = std::cos(angle);
            im_[n_ + p] = std::sin(angle);
        }
        for (std::size_t row = 2; row < rows_; ++row) {
            const double* c1 = re_.data() + n_;
            const double* s1 = im_.data() + n_;
            const double* c0 = re_.data() + (row - 1) * n_;
            const double* s0 = im_.data() + (row - 1) * n_;
            double* c = re_.data() + row * n_;
            double* si = im_.data() + row * n_;
            for (std::size_t p = 0; p < n_; ++p) {
                c[p] = c0[p] * c1[p] - s0[p] * s1[p];
                si[p] = c0[p] * s1[p] + s0[p] * c1[p];
            }
        }
    }
    [[nodiscard]] const double* re(std::int32_t n) const { return re_.data() + row(n); }
    [[nodiscard]] const double* im(std::int32_t n) const { return im_.data() + row(n); }

private:
    [[nodiscard]] std::size_t row(std::int32_t n) const {
        return static_cast<std::size_t>(std::abs(n)) * n_;
    }
    std::size_t rows_, n_{0};
    std::vector<double> re_, im_;
};

struct Mode {
    double re, im;
};

// u = y z with the signs of the indices: exp(-i x) is the conjugate of exp(i x).
struct Product {
    const double *yr, *yi;
    double sy;
    const double *zr, *zi;
    double sz;
    std::size_t n;
    double *ur, *ui;
};

REGRAIN_INLINE void multiply_of(const Product& f) {
    for (std::size_t p = 0; p < f.n; ++p) {
        const double a = f.sy * f.yi[p];
        const double b = f.sz * f.zi[p];
        f.ur[p] = f.yr[p] * f.zr[p] - a * b;
        f.ui[p] = f.yr[p] * b + a * f.zr[p];
    }
}

// Sum over particles of x u.
struct Overlap {
    const double *xr, *xi;
    double sx;
    const double *ur, *ui;
    std::size_t n;
};

template <int W>
REGRAIN_INLINE Mode sum_of(const Overlap& f) {
    using V = simd::Double<W>;
    V re{};
    V im{};
    std::size_t p = 0;
    for (; p + W <= f.n; p += W) {
        const V xr = simd::load<V>(f.xr + p), xi = f.sx * simd::load<V>(f.xi + p);
        const V ur = simd::load<V>(f.ur + p), ui = simd::load<V>(f.ui + p);
        re += xr * ur - xi * ui;
        im += xr * ui + xi * ur;
    }
    Mode sum{simd::sum<W>(re), simd::sum<W>(im)};
    for (; p < f.n; ++p) {
        sum.re += f.xr[p] * f.ur[p] - f.sx * f.xi[p] * f.ui[p];
        sum.im += f.xr[p] * f.ui[p] + f.sx * f.xi[p] * f.ur[p];
    }
    return sum;
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void multiply_v4(const Product& f) { multiply_of(f); }
REGRAIN_TARGET_V3 void multiply_v3(const Product& f) { multiply_of(f); }
REGRAIN_TARGET_V4 Mode sum_v4(const Overlap& f) { return sum_of<8>(f); }
REGRAIN_TARGET_V3 Mode sum_v3(const Overlap& f) { return sum_of<4>(f); }
#endif
void multiply_any(const Product& f) { multiply_of(f); }
Mode sum_any(const Overlap& f) { return sum_of<2>(f); }

double sign(std::int32_t n) { return n < 0 ? -1.0 : 1.0; }

// Indices with the same (k, l) follow each other; each such run shares the product of two factors.
std::vector<std::size_t> run_borders(std::span<const Index> indices) {
    std::vector<std::size_t> borders;
    for (std::size_t m = 0; m < indices.size(); ++m) {
        if (m == 0 || indices[m][1] != indices[m - 1][1] || indices[m][2] != indices[m - 1][2]) {
            borders.push_back(m);
        }
    }
    borders.push_back(indices.size());
    return borders;
}

// Enough for a thread to be worth waking.
std::size_t runs_per_chunk(std::size_t work, std::size_t runs) {
    constexpr std::size_t least_work = 100'000;
    return 1 + least_work * runs / std::max<std::size_t>(work, 1);
}

}  // namespace

Vec3 wave_vector(const Box& box, const Index& index) {
    // q a = 2 pi h and so on, solved from the lower-triangular lattice vectors.
    const double tau = 2.0 * std::numbers::pi;
    const double x = tau * index[0] / box.a().x;
    const double y = (tau * index[1] - x * box.b().x) / box.b().y;
    const double z = (tau * index[2] - x * box.c().x - y * box.c().y) / box.c().z;
    return {x, y, z};
}

std::vector<Index> reciprocal_indices(const Box& box, double q_max) {
    if (!(q_max > 0.0) || !std::isfinite(q_max)) {
        throw Error("q_max is " + std::to_string(q_max) + "; give a positive wave number");
    }
    const double volume_q = 8.0 * std::pow(std::numbers::pi, 3) / box.volume();
    const double expected = 2.0 / 3.0 * std::numbers::pi * std::pow(q_max, 3) / volume_q;
    if (expected > 2e7) {
        throw Error("q_max = " + std::to_string(q_max) + " holds about " +
                    std::to_string(expected) + " wave vectors of this box; give a smaller q_max");
    }
    const std::int32_t hs = most(q_max, box.a());
    const std::int32_t ks = most(q_max, box.b());
    const std::int32_t ls = most(q_max, box.c());
    const double limit = q_max * q_max * (1.0 + 1e-12);
    std::vector<Index> indices;
    for (std::int32_t l = 0; l <= ls; ++l) {
        for (std::int32_t k = l == 0 ? 0 : -ks; k <= ks; ++k) {
            for (std::int32_t h = l == 0 && k == 0 ? 1 : -hs; h <= hs; ++h) {
                if (norm2(wave_vector(box, {h, k, l})) <= limit) indices.push_back({h, k, l});
            }
        }
    }
    return indices;
}

std::vector<std::complex<double>> density_modes(std::span<const Vec3> positions, const Box& box,
                                                std::span<const Index> indices) {
    Index last{0, 0, 0};
    for (const Index& index : indices) {
        for (std::size_t d = 0; d < 3; ++d) last[d] = std::max(last[d], std::abs(index[d]));
    }
    const std::vector<std::size_t> borders = run_borders(indices);
    std::vector<std::complex<double>> modes(indices.size());
    std::array<Powers, 3> powers{Powers(last[0]), Powers(last[1]), Powers(last[2])};
    std::array<std::vector<double>, 3> s;
    for (std::size_t begin = 0; begin < positions.size(); begin += batch) {
        const std::size_t n = std::min(batch, positions.size() - begin);
        for (auto& axis : s) axis.resize(n);
        for (std::size_t p = 0; p < n; ++p) {
            const Vec3 f = box.fractional(positions[begin + p]);
            s[0][p] = f.x - std::floor(f.x);
            s[1][p] = f.y - std::floor(f.y);
            s[2][p] = f.z - std::floor(f.z);
        }
        for (std::size_t d = 0; d < 3; ++d) powers[d].assign(s[d]);
        const auto runs = [&](std::size_t first, std::size_t end) {
            std::vector<double> ur(n);
            std::vector<double> ui(n);
            for (std::size_t run = first; run < end; ++run) {
                const Index& at = indices[borders[run]];
                simd::dispatch(REGRAIN_LEVELS(multiply),
                               Product{powers[1].re(at[1]), powers[1].im(at[1]), sign(at[1]),
                                       powers[2].re(at[2]), powers[2].im(at[2]), sign(at[2]), n,
                                       ur.data(), ui.data()});
                for (std::size_t m = borders[run]; m < borders[run + 1]; ++m) {
                    const std::int32_t h = indices[m][0];
                    const Mode sum = simd::dispatch(
                        REGRAIN_LEVELS(sum), Overlap{powers[0].re(h), powers[0].im(h), sign(h),
                                                     ur.data(), ui.data(), n});
                    modes[m] += std::complex<double>(sum.re, sum.im);
                }
            }
        };
        parallel_for(borders.size() - 1, runs, runs_per_chunk(n * indices.size(), borders.size()));
    }
    return modes;
}

}  // namespace regrain::particles
