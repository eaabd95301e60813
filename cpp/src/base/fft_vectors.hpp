// Complex numbers of several lines in vectors: out of memory, through the passes, and back.
#pragma once

#include <complex>
#include <cstddef>
#include <utility>

#include "fft_radix.hpp"

namespace regrain::fft {

/// All lanes the same. By doubling: see vectors.hpp.
template <class T, int W>
REGRAIN_INLINE typename RealVector<T, W>::Type same(T x) {
    if constexpr (W == 2) {
        return typename RealVector<T, 2>::Type{x, x};
    } else {
        const auto half = same<T, W / 2>(x);
        return [&]<std::size_t... k>(std::index_sequence<k...>) __attribute__((always_inline)) {
            return __builtin_shufflevector(half, half, static_cast<int>(k)...);
        }
        (std::make_index_sequence<W>());
    }
}

// Lanes change places within 16 bytes only, which is cheap: real parts of a and b are in lanes as
// `lane_of` says, and go back from there.
template <class T, int W, bool imaginary, class V, std::size_t... k>
REGRAIN_INLINE V parts(const V& a, const V& b, std::index_sequence<k...>) {
    constexpr std::size_t group = 16 / sizeof(T), half = group / 2, lanes = W;
    return __builtin_shufflevector(
        a, b,
        static_cast<int>((k % group < half ? 0 : lanes) + k / group * group + 2 * (k % half) +
                         (imaginary ? 1 : 0))...);
}
template <class T, int W, bool second, class V, std::size_t... k>
REGRAIN_INLINE V pairs(const V& re, const V& im, std::index_sequence<k...>) {
    constexpr std::size_t group = 16 / sizeof(T), lanes = W;
    return __builtin_shufflevector(re, im,
                                   static_cast<int>((k % 2) * lanes + k / group * group +
                                                    (second ? group / 2 : 0) + k % group / 2)...);
}

/// Which of W complex numbers in memory is in a lane.
template <class T, int W>
constexpr std::size_t number_in_lane(std::size_t lane) {
    constexpr std::size_t group = 16 / sizeof(T), half = group / 2;
    return (lane % group < half ? 0 : W / 2) + lane / group * half + lane % half;
}

/// W complex numbers that lie in memory one after the other, real and imaginary parts exchanged if
/// `swapped`: that makes a transform forward one backward.
template <class T, int W, bool swapped>
REGRAIN_INLINE Complex<T, W> from_memory(const std::complex<T>* at) {
    using V = typename RealVector<T, W>::Type;
    constexpr auto lanes = std::make_index_sequence<W>();
    const auto* numbers = reinterpret_cast<const T*>(at);
    const V a = vectors::load<V>(numbers), b = vectors::load<V>(numbers + W);
    const V re = parts<T, W, false>(a, b, lanes), im = parts<T, W, true>(a, b, lanes);
    if constexpr (swapped) return {im, re};
    return {re, im};
}
template <class T, int W, bool swapped>
REGRAIN_INLINE void to_memory(std::complex<T>* at, const Complex<T, W>& c) {
    using V = typename RealVector<T, W>::Type;
    constexpr auto lanes = std::make_index_sequence<W>();
    auto* numbers = reinterpret_cast<T*>(at);
    const V& re = swapped ? c.im : c.re;
    const V& im = swapped ? c.re : c.im;
    const V a = pairs<T, W, false>(re, im, lanes), b = pairs<T, W, true>(re, im, lanes);
    vectors::store(numbers, a);
    vectors::store(numbers + W, b);
}

/// In the buffers real parts of W lines are followed by their imaginary parts.
template <class T, int W>
REGRAIN_INLINE Complex<T, W> from_buffer(const T* buffer, std::size_t number) {
    using V = typename RealVector<T, W>::Type;
    const T* at = buffer + 2 * W * number;
    return {vectors::load<V>(at), vectors::load<V>(at + W)};
}
template <class T, int W>
REGRAIN_INLINE void to_buffer(T* buffer, std::size_t number, const Complex<T, W>& c) {
    T* at = buffer + 2 * W * number;
    vectors::store(at, c.re);
    vectors::store(at + W, c.im);
}

template <class T, int W>
REGRAIN_INLINE Complex<T, W> times(const Complex<T, W>& a, const std::complex<T>& factor) {
    const auto re = same<T, W>(factor.real()), im = same<T, W>(factor.imag());
    return {a.re * re - a.im * im, a.re * im + a.im * re};
}

template <int W, int distance, class V, std::size_t... k>
REGRAIN_INLINE void exchange(V& a, V& b, std::index_sequence<k...>) {
    const V low =
        __builtin_shufflevector(a, b, static_cast<int>(k & distance ? k - distance + W : k)...);
    b = __builtin_shufflevector(a, b, static_cast<int>(k & distance ? k + W : k + distance)...);
    a = low;
}
/// Lane l of vector k becomes lane k of vector l.
template <int W, int distance = W / 2, class V>
REGRAIN_INLINE void transpose(V (&v)[W]) {
#pragma GCC unroll 16
    for (int k = 0; k < W; ++k) {
        if ((k & distance) != 0) continue;
        exchange<W, distance>(v[k], v[k + distance], std::make_index_sequence<W>());
    }
    if constexpr (distance > 1) transpose<W, distance / 2>(v);
}

}  // namespace regrain::fft
