#include "memory_bath.hpp"

#include <algorithm>
#include <cmath>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/random.hpp"
#include "simd.hpp"

namespace regrain::particles {

namespace {

using Matrix = std::vector<double>;  // square, by rows
using noise::block;

Matrix product(const Matrix& a, const Matrix& b, std::size_t n) {
    Matrix c(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < n; ++k) {
            for (std::size_t j = 0; j < n; ++j) c[i * n + j] += a[i * n + k] * b[k * n + j];
        }
    }
    return c;
}

// By its series where the matrix is small, and squarings.
Matrix exponential(Matrix a, std::size_t n) {
    double size = 0.0;
    for (const double x : a) size += std::abs(x);
    const int squarings = std::max(0, std::ilogb(std::max(size, 1e-300)) + 5);
    for (double& x : a) x = std::ldexp(x, -squarings);
    Matrix sum(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) sum[i * n + i] = 1.0;
    Matrix term = sum;
    for (int order = 1; order <= 12; ++order) {
        term = product(term, a, n);
        for (std::size_t k = 0; k < n * n; ++k) sum[k] += (term[k] /= order);
    }
    for (int k = 0; k < squarings; ++k) sum = product(sum, sum, n);
    return sum;
}

// L with L L^T = 1 - E E^T; directions without noise (a pivot of rounding errors) get none.
Matrix noise_of(const Matrix& e, std::size_t n) {
    Matrix l(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double rest = i == j ? 1.0 : 0.0;
            for (std::size_t k = 0; k < n; ++k) rest -= e[i * n + k] * e[j * n + k];
            for (std::size_t k = 0; k < j; ++k) rest -= l[i * n + k] * l[j * n + k];
            if (i == j) {
                l[i * n + i] = rest > 1e-15 ? std::sqrt(rest) : 0.0;
            } else {
                l[i * n + j] = l[j * n + j] > 0.0 ? rest / l[j * n + j] : 0.0;
            }
        }
    }
    return l;
}

// ---------------------------------------------------------------------- a pass over particles

struct Exchange {
    std::size_t width;
    double kt;
    const double *keep, *noise;
    noise::Source source;
    const std::uint32_t* ids;
    const double* mass;
    Motion* motion;
    Vec3* auxiliary;  ///< by id
};

/// For one particle `width` vectors, for a block of them `width` sets of normal numbers.
struct Scratch {
    noise::Normals* normals;
    Vec3 *before, *after;
};

REGRAIN_INLINE void draw_normals(const Exchange& work, std::size_t first, std::size_t count,
                                 noise::Normals* out) {
    noise::Words words;
    const std::uint32_t* ids = work.ids + first;
    for (std::size_t k = 0; k < work.width; ++k) {
        noise::draw(
            work.source, static_cast<std::uint16_t>(k), count,
            [ids](std::size_t i) { return ids[i]; }, words);
        noise::normals(words, count, out[k]);
    }
}

// after = keep before + size noise g, both matrices by rows, the second one lower triangular.
REGRAIN_INLINE void propagate(const Exchange& work, const Scratch& s, std::size_t i, double size) {
    const std::size_t n = work.width;
    for (std::size_t r = 0; r < n; ++r) {
        Vec3 kept, random;
        for (std::size_t c = 0; c < n; ++c) kept += work.keep[r * n + c] * s.before[c];
        for (std::size_t c = 0; c <= r; ++c) {
            const noise::Normals& g = s.normals[c];
            random += work.noise[r * n + c] * Vec3{g.x[i], g.y[i], g.z[i]};
        }
        s.after[r] = kept + size * random;
    }
}

