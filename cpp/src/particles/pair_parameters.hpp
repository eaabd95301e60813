// What the kernels read instead of the ForceField: rows of four doubles per pair of types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "regrain/particles/force_field.hpp"
#include "screen.hpp"

namespace regrain::particles {

/// Four numbers, one aligned vector load.
template <class S>
struct alignas(4 * sizeof(S)) QuadOf {
    S v[4];
};
using Quad = QuadOf<double>;

/// The cubics of a table around the middle of their intervals (see TablePotential), appended.
void append_centred(const CubicTable& table, std::vector<Quad>& out);

/// What a functor reads about each pair of types, of which `force[0]` is the square of the cutoff,
/// or 0 where the pair has another kind of potential or none. What the rest means is written beside
/// the functor (pair_functors.hpp).
template <class S>
struct TypedRows {
    std::vector<QuadOf<S>> force, energy;
};

struct KindParameters {
    TypedRows<double> full;
    TypedRows<float> single;
    bool any{false};
    bool force_shifted{false};  ///< whether any pair of types is
    double largest_force{0.0};  ///< more on a particle comes from an overlap

    template <class S>
    [[nodiscard]] const TypedRows<S>& rows() const {
        if constexpr (std::is_same_v<S, float>) return single;
        if constexpr (std::is_same_v<S, double>) return full;
    }
};

/// Added to a number that is not too large, leaves an integer in its low bits.
template <class S>
inline constexpr S integer_in_bits = 0x1.8p52;
template <>
inline constexpr float integer_in_bits<float> = 0x1.8p23F;
/// Those bits, of integers that are not negative.
template <class S>
inline constexpr std::uint64_t bits_of_integer = 0xFFFFFFFF;
template <>
inline constexpr std::uint64_t bits_of_integer<float> = 0x3FFFFF;

/// U = q q' (1/r - S(r^2)) for r < cutoff.
struct ChargeParameters {
    ChargeParameters(const Charges& charges, std::size_t particles);
    Screen screen;
    std::vector<double> of_id;  ///< charges times the root of the factor between units
};

struct PairParameters {
    /// Throws Error for a field that does not say what each pair of types does, or says nonsense.
    /// The types are those of the particles: some of them may carry no charges.
    PairParameters(const ForceField& field, std::span<const std::int32_t> types);

    /// Makes the numbers of single precision. Throws Error for those that it does not hold.
    void make_single();

    template <class S>
    [[nodiscard]] const std::vector<QuadOf<S>>& table() const {
        if constexpr (std::is_same_v<S, float>) return single_table_rows;
        if constexpr (std::is_same_v<S, double>) return table_rows;
    }

    [[nodiscard]] std::size_t pair(std::int64_t a, std::int64_t b) const {
        return static_cast<std::size_t>(a) * types + static_cast<std::size_t>(b);
    }

    static constexpr std::size_t kinds = std::variant_size_v<PairPotential>;

    std::size_t types;
    std::array<KindParameters, kinds> kind;  ///< in the order of PairPotential
    std::vector<Quad> table_rows;            ///< c0 c1 c2 c3 of all tables, one after the other
    std::vector<QuadOf<float>> single_table_rows;
    std::optional<ChargeParameters> charges;
    std::vector<double> cutoff;  ///< per pair of types, 0 where there is no pair potential
    /// Per pair of types, how far apart they are worth listing: also as charges
    /// or arms of triples.
    std::vector<double> reach;
    double largest_reach{0.0};
    /// Closer than this two particles overlap: what no sane configuration has.
    std::vector<double> overlap;
    std::vector<bool> tabulated;  ///< whether it is where a table begins
};

}  // namespace regrain::particles
