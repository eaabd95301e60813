// The potentials as the loop of pair_loop.hpp calls them.
#pragma once

#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "pair_kernel.hpp"
#include "simd.hpp"
#include "simd_math.hpp"

namespace regrain::particles {

using simd::Double;

/// A particle and W of its neighbours: from these to it, the bits of their tags (an integer type or
/// a charge, as long as a number), and their row numbers. S is the type of numbers that the kernel
/// works with.
template <int W, class S = double>
struct Pairs {
    simd::Real<S, W> dx, dy, dz, r2, tags;
    const std::uint32_t* rows;
};

/// -U'(r) / r of W pairs, and energies where they are asked for; zero beyond the cutoff.
template <int W, class S = double>
struct PairValues {
    simd::Real<S, W> force_over_r, energy;
};

// A functor is made from a task (PairTask, or what is one and more) and has
//   Number                              the type that it calculates with
//   bool row(row number, tag)           begins the pairs of a particle; false if it has none
//   PairValues<W, Number> at<with_energy>(const Pairs<W, Number>&)
//   double largest_force() const        more on a particle comes from an overlap
//   bool suspicious() const             whether a pair was where the functor cannot tell its force

/// Parameters of one pair of types in every lane, or those of each lane's own pair of types.
template <int W, bool one_type, class S>
struct Parameters {
    using Columns = simd::Columns<W, S>;
    Columns all;
    const QuadOf<S>* pairs;
    const QuadOf<S>* of_row;

    REGRAIN_INLINE explicit Parameters(const std::vector<QuadOf<S>>& given)
        : pairs(given.data()), of_row(given.data()) {
        const QuadOf<S>& q = given.front();
        all = {simd::broadcast<W>(q.v[0]), simd::broadcast<W>(q.v[1]), simd::broadcast<W>(q.v[2]),
               simd::broadcast<W>(q.v[3])};
    }
    REGRAIN_INLINE void row(std::size_t first) { of_row = pairs + first; }
    REGRAIN_INLINE Columns operator()(const Pairs<W, S>& neighbors) const {
        if constexpr (one_type) return all;
        std::conditional_t<std::is_same_v<S, float>, std::int32_t, std::int64_t> types[W];
        std::memcpy(types, &neighbors.tags, sizeof types);
        return simd::transpose_of<S, W>([&](int k) __attribute__((always_inline)) {
            return of_row + types[k];
        });
    }
};

/// What potentials per pair of types share: one kind of them, and its two rows of four numbers.
template <int W, bool one_type, class S>
struct TypedPotential {
    using Number = S;
    using V = simd::Real<S, W>;
    using P = Pairs<W, S>;
    using Values = PairValues<W, S>;
    Parameters<W, one_type, S> force, energy;
    std::size_t types;
    double largest;

    REGRAIN_INLINE explicit TypedPotential(const PairTask& task)
        : force(task.kind->rows<S>().force),
          energy(task.kind->rows<S>().energy),
          types(task.parameters->types),
          largest(task.kind->largest_force) {}

    REGRAIN_INLINE bool row(std::size_t, std::int64_t type) {
        force.row(static_cast<std::size_t>(type) * types);
        energy.row(static_cast<std::size_t>(type) * types);
        return true;
    }
    [[nodiscard]] REGRAIN_INLINE double largest_force() const { return largest; }
    [[nodiscard]] REGRAIN_INLINE bool suspicious() const { return false; }
};

/// U = a12 / r^12 - a6 / r^6 - a0 + fc r.
template <int W, bool one_type, bool force_shifted, class S>
struct LennardJonesPotential : TypedPotential<W, one_type, S> {
    using Base = TypedPotential<W, one_type, S>;
    using Base::Base;
    using typename Base::P, typename Base::V, typename Base::Values;

