// Sums of exp(i q r) over charges, and of waves at a charge. Waves come in lines: all (h, k, l) of
// one k and l share a factor, and h shares its sine and cosine with -h.
#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/vec3.hpp"

namespace regrain::particles {

/// A charge, or whatever else is counted, at a place.
struct Charge {
    Vec3 r;
    double q;
};

/// exp(2 pi i n s) of a batch of charges, for s along each lattice vector and n = 0, 1, ..: rows of
/// real and imaginary parts in turn.
struct Phases {
    static constexpr std::size_t most = 512;  ///< charges of a batch
    static constexpr std::size_t block = 32;  ///< the number of them is a multiple of this

    /// Of no more than so many charges, up to the largest h, k and l.
    Phases(std::span<const Charge> batch, const Box& box, const std::array<std::int32_t, 3>& last);

    std::vector<double> data;
    std::size_t size;                  ///< with those of charge 0 that fill up
    std::array<std::size_t, 3> first;  ///< row of n = 0 along each lattice vector
    std::size_t charges;               ///< their row

    /// Rows of a power of two would meet in the same lines of the cache.
    [[nodiscard]] std::size_t row_length() const { return size + 8; }
    [[nodiscard]] double* row(std::size_t number) { return data.data() + number * row_length(); }
    [[nodiscard]] const double* row(std::size_t number) const {
        return data.data() + number * row_length();
    }
    [[nodiscard]] const double* along(std::size_t axis, std::int32_t n) const {
        const auto power = static_cast<std::size_t>(n < 0 ? -n : n);
        return row(first[axis] + 2 * power);
    }
};

/// Two lines of wave vectors, each with all h from -last to last; l is not negative.
struct Lines {
    std::int32_t k[2], l[2], last;
    std::size_t first;  ///< where the numbers of h = 0 are
};

/// Sums over charges, u = q exp(i (k y + l z)), of cos(h x) Re u, sin(h x) Im u, cos(h x) Im u and
/// sin(h x) Re u for both lines.
using Overlap = std::array<double, 8>;

/// The sums of q exp(i q r) for h and -h of one of the lines.
struct Modes {
    std::complex<double> plus, minus;
};
inline Modes modes_of(const Overlap& o, std::size_t line) {
    const double a = o[4 * line], b = o[4 * line + 1], c = o[4 * line + 2], d = o[4 * line + 3];
    return {{a - b, c + d}, {a + b, c - d}};
}

/// What the waves h and -h of one line do to a charge: cos(h x) times the even and sin(h x) times
/// the odd ones are the real and imaginary part of the potential and of its derivative by x.
using Coupling = std::array<double, 8>;

/// Adds the sums over a batch to those of each h of the lines.
void overlap_kernel(const Phases& phases, const Lines& lines, Overlap* of_lines);

/// Fields on charges [begin, begin + Phases::block) along the three reciprocal vectors, one row of
/// them each. The couplings of a line are those of h = 0, 1, .., those of its twin follow.
void field_kernel(const Phases& phases, std::span<const Lines> lines, const Coupling* couplings,
                  std::size_t begin, double (*fields)[Phases::block]);

}  // namespace regrain::particles
