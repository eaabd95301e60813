// Vectors of W doubles for the kernels, in the compilers' own vector extensions: the same source
// for AVX-512 (W = 8), AVX2 (W = 4) and anything else (W = 2).
//
// A kernel is a template that is inlined whole (REGRAIN_INLINE) into one thin function per
// instruction set; those carry the target attribute, and `dispatch` picks one when the program
// runs. So no function compiled for a larger machine can leak into code that must run on any.
//
// Comparisons must stand in the condition of a ?: itself. Kept in a variable, their type was chosen
// for the smallest machine when the template was read, and GCC takes them apart lane by lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "regrain/base/simd.hpp"

#define REGRAIN_INLINE [[gnu::always_inline]] inline

// (With sanitizers the kernels take minutes to compile: only one of the three then.)
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__)) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define REGRAIN_TARGET_V4 [[gnu::target("arch=x86-64-v4")]]
#define REGRAIN_TARGET_V3 [[gnu::target("arch=x86-64-v3")]]
#define REGRAIN_X86 1
/// The three functions of a name, as `dispatch` wants them.
#define REGRAIN_LEVELS(name) name##_v4, name##_v3, name##_any
#else
#define REGRAIN_X86 0
#define REGRAIN_LEVELS(name) name##_any, name##_any, name##_any
#endif

