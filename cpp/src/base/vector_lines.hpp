// Records of eight doubles, which fill a line of the cache, and vectors of them.
#pragma once

#include "vectors.hpp"

namespace regrain::vectors {

/// 1 / sqrt(v) to about a rounding error, for what a float can hold: that of single precision and
/// one step of third order, at a fraction of the time of a root and a division in double.
template <int W>
REGRAIN_INLINE Double<W> inverse_root(const Double<W>& v) {
    const Float<W> rough = 1.0F / sqrt<W>(__builtin_convertvector(v, Float<W>));
    const Double<W> y = __builtin_convertvector(rough, Double<W>);
    const Double<W> h = 1.0 - v * y * y;
    return y + y * h * (0.375 * h + 0.5);
}

/// Columns 0 to 3 and 4 to 7 of W records.
template <int W>
struct Lines {
    Columns<W> front, back;
};

// Of eight columns those that are even or odd, from two lines in turns; and those that are in the
// lower or upper half of each half.
REGRAIN_INLINE Double<8> even(const Double<8>& p, const Double<8>& q) {
    return __builtin_shufflevector(p, q, 0, 8, 2, 10, 4, 12, 6, 14);
}
REGRAIN_INLINE Double<8> odd(const Double<8>& p, const Double<8>& q) {
    return __builtin_shufflevector(p, q, 1, 9, 3, 11, 5, 13, 7, 15);
}
REGRAIN_INLINE Double<8> lower(const Double<8>& p, const Double<8>& q) {
    return __builtin_shufflevector(p, q, 0, 1, 4, 5, 8, 9, 12, 13);
}
REGRAIN_INLINE Double<8> upper(const Double<8>& p, const Double<8>& q) {
    return __builtin_shufflevector(p, q, 2, 3, 6, 7, 10, 11, 14, 15);
}

/// Of records less others: record(k) and other(k) point to the first double of the k-th.
template <int W, class Record, class Other>
REGRAIN_INLINE Lines<W> line_differences(Record&& record, Other&& other) {
    if constexpr (W == 8) {
        using V = Double<8>;
        const auto line = [&](int k) __attribute__((always_inline)) {
            return V(load<V>(record(k)) - load<V>(other(k)));
        };
        const V a = line(0), b = line(1), c = line(2), d = line(3);
        const V e = line(4), f = line(5), g = line(6), h = line(7);
        const V ab0 = even(a, b), cd0 = even(c, d), ef0 = even(e, f), gh0 = even(g, h);
        const V ab1 = odd(a, b), cd1 = odd(c, d), ef1 = odd(e, f), gh1 = odd(g, h);
        const V ad04 = lower(ab0, cd0), eh04 = lower(ef0, gh0);
        const V ad26 = upper(ab0, cd0), eh26 = upper(ef0, gh0);
        const V ad15 = lower(ab1, cd1), eh15 = lower(ef1, gh1);
        const V ad37 = upper(ab1, cd1), eh37 = upper(ef1, gh1);
        return {{lower(ad04, eh04), lower(ad15, eh15), lower(ad26, eh26), lower(ad37, eh37)},
                {upper(ad04, eh04), upper(ad15, eh15), upper(ad26, eh26), upper(ad37, eh37)}};
    } else {
        alignas(64) double lines[W][8];
        for (int k = 0; k < W; ++k) {
            for (int j = 0; j < 8; j += W) {
                using V = Double<W>;
                store(&lines[k][j], V(load<V>(record(k) + j) - load<V>(other(k) + j)));
            }
        }
        return {transpose<W>([&](int k) __attribute__((always_inline)) { return &lines[k][0]; }),
                transpose<W>([&](int k) __attribute__((always_inline)) { return &lines[k][4]; })};
    }
}

/// The way back: calls put(k, j, part) with columns j, j + 1, ... of the k-th record, as many as
/// fit into a vector.
template <int W, class Put>
REGRAIN_INLINE void for_lines(const Columns<W>& front, const Columns<W>& back, Put&& put) {
    if constexpr (W == 8) {
        using V = Double<8>;
        const auto four = [&](int k, const V& xy, const V& zw, const V& back_xy, const V& back_zw)
            __attribute__((always_inline)) {
            const V near = __builtin_shufflevector(xy, zw, 0, 1, 8, 9, 4, 5, 12, 13);
            const V far = __builtin_shufflevector(xy, zw, 2, 3, 10, 11, 6, 7, 14, 15);
            const V b_near = __builtin_shufflevector(back_xy, back_zw, 0, 1, 8, 9, 4, 5, 12, 13);
            const V b_far = __builtin_shufflevector(back_xy, back_zw, 2, 3, 10, 11, 6, 7, 14, 15);
            put(k, 0, V(__builtin_shufflevector(near, b_near, 0, 1, 2, 3, 8, 9, 10, 11)));
            put(k + 2, 0, V(__builtin_shufflevector(far, b_far, 0, 1, 2, 3, 8, 9, 10, 11)));
            put(k + 4, 0, V(__builtin_shufflevector(near, b_near, 4, 5, 6, 7, 12, 13, 14, 15)));
            put(k + 6, 0, V(__builtin_shufflevector(far, b_far, 4, 5, 6, 7, 12, 13, 14, 15)));
        };
        four(0, even(front.x, front.y), even(front.z, front.w), even(back.x, back.y),
             even(back.z, back.w));
        four(1, odd(front.x, front.y), odd(front.z, front.w), odd(back.x, back.y),
             odd(back.z, back.w));
    } else {
        using V = Double<W>;
        alignas(64) double lines[2][W][4];
        store_records<W>(lines[0], front);
        store_records<W>(lines[1], back);
        for (int k = 0; k < W; ++k) {
            for (int j = 0; j < 8; j += W) put(k, j, load<V>(&lines[j / 4][k][j % 4]));
        }
    }
}

}  // namespace regrain::vectors
