// The kernel, included once for each precision, as it takes long to compile.
#pragma once

#include <algorithm>
#include <memory>

#include "fft_kernel.hpp"
#include "fft_vectors.hpp"

namespace regrain::fft {

namespace {

// -------------------------------------------------------------- passes

// Numbers of W lines in a buffer, or side by side in memory.
template <class T, int W>
struct Buffer {
    T* data;
    REGRAIN_INLINE Complex<T, W> load(std::size_t k) const { return from_buffer<T, W>(data, k); }
    REGRAIN_INLINE void store(std::size_t k, const Complex<T, W>& c) const {
        to_buffer<T, W>(data, k, c);
    }
};
template <class T, int W, bool swapped>
struct Memory {
    std::complex<T>* data;
    std::size_t stride;
    REGRAIN_INLINE Complex<T, W> load(std::size_t k) const {
        return from_memory<T, W, swapped>(data + k * stride);
    }
    REGRAIN_INLINE void store(std::size_t k, const Complex<T, W>& c) const {
        to_memory<T, W, swapped>(data + k * stride, c);
    }
};

// One pass of Stockham's: of s interleaved transforms of r m numbers each, the outermost radix.
template <int r, class T, int W, class From, class To>
REGRAIN_INLINE void pass(const From& from, const To& to, std::size_t m, std::size_t s,
                         const std::complex<T>* twiddles) {
    for (std::size_t p = 0; p < m; ++p, twiddles += r - 1) {
        for (std::size_t q = 0; q < s; ++q) {
            Complex<T, W> x[r];
#pragma GCC unroll 8
            for (std::size_t j = 0; j < r; ++j) x[j] = from.load(q + s * (p + m * j));
            butterfly<T, r>(x);
            to.store(q + s * r * p, x[0]);
#pragma GCC unroll 8
            for (std::size_t j = 1; j < r; ++j) {
                to.store(q + s * (r * p + j), times(x[j], twiddles[j - 1]));
            }
        }
    }
}

// The last one has nothing left to turn.
template <int r, class T, int W, class From, class To>
REGRAIN_INLINE void last_pass(const From& from, const To& to, std::size_t s) {
    for (std::size_t q = 0; q < s; ++q) {
        Complex<T, W> x[r];
#pragma GCC unroll 8
        for (std::size_t j = 0; j < r; ++j) x[j] = from.load(q + s * j);
        butterfly<T, r>(x);
#pragma GCC unroll 8
        for (std::size_t j = 0; j < r; ++j) to.store(q + s * j, x[j]);
    }
}

template <class F>
REGRAIN_INLINE void with_radix(std::size_t radix, const F& f) {
    switch (radix) {
        case 2:
            return f.template operator()<2>();
        case 3:
            return f.template operator()<3>();
        case 4:
            return f.template operator()<4>();
        case 5:
            return f.template operator()<5>();
        case 7:
            return f.template operator()<7>();
        default:
            return f.template operator()<8>();
    }
}

// All passes but the last, from `from` into one of the buffers, which is returned; `buffer[0]` may
// be what they come from.
template <class T, int W, class From>
REGRAIN_INLINE T* first_passes(const Line<T>& line, const From& from, T* const (&buffer)[2]) {
    const std::complex<T>* twiddles = line.twiddles.data();
    std::size_t m = line.n, s = 1;
    int now = 1;
    for (std::size_t k = 0; k + 1 < line.radices.size(); ++k) {
        const std::size_t r = line.radices[k];
        m /= r;
        const Buffer<T, W> to{buffer[now]};
        if (k == 0) {
            with_radix(
                r, [&]<int radix>() __attribute__((always_inline)) {
                    pass<radix, T, W>(from, to, m, s, twiddles);
                });
        } else {
            const Buffer<T, W> before{buffer[1 - now]};
            with_radix(
                r, [&]<int radix>() __attribute__((always_inline)) {
                    pass<radix, T, W>(before, to, m, s, twiddles);
                });
        }
        twiddles += m * (r - 1);
        s *= r;
        now = 1 - now;
    }
    return buffer[1 - now];
}

template <class T, int W, class From, class To>
REGRAIN_INLINE void all_passes(const Line<T>& line, const From& from, const To& to,
                               T* const (&buffer)[2]) {
    const std::size_t r = line.radices.back(), s = line.n / r;
    if (line.radices.size() == 1) {
        with_radix(
            r, [&]<int radix>()
                   __attribute__((always_inline)) { last_pass<radix, T, W>(from, to, s); });
        return;
    }
    const Buffer<T, W> before{first_passes<T, W>(line, from, buffer)};
    with_radix(
        r, [&]<int radix>()
               __attribute__((always_inline)) { last_pass<radix, T, W>(before, to, s); });
}

// -------------------------------------------------------------- buffers

// Two buffers for W lines of n numbers and a block of W columns, of this thread. The second buffer
// is a little off, so that reading from one and writing to the other do not meet in the cache.
template <class T>
struct Scratch {
    T* buffer[2];
    std::complex<T>* block;

