#include <cmath>
#include <numbers>

#include "fft_kernel.hpp"

namespace regrain::fft {

std::complex<double> root_of_unity(std::size_t k, std::size_t n) {
    const long double angle = -2.0L * std::numbers::pi_v<long double> *
                              static_cast<long double>(k % n) / static_cast<long double>(n);
    return {static_cast<double>(std::cos(angle)), static_cast<double>(std::sin(angle))};
}

// Odd radices first, then as many eights as two fours or one leave.
template <class T>
Line<T>::Line(std::size_t length) : n(length) {
    std::size_t left = n, twos = 0;
    for (const std::size_t factor : {7U, 5U, 3U}) {
        for (; left % factor == 0; left /= factor) radices.push_back(factor);
    }
    for (; left > 1; left /= 2) ++twos;
    if (twos == 1) radices.push_back(2);
    const std::size_t fours = twos % 3 == 1 ? (twos > 1 ? 2 : 0) : (twos % 3 == 2 ? 1 : 0);
    radices.insert(radices.end(), fours, 4);
    if (twos > 1) radices.insert(radices.end(), (twos - 2 * fours) / 3, 8);
    std::size_t m = n;
    for (std::size_t pass = 0; pass + 1 < radices.size(); ++pass) {
        const std::size_t r = radices[pass], parts = m;
        m /= r;
        for (std::size_t p = 0; p < m; ++p) {
            for (std::size_t j = 1; j < r; ++j) {
                const auto root = root_of_unity(p * j, parts);
                twiddles.emplace_back(static_cast<T>(root.real()), static_cast<T>(root.imag()));
            }
        }
    }
}

template <class T>
RealLine<T>::RealLine(std::size_t length) : half(length / 2) {
    for (std::size_t k = 0; 4 * k <= length; ++k) {
        const auto root = root_of_unity(k, length);
        roots.emplace_back(static_cast<T>(root.real()), static_cast<T>(root.imag()));
    }
}

template struct Line<double>;
template struct Line<float>;
template struct RealLine<double>;
template struct RealLine<float>;

}  // namespace regrain::fft