    template <bool with_energy>
    REGRAIN_INLINE Values at(const P& pairs) const {
        const V& r2 = pairs.r2;
        const auto f = this->force(pairs);  // rc2, 12 a12, 6 a6, fc
        const V inverse2 = S(1) / r2;
        const V inverse6 = inverse2 * inverse2 * inverse2;
        Values v{};
        V value = (f.y * inverse6 - f.z) * (inverse6 * inverse2);
        V r = r2;
        if constexpr (force_shifted) {
            r = simd::sqrt<W>(r2);
            value -= f.w * (r * inverse2);
        }
        v.force_over_r = r2 < f.x ? value : V{};
        if constexpr (with_energy) {
            const auto e = this->energy(pairs);  // a12, a6, a0, fc
            V u = (e.x * inverse6 - e.y) * inverse6 - e.z;
            if constexpr (force_shifted) u += e.w * r;
            v.energy = r2 < f.x ? u : V{};
        }
        return v;
    }
};

/// U = a exp(-k r) / r - a0 + fc r.
template <int W, bool one_type, bool force_shifted, class S>
struct YukawaPotential : TypedPotential<W, one_type, S> {
    using Base = TypedPotential<W, one_type, S>;
    using Base::Base;
    using typename Base::P, typename Base::V, typename Base::Values;

    template <bool with_energy>
    REGRAIN_INLINE Values at(const P& pairs) const {
        const V& r2 = pairs.r2;
        const auto f = this->force(pairs);  // rc2, a, -k, fc
        const V r = simd::sqrt<W>(r2);
        const V inverse = S(1) / r;
        const V bare = f.y * simd::exp<W>(f.z * r) * inverse;
        Values v{};
        const V value = (bare * (inverse - f.z) - f.w) * inverse;
        v.force_over_r = r2 < f.x ? value : V{};
        if constexpr (with_energy) {
            const auto e = this->energy(pairs);  // -, -, a0, fc
            const V u = bare - e.z + e.w * r;
            v.energy = r2 < f.x ? u : V{};
        }
        return v;
    }
};

/// U = h s^2 exp(-k r^2) - a0 + fc r.
template <int W, bool one_type, bool force_shifted, class S>
struct GaussianPotential : TypedPotential<W, one_type, S> {
    using Base = TypedPotential<W, one_type, S>;
    using Base::Base;
    using typename Base::P, typename Base::V, typename Base::Values;

    template <bool with_energy>
    REGRAIN_INLINE Values at(const P& pairs) const {
        const V& r2 = pairs.r2;
        const auto f = this->force(pairs);  // rc2, h, -k, fc
        const V bare = f.y * simd::exp<W>(f.z * r2);
        Values v{};
        V value = bare;
        V r = r2;
        if constexpr (force_shifted) {
            r = simd::sqrt<W>(r2);
            value -= r2 > S(0) ? f.w / r : V{};
        }
        v.force_over_r = r2 < f.x ? value : V{};
        if constexpr (with_energy) {
            const auto e = this->energy(pairs);  // s^2, -, a0, fc
            V u = bare * e.x - e.z;
            if constexpr (force_shifted) u += e.w * r;
            v.energy = r2 < f.x ? u : V{};
        }
        return v;
    }
};

/// U = a rc / 2 (1 - r / rc)^2.
template <int W, bool one_type, bool, class S>
struct SoftPotential : TypedPotential<W, one_type, S> {
    using Base = TypedPotential<W, one_type, S>;
    using Base::Base;
    using typename Base::P, typename Base::V, typename Base::Values;

    template <bool with_energy>
    REGRAIN_INLINE Values at(const P& pairs) const {
        const V& r2 = pairs.r2;
        const auto f = this->force(pairs);  // rc2, a, a / rc, -
        const V r = simd::sqrt<W>(r2);
        Values v{};
        const V value = f.y / r - f.z;
        v.force_over_r = r2 < f.x ? value : V{};
        if constexpr (with_energy) {
            const auto e = this->energy(pairs);  // rc / 2, 1 / rc, -, -
            const V rest = S(1) - r * e.y;
            const V u = (f.y * e.x) * rest * rest;
            v.energy = r2 < f.x ? u : V{};
        }
        return v;
    }
};

/// U = c0 + t (c1 + t (c2 + t c3)), where s = (r - r_min) / dx - 1/2 and t = s - k with k the
/// integer next to s, the number of the row. A row before the first and one after the last continue
/// these, for an s that is rounded beyond the ends.
template <int W, bool one_type, bool, class S>
struct TablePotential : TypedPotential<W, one_type, S> {
    using Base = TypedPotential<W, one_type, S>;
    using typename Base::P, typename Base::V, typename Base::Values;
    const QuadOf<S>* rows;
    V least{};  // of the place in the table; below -1/2 a pair came before its beginning

    REGRAIN_INLINE explicit TablePotential(const PairTask& task)
        : Base(task), rows(task.parameters->table<S>().data()) {}

