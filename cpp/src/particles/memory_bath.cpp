#include "memory_bath.hpp"

#include <algorithm>
#include <cmath>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/random.hpp"

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
    return parallel_sum<double>(motion.size(), [&](std::size_t begin, std::size_t end) {
        return exchange(source, begin, end, ids.data(), mass.data(), motion.data());
    });
}

double MemoryBath::exchange(const noise::Source& source, std::size_t begin, std::size_t end,
                            const std::uint32_t* ids, const double* mass, Motion* motion) {
    const std::size_t n = width_;
    std::vector<noise::Normals> g(n);
    std::vector<Vec3> before(n), after(n);
    noise::Words words;
    double heat = 0.0;
    for (std::size_t first = begin; first < end; first += block) {
        const std::size_t count = std::min(block, end - first);
        for (std::size_t k = 0; k < n; ++k) {
            noise::draw(
                source, static_cast<std::uint16_t>(k), count,
                [&](std::size_t i) { return ids[first + i]; }, words);
            noise::normals(words, count, g[k]);
        }
        for (std::size_t i = 0; i < count; ++i) {
            Motion& m = motion[first + i];
            Vec3* z = auxiliary_.data() + (n - 1) * ids[first + i];
            before[0] = m.v;
            std::copy(z, z + n - 1, before.begin() + 1);
            const double size = std::sqrt(kt_ * m.inverse_mass);
            for (std::size_t r = 0; r < n; ++r) {
                Vec3 sum;
                for (std::size_t c = 0; c < n; ++c) sum += keep_[r * n + c] * before[c];
                for (std::size_t c = 0; c <= r; ++c) {
                    sum += noise_[r * n + c] * size * Vec3{g[c].x[i], g[c].y[i], g[c].z[i]};
                }
                after[r] = sum;
            }
            m.v = after[0];
            std::copy(after.begin() + 1, after.end(), z);
            heat += 0.5 * mass[first + i] * (norm2(after[0]) - norm2(before[0]));
        }
    }
    return heat;
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
