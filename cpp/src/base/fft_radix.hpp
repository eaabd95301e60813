// Transforms of 2, 3, 4, 5, 7 and 8 complex vectors in registers.
#pragma once

#include <cstddef>

#include "vectors.hpp"

namespace regrain::fft {

template <class T, int W>
struct RealVector {
    typedef T Type __attribute__((vector_size(W * sizeof(T))));
};

/// W complex numbers, of as many lines.
template <class T, int W>
struct Complex {
    using V = typename RealVector<T, W>::Type;
    V re, im;
};

template <class C>
REGRAIN_INLINE C plus(const C& a, const C& b) {
    return {a.re + b.re, a.im + b.im};
}
template <class C>
REGRAIN_INLINE C minus(const C& a, const C& b) {
    return {a.re - b.re, a.im - b.im};
}
/// a - i b and a + i b.
template <class C>
REGRAIN_INLINE C minus_i(const C& a, const C& b) {
    return {a.re + b.im, a.im - b.re};
}
template <class C>
REGRAIN_INLINE C plus_i(const C& a, const C& b) {
    return {a.re - b.im, a.im + b.re};
}

// Real and imaginary parts of exp(2 pi i j / r), j = 1 .. (r - 1) / 2.
template <int r>
struct Turns;
template <>
struct Turns<3> {
    static constexpr double cosine[] = {-0.5}, sine[] = {0.86602540378443864676};
};
template <>
struct Turns<5> {
    static constexpr double cosine[] = {0.30901699437494742410, -0.80901699437494742410};
    static constexpr double sine[] = {0.95105651629515357212, 0.58778525229247312917};
};
template <>
struct Turns<7> {
    static constexpr double cosine[] = {0.62348980185873353053, -0.22252093395631440429,
                                        -0.90096886790241912624};
    static constexpr double sine[] = {0.78183148246802980871, 0.97492791218182360702,
                                      0.43388373911755812048};
};

// Partners j and r - j share a cosine and, but for a sign, a sine.
template <class T, int r, class C>
REGRAIN_INLINE void odd_radix(C (&x)[r]) {
    constexpr int half = (r - 1) / 2;
    C sum[half], difference[half];
    C total = x[0];
#pragma GCC unroll 3
    for (int j = 0; j < half; ++j) {
        sum[j] = plus(x[j + 1], x[r - 1 - j]);
        difference[j] = minus(x[j + 1], x[r - 1 - j]);
        total = plus(total, sum[j]);
    }
#pragma GCC unroll 3
    for (int k = 0; k < half; ++k) {
        C even = x[0];
        C odd{};
#pragma GCC unroll 3
        for (int j = 0; j < half; ++j) {
            const int turn = (j + 1) * (k + 1) % r;
            const bool upper = turn <= half;
            const int at = (upper ? turn : r - turn) - 1;
            const T c = static_cast<T>(Turns<r>::cosine[at]);
            const T s = static_cast<T>(upper ? Turns<r>::sine[at] : -Turns<r>::sine[at]);
            even = {even.re + sum[j].re * c, even.im + sum[j].im * c};
            odd = {odd.re + difference[j].re * s, odd.im + difference[j].im * s};
        }
        x[k + 1] = minus_i(even, odd);
        x[r - 1 - k] = plus_i(even, odd);
    }
    x[0] = total;
}

template <class C>
REGRAIN_INLINE void radix4(C& a, C& b, C& c, C& d) {
    const C s = plus(a, c), t = minus(a, c), u = plus(b, d), v = minus(b, d);
    a = plus(s, u);
    b = minus_i(t, v);
    c = minus(s, u);
    d = plus_i(t, v);
}

template <class T, class C>
REGRAIN_INLINE void radix8(C (&x)[8]) {
    constexpr T half_root = static_cast<T>(0.70710678118654752440);
    C a0 = plus(x[0], x[4]), a1 = plus(x[1], x[5]), a2 = plus(x[2], x[6]), a3 = plus(x[3], x[7]);
    C b0 = minus(x[0], x[4]), b1 = minus(x[1], x[5]);
    C b2 = minus(x[2], x[6]), b3 = minus(x[3], x[7]);
    // Times exp(-i pi j / 4).
    b1 = {(b1.re + b1.im) * half_root, (b1.im - b1.re) * half_root};
    b2 = {b2.im, -b2.re};
    b3 = {(b3.im - b3.re) * half_root, (b3.re + b3.im) * -half_root};
    radix4(a0, a1, a2, a3);
    radix4(b0, b1, b2, b3);
    x[0] = a0;
    x[1] = b0;
    x[2] = a1;
    x[3] = b1;
    x[4] = a2;
    x[5] = b2;
    x[6] = a3;
    x[7] = b3;
}

/// In place, in the natural order.
template <class T, int r, class C>
REGRAIN_INLINE void butterfly(C (&x)[r]) {
    if constexpr (r == 2) {
        const C a = x[0];
        x[0] = plus(a, x[1]);
        x[1] = minus(a, x[1]);
    } else if constexpr (r == 4) {
        radix4(x[0], x[1], x[2], x[3]);
    } else if constexpr (r == 8) {
        radix8<T>(x);
    } else {
        odd_radix<T, r>(x);
    }
}

}  // namespace regrain::fft