    template <bool with_energy>
    REGRAIN_INLINE Values at(const P& pairs) {
        const V& r2 = pairs.r2;
        // rc2, 1 / dx, r_min / dx + 1/2, number of row 0 in `rows` with integer_in_bits added.
        const auto g = this->force(pairs);
        const V inside = r2 < g.x ? r2 : g.x;
        const V r = simd::sqrt<W>(inside);
        V s = r * g.y - g.z;
        least = s < least ? s : least;
        s = s > S(-0.5) ? s : simd::broadcast<W>(S(-0.5));
        // The sum is rounded to an integer, and the low bits of the number are that integer.
        const V numbered = s + g.w;
        const V t = s - (numbered - g.w);
        using Bits = std::conditional_t<std::is_same_v<S, float>, std::uint32_t, std::uint64_t>;
        Bits number[W];
        std::memcpy(number, &numbered, sizeof number);
        const auto c = simd::transpose_of<S, W>([&](int k) __attribute__((always_inline)) {
            return rows + (number[k] & bits_of_integer<S>);
        });
        Values v{};
        const V slope = (c.y + t * (S(2) * c.z + t * (S(3) * c.w))) * (g.y * r);
        v.force_over_r = r2 < g.x ? -slope / r2 : V{};
        if constexpr (with_energy) {
            const V u = c.x + t * (c.y + t * (c.z + t * c.w));
            v.energy = r2 < g.x ? u : V{};
        }
        return v;
    }
    [[nodiscard]] REGRAIN_INLINE bool suspicious() const {
        return simd::smallest<W>(least) < S(-0.5);
    }
};

/// Four interleaved schemes of Horner in t^4, as one would wait for itself: powers highest first, a
/// multiple of four of them.
template <int W>
struct Polynomial {
    const double *first, *end;

    REGRAIN_INLINE explicit Polynomial(const std::vector<double>& powers)
        : first(powers.data()), end(powers.data() + powers.size()) {}
    REGRAIN_INLINE Double<W> operator()(const Double<W>& t) const {
        const Double<W> t2 = t * t;
        const Double<W> t4 = t2 * t2;
        Double<W> a{}, b{}, c{}, d{};
        for (const double* p = first; p != end; p += 4) {
            a = a * t4 + p[0];
            b = b * t4 + p[1];
            c = c * t4 + p[2];
            d = d * t4 + p[3];
        }
        return (a * t + b) * t2 + (c * t + d);
    }
};

/// U = q q' (1/r - S(r^2)); the tags of rows are charges.
template <int W>
struct ChargePotential {
    using Number = double;
    Polynomial<W> slope, energy;
    Double<W> cutoff2;
    double scale, charge{0.0};

    REGRAIN_INLINE explicit ChargePotential(const PairTask& task)
        : slope(task.parameters->charges->screen.slope()),
          energy(task.parameters->charges->screen.energy()),
          scale(task.parameters->charges->screen.scale()) {
        const double cutoff = task.parameters->charges->screen.cutoff();
        cutoff2 = simd::broadcast<W>(cutoff * cutoff);
    }

    REGRAIN_INLINE bool row(std::size_t, std::int64_t tag) {
        charge = std::bit_cast<double>(tag);
        return charge != 0.0;
    }

    template <bool with_energy>
    REGRAIN_INLINE PairValues<W> at(const Pairs<W>& pairs) const {
        const Double<W>& r2 = pairs.r2;
        const Double<W> product = pairs.tags * charge;
        const Double<W> t = (r2 < cutoff2 ? r2 : cutoff2) * scale - 1.0;
        const Double<W> inverse = 1.0 / simd::sqrt<W>(r2);
        PairValues<W> v{};
        const Double<W> value = product * (inverse * inverse * inverse + slope(t));
        v.force_over_r = r2 < cutoff2 ? value : Double<W>{};
        if constexpr (with_energy) {
            const Double<W> u = product * (inverse - energy(t));
            v.energy = r2 < cutoff2 ? u : Double<W>{};
        }
        return v;
    }

    /// No limit: opposite charges may come close.
    [[nodiscard]] static double largest_force() { return std::numeric_limits<double>::max(); }
    [[nodiscard]] REGRAIN_INLINE bool suspicious() const { return false; }
};

}  // namespace regrain::particles
