#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "regrain/base/export.hpp"

/// Averages of correlated samples, and their errors.
namespace regrain {

/// A mean and its standard error.
struct MeanError {
    double mean{0.0};
    double error{0.0};
    double tau{0.5};  ///< integrated autocorrelation time in samples; 0.5 where independent
    double dof{0.0};  ///< degrees of freedom of the error, for a t-interval; 0: no error bar
};

/// Mean of a stationary series with the error that its autocorrelation gives: the summation window
/// is Sokal's (the first W >= 7 tau(W)), the bias of the finite series and the degrees of freedom
/// N / (2 W + 1) are those of U. Wolff, Comput. Phys. Commun. 156, 143 (2004), eqs. 42 and 49.
/// Weights are those of the samples; equal when empty.
REGRAIN_EXPORT MeanError mean_error(std::span<const double> series,
                                    std::span<const double> weights = {});

/// The same for each column of a row-major matrix.
REGRAIN_EXPORT std::vector<MeanError> mean_errors(std::span<const double> rows, std::size_t width,
                                                  std::span<const double> weights = {});

/// Averages of vectors that come one by one, kept as a bounded number of rows in the order of their
/// coming: when the store is full, neighbouring rows are merged and each row spans twice as many
/// samples. What one pass over a trace of any length needs for means and their errors.
class REGRAIN_EXPORT Blocks {
public:
    /// `capacity`: most rows ever held, even and at least 4.
    explicit Blocks(std::size_t width, std::size_t capacity = 2048);

    /// Adds one sample. Throws Error where the width differs, a number is not finite, or the weight
    /// is negative.
    void add(std::span<const double> sample, double weight = 1.0);

    [[nodiscard]] std::size_t width() const { return width_; }
    [[nodiscard]] std::size_t samples() const { return samples_; }
    /// Samples per row (fewer in the last one).
    [[nodiscard]] std::size_t span() const { return span_; }
    [[nodiscard]] std::size_t size() const { return weights_.size(); }
    /// Weighted mean of each row, row-major, and the sum of the weights of its samples.
    [[nodiscard]] std::vector<double> rows() const;
    [[nodiscard]] std::span<const double> weights() const { return weights_; }
    /// Variance of the single samples, per column.
    [[nodiscard]] std::vector<double> variance() const;

private:
    void merge();

    std::size_t width_, capacity_, span_{1}, samples_{0}, in_last_{0};
    std::vector<double> sums_, weights_;        // per row: sum of w (x - origin), sum of w
    std::vector<double> origin_, square_sums_;  // per column: the first sample; sum of w (x - o)^2
};

}  // namespace regrain
