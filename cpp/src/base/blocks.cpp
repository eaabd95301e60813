#include "regrain/base/blocks.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain {

namespace {

// Sokal's constant. 5 is enough for one exponential; with 7 the intervals still cover where a slow
// mode hides under a fast one (80 % of the variance fast, 20 % with tau = 10).
constexpr double window_per_tau = 7.0;
// A window of one lag closes at once on noise that is anticorrelated by chance.
constexpr std::size_t least_window = 2;
// A series may be better than independent, but a claim beyond this is noise.
constexpr double least_tau = 0.25;

void check_weights(std::span<const double> weights, std::size_t n) {
    if (!weights.empty() && weights.size() != n) {
        throw Error("weights: got " + std::to_string(weights.size()) + " for " + std::to_string(n) +
                    " samples; give one per sample");
    }
}

double total(std::span<const double> values) {
    double sum = 0.0;
    for (const double v : values) sum += v;
    return sum;
}

// About the first sample, so that the mean of equal numbers is that number.
double mean_of(std::span<const double> x, std::span<const double> w) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - x[0]) * (w.empty() ? 1.0 : w[i]);
    const double weight = w.empty() ? static_cast<double>(x.size()) : total(w);
    if (!(weight > 0.0)) throw Error("mean_error: the weights add up to nothing");
    return x[0] + sum / weight;
}

// The deviation of each sample as it enters the mean: (x - mean) w / (mean weight).
std::vector<double> influences(std::span<const double> x, std::span<const double> w, double mean) {
    std::vector<double> z(x.size());
    const double scale = w.empty() ? 1.0 : static_cast<double>(w.size()) / total(w);
    for (std::size_t i = 0; i < z.size(); ++i) {
        z[i] = (x[i] - mean) * (w.empty() ? 1.0 : w[i] * scale);
    }
    return z;
}

double lagged(std::span<const double> z, std::size_t lag) {
    double sum = 0.0;
    for (std::size_t i = lag; i < z.size(); ++i) sum += z[i] * z[i - lag];
    return sum / static_cast<double>(z.size());
}

struct Window {
    double tau;
    std::size_t width;
};

Window autocorrelation_time(std::span<const double> z, double variance) {
    double tau = 0.5;
    std::size_t w = 0;
    while (w < z.size() / 2) {
        tau += lagged(z, ++w) / variance;
        if (w >= least_window && static_cast<double>(w) >= window_per_tau * tau) break;
    }
    return {std::max(tau, least_tau), w};
}

}  // namespace

MeanError mean_error(std::span<const double> series, std::span<const double> weights) {
    const std::size_t n = series.size();
    check_weights(weights, n);
    if (n == 0) throw Error("mean_error: got no samples; give at least one");
    MeanError result;
    result.mean = mean_of(series, weights);
    if (n == 1) return result;
    const auto count = static_cast<double>(n);
    const std::vector<double> z = influences(series, weights, result.mean);
    const double variance = lagged(z, 0);
    result.dof = count - 1.0;
    // All equal, or too few to see a correlation.
    if (variance <= 1e-30 * result.mean * result.mean || n < 4) {
        result.error = std::sqrt(variance / (count - 1.0));
        return result;
    }
    const Window window = autocorrelation_time(z, variance);
    const double lags = 2.0 * static_cast<double>(window.width) + 1.0;
    result.tau = window.tau * (1.0 + lags / count);
    result.error = std::sqrt(variance * 2.0 * result.tau / count);
    result.dof = std::max(count / lags - 1.0, 1.0);
    return result;
}

std::vector<MeanError> mean_errors(std::span<const double> rows, std::size_t width,
                                   std::span<const double> weights) {
    if (width == 0 || rows.size() % width != 0) {
        throw Error("mean_errors: " + std::to_string(rows.size()) + " numbers are not rows of " +
                    std::to_string(width));
    }
    const std::size_t n = rows.size() / width;
    if (n == 0) throw Error("mean_errors: got no samples; give at least one");
    std::vector<MeanError> results(width);
    parallel_for(
        width,
        [&](std::size_t begin, std::size_t end) {
            std::vector<double> column(n);
            for (std::size_t c = begin; c < end; ++c) {
                for (std::size_t i = 0; i < n; ++i) column[i] = rows[i * width + c];
                results[c] = mean_error(column, weights);
            }
        },
        8 + 40'000 / n);  // enough work for a thread to be worth waking
    return results;
}

Blocks::Blocks(std::size_t width, std::size_t capacity) : width_(width), capacity_(capacity) {
    if (width == 0 || capacity < 4 || capacity % 2 != 0) {
        throw Error("Blocks: got width " + std::to_string(width) + " and capacity " +
                    std::to_string(capacity) +
                    ", expected a width of 1 or more and an even capacity of 4 or more");
    }
}

void Blocks::add(std::span<const double> sample, double weight) {
    if (sample.size() != width_) {
        throw Error("Blocks: got a sample of " + std::to_string(sample.size()) +
                    " numbers, expected " + std::to_string(width_));
    }
    if (!(weight >= 0.0) || !std::isfinite(weight)) {
        throw Error("Blocks: got the weight " + std::to_string(weight) + ", expected 0 or more");
    }
    for (std::size_t c = 0; c < width_; ++c) {
        if (!std::isfinite(sample[c])) {
            throw Error("Blocks: number " + std::to_string(c) + " of sample " +
                        std::to_string(samples_) + " is not finite");
        }
    }
    if (samples_ == 0) {
        origin_.assign(sample.begin(), sample.end());
        square_sums_.assign(width_, 0.0);
    }
    if (in_last_ == span_ || weights_.empty()) {
        if (weights_.size() == capacity_) merge();
        weights_.push_back(0.0);
        sums_.resize(sums_.size() + width_, 0.0);
        in_last_ = 0;
    }
    double* row = sums_.data() + (weights_.size() - 1) * width_;
    for (std::size_t c = 0; c < width_; ++c) {
        const double x = sample[c] - origin_[c];
        row[c] += weight * x;
        square_sums_[c] += weight * x * x;
    }
    weights_.back() += weight;
    ++in_last_;
    ++samples_;
}

// Called when all rows are full, so every merged row is full too.
void Blocks::merge() {
    const std::size_t half = weights_.size() / 2;
    for (std::size_t i = 0; i < half; ++i) {
        weights_[i] = weights_[2 * i] + weights_[2 * i + 1];
        const double* even = sums_.data() + 2 * i * width_;
        for (std::size_t c = 0; c < width_; ++c) {
            sums_[i * width_ + c] = even[c] + even[width_ + c];
        }
    }
    weights_.resize(half);
    sums_.resize(half * width_);
    span_ *= 2;
}

std::vector<double> Blocks::rows() const {
    std::vector<double> means(sums_.size());
    for (std::size_t i = 0; i < weights_.size(); ++i) {
        const double w = weights_[i];
        for (std::size_t c = 0; c < width_; ++c) {
            means[i * width_ + c] = origin_[c] + (w > 0.0 ? sums_[i * width_ + c] / w : 0.0);
        }
    }
    return means;
}

std::vector<double> Blocks::variance() const {
    std::vector<double> result(width_, 0.0);
    const double sum = total(weights_);
    if (!(sum > 0.0)) return result;
    for (std::size_t c = 0; c < width_; ++c) {
        double mean = 0.0;
        for (std::size_t i = 0; i < weights_.size(); ++i) mean += sums_[i * width_ + c] / sum;
        result[c] = std::max(0.0, square_sums_[c] / sum - mean * mean);
    }
    return result;
}

}  // namespace regrain
