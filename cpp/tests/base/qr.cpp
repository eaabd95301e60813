#include "regrain/base/qr.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/random.hpp"

using regrain::QrFactor;

namespace {

std::vector<double> random_rows(std::size_t rows, std::size_t columns, std::uint64_t seed) {
    const regrain::Philox random(seed, 0);
    std::vector<double> values(rows * columns);
    for (std::size_t k = 0; k < values.size(); ++k) {
        values[k] = random.normal4(0, static_cast<std::uint32_t>(k))[0];
    }
    return values;
}

// R^T R, which does not depend on the signs of R.
std::vector<double> gram(const std::vector<double>& rows, std::size_t columns) {
    std::vector<double> product(columns * columns, 0.0);
    for (std::size_t i = 0; i < rows.size() / columns; ++i) {
        for (std::size_t k = 0; k < columns; ++k) {
            for (std::size_t l = 0; l < columns; ++l) {
                product[k * columns + l] += rows[i * columns + k] * rows[i * columns + l];
            }
        }
    }
    return product;
}

}  // namespace

TEST("a factor has the products of the columns of all rows, however they come") {
    for (const std::size_t columns : {1u, 2u, 3u, 5u, 8u, 35u}) {
        const std::vector<double> rows = random_rows(301, columns, columns);
        QrFactor whole(columns), upper(columns), lower(columns);
        whole.add(rows);
        const auto half = rows.begin() + static_cast<std::ptrdiff_t>(150 * columns);
        upper.add(std::vector<double>(rows.begin(), half));
        lower.add(std::vector<double>(half, rows.end()));
        upper.combine(lower);
        const std::vector<double> wanted = gram(rows, columns);
        for (const QrFactor* factor : {&whole, &upper}) {
            const std::vector<double> r = factor->r();
            const std::vector<double> found = gram(r, columns);
            for (std::size_t k = 0; k < wanted.size(); ++k) {
                CHECK_NEAR(found[k], wanted[k], 1e-11);
                if (k / columns > k % columns) CHECK(r[k] == 0.0);
            }
        }
    }
}

TEST("the last entry of the diagonal is the residual") {
    // y = 1, 2, 4 against x = 0, 1, 2: the line 5/6 + 3/2 x leaves 1/6, -1/3, 1/6.
    QrFactor factor(3);
    factor.add(std::vector<double>{1, 0, 1, 1, 1, 2, 1, 2, 4});
    const std::vector<double> r = factor.r();
    CHECK_NEAR(std::abs(r[8]), std::sqrt(1.0 / 6.0), 1e-14);
    const double slope = r[5] / r[4];
    CHECK_NEAR(slope, 1.5, 1e-14);
    CHECK_NEAR((r[2] - r[1] * slope) / r[0], 5.0 / 6.0, 1e-14);
}

TEST("rows of zeros and scaled factors") {
    QrFactor factor(2), other(2);
    factor.add(std::vector<double>{0, 0, 0, 0});
    CHECK(factor.r() == std::vector<double>(4, 0.0));
    other.add(std::vector<double>{3, 1, 4, 1});
    factor.combine(other, 2.0);
    CHECK_NEAR(std::abs(factor.r()[0]), 10.0, 1e-14);
    factor.clear();
    CHECK(factor.r() == std::vector<double>(4, 0.0));
}

TEST("blocks and rows that make no sense are refused") {
    using regrain::Error;
    CHECK_THROWS(Error, QrFactor(0));
    QrFactor factor(3);
    CHECK_THROWS(Error, factor.add(std::vector<double>(4, 1.0)));
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS(Error, factor.add(std::vector<double>{1.0, nan, 1.0}));
    CHECK_THROWS(Error, factor.combine(QrFactor(2)));
    CHECK_THROWS(Error, QrFactor::from_r(2, std::vector<double>{1, 2, 3, 4}));
    CHECK_THROWS(Error, QrFactor::from_r(2, std::vector<double>{1, 2, 0}));
    factor.add(std::vector<double>{1, 2, 3, 4, 5, 7});
    CHECK(QrFactor::from_r(3, factor.r()).r() == factor.r());
    std::vector<double> small(10);
    CHECK_THROWS(Error, factor.add_columns(small, 8, 8));
}
