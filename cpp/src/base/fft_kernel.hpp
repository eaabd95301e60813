// Transforms of many lines at once: lines that lie side by side (columns), or one after the other
// (rows), as many of them as a vector has lanes.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace regrain::fft {

/// A length, its radices in the order of the passes, and the factors between passes.
template <class T>
struct Line {
    explicit Line(std::size_t length);

    std::size_t n;
    std::vector<std::size_t> radices;
    /// For each pass but the last, with m numbers left to each of its r parts: exp(-2 pi i p j / r
    /// m) of p = 0 .. m - 1 and j = 1 .. r - 1.
    std::vector<std::complex<T>> twiddles;
};

/// exp(-2 pi i k / n), to the last bit but one.
std::complex<double> root_of_unity(std::size_t k, std::size_t n);

/// `count` lines side by side, their numbers `stride` apart.
template <class T>
struct Columns {
    std::complex<T>* data;
    std::size_t stride, count;
    bool backward;  ///< without the factor 1/n
};
template <class T>
void transform(const Line<T>& line, const Columns<T>& columns);

/// `count` lines, one every `in_stride` complex numbers, to others `out_stride` apart.
template <class T>
struct Rows {
    const std::complex<T>* in;
    std::complex<T>* out;
    std::size_t in_stride, out_stride, count;
    bool backward;
    T scale;  ///< of what comes out
};
template <class T>
void transform(const Line<T>& line, const Rows<T>& rows);

/// The same, number k of line i going to out[i + k stride].
template <class T>
struct TurnedRows {
    const std::complex<T>* in;
    std::complex<T>* out;
    std::size_t in_stride, stride, count;
    bool backward;
    T scale;
};
template <class T>
void transform(const Line<T>& line, const TurnedRows<T>& rows);

/// Real lines of even length: a line of half the length, and what then separates even and odd.
template <class T>
struct RealLine {
    explicit RealLine(std::size_t length);

    Line<T> half;
    std::vector<std::complex<T>> roots;  ///< exp(-2 pi i k / n) of k = 0 .. n / 4
};

/// Strides count numbers of the kind that they are strides of.
template <class T>
struct RealRows {
    const T* values;
    std::complex<T>* spectrum;
    std::size_t value_stride, spectrum_stride, count;
};
template <class T>
void forward(const RealLine<T>& line, const RealRows<T>& rows);

template <class T>
struct SpectrumRows {
    const std::complex<T>* spectrum;
    T* values;
    std::size_t spectrum_stride, value_stride, count;
    T scale;
};
template <class T>
void backward(const RealLine<T>& line, const SpectrumRows<T>& rows);

}  // namespace regrain::fft
