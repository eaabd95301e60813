#include "regrain/base/fft.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include "fft_kernel.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain {

using fft::Columns;
using fft::Line;
using fft::RealLine;

namespace {

// So many numbers are worth a chunk of work.
constexpr std::size_t worth = 16384;
// Longer lines that are alone are folded into an array.
constexpr std::size_t long_line = 1024;
constexpr std::size_t few = 4;

std::size_t rest_of(std::size_t n) {
    for (const std::size_t factor : {2U, 3U, 5U, 7U}) {
        while (n % factor == 0) n /= factor;
    }
    return n;
}

void check_shape(const std::vector<std::size_t>& shape, std::size_t batch) {
    if (shape.empty() || shape.size() > 3) {
        throw Error("a Fourier transform has one, two or three axes, got " +
                    std::to_string(shape.size()));
    }
    if (batch == 0) throw Error("a Fourier transform of no arrays: batch must be positive");
    for (const std::size_t n : shape) {
        if (n == 0) throw Error("the lengths of a Fourier transform must be positive, got 0");
        if (rest_of(n) == 1) continue;
        throw Error("the length " + std::to_string(n) +
                    " of a Fourier transform has other factors than 2, 3, 5 and 7; the next that "
                    "has not is " +
                    std::to_string(good_length(n)));
    }
}

void check_size(std::size_t given, std::size_t expected, const char* what) {
    if (given == expected) return;
    throw Error(std::string("Fourier transform: got ") + std::to_string(given) + " " + what +
                ", expected " + std::to_string(expected));
}

std::size_t product(std::span<const std::size_t> lengths) {
    std::size_t n = 1;
    for (const std::size_t length : lengths) n *= length;
    return n;
}

// Calls f(first, count) for chunks of n things of so much work each, in multiples of 16 but for
// the last.
template <class F>
void in_chunks(std::size_t n, std::size_t work, const F& f) {
    const std::size_t chunk = std::max<std::size_t>(1, worth / (16 * work)) * 16;
    parallel_for(
        n, [&](std::size_t begin, std::size_t end) { f(begin, end - begin); }, chunk);
}

// The divisor of n that is closest to its root from below.
std::size_t fold(std::size_t n) {
    auto a = static_cast<std::size_t>(std::sqrt(static_cast<double>(n)));
    while (n % a != 0) --a;
    return a;
}

// One long line, as an array of a rows and b columns: with x = i b + j and k + a l for the index
// of the spectrum, columns turn i into k, and rows, each number times exp(-2 pi i j k / n), j into
// l (Bailey, J. Supercomput. 4, 23 (1990)).
template <class T>
class LongLine {
public:
    explicit LongLine(std::size_t n) : a_(fold(n)), down_(a_), along_(n / a_), roots_(n) {
        const std::size_t b = n / a_;
        parallel_for(
            a_,
            [&](std::size_t begin, std::size_t end) {
                for (std::size_t k = begin; k < end; ++k) {
                    for (std::size_t j = 0; j < b; ++j) {
                        const auto root = fft::root_of_unity(j * k % n, n);
                        roots_[k * b + j] = {static_cast<T>(root.real()),
                                             static_cast<T>(root.imag())};
                    }
                }
            },
            16);
    }

    void run(const std::complex<T>* in, std::complex<T>* out, bool backward, T scale) const {
        const std::size_t n = roots_.size(), b = n / a_;
        const auto memory = std::make_unique_for_overwrite<std::complex<T>[]>(n);
        std::complex<T>* work = memory.get();
        in_chunks(b, a_, [&](std::size_t first, std::size_t count) {
            for (std::size_t i = 0; i < a_; ++i) {
                std::copy_n(in + i * b + first, count, work + i * b + first);
            }
            fft::transform(down_, Columns<T>{work + first, b, count, backward});
            const T sign = backward ? T(-1) : T(1);
            for (std::size_t k = 1; k < a_; ++k) {
                std::complex<T>* z = work + k * b + first;
                const std::complex<T>* root = roots_.data() + k * b + first;
                for (std::size_t j = 0; j < count; ++j) {
                    const T re = root[j].real(), im = sign * root[j].imag();
                    z[j] = {z[j].real() * re - z[j].imag() * im,
                            z[j].real() * im + z[j].imag() * re};
                }
            }
        });
        in_chunks(a_, b, [&](std::size_t first, std::size_t count) {
            fft::transform(along_, fft::TurnedRows<T>{work + first * b, out + first, b, a_, count,
                                                      backward, scale});
        });
    }

private:
    std::size_t a_;
    Line<T> down_, along_;
    std::vector<std::complex<T>> roots_;
};

// Arrays as planes of rows; those of two axes have planes of one row.
struct Layout {
    std::size_t arrays, planes, rows, width;

