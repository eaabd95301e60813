#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "regrain/base/export.hpp"

namespace regrain {

/// The triangular factor R of a matrix A = Q R whose rows come one block after the other, and which
/// is never kept: least squares of any number of rows in the memory of the unknowns. Each block is
/// turned into R by Householder reflections of [R; block], so the error is that of the condition
/// number of A, not of its square as with A^T A (Demmel, Grigori, Hoemmen and Langou, SIAM J. Sci.
/// Comput. 34, A206 (2012)).
///
/// For least squares the right-hand side is one more column, the last: then the last entry of the
/// diagonal is the norm of the residual, up to its sign.
class REGRAIN_EXPORT QrFactor {
public:
    explicit QrFactor(std::size_t columns);
    /// The factor that `r()` told of, bit by bit. Throws Error for numbers that are not finite or
    /// not those of a triangle.
    static QrFactor from_r(std::size_t columns, std::span<const double> r);

    [[nodiscard]] std::size_t columns() const { return columns_; }
    /// R, row-major, columns x columns; zero below the diagonal, whose signs are arbitrary.
    [[nodiscard]] std::vector<double> r() const;

    /// Adds rows that are kept column by column, `stride` apart, and destroys them. Room for
    /// `padded(rows)` numbers per column is needed, and the excess must be zero. Columns that are
    /// zero throughout cost nothing. Throws Error for a stride or a size that is too small.
    void add_columns(std::span<double> block, std::size_t rows, std::size_t stride);
    /// Adds rows, one after the other. Throws Error for a size that makes no rows, and for numbers
    /// that are not finite.
    void add(std::span<const double> rows);
    /// Adds the rows of another factor times a number: the factor of both matrices on top of each
    /// other.
    void combine(const QrFactor& other, double scale = 1.0);
    /// Back to the factor of a matrix without rows.
    void clear();

    static constexpr std::size_t padded(std::size_t rows) { return (rows + 7) / 8 * 8; }

private:
    std::size_t columns_;
    std::vector<double> r_;      // row-major, columns x columns
    std::vector<double> block_;  // rows on their way into R; kept for its memory
};

}  // namespace regrain
