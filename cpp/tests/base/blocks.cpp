#include "regrain/base/blocks.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/random.hpp"

using namespace regrain;

namespace {

// x' = phi x + noise, unit variance; tau = (1 + phi) / (1 - phi) / 2.
std::vector<double> autoregressive(std::size_t n, double phi, std::uint32_t stream) {
    const Philox random(5, stream);
    std::vector<double> x(n);
    x[0] = random.normal4(0, 0)[0];
    for (std::size_t i = 1; i < n; ++i) {
        x[i] = phi * x[i - 1] + std::sqrt(1 - phi * phi) * random.normal4(i, 0)[0];
    }
    return x;
}

}  // namespace

TEST("the error of a correlated mean is that of its autocorrelation time") {
    // Wolff 2004, eq. 42: the relative error of tau is sqrt(2 (2 W + 1) / N), 3 % here.
    const std::vector<double> x = autoregressive(400000, 0.8, 1);
    const MeanError found = mean_error(x);
    CHECK_NEAR(found.tau, 4.5, 4 * 0.02 * 4.5);
    CHECK_NEAR(found.error, std::sqrt(2 * 4.5 / 400000.0), 0.06 * found.error);
    CHECK(std::abs(found.mean) < 4 * found.error);
}

TEST("few samples: the textbook") {
    const std::vector<double> x{1.0, 2.0, 6.0};
    const MeanError found = mean_error(x);
    CHECK_NEAR(found.mean, 3.0, 1e-15);
    CHECK_NEAR(found.error, std::sqrt(7.0 / 3.0), 1e-15);
    CHECK_NEAR(found.dof, 2.0, 0.0);
    CHECK_NEAR(mean_error(std::vector<double>{4.0}).dof, 0.0, 0.0);
    CHECK_NEAR(mean_error(std::vector<double>(50, 4.0)).error, 0.0, 0.0);
}

TEST("a weight is as good as a repetition, and zero weight as absence") {
    const std::vector<double> x{1.0, 5.0, 2.0};
    const std::vector<double> w{2.0, 0.0, 1.0};
    CHECK_NEAR(mean_error(x, w).mean, 4.0 / 3.0, 1e-15);
    CHECK_THROWS(Error, mean_error(x, std::vector<double>{1.0}));
    CHECK_THROWS(Error, mean_error(x, std::vector<double>(3, 0.0)));
}

TEST("merged rows keep the means, the weights and the variance") {
    const std::vector<double> x = autoregressive(1000, 0.9, 2);
    Blocks blocks(2, 64);
    double sum = 0.0;
    double weight = 0.0;
    double squares = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double w = 1.0 + static_cast<double>(i % 3);
        blocks.add(std::vector<double>{x[i], 1e6 + x[i]}, w);
        sum += w * x[i];
        squares += w * x[i] * x[i];
        weight += w;
    }
    CHECK(blocks.size() <= 64);
    CHECK(blocks.span() == 16 && blocks.samples() == 1000);
    const std::vector<double> rows = blocks.rows();
    double again = 0.0;
    for (std::size_t i = 0; i < blocks.size(); ++i) again += rows[2 * i] * blocks.weights()[i];
    CHECK_NEAR(again, sum, 1e-10);
    const double mean = sum / weight;
    CHECK_NEAR(blocks.variance()[0], squares / weight - mean * mean, 1e-12);
    CHECK_NEAR(blocks.variance()[1], blocks.variance()[0], 1e-8);
}

TEST("merging does not change the error by more than its own uncertainty") {
    const std::vector<double> x = autoregressive(20000, 0.9, 3);
    Blocks blocks(1, 1024);
    for (const double v : x) blocks.add({&v, 1});
    const MeanError whole = mean_error(x);
    const std::vector<double> rows = blocks.rows();
    const MeanError merged = mean_error(rows, blocks.weights());
    CHECK_NEAR(merged.mean, whole.mean, 1e-12);
    CHECK_NEAR(merged.error, whole.error, 0.15 * whole.error);
}

TEST("columns are independent of each other") {
    std::vector<double> rows;
    const std::vector<double> a = autoregressive(300, 0.5, 4);
    const std::vector<double> b = autoregressive(300, 0.9, 5);
    for (std::size_t i = 0; i < a.size(); ++i) {
        rows.push_back(a[i]);
        rows.push_back(b[i]);
    }
    const std::vector<MeanError> found = mean_errors(rows, 2);
    CHECK_NEAR(found[0].error, mean_error(a).error, 0.0);
    CHECK_NEAR(found[1].error, mean_error(b).error, 0.0);
}

TEST("what is no sample is refused") {
    Blocks blocks(2);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS(Error, blocks.add(std::vector<double>{1.0}));
    CHECK_THROWS(Error, blocks.add(std::vector<double>{1.0, nan}));
    CHECK_THROWS(Error, blocks.add(std::vector<double>{1.0, 1.0}, -1.0));
    CHECK_THROWS(Error, mean_error(std::vector<double>{}));
    CHECK_THROWS(Error, Blocks(0));
    CHECK_THROWS(Error, Blocks(1, 7));
}
