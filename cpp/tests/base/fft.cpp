#include "regrain/base/fft.hpp"

#include <atomic>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/random.hpp"

using namespace regrain;

namespace {

template <class T>
std::vector<std::complex<T>> numbers(std::size_t n) {
    const Philox random(9, 4);
    std::vector<std::complex<T>> z(n);
    for (std::uint32_t i = 0; i < n; ++i) {
        const auto u = random.uniform2(0, i);
        z[i] = {static_cast<T>(u[0] - 0.5), static_cast<T>(u[1] - 0.5)};
    }
    return z;
}

// The sum of the definition, along an axis with so many numbers between neighbours.
template <class T>
std::vector<std::complex<double>> by_definition(const std::vector<std::complex<T>>& z,
                                                std::vector<std::size_t> shape) {
    std::vector<std::complex<double>> now(z.begin(), z.end());
    std::size_t apart = z.size();
    for (const std::size_t n : shape) {
        apart /= n;
        std::vector<std::complex<double>> next(now.size());
        for (std::size_t i = 0; i < now.size(); ++i) {
            const std::size_t k = i / apart % n, start = i - k * apart;
            for (std::size_t x = 0; x < n; ++x) {
                const double turn = static_cast<double>(k * x % n) / static_cast<double>(n);
                next[i] += now[start + x * apart] * std::polar(1.0, -2 * std::numbers::pi * turn);
            }
        }
        now = next;
    }
    return now;
}

template <class T>
double away(const std::vector<std::complex<T>>& mine,
            const std::vector<std::complex<double>>& theirs) {
    double square = 0.0, size = 0.0;
    for (std::size_t i = 0; i < mine.size(); ++i) {
        square += std::norm(std::complex<double>(mine[i]) - theirs[i]);
        size += std::norm(theirs[i]);
    }
    return std::sqrt(square / size);
}

template <class T>
void check_complex(const std::vector<std::size_t>& shape, double tolerance) {
    const ComplexTransform<T> plan(shape);
    const auto z = numbers<T>(plan.size());
    std::vector<std::complex<T>> spectrum(z.size()), back(z.size());
    plan.forward(z, spectrum);
    CHECK(away(spectrum, by_definition(z, shape)) < tolerance);
    plan.backward(spectrum, back);
    CHECK(away(back, {z.begin(), z.end()}) < tolerance);
    plan.forward(back, back);  // in place
    CHECK(away(back, {spectrum.begin(), spectrum.end()}) < tolerance);
}

template <class T>
void check_real(const std::vector<std::size_t>& shape, double tolerance) {
    const RealTransform<T> plan(shape);
    auto z = numbers<T>(plan.size());
    std::vector<T> values, back(plan.size());
    for (auto& number : z) {
        values.push_back(number.real());
        number.imag(T(0));
    }
    std::vector<std::complex<T>> spectrum(plan.spectrum_size());
    plan.forward(values, spectrum);
    const auto whole = by_definition(z, shape);
    const std::size_t n = shape.back(), width = n / 2 + 1;
    std::vector<std::complex<double>> half;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        if (i % n < width) half.push_back(whole[i]);
    }
    CHECK(away(spectrum, half) < tolerance);
    plan.backward(spectrum, back);
    CHECK(away(std::vector<std::complex<T>>(back.begin(), back.end()), {z.begin(), z.end()}) <
          tolerance);
}

}  // namespace

TEST("Fourier transforms are the sums of their definition") {
    const std::vector<std::vector<std::size_t>> shapes = {
        {1},       {2},        {3},      {7},       {8},          {35},      {64},
        {105},     {1, 6},     {10, 9},  {6, 14},   {16, 17 - 1}, {1, 1, 4}, {3, 4, 5},
        {6, 7, 8}, {8, 1, 21}, {10, 12}, {9, 3, 2}, {2, 32, 2},   {24, 25},  {18, 4, 18}};
    for (const auto& shape : shapes) {
        check_complex<double>(shape, 2e-15);
        check_complex<float>(shape, 1e-6);
        check_real<double>(shape, 2e-15);
        check_real<float>(shape, 1e-6);
    }
    check_complex<double>({2058}, 2e-15);
    check_real<double>({2048}, 2e-15);
}

TEST("work on a spectrum sees each number once, by its place") {
    for (const std::vector<std::size_t>& shape :
         {std::vector<std::size_t>{30}, {20, 14}, {300, 256}, {12, 10, 16}, {40, 42, 60}}) {
        const RealTransform<double> plan(shape, 2);
        std::vector<double> values(plan.size());
        values[0] = 1.0;
        std::vector<std::complex<double>> spectrum(plan.spectrum_size());
        std::vector<int> seen(plan.blocks());
        std::atomic<std::size_t> count = 0;
        plan.through(values, spectrum, [&](const SpectrumBlock<double>& block) {
            ++seen[block.number];
            count += block.rows * block.count;
            const std::size_t row = block.stride;
            for (std::size_t i = 0; i < block.rows; ++i) {
                for (std::size_t k = 0; k < block.count; ++k) {
                    // A shift by one along the last axis.
                    const std::size_t at = (block.first + k) % row;
                    const std::size_t last = at % (shape.back() / 2 + 1);
                    block.data[i * block.stride + k] *=
                        std::polar(1.0, -2.0 * std::numbers::pi * static_cast<double>(last) /
                                            static_cast<double>(shape.back()));
                }
            }
        });
        CHECK(count == plan.spectrum_size());
        CHECK(seen == std::vector<int>(plan.blocks(), 1));
        CHECK_NEAR(values[1], 1.0, 1e-14);
        CHECK_NEAR(values[0], 0.0, 1e-14);
    }
}

TEST("lengths and arrays that do not fit are refused") {
    CHECK(good_length(0) == 1);
    CHECK(good_length(11) == 12);
    CHECK(good_length(1025) == 1029);
    CHECK_THROWS(Error, RealTransform<double>({13}));
    CHECK_THROWS(Error, RealTransform<float>({0, 4}));
    CHECK_THROWS(Error, ComplexTransform<double>({}));
    CHECK_THROWS(Error, ComplexTransform<double>({4}, 0));
    const RealTransform<double> plan({4, 4});
    std::vector<double> values(16);
    std::vector<std::complex<double>> spectrum(11);
    CHECK_THROWS(Error, plan.forward(values, spectrum));
    CHECK_THROWS(Error, plan.backward(spectrum, values));
}