    Layout(std::span<const std::size_t> shape, std::size_t batch, std::size_t of_last)
        : arrays(batch),
          planes(shape.size() > 1 ? shape[0] : 1),
          rows(shape.size() > 2 ? shape[1] : 1),
          width(of_last) {}

    [[nodiscard]] std::size_t plane() const { return rows * width; }
    [[nodiscard]] std::size_t size() const { return arrays * planes * plane(); }
};

// The axes but the last.
template <class T>
class Across {
public:
    explicit Across(const Layout& layout)
        : layout_(layout), middle_(layout.rows), first_(layout.planes) {}

    /// The middle axis, plane by plane, and before or after it f(first row, how many) for all rows
    /// of the plane while it is in the cache.
    template <class F>
    void planes(std::complex<T>* data, bool backward, bool rows_first, const F& f) const {
        const std::size_t planes = layout_.arrays * layout_.planes;
        const std::size_t width = layout_.width, rows = layout_.rows;
        if (rows == 1) return in_chunks(planes, width, f);
        const auto work = [&](std::size_t begin, std::size_t end) {
            for (std::size_t p = begin; p < end; ++p) {
                const Columns<T> columns{data + p * layout_.plane(), width, width, backward};
                if (rows_first) f(p * rows, rows);
                fft::transform(middle_, columns);
                if (!rows_first) f(p * rows, rows);
            }
        };
        parallel_for(planes, work, std::max<std::size_t>(1, worth / layout_.plane()));
    }

    /// Blocks of lines along the first axis, all arrays together.
    [[nodiscard]] std::size_t blocks() const { return layout_.arrays * blocks_of_array(); }

    /// Calls f(columns, number of its first line, number of the block) for each.
    template <class F>
    void first_axis(std::complex<T>* data, const F& f) const {
        const auto work = [&](std::size_t begin, std::size_t end) {
            for (std::size_t number = begin; number < end; ++number) {
                const std::size_t array = number / blocks_of_array();
                const std::size_t first = number % blocks_of_array() * together();
                const std::size_t count = std::min(together(), layout_.plane() - first);
                std::complex<T>* start = data + array * layout_.planes * layout_.plane() + first;
                f(Columns<T>{start, layout_.plane(), count, false}, first, number);
            }
        };
        parallel_for(blocks(), work, 1);
    }
    void first_axis(std::complex<T>* data, bool backward) const {
        if (layout_.planes == 1) return;
        first_axis(data, [&](Columns<T> columns, std::size_t, std::size_t) {
            columns.backward = backward;
            fft::transform(first_, columns);
        });
    }

    [[nodiscard]] const Layout& layout() const { return layout_; }
    [[nodiscard]] const Line<T>& first() const { return first_; }

private:
    [[nodiscard]] std::size_t together() const {
        return std::max<std::size_t>(1, worth / (16 * layout_.planes)) * 16;
    }
    [[nodiscard]] std::size_t blocks_of_array() const {
        return (layout_.plane() + together() - 1) / together();
    }

    Layout layout_;
    Line<T> middle_, first_;
};

template <class T>
T share(std::span<const std::size_t> shape, bool backward) {
    return backward ? static_cast<T>(1.0 / static_cast<double>(product(shape))) : T(1);
}

bool alone(std::span<const std::size_t> shape, std::size_t batch) {
    return shape.size() == 1 && batch < few && shape[0] >= long_line && fold(shape[0]) >= 16;
}

}  // namespace

std::size_t good_length(std::size_t n) {
    n = std::max<std::size_t>(n, 1);
    while (rest_of(n) != 1) ++n;
    return n;
}

// ------------------------------------------------------------------ complex

template <class T>
struct ComplexTransform<T>::Impl {
    std::vector<std::size_t> shape;
    std::optional<LongLine<T>> folded;
    Line<T> last;
    Across<T> across;

    Impl(std::vector<std::size_t> lengths, std::size_t batch)
        : shape((check_shape(lengths, batch), std::move(lengths))),
          last(shape.back()),
          across(Layout(shape, batch, shape.back())) {
        if (alone(shape, batch)) folded.emplace(shape[0]);
    }