namespace regrain::vectors {

template <int W>
struct Types {
    typedef double Double __attribute__((vector_size(W * 8)));
    typedef float Float __attribute__((vector_size(W * 4)));
    typedef std::int64_t Int __attribute__((vector_size(W * 8)));
    typedef std::uint32_t Index __attribute__((vector_size(W * 4)));
    typedef std::int32_t Whole __attribute__((vector_size(W * 4)));
    typedef std::uint8_t Byte __attribute__((vector_size(W)));
};
template <int W>
using Double = typename Types<W>::Double;
template <int W>
using Float = typename Types<W>::Float;
/// What a comparison gives (0 or -1), and integers.
template <int W>
using Int = typename Types<W>::Int;
/// Whole numbers as short as those of arrays.
template <int W>
using Whole = typename Types<W>::Whole;
/// Numbers of rows or points.
template <int W>
using Index = typename Types<W>::Index;

template <class V>
REGRAIN_INLINE V load(const void* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

template <class V>
REGRAIN_INLINE void store(void* to, const V& v) {
    std::memcpy(to, &v, sizeof v);
}

/// first, first + 1, ...
template <int W>
REGRAIN_INLINE Index<W> iota(std::uint32_t first) {
    Index<W> v;
    for (int k = 0; k < W; ++k) v[k] = first + static_cast<std::uint32_t>(k);
    return v;
}

/// Vectors of reals of either precision.
template <class S, int W>
using Real = std::conditional_t<std::is_same_v<S, float>, Float<W>, Double<W>>;

// By doubling, as GCC 12 makes one insertion per lane of {x, x, ...} and of x + Double<W>{}.
template <int W>
REGRAIN_INLINE Double<W> broadcast(double x) {
    if constexpr (W == 8) {
        const Double<4> half = broadcast<4>(x);
        return __builtin_shufflevector(half, half, 0, 1, 2, 3, 4, 5, 6, 7);
    } else if constexpr (W == 4) {
        const Double<2> half = broadcast<2>(x);
        return __builtin_shufflevector(half, half, 0, 1, 2, 3);
    } else {
        return Double<2>{x, x};
    }
}

// (A whole number becomes a double.)
template <int W, class S>
requires std::is_same_v<S, float> REGRAIN_INLINE Float<W> broadcast(S x) {
    if constexpr (W == 16) {
        const Float<8> half = broadcast<8>(x);
        return __builtin_shufflevector(half, half, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                                       15);
    } else if constexpr (W == 8) {
        const Float<4> half = broadcast<4>(x);
        return __builtin_shufflevector(half, half, 0, 1, 2, 3, 4, 5, 6, 7);
    } else {
        return Float<4>{x, x, x, x};
    }
}

template <int W>
REGRAIN_INLINE double sum(const Double<W>& v) {
    if constexpr (W == 8) {
        const Double<4> h =
            __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
        return sum<4>(h);
    } else if constexpr (W == 4) {
        const Double<2> h =
            __builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3);
        return h[0] + h[1];
    } else {
        return v[0] + v[1];
    }
}

// The last two in double.
template <int W>
REGRAIN_INLINE double sum(const Float<W>& v) {
    if constexpr (W == 16) {
        const Float<8> h = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                           __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
        return sum<8>(h);
    } else if constexpr (W == 8) {
        const Float<4> h =
            __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
        return sum<4>(h);
    } else {
        const Float<4> h = v + __builtin_shufflevector(v, v, 2, 3, 0, 1);
        return static_cast<double>(h[0]) + static_cast<double>(h[1]);
    }
}

// One instruction, given -fno-math-errno.
template <int W>
REGRAIN_INLINE Double<W> sqrt(const Double<W>& v) {
    Double<W> root;
    for (int k = 0; k < W; ++k) root[k] = __builtin_sqrt(v[k]);
    return root;
}

template <int W>
REGRAIN_INLINE Float<W> sqrt(const Float<W>& v) {
    Float<W> root;
    for (int k = 0; k < W; ++k) root[k] = __builtin_sqrtf(v[k]);
    return root;
}

template <int W>
REGRAIN_INLINE bool any(const Int<W>& mask) {
    std::int64_t found = 0;
    for (int k = 0; k < W; ++k) found |= mask[k];
    return found != 0;
}

/// The smallest lane.
template <int W>
REGRAIN_INLINE double smallest(const Double<W>& v) {
    double least = v[0];
    for (int k = 1; k < W; ++k) least = v[k] < least ? v[k] : least;
    return least;
}

template <int W>
REGRAIN_INLINE float smallest(const Float<W>& v) {
    float least = v[0];
    for (int k = 1; k < W; ++k) least = v[k] < least ? v[k] : least;
    return least;
}

/// Four numbers of each of W records in memory, as four vectors.
template <int W, class S = double>
struct Columns {
    Real<S, W> x, y, z, w;
};

/// record(k) points to the k-th record.
template <int W, class Record>
REGRAIN_INLINE Columns<W> transpose(Record&& record) {
    if constexpr (W == 8) {
        using V = Double<8>;
        using H = Double<4>;
        const auto pair = [&](int k) __attribute__((always_inline)) {
            const H low = load<H>(record(k));
            const H high = load<H>(record(k + 2));
            return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
        };
        const V a = pair(0), b = pair(1), c = pair(4), d = pair(5);
        const V xz0 = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
        const V xz1 = __builtin_shufflevector(c, d, 0, 8, 2, 10, 4, 12, 6, 14);
        const V yw0 = __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
        const V yw1 = __builtin_shufflevector(c, d, 1, 9, 3, 11, 5, 13, 7, 15);
        return {__builtin_shufflevector(xz0, xz1, 0, 1, 4, 5, 8, 9, 12, 13),
                __builtin_shufflevector(yw0, yw1, 0, 1, 4, 5, 8, 9, 12, 13),
                __builtin_shufflevector(xz0, xz1, 2, 3, 6, 7, 10, 11, 14, 15),
                __builtin_shufflevector(yw0, yw1, 2, 3, 6, 7, 10, 11, 14, 15)};
    } else if constexpr (W == 4) {
        using V = Double<4>;
        const V a = load<V>(record(0)), b = load<V>(record(1));
        const V c = load<V>(record(2)), d = load<V>(record(3));
        const V xz0 = __builtin_shufflevector(a, b, 0, 4, 2, 6);
        const V xz1 = __builtin_shufflevector(c, d, 0, 4, 2, 6);
        const V yw0 = __builtin_shufflevector(a, b, 1, 5, 3, 7);
        const V yw1 = __builtin_shufflevector(c, d, 1, 5, 3, 7);
        return {__builtin_shufflevector(xz0, xz1, 0, 1, 4, 5),
                __builtin_shufflevector(yw0, yw1, 0, 1, 4, 5),
                __builtin_shufflevector(xz0, xz1, 2, 3, 6, 7),
                __builtin_shufflevector(yw0, yw1, 2, 3, 6, 7)};
    } else {
        using V = Double<2>;
        const auto half = [&](int k, int second) __attribute__((always_inline)) {
            return load<V>(reinterpret_cast<const char*>(record(k)) + second * 16);
        };
        const V a = half(0, 0), b = half(1, 0), c = half(0, 1), d = half(1, 1);
        return {__builtin_shufflevector(a, b, 0, 2), __builtin_shufflevector(a, b, 1, 3),
                __builtin_shufflevector(c, d, 0, 2), __builtin_shufflevector(c, d, 1, 3)};
    }
}

/// The way back: four vectors to W records of four doubles, one after the other.
template <int W>
REGRAIN_INLINE void store_records(void* to, const Columns<W>& c) {
    char* record = static_cast<char*>(to);
    if constexpr (W == 8) {
        using V = Double<8>;
        using H = Double<4>;
        const V xy0 = __builtin_shufflevector(c.x, c.y, 0, 8, 2, 10, 4, 12, 6, 14);
        const V xy1 = __builtin_shufflevector(c.x, c.y, 1, 9, 3, 11, 5, 13, 7, 15);
        const V zw0 = __builtin_shufflevector(c.z, c.w, 0, 8, 2, 10, 4, 12, 6, 14);
        const V zw1 = __builtin_shufflevector(c.z, c.w, 1, 9, 3, 11, 5, 13, 7, 15);
        const auto put = [&](int k, const V& xy, const V& zw) __attribute__((always_inline)) {
            const V near = __builtin_shufflevector(xy, zw, 0, 1, 8, 9, 4, 5, 12, 13);
            const V far = __builtin_shufflevector(xy, zw, 2, 3, 10, 11, 6, 7, 14, 15);
            store(record + 32 * k, H(__builtin_shufflevector(near, near, 0, 1, 2, 3)));
            store(record + 32 * (k + 2), H(__builtin_shufflevector(far, far, 0, 1, 2, 3)));
            store(record + 32 * (k + 4), H(__builtin_shufflevector(near, near, 4, 5, 6, 7)));
            store(record + 32 * (k + 6), H(__builtin_shufflevector(far, far, 4, 5, 6, 7)));
        };
        put(0, xy0, zw0);
        put(1, xy1, zw1);
    } else if constexpr (W == 4) {
        using V = Double<4>;
        const V xy0 = __builtin_shufflevector(c.x, c.y, 0, 4, 2, 6);
        const V xy1 = __builtin_shufflevector(c.x, c.y, 1, 5, 3, 7);
        const V zw0 = __builtin_shufflevector(c.z, c.w, 0, 4, 2, 6);
        const V zw1 = __builtin_shufflevector(c.z, c.w, 1, 5, 3, 7);
        store(record, V(__builtin_shufflevector(xy0, zw0, 0, 1, 4, 5)));
        store(record + 32, V(__builtin_shufflevector(xy1, zw1, 0, 1, 4, 5)));
        store(record + 64, V(__builtin_shufflevector(xy0, zw0, 2, 3, 6, 7)));
        store(record + 96, V(__builtin_shufflevector(xy1, zw1, 2, 3, 6, 7)));
    } else {
        using V = Double<2>;
        store(record, V{c.x[0], c.y[0]});
        store(record + 16, V{c.z[0], c.w[0]});
        store(record + 32, V{c.x[1], c.y[1]});
        store(record + 48, V{c.z[1], c.w[1]});
    }
}

// Of each four lanes of two vectors the first two, or the last two, in turns; and as they come.
template <int W>
REGRAIN_INLINE Float<W> low_in_turns(const Float<W>& p, const Float<W>& q) {
    if constexpr (W == 4) return __builtin_shufflevector(p, q, 0, 4, 1, 5);
    if constexpr (W == 8) return __builtin_shufflevector(p, q, 0, 8, 1, 9, 4, 12, 5, 13);
    if constexpr (W == 16)
        return __builtin_shufflevector(p, q, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13,
                                       29);
}
template <int W>
REGRAIN_INLINE Float<W> high_in_turns(const Float<W>& p, const Float<W>& q) {
    if constexpr (W == 4) return __builtin_shufflevector(p, q, 2, 6, 3, 7);
    if constexpr (W == 8) return __builtin_shufflevector(p, q, 2, 10, 3, 11, 6, 14, 7, 15);
    if constexpr (W == 16)
        return __builtin_shufflevector(p, q, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15,
                                       31);
}
template <int W>
REGRAIN_INLINE Float<W> low_pairs(const Float<W>& p, const Float<W>& q) {
    if constexpr (W == 4) return __builtin_shufflevector(p, q, 0, 1, 4, 5);
    if constexpr (W == 8) return __builtin_shufflevector(p, q, 0, 1, 8, 9, 4, 5, 12, 13);
    if constexpr (W == 16)
        return __builtin_shufflevector(p, q, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28,
                                       29);
}
template <int W>
REGRAIN_INLINE Float<W> high_pairs(const Float<W>& p, const Float<W>& q) {
    if constexpr (W == 4) return __builtin_shufflevector(p, q, 2, 3, 6, 7);
    if constexpr (W == 8) return __builtin_shufflevector(p, q, 2, 3, 10, 11, 6, 7, 14, 15);
    if constexpr (W == 16)
        return __builtin_shufflevector(p, q, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30,
                                       31);
}

/// The same for four floats, or what has their size.
template <int W, class Record>
REGRAIN_INLINE Columns<W, float> transpose_floats(Record&& record) {
    // The k-th record of each four in a vector, then fours of fours.
    const auto every_fourth = [&](int k) __attribute__((always_inline)) {
        if constexpr (W == 4) return load<Float<4>>(record(k));
        if constexpr (W == 8) {
            const auto low = load<Float<4>>(record(k)), high = load<Float<4>>(record(k + 4));
            return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
        }
#if REGRAIN_X86
        if constexpr (W == 16) {
            // Insertions from memory, which GCC 12 would make loads and slower shuffles.
            typedef float Four __attribute__((vector_size(16), may_alias));
            const auto memory = [&](int n) __attribute__((always_inline)) {
                return static_cast<const Four*>(static_cast<const void*>(record(n)));
            };
            Float<16> v;
            asm("vmovups %1, %x0" : "=v"(v) : "m"(*memory(k)));
            asm("vinsertf32x4 $1, %1, %0, %0" : "+v"(v) : "m"(*memory(k + 4)));
            asm("vinsertf32x4 $2, %1, %0, %0" : "+v"(v) : "m"(*memory(k + 8)));
            asm("vinsertf32x4 $3, %1, %0, %0" : "+v"(v) : "m"(*memory(k + 12)));
            return v;
        }
#endif
    };
    const Float<W> a = every_fourth(0), b = every_fourth(1), c = every_fourth(2),
                   d = every_fourth(3);
    const Float<W> ab = low_in_turns<W>(a, b), cd = low_in_turns<W>(c, d);
    const Float<W> ab2 = high_in_turns<W>(a, b), cd2 = high_in_turns<W>(c, d);
    return {low_pairs<W>(ab, cd), high_pairs<W>(ab, cd), low_pairs<W>(ab2, cd2),
            high_pairs<W>(ab2, cd2)};
}

/// The sums of four vectors.
template <int W>
REGRAIN_INLINE Double<4> sums(const Double<W>& a, const Double<W>& b, const Double<W>& c,
                              const Double<W>& d) {
    if constexpr (W == 8) {
        const auto turns =
            [](const Double<8>& p, const Double<8>& q) __attribute__((always_inline)) {
            return __builtin_shufflevector(p, q, 0, 8, 2, 10, 4, 12, 6, 14) +
                   __builtin_shufflevector(p, q, 1, 9, 3, 11, 5, 13, 7, 15);
        };
        const Double<8> ab = turns(a, b), cd = turns(c, d);
        const Double<8> all = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13) +
                              __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
        return __builtin_shufflevector(all, all, 0, 1, 2, 3) +
               __builtin_shufflevector(all, all, 4, 5, 6, 7);
    } else if constexpr (W == 4) {
        const auto turns =
            [](const Double<4>& p, const Double<4>& q) __attribute__((always_inline)) {
            return __builtin_shufflevector(p, q, 0, 4, 2, 6) +
                   __builtin_shufflevector(p, q, 1, 5, 3, 7);
        };
        const Double<4> ab = turns(a, b), cd = turns(c, d);
        return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
               __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    } else {
        return Double<4>{sum<W>(a), sum<W>(b), sum<W>(c), sum<W>(d)};
    }
}

