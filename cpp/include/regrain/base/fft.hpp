#pragma once

#include <complex>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "regrain/base/export.hpp"

/// Discrete Fourier transforms in one, two or three dimensions of any lengths whose factors are 2,
/// 3, 5 and 7: sums of exp(-2 pi i k x / n) forward, and backward what undoes them, 1/n included.
/// A plan is made once and used by any number of threads at once; bits do not depend on threads.
///
/// Lines are transformed by self-sorting passes of mixed radix (Stockham, AFIPS 28, 229 (1966);
/// Temperton, J. Comput. Phys. 52, 1 (1983)), several lines side by side in vectors.
namespace regrain {

/// The smallest length of at least n with no other factors than 2, 3, 5 and 7.
REGRAIN_EXPORT std::size_t good_length(std::size_t n);

/// Complex numbers to complex numbers, T being double or float. An array has the last axis fastest;
/// of `batch` arrays one after the other each is transformed.
template <class T>
class REGRAIN_EXPORT ComplexTransform {
public:
    /// Throws Error for lengths that are none or have other factors.
    explicit ComplexTransform(std::vector<std::size_t> shape, std::size_t batch = 1);
    ~ComplexTransform();
    ComplexTransform(ComplexTransform&&) noexcept;
    ComplexTransform& operator=(ComplexTransform&&) noexcept;

    /// Of all arrays of the batch together.
    [[nodiscard]] std::size_t size() const;

    /// Both may be the same array. Throws Error for arrays of another size.
    void forward(std::span<const std::complex<T>> in, std::span<std::complex<T>> out) const;
    void backward(std::span<const std::complex<T>> in, std::span<std::complex<T>> out) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// A part of a spectrum: `count` numbers in a row for each of `rows` along the first axis; the
/// first of them is number `first` of its row, where a row is all that has one index there.
template <class T>
struct SpectrumBlock {
    std::complex<T>* data;
    std::size_t rows, stride, first, count;
    std::size_t number;  ///< of this block among all
};

/// Real numbers to the half of their spectrum whose last index is at most n/2, and back.
template <class T>
class REGRAIN_EXPORT RealTransform {
public:
    explicit RealTransform(std::vector<std::size_t> shape, std::size_t batch = 1);
    ~RealTransform();
    RealTransform(RealTransform&&) noexcept;
    RealTransform& operator=(RealTransform&&) noexcept;

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::size_t spectrum_size() const;

    void forward(std::span<const T> values, std::span<std::complex<T>> spectrum) const;

    /// Uses the spectrum up. Of numbers that are their own partner the imaginary part is ignored
    /// or, where the spectrum is that of no real array, counts for something.
    void backward(std::span<std::complex<T>> spectrum, std::span<T> values) const;

    /// Forward, `work` on each block of the spectrum while it is in the cache, and backward into
    /// the same values. Blocks are worked on in any order and on several threads; how many there
    /// are depends on the shape alone.
    using Work = std::function<void(const SpectrumBlock<T>&)>;
    void through(std::span<T> values, std::span<std::complex<T>> spectrum, const Work& work) const;
    [[nodiscard]] std::size_t blocks() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

extern template class ComplexTransform<double>;
extern template class ComplexTransform<float>;
extern template class RealTransform<double>;
extern template class RealTransform<float>;

}  // namespace regrain
