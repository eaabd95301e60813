#include "regrain/base/qr.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "regrain/base/error.hpp"
#include "vectors.hpp"

namespace regrain {

namespace {

// Rows of one block that `add` makes: with forty columns they stay in the nearest cache.
constexpr std::size_t block_rows = 128;

// One reflection: of column k of a block, and of what stands above it in R, onto R's diagonal.
struct Reflection {
    const double* v;   // column k
    std::size_t rows;  // a multiple of 8
    double* r;         // R_kk ... R_k,n-1
    double* columns;   // column k + 1
    std::size_t count, stride;
};

// The columns beside the reflected one, C at a time so that it is loaded once for all of them.
template <int W, int C>
REGRAIN_INLINE void reflect_columns(const Reflection& h, std::size_t first, double tau,
                                    double inverse) {
    using V = vectors::Double<W>;
    double* column[C];
    V sum[C];
    for (int c = 0; c < C; ++c) {
        column[c] = h.columns + (first + static_cast<std::size_t>(c)) * h.stride;
        sum[c] = V{};
    }
    for (std::size_t i = 0; i < h.rows; i += W) {
        const V v = vectors::load<V>(h.v + i);
        for (int c = 0; c < C; ++c) sum[c] += v * vectors::load<V>(column[c] + i);
    }
    V share[C];
    for (int c = 0; c < C; ++c) {
        double& r = h.r[1 + first + static_cast<std::size_t>(c)];
        const double s = tau * (r + vectors::sum<W>(sum[c]) * inverse);
        r -= s;
        share[c] = vectors::broadcast<W>(s * inverse);
    }
    for (std::size_t i = 0; i < h.rows; i += W) {
        const V v = vectors::load<V>(h.v + i);
        for (int c = 0; c < C; ++c) {
            vectors::store(column[c] + i, vectors::load<V>(column[c] + i) - share[c] * v);
        }
    }
}

template <int W>
REGRAIN_INLINE void reflect(const Reflection& h) {
    using V = vectors::Double<W>;
    V square{};
    for (std::size_t i = 0; i < h.rows; i += W) {
        const V v = vectors::load<V>(h.v + i);
        square += v * v;
    }
    const double below = vectors::sum<W>(square);
    if (below == 0.0) return;
    const double alpha = h.r[0];
    const double length = __builtin_sqrt(alpha * alpha + below);
    const double beta = alpha > 0.0 ? -length : length;
    const double tau = (beta - alpha) / beta;
    const double inverse = 1.0 / (alpha - beta);
    h.r[0] = beta;
    std::size_t c = 0;
    for (; c + 4 <= h.count; c += 4) reflect_columns<W, 4>(h, c, tau, inverse);
    if (c + 2 <= h.count) {
        reflect_columns<W, 2>(h, c, tau, inverse);
        c += 2;
    }
    if (c < h.count) reflect_columns<W, 1>(h, c, tau, inverse);
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void reflect_v4(const Reflection& h) { reflect<8>(h); }
REGRAIN_TARGET_V3 void reflect_v3(const Reflection& h) { reflect<4>(h); }
#endif
void reflect_any(const Reflection& h) { reflect<2>(h); }

}  // namespace

QrFactor::QrFactor(std::size_t columns) : columns_(columns), r_(columns * columns, 0.0) {
    if (columns == 0) throw Error("a QR factor needs at least one column");
}

QrFactor QrFactor::from_r(std::size_t columns, std::span<const double> r) {
    QrFactor factor(columns);
    if (r.size() != columns * columns) {
        throw Error(std::to_string(r.size()) + " numbers are no triangle of " +
                    std::to_string(columns) + " columns");
    }
    for (std::size_t k = 0; k < r.size(); ++k) {
        if (!std::isfinite(r[k]) || (k / columns > k % columns && r[k] != 0.0)) {
            throw Error("row " + std::to_string(k / columns) + ", column " +
                        std::to_string(k % columns) + " is " + std::to_string(r[k]) +
                        ", which no triangular factor has there");
        }
    }
    factor.r_.assign(r.begin(), r.end());
    return factor;
}

std::vector<double> QrFactor::r() const { return r_; }

void QrFactor::clear() { std::fill(r_.begin(), r_.end(), 0.0); }

void QrFactor::add_columns(std::span<double> block, std::size_t rows, std::size_t stride) {
    const std::size_t height = padded(rows);
    if (stride < height || block.size() < (columns_ - 1) * stride + height) {
        throw Error("a block of " + std::to_string(block.size()) + " numbers does not hold " +
                    std::to_string(columns_) + " columns of " + std::to_string(height) +
                    " numbers, " + std::to_string(stride) + " apart");
    }
    for (std::size_t k = 0; k < columns_; ++k) {
        double* column = block.data() + k * stride;
        vectors::dispatch(REGRAIN_LEVELS(reflect),
                          Reflection{column, height, r_.data() + k * columns_ + k, column + stride,
                                     columns_ - k - 1, stride});
    }
}

void QrFactor::add(std::span<const double> rows) {
    if (rows.size() % columns_ != 0) {
        throw Error(std::to_string(rows.size()) + " numbers make no rows of " +
                    std::to_string(columns_));
    }
    for (std::size_t k = 0; k < rows.size(); ++k) {
        if (!std::isfinite(rows[k])) {
            throw Error("row " + std::to_string(k / columns_) + ", column " +
                        std::to_string(k % columns_) + " is not finite");
        }
    }
    const std::size_t count = rows.size() / columns_;
    for (std::size_t begin = 0; begin < count; begin += block_rows) {
        const std::size_t height = std::min(block_rows, count - begin);
        block_.assign(columns_ * block_rows, 0.0);
        for (std::size_t i = 0; i < height; ++i) {
            const double* row = rows.data() + (begin + i) * columns_;
            for (std::size_t k = 0; k < columns_; ++k) block_[k * block_rows + i] = row[k];
        }
        add_columns(block_, height, block_rows);
    }
}

// Column k of a triangle ends at row k, and reflections of earlier columns leave it so.
void QrFactor::combine(const QrFactor& other, double scale) {
    if (other.columns_ != columns_) {
        throw Error("factors of " + std::to_string(columns_) + " and " +
                    std::to_string(other.columns_) + " columns do not combine");
    }
    const std::size_t stride = padded(columns_);
    block_.assign(columns_ * stride, 0.0);
    for (std::size_t i = 0; i < columns_; ++i) {
        for (std::size_t k = i; k < columns_; ++k) {
            block_[k * stride + i] = scale * other.r_[i * columns_ + k];
        }
    }
    for (std::size_t k = 0; k < columns_; ++k) {
        double* column = block_.data() + k * stride;
        vectors::dispatch(REGRAIN_LEVELS(reflect),
                          Reflection{column, padded(k + 1), r_.data() + k * columns_ + k,
                                     column + stride, columns_ - k - 1, stride});
    }
}

}  // namespace regrain