/// The last steps in double.
template <int W>
REGRAIN_INLINE Double<4> sums(const Float<W>& a, const Float<W>& b, const Float<W>& c,
                              const Float<W>& d) {
    const Float<W> ab = low_in_turns<W>(a, b) + high_in_turns<W>(a, b);
    const Float<W> cd = low_in_turns<W>(c, d) + high_in_turns<W>(c, d);
    const Float<W> all = low_pairs<W>(ab, cd) + high_pairs<W>(ab, cd);
    const auto fours = [](const Float<8>& v) __attribute__((always_inline)) {
        const Float<4> low = __builtin_shufflevector(v, v, 0, 1, 2, 3);
        const Float<4> high = __builtin_shufflevector(v, v, 4, 5, 6, 7);
        return __builtin_convertvector(low, Double<4>) + __builtin_convertvector(high, Double<4>);
    };
    if constexpr (W == 16) {
        return fours(__builtin_shufflevector(all, all, 0, 1, 2, 3, 4, 5, 6, 7) +
                     __builtin_shufflevector(all, all, 8, 9, 10, 11, 12, 13, 14, 15));
    } else if constexpr (W == 8) {
        return fours(all);
    } else {
        return __builtin_convertvector(all, Double<4>);
    }
}

/// The same for records of either precision, by the type of the numbers.
template <class S, int W, class Record>
REGRAIN_INLINE auto transpose_of(Record&& record) {
    if constexpr (std::is_same_v<S, float>) {
        return transpose_floats<W>(record);
    } else {
        return transpose<W>(record);
    }
}

/// Calls the one of three functions that this machine is for.
template <class F, class... A>
auto dispatch(F* v4, F* v3, F* any, const A&... arguments) {
    switch (regrain::simd()) {
        case Simd::x86_64_v4:
            return v4(arguments...);
        case Simd::x86_64_v3:
            return v3(arguments...);
        case Simd::baseline:
            break;
    }
    return any(arguments...);
}

}  // namespace regrain::vectors