    Scratch(std::size_t n, std::size_t lanes) {
        constexpr std::size_t line = 64 / sizeof(T);
        const std::size_t each = 2 * lanes * (n + 2) + 17 * line;
        thread_local std::unique_ptr<T[]> memory;
        thread_local std::size_t size = 0;
        if (size < 3 * each + line) {
            memory = std::make_unique<T[]>(3 * each + line);
            size = 3 * each + line;
        }
        void* start = memory.get();
        std::size_t space = (3 * each + line) * sizeof(T);
        auto* aligned = static_cast<T*>(std::align(64, 3 * each * sizeof(T), start, space));
        buffer[0] = aligned;
        buffer[1] = aligned + each;
        block = reinterpret_cast<std::complex<T>*>(aligned + 2 * each);
    }
};

// Passes from buffer to buffer, which all but the columns need: one function per instruction set
// rather than a copy in each, which took minutes to compile.
template <class T>
using Within = T*(const Line<T>&, const Scratch<T>&);

// -------------------------------------------------------------- columns

template <int W, class T, bool backward>
REGRAIN_INLINE void columns_one_way(const Line<T>& line, const Columns<T>& c) {
    const Scratch<T> scratch(line.n, W);
    std::size_t k = 0;
    for (; k + W <= c.count; k += W) {
        const Memory<T, W, backward> lines{c.data + k, c.stride};
        all_passes<T, W>(line, lines, lines, scratch.buffer);
    }
    if (k == c.count) return;
    const std::size_t left = c.count - k;
    std::fill_n(scratch.block, line.n * W, std::complex<T>());
    for (std::size_t i = 0; i < line.n; ++i) {
        std::copy_n(c.data + k + i * c.stride, left, scratch.block + i * W);
    }
    const Memory<T, W, backward> lines{scratch.block, W};
    all_passes<T, W>(line, lines, lines, scratch.buffer);
    for (std::size_t i = 0; i < line.n; ++i) {
        std::copy_n(scratch.block + i * W, left, c.data + k + i * c.stride);
    }
}

template <int W, class T>
REGRAIN_INLINE void columns(const Line<T>& line, const Columns<T>& c, Within<T>*) {
    c.backward ? columns_one_way<W, T, true>(line, c) : columns_one_way<W, T, false>(line, c);
}

// -------------------------------------------------------------- rows

// `numbers` complex numbers of each of W rows into the buffer.
template <class T, int W, bool swapped>
REGRAIN_INLINE void gather(const std::complex<T>* const (&rows)[W], std::size_t numbers,
                           T* buffer) {
    using V = typename RealVector<T, W>::Type;
    constexpr std::size_t together = W / 2;
    constexpr std::size_t other = swapped ? 1 : 0;
    std::size_t i = 0;
    for (; i + together <= numbers; i += together) {
        V v[W];
#pragma GCC unroll 16
        for (int k = 0; k < W; ++k) v[k] = vectors::load<V>(rows[k] + i);
        transpose<W>(v);
#pragma GCC unroll 16
        for (std::size_t k = 0; k < W; ++k) {
            vectors::store(buffer + (2 * i + (k ^ other)) * W, v[k]);
        }
    }
    for (; i < numbers; ++i) {
        for (std::size_t k = 0; k < W; ++k) {
            const std::complex<T> z = rows[k][i];
            buffer[(2 * i + other) * W + k] = z.real();
            buffer[(2 * i + 1 - other) * W + k] = z.imag();
        }
    }
}

template <class T, int W, bool swapped>
REGRAIN_INLINE void scatter(const T* buffer, std::size_t numbers, std::complex<T>* const (&rows)[W],
                            T scale) {
    using V = typename RealVector<T, W>::Type;
    constexpr std::size_t together = W / 2;
    constexpr std::size_t other = swapped ? 1 : 0;
    const V factor = same<T, W>(scale);
    std::size_t i = 0;
    for (; i + together <= numbers; i += together) {
        V v[W];
#pragma GCC unroll 16
        for (std::size_t k = 0; k < W; ++k) {
            v[k] = vectors::load<V>(buffer + (2 * i + (k ^ other)) * W) * factor;
        }
        transpose<W>(v);
#pragma GCC unroll 16
        for (int k = 0; k < W; ++k) vectors::store(rows[k] + i, v[k]);
    }
    for (; i < numbers; ++i) {
        for (std::size_t k = 0; k < W; ++k) {
            rows[k][i] = {buffer[(2 * i + other) * W + k] * scale,
                          buffer[(2 * i + 1 - other) * W + k] * scale};
        }
    }
}

// Rows first .. first + W of `count`; those that are none are read as the last one and written to
// a place of no meaning.
template <int W, class Z>
REGRAIN_INLINE void rows_from(const Z* start, std::size_t stride, std::size_t first,
                              std::size_t count, const Z* (&rows)[W]) {
    for (std::size_t k = 0; k < W; ++k) rows[k] = start + std::min(first + k, count - 1) * stride;
}
template <int W, class Z>
REGRAIN_INLINE void rows_to(Z* start, std::size_t stride, std::size_t first, std::size_t count,
                            Z* nowhere, Z* (&rows)[W]) {
    for (std::size_t k = 0; k < W; ++k) {
        rows[k] = first + k < count ? start + (first + k) * stride : nowhere;
    }
}

// The passes from buffer 0; the result is in the buffer that is returned. All but the columns need
// them: one function per instruction set, rather than a copy in each, which took minutes to
// compile.
template <int W, class T>
REGRAIN_INLINE T* within_buffers(const Line<T>& line, const Scratch<T>& scratch) {
    const Buffer<T, W> from{scratch.buffer[0]};
    if (line.n == 1) return scratch.buffer[0];
    if (line.radices.size() == 1) {
        all_passes<T, W>(line, from, from, scratch.buffer);
        return scratch.buffer[0];
    }
    T* before = first_passes<T, W>(line, from, scratch.buffer);
    const Buffer<T, W> in{before};
    with_radix(
        line.radices.back(), [&]<int radix>() __attribute__((always_inline)) {
            last_pass<radix, T, W>(in, in, line.n / radix);
        });
    return before;
}

template <int W, class T, bool backward>
REGRAIN_INLINE void rows_one_way(const Line<T>& line, const Rows<T>& r, Within<T>* within) {
    const Scratch<T> scratch(line.n, W);
    for (std::size_t first = 0; first < r.count; first += W) {
        const std::complex<T>* in[W];
        std::complex<T>* out[W];
        rows_from<W>(r.in, r.in_stride, first, r.count, in);
        rows_to<W>(r.out, r.out_stride, first, r.count, scratch.block, out);
        gather<T, W, backward>(in, line.n, scratch.buffer[0]);
        scatter<T, W, backward>(within(line, scratch), line.n, out, r.scale);
    }
}
template <int W, class T>
REGRAIN_INLINE void rows(const Line<T>& line, const Rows<T>& r, Within<T>* within) {
    r.backward ? rows_one_way<W, T, true>(line, r, within)
               : rows_one_way<W, T, false>(line, r, within);
}

template <int W, class T, bool backward>
REGRAIN_INLINE void turned_one_way(const Line<T>& line, const TurnedRows<T>& r, Within<T>* within) {
    const Scratch<T> scratch(line.n, W);
    const auto factor = same<T, W>(r.scale);
    for (std::size_t first = 0; first < r.count; first += W) {
        const std::complex<T>* in[W];
        for (std::size_t k = 0; k < W; ++k) {
            const std::size_t row = first + number_in_lane<T, W>(k);
            in[k] = r.in + std::min(row, r.count - 1) * r.in_stride;
        }
        gather<T, W, backward>(in, line.n, scratch.buffer[0]);
        const T* result = within(line, scratch);
        const std::size_t lines = std::min<std::size_t>(W, r.count - first);
        for (std::size_t k = 0; k < line.n; ++k) {
            Complex<T, W> c = from_buffer<T, W>(result, k);
            c.re *= factor;
            c.im *= factor;
            std::complex<T>* to = r.out + first + k * r.stride;
            to_memory<T, W, backward>(lines == W ? to : scratch.block, c);
            if (lines < W) std::copy_n(scratch.block, lines, to);
        }
    }
}
template <int W, class T>
REGRAIN_INLINE void turned(const Line<T>& line, const TurnedRows<T>& r, Within<T>* within) {
    r.backward ? turned_one_way<W, T, true>(line, r, within)
               : turned_one_way<W, T, false>(line, r, within);
}

// -------------------------------------------------------------- real rows

// Z of the line of complex numbers x[2 k] + i x[2 k + 1] is E + i O with the spectra of both. With
// b = conj Z[h - k] and a = Z[k] these are (a + b) / 2 and (a - b) / 2i, and the spectrum of all is
// E + w^k O; that of h - k is conj(E - w^k O).
template <class T, int W>
REGRAIN_INLINE void separate(const RealLine<T>& line, T* z) {
    using C = Complex<T, W>;
    const std::size_t h = line.half.n;
    const auto half = same<T, W>(T(0.5));
    const C zero = from_buffer<T, W>(z, 0);
    to_buffer<T, W>(z, 0, {zero.re + zero.im, zero.re - zero.re});
    to_buffer<T, W>(z, h, {zero.re - zero.im, zero.re - zero.re});
    for (std::size_t k = 1; 2 * k <= h; ++k) {
        const C a = from_buffer<T, W>(z, k), b = from_buffer<T, W>(z, h - k);
        const C even{(a.re + b.re) * half, (a.im - b.im) * half};
        const C odd = times(C{(a.im + b.im) * half, (b.re - a.re) * half}, line.roots[k]);
        to_buffer<T, W>(z, k, plus(even, odd));
        to_buffer<T, W>(z, h - k, {even.re - odd.re, odd.im - even.im});
    }
}

// The other way, without the factor 1/2; real and imaginary parts are exchanged in the end.
template <class T, int W>
REGRAIN_INLINE void unite(const RealLine<T>& line, T* z) {
    using C = Complex<T, W>;
    const std::size_t h = line.half.n;
    const C zero = from_buffer<T, W>(z, 0), end = from_buffer<T, W>(z, h);
    to_buffer<T, W>(z, 0, {zero.re - end.re, zero.re + end.re});
    for (std::size_t k = 1; 2 * k <= h; ++k) {
        const C a = from_buffer<T, W>(z, k), b = from_buffer<T, W>(z, h - k);
        const C even{a.re + b.re, a.im - b.im};
        const C odd = times(C{a.re - b.re, a.im + b.im}, std::conj(line.roots[k]));
        const C one = plus_i(even, odd);
        const C other{even.re + odd.im, odd.re - even.im};
        to_buffer<T, W>(z, k, {one.im, one.re});
        to_buffer<T, W>(z, h - k, {other.im, other.re});
    }
}

template <int W, class T>
REGRAIN_INLINE void real(const RealLine<T>& line, const RealRows<T>& r, Within<T>* within) {
    const Scratch<T> scratch(line.half.n + 1, W);
    for (std::size_t first = 0; first < r.count; first += W) {
        const std::complex<T>* in[W];
        std::complex<T>* out[W];
        for (std::size_t k = 0; k < W; ++k) {
            in[k] = reinterpret_cast<const std::complex<T>*>(
                r.values + std::min(first + k, r.count - 1) * r.value_stride);
        }
        rows_to<W>(r.spectrum, r.spectrum_stride, first, r.count, scratch.block, out);
        gather<T, W, false>(in, line.half.n, scratch.buffer[0]);
        T* z = within(line.half, scratch);
        separate<T, W>(line, z);
        scatter<T, W, false>(z, line.half.n + 1, out, T(1));
    }
}

template <int W, class T>
REGRAIN_INLINE void spectrum(const RealLine<T>& line, const SpectrumRows<T>& r, Within<T>* within) {
    const Scratch<T> scratch(line.half.n + 1, W);
    for (std::size_t first = 0; first < r.count; first += W) {
        const std::complex<T>* in[W];
        std::complex<T>* out[W];
        rows_from<W>(r.spectrum, r.spectrum_stride, first, r.count, in);
        for (std::size_t k = 0; k < W; ++k) {
            T* row = r.values + (first + k) * r.value_stride;
            out[k] = first + k < r.count ? reinterpret_cast<std::complex<T>*>(row) : scratch.block;
        }
        gather<T, W, false>(in, line.half.n + 1, scratch.buffer[0]);
        unite<T, W>(line, scratch.buffer[0]);
        scatter<T, W, true>(within(line.half, scratch), line.half.n, out, r.scale);
    }
}

// -------------------------------------------------------------- instruction sets

constexpr int lanes_v4 = 64, lanes_v3 = 32, lanes_any = 16;  // bytes of a vector

#if REGRAIN_X86
template <class T>
[[gnu::noinline]] REGRAIN_TARGET_V4 T* within_v4(const Line<T>& line, const Scratch<T>& scratch) {
    return within_buffers<lanes_v4 / static_cast<int>(sizeof(T))>(line, scratch);
}
template <class T>
[[gnu::noinline]] REGRAIN_TARGET_V3 T* within_v3(const Line<T>& line, const Scratch<T>& scratch) {
    return within_buffers<lanes_v3 / static_cast<int>(sizeof(T))>(line, scratch);
}
#endif
template <class T>
[[gnu::noinline]] T* within_any(const Line<T>& line, const Scratch<T>& scratch) {
    return within_buffers<lanes_any / static_cast<int>(sizeof(T))>(line, scratch);
}

// For each of the five kinds of work one thin function per instruction set.
#if REGRAIN_X86
#define REGRAIN_FFT_LARGE(name, work, plan, task)                             \
    template <class T>                                                        \
    REGRAIN_TARGET_V4 void name##_v4(const plan<T>& line, const task<T>& t) { \
        work<lanes_v4 / static_cast<int>(sizeof(T))>(line, t, &within_v4<T>); \
    }                                                                         \
    template <class T>                                                        \
    REGRAIN_TARGET_V3 void name##_v3(const plan<T>& line, const task<T>& t) { \
        work<lanes_v3 / static_cast<int>(sizeof(T))>(line, t, &within_v3<T>); \
    }