REGRAIN_INLINE double exchange_rows(const Exchange& work, const Scratch& s, std::size_t begin,
                                    std::size_t end) {
    const std::size_t terms = work.width - 1;
    double heat = 0.0;
    for (std::size_t first = begin; first < end; first += block) {
        const std::size_t count = std::min(block, end - first);
        draw_normals(work, first, count, s.normals);
        for (std::size_t i = 0; i < count; ++i) {
            Motion& m = work.motion[first + i];
            Vec3* z = work.auxiliary + terms * work.ids[first + i];
            s.before[0] = m.v;
            std::copy(z, z + terms, s.before + 1);
            propagate(work, s, i, std::sqrt(work.kt * m.inverse_mass));
            m.v = s.after[0];
            std::copy(s.after + 1, s.after + work.width, z);
            heat += 0.5 * work.mass[first + i] * (norm2(s.after[0]) - norm2(s.before[0]));
        }
    }
    return heat;
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 double exchange_v4(const Exchange& work, const Scratch& s, std::size_t begin,
                                     std::size_t end) {
    return exchange_rows(work, s, begin, end);
}
REGRAIN_TARGET_V3 double exchange_v3(const Exchange& work, const Scratch& s, std::size_t begin,
                                     std::size_t end) {
    return exchange_rows(work, s, begin, end);
}
#endif
double exchange_any(const Exchange& work, const Scratch& s, std::size_t begin, std::size_t end) {
    return exchange_rows(work, s, begin, end);
}

}  // namespace

MemoryBath::MemoryBath(const GeneralizedLangevin& law, double dt, std::size_t particles)
    : width_(law.strengths.size() + 1), kt_(law.kt), auxiliary_(particles * law.strengths.size()) {
    Matrix rates(width_ * width_, 0.0);
    for (std::size_t k = 1; k < width_; ++k) {
        const double coupling = std::sqrt(law.strengths[k - 1]);
        rates[k] = dt * coupling;
        rates[k * width_] = -dt * coupling;
        rates[k * width_ + k] = -dt / law.times[k - 1];
    }
    keep_ = exponential(rates, width_);
    noise_ = noise_of(keep_, width_);
}

void MemoryBath::draw(const noise::Source& source, std::span<const double> inverse_mass_of_id) {
    const Philox philox(source.seed, source.stream);
    const std::size_t terms = width_ - 1;
    for (std::size_t id = 0; id < inverse_mass_of_id.size(); ++id) {
        const double size = std::sqrt(kt_ * inverse_mass_of_id[id]);
        for (std::size_t k = 0; k < terms; ++k) {
            const auto g = philox.normal4(source.step, static_cast<std::uint32_t>(id),
                                          static_cast<std::uint16_t>(k));
            auxiliary_[id * terms + k] = Vec3{g[0], g[1], g[2]} * size;
        }
    }
}

double MemoryBath::exchange(const noise::Source& source, std::span<const std::uint32_t> ids,
                            std::span<const double> mass, std::span<Motion> motion) {
    const Exchange work{width_,     kt_,         keep_.data(),  noise_.data(),    source,
                        ids.data(), mass.data(), motion.data(), auxiliary_.data()};
    return parallel_sum<double>(motion.size(), [&](std::size_t begin, std::size_t end) {
        std::vector<noise::Normals> normals(width_);
        std::vector<Vec3> before(width_), after(width_);
        const Scratch scratch{normals.data(), before.data(), after.data()};
        return simd::dispatch(REGRAIN_LEVELS(exchange), work, scratch, begin, end);
    });
}

std::vector<double> MemoryBath::state() const {
    std::vector<double> out;
    out.reserve(3 * auxiliary_.size());
    for (const Vec3& z : auxiliary_) out.insert(out.end(), {z.x, z.y, z.z});
    return out;
}

void MemoryBath::set_state(std::span<const double> state) {
    if (state.size() != 3 * auxiliary_.size()) {
        throw Error("the snapshot is one of another system or of other dynamics");
    }
    for (std::size_t k = 0; k < auxiliary_.size(); ++k) {
        auxiliary_[k] = {state[3 * k], state[3 * k + 1], state[3 * k + 2]};
    }
}

}  // namespace regrain::particles
