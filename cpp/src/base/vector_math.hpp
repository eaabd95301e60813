// Elementary functions of vectors for any argument, without branches; see vectors.hpp.
#pragma once

#include <cmath>
#include <limits>

#include "vectors.hpp"

namespace regrain::vectors {

namespace detail {
// Added to a number below 2^51 it leaves the nearest whole one in the low bits of the double.
inline constexpr double whole = 0x1.8p52;
inline constexpr double infinite = std::numeric_limits<double>::infinity();
inline constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
}  // namespace detail

template <int W>
REGRAIN_INLINE Double<W> absolute(const Double<W>& x) {
    return (Double<W>)((Int<W>)x & std::int64_t{0x7FFFFFFFFFFFFFFF});
}

/// The nearest whole number; of halves an even one. For numbers below 2^51.
template <int W>
REGRAIN_INLINE Double<W> rounded(const Double<W>& x) {
    return (x + detail::whole) - detail::whole;
}

template <int W>
REGRAIN_INLINE Double<W> floor(const Double<W>& x) {
    const Double<W> nearest = rounded<W>(x);
    const Double<W> below = nearest > x ? nearest - 1.0 : nearest;
    return absolute<W>(x) < 0x1p51 ? below : x;
}

/// exp(x) to about a rounding error, for x from -708 to 709.7.
template <int W>
REGRAIN_INLINE Double<W> normal_exp(const Double<W>& x) {
    // x = n ln 2 + t, where ln 2 comes in two parts, of which the first times n is exact.
    const Double<W> numbered = x * 0x1.71547652b82fep0 + detail::whole;
    const Double<W> n = numbered - detail::whole;
    const Double<W> t = (x - n * 0x1.62e42fefa3p-1) - n * 0x1.3de6af278ece6p-42;
    // The Taylor series, as abs(t) < ln(2) / 2.
    Double<W> p = t * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
    p = p * t + 1.0 / 39916800.0;
    p = p * t + 1.0 / 3628800.0;
    p = p * t + 1.0 / 362880.0;
    p = p * t + 1.0 / 40320.0;
    p = p * t + 1.0 / 5040.0;
    p = p * t + 1.0 / 720.0;
    p = p * t + 1.0 / 120.0;
    p = p * t + 1.0 / 24.0;
    p = p * t + 1.0 / 6.0;
    p = p * t + 0.5;
    p = p * t + 1.0;
    p = p * t + 1.0;
    return (Double<W>)((Int<W>)p + ((Int<W>)numbered << 52));
}

/// exp(x) to about a rounding error; below exp(-708) it is zero.
template <int W>
REGRAIN_INLINE Double<W> full_exp(const Double<W>& argument) {
    const Double<W> zero{};
    Double<W> x = argument > -708.0 ? argument : zero - 708.0;
    x = x < 709.7 ? x : zero + 709.7;
    Double<W> y = normal_exp<W>(x);
    y = argument < -708.0 ? zero : y;
    y = argument > 709.7 ? zero + detail::infinite : y;
    return argument == argument ? y : argument;
}

/// ln(x) to about a rounding error.
template <int W>
REGRAIN_INLINE Double<W> full_log(const Double<W>& argument) {
    const Double<W> zero{};
    // Numbers without a leading one are made larger by 2^54.
    const Double<W> x = argument < 0x1p-1022 ? argument * 0x1p54 : argument;
    const Double<W> lifted = argument < 0x1p-1022 ? zero + 54.0 : zero;
    // x = m 2^e with m between sqrt(1/2) and sqrt(2).
    const Int<W> bits = (Int<W>)x;
    const Int<W> shifted = bits - std::int64_t{0x3FE6A09E667F3BCD};
    const Int<W> e = shifted >> 52;
    const Double<W> m = (Double<W>)(bits - (e << 52));
    // e as a double: its bits in those of 1.5 * 2^52.
    const Double<W> whole = zero + detail::whole;
    const Double<W> exponent = ((Double<W>)((Int<W>)whole + e) - detail::whole) - lifted;
    const Double<W> s = (m - 1.0) / (m + 1.0);
    const Double<W> s2 = s * s;
    Double<W> p = s2 * (2.0 / 23.0) + 2.0 / 21.0;
    p = p * s2 + 2.0 / 19.0;
    p = p * s2 + 2.0 / 17.0;
    p = p * s2 + 2.0 / 15.0;
    p = p * s2 + 2.0 / 13.0;
    p = p * s2 + 2.0 / 11.0;
    p = p * s2 + 2.0 / 9.0;
    p = p * s2 + 2.0 / 7.0;
    p = p * s2 + 2.0 / 5.0;
    p = p * s2 + 2.0 / 3.0;
    p = p * s2 * s + exponent * 0x1.3de6af278ece6p-42;
    Double<W> y = exponent * 0x1.62e42fefa3p-1 + (p + 2.0 * s);
    y = argument < detail::infinite ? y : argument;
    y = argument == 0.0 ? zero - detail::infinite : y;
    return argument < 0.0 ? zero + detail::undefined : y;
}

/// sin(x + quarters * pi / 2) to about a rounding error of 1; far from zero by the C library.
template <int W>
REGRAIN_INLINE Double<W> full_sine(const Double<W>& x, int quarters) {
    const Double<W> zero{};
    const Double<W> numbered = x * 0x1.45f306dc9c883p-1 + detail::whole;
    const Double<W> n = numbered - detail::whole;
    // pi / 2 in three parts, of which the first two times n are exact.
    Double<W> t = x - n * 0x1.921fb544p0;
    t = t - n * 0x1.0b4611a6p-34;
    t = t - n * 0x1.3198a2e037073p-69;
    const Double<W> t2 = t * t;
    Double<W> s = t2 * (1.0 / 355687428096000.0) - 1.0 / 1307674368000.0;
    s = s * t2 + 1.0 / 6227020800.0;
    s = s * t2 - 1.0 / 39916800.0;
    s = s * t2 + 1.0 / 362880.0;
    s = s * t2 - 1.0 / 5040.0;
    s = s * t2 + 1.0 / 120.0;
    s = s * t2 - 1.0 / 6.0;
    s = t + t * (t2 * s);
    Double<W> c = t2 * (-1.0 / 6402373705728000.0) + 1.0 / 20922789888000.0;
    c = c * t2 - 1.0 / 87178291200.0;
    c = c * t2 + 1.0 / 479001600.0;
    c = c * t2 - 1.0 / 3628800.0;
    c = c * t2 + 1.0 / 40320.0;
    c = c * t2 - 1.0 / 720.0;
    c = c * t2 + 1.0 / 24.0;
    c = c * t2 - 0.5;
    c = c * t2 + 1.0;
    const Int<W> quarter = (Int<W>)numbered + std::int64_t{quarters};
    Double<W> y = (quarter & 1) != 0 ? c : s;
    y = (quarter & 2) != 0 ? zero - y : y;
    for (int k = 0; k < W; ++k) {
        if (!(__builtin_fabs(x[k]) <= 1e5)) y[k] = quarters == 0 ? std::sin(x[k]) : std::cos(x[k]);
    }
    return y;
}

}  // namespace regrain::vectors