    void run(std::span<const std::complex<T>> in, std::span<std::complex<T>> out,
             bool backward) const {
        check_size(in.size(), across.layout().size(), "numbers");
        check_size(out.size(), across.layout().size(), "places for numbers");
        const T scale = share<T>(shape, backward);
        const std::size_t n = last.n;
        if (folded) {
            for (std::size_t k = 0; k < across.layout().arrays; ++k) {
                folded->run(in.data() + k * n, out.data() + k * n, backward, scale);
            }
            return;
        }
        across.planes(out.data(), backward, true, [&](std::size_t first, std::size_t count) {
            fft::transform(last, fft::Rows<T>{in.data() + first * n, out.data() + first * n, n, n,
                                              count, backward, scale});
        });
        across.first_axis(out.data(), backward);
    }
};

template <class T>
ComplexTransform<T>::ComplexTransform(std::vector<std::size_t> shape, std::size_t batch)
    : impl_(std::make_unique<Impl>(std::move(shape), batch)) {}
template <class T>
ComplexTransform<T>::~ComplexTransform() = default;
template <class T>
ComplexTransform<T>::ComplexTransform(ComplexTransform&&) noexcept = default;
template <class T>
ComplexTransform<T>& ComplexTransform<T>::operator=(ComplexTransform&&) noexcept = default;

template <class T>
std::size_t ComplexTransform<T>::size() const {
    return impl_->across.layout().size();
}
template <class T>
void ComplexTransform<T>::forward(std::span<const std::complex<T>> in,
                                  std::span<std::complex<T>> out) const {
    impl_->run(in, out, false);
}
template <class T>
void ComplexTransform<T>::backward(std::span<const std::complex<T>> in,
                                   std::span<std::complex<T>> out) const {
    impl_->run(in, out, true);
}

// ------------------------------------------------------------------ real

template <class T>
struct RealTransform<T>::Impl {
    using Z = std::complex<T>;
    std::vector<std::size_t> shape;
    std::size_t n, width;               ///< of a row of values, and of its spectrum
    std::optional<LongLine<T>> folded;  // of half the length
    std::optional<RealLine<T>> even;
    std::optional<Line<T>> odd;
    Across<T> across;

    Impl(std::vector<std::size_t> lengths, std::size_t batch)
        : shape((check_shape(lengths, batch), std::move(lengths))),
          n(shape.back()),
          width(n / 2 + 1),
          across(Layout(shape, batch, width)) {
        n % 2 == 0 ? void(even.emplace(n)) : void(odd.emplace(n));
        if (even && alone(shape, batch) && fold(n / 2) >= 16) folded.emplace(n / 2);
    }

    [[nodiscard]] std::size_t size() const { return across.layout().size() / width * n; }

    // Odd lengths have no half: as complex numbers, a few rows at a time.
    static constexpr std::size_t at_once = 16;

    void odd_rows_forward(const T* values, Z* spectrum, std::size_t count) const {
        std::vector<Z> z(at_once * n);
        for (std::size_t first = 0; first < count; first += at_once) {
            const std::size_t rows = std::min(at_once, count - first);
            std::copy_n(values + first * n, rows * n, z.data());
            fft::transform(*odd, fft::Rows<T>{z.data(), z.data(), n, n, rows, false, T(1)});
            for (std::size_t k = 0; k < rows; ++k) {
                std::copy_n(z.data() + k * n, width, spectrum + (first + k) * width);
            }
        }
    }
    void odd_rows_backward(const Z* spectrum, T* values, std::size_t count, T scale) const {
        std::vector<Z> z(at_once * n);
        for (std::size_t first = 0; first < count; first += at_once) {
            const std::size_t rows = std::min(at_once, count - first);
            for (std::size_t k = 0; k < rows; ++k) {
                Z* row = z.data() + k * n;
                std::copy_n(spectrum + (first + k) * width, width, row);
                row[0].imag(T(0));
                for (std::size_t i = 1; i < width; ++i) row[n - i] = std::conj(row[i]);
            }
            fft::transform(*odd, fft::Rows<T>{z.data(), z.data(), n, n, rows, true, scale});
            for (std::size_t i = 0; i < rows * n; ++i) values[first * n + i] = z[i].real();
        }
    }

    void rows_forward(const T* values, Z* spectrum, std::size_t count) const {
        if (odd) return odd_rows_forward(values, spectrum, count);
        fft::forward(*even, fft::RealRows<T>{values, spectrum, n, width, count});
    }
    void rows_backward(const Z* spectrum, T* values, std::size_t count, T scale) const {
        if (odd) return odd_rows_backward(spectrum, values, count, scale);
        fft::backward(*even, fft::SpectrumRows<T>{spectrum, values, width, n, count, scale});
    }