#else
#define REGRAIN_FFT_LARGE(name, work, plan, task)
#endif
#define REGRAIN_FFT_LEVELS(name, work, plan, task)                              \
    REGRAIN_FFT_LARGE(name, work, plan, task)                                   \
    template <class T>                                                          \
    void name##_any(const plan<T>& line, const task<T>& t) {                    \
        work<lanes_any / static_cast<int>(sizeof(T))>(line, t, &within_any<T>); \
    }
#if REGRAIN_X86
#define REGRAIN_FFT_OF(name, T) name##_v4<T>, name##_v3<T>, name##_any<T>
#else
#define REGRAIN_FFT_OF(name, T) name##_any<T>, name##_any<T>, name##_any<T>
#endif

REGRAIN_FFT_LEVELS(columns_of, columns, Line, Columns)
REGRAIN_FFT_LEVELS(rows_of, rows, Line, Rows)
REGRAIN_FFT_LEVELS(turned_of, turned, Line, TurnedRows)
REGRAIN_FFT_LEVELS(real_of, real, RealLine, RealRows)
REGRAIN_FFT_LEVELS(spectrum_of, spectrum, RealLine, SpectrumRows)

}  // namespace

template <class T>
void transform(const Line<T>& line, const Columns<T>& columns) {
    if (line.n > 1) vectors::dispatch(REGRAIN_FFT_OF(columns_of, T), line, columns);
}
template <class T>
void transform(const Line<T>& line, const Rows<T>& rows) {
    vectors::dispatch(REGRAIN_FFT_OF(rows_of, T), line, rows);
}
template <class T>
void transform(const Line<T>& line, const TurnedRows<T>& rows) {
    vectors::dispatch(REGRAIN_FFT_OF(turned_of, T), line, rows);
}
template <class T>
void forward(const RealLine<T>& line, const RealRows<T>& rows) {
    vectors::dispatch(REGRAIN_FFT_OF(real_of, T), line, rows);
}
template <class T>
void backward(const RealLine<T>& line, const SpectrumRows<T>& rows) {
    vectors::dispatch(REGRAIN_FFT_OF(spectrum_of, T), line, rows);
}

}  // namespace regrain::fft