    // What the kernel does with short lines: see there.
    void long_forward(const T* values, Z* z) const {
        const std::size_t h = n / 2;
        folded->run(reinterpret_cast<const Z*>(values), z, false, T(1));
        const Z zero = z[0];
        z[0] = zero.real() + zero.imag();
        z[h] = zero.real() - zero.imag();
        parallel_for(h / 2, [&](std::size_t begin, std::size_t end) {
            for (std::size_t k = begin + 1; k <= end; ++k) {
                const Z a = z[k], b = std::conj(z[h - k]), root = even->roots[k];
                const Z e = T(0.5) * (a + b), d = T(0.5) * (a - b);
                const Z o{d.imag() * root.real() + d.real() * root.imag(),
                          d.imag() * root.imag() - d.real() * root.real()};
                z[k] = e + o;
                z[h - k] = std::conj(e - o);
            }
        });
    }
    void long_backward(Z* z, T* values, T scale) const {
        const std::size_t h = n / 2;
        z[0] = {z[0].real() + z[h].real(), z[0].real() - z[h].real()};
        parallel_for(h / 2, [&](std::size_t begin, std::size_t end) {
            for (std::size_t k = begin + 1; k <= end; ++k) {
                const Z a = z[k], b = std::conj(z[h - k]), root = even->roots[k];
                const Z e = a + b, d = a - b;
                // i times (a - b) over the root
                const Z o{d.real() * root.imag() - d.imag() * root.real(),
                          d.real() * root.real() + d.imag() * root.imag()};
                z[k] = e + o;
                z[h - k] = std::conj(e - o);
            }
        });
        folded->run(z, reinterpret_cast<Z*>(values), true, scale);
    }

    // All axes but the first of several.
    void inner_forward(const T* values, Z* spectrum) const {
        if (folded) {
            for (std::size_t k = 0; k < across.layout().arrays; ++k) {
                long_forward(values + k * n, spectrum + k * width);
            }
            return;
        }
        across.planes(spectrum, false, true, [&](std::size_t first, std::size_t count) {
            rows_forward(values + first * n, spectrum + first * width, count);
        });
    }
    void inner_backward(Z* spectrum, T* values) const {
        const T scale = share<T>(shape, true);
        if (folded) {
            for (std::size_t k = 0; k < across.layout().arrays; ++k) {
                long_backward(spectrum + k * width, values + k * n, scale);
            }
            return;
        }
        across.planes(spectrum, true, false, [&](std::size_t first, std::size_t count) {
            rows_backward(spectrum + first * width, values + first * n, count, scale);
        });
    }

    void check(std::size_t values, std::size_t spectrum) const {
        check_size(values, size(), "values");
        check_size(spectrum, across.layout().size(), "numbers of a spectrum");
    }
};

template <class T>
RealTransform<T>::RealTransform(std::vector<std::size_t> shape, std::size_t batch)
    : impl_(std::make_unique<Impl>(std::move(shape), batch)) {}
template <class T>
RealTransform<T>::~RealTransform() = default;
template <class T>
RealTransform<T>::RealTransform(RealTransform&&) noexcept = default;
template <class T>
RealTransform<T>& RealTransform<T>::operator=(RealTransform&&) noexcept = default;

template <class T>
std::size_t RealTransform<T>::size() const {
    return impl_->size();
}
template <class T>
std::size_t RealTransform<T>::spectrum_size() const {
    return impl_->across.layout().size();
}
template <class T>
std::size_t RealTransform<T>::blocks() const {
    return impl_->across.blocks();
}

template <class T>
void RealTransform<T>::forward(std::span<const T> values,
                               std::span<std::complex<T>> spectrum) const {
    impl_->check(values.size(), spectrum.size());
    impl_->inner_forward(values.data(), spectrum.data());
    impl_->across.first_axis(spectrum.data(), false);
}

template <class T>
void RealTransform<T>::backward(std::span<std::complex<T>> spectrum, std::span<T> values) const {
    impl_->check(values.size(), spectrum.size());
    impl_->across.first_axis(spectrum.data(), true);
    impl_->inner_backward(spectrum.data(), values.data());
}

template <class T>
void RealTransform<T>::through(std::span<T> values, std::span<std::complex<T>> spectrum,
                               const Work& work) const {
    impl_->check(values.size(), spectrum.size());
    impl_->inner_forward(values.data(), spectrum.data());
    const Across<T>& across = impl_->across;
    across.first_axis(spectrum.data(), [&](Columns<T> c, std::size_t first, std::size_t number) {
        fft::transform(across.first(), c);
        work({c.data, across.layout().planes, c.stride, first, c.count, number});
        c.backward = true;
        fft::transform(across.first(), c);
    });
    impl_->inner_backward(spectrum.data(), values.data());
}

template class ComplexTransform<double>;
template class ComplexTransform<float>;
template class RealTransform<double>;
template class RealTransform<float>;

}  // namespace regrain
