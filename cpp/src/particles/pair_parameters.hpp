// What the kernels read instead of the ForceField: rows of four doubles per pair of types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "regrain/particles/force_field.hpp"
#include "screen.hpp"

namespace regrain::particles {

/// Four doubles, one aligned vector load.
struct alignas(32) Quad {
    double v[4];
};

/// The cubics of a table around the middle of their intervals (see TableParameters), appended.
void append_centred(const CubicTable& table, std::vector<Quad>& out);

/// U = a12 / r^12 - a6 / r^6 - a0 + fc r, -U'/r = 12 a12 / r^14 - 6 a6 / r^8 - fc / r, for
/// r^2 < rc2. Pairs without such a potential have rc2 = 0.
struct LennardJonesParameters {
    std::vector<Quad> force;   ///< rc2, 12 a12, 6 a6, fc per pair of types
    std::vector<Quad> energy;  ///< a12, a6, a0, fc
    bool any{false}, force_shifted{false};
    double largest_force{0.0};  ///< that of any pair on the point of overlapping
};

/// U = c0 + t (c1 + t (c2 + t c3)) for r^2 < rc2, where s = (r - r_min) / dx - 1/2 and t = s - k
/// with k the integer next to s, the number of the row. A row before the first and one after the
/// last continue these, for an s that is rounded beyond the ends.
struct TableParameters {
    static constexpr double integer =
        0x1.8p52;            ///< added to a double, leaves an integer in its bits
    std::vector<Quad> grid;  ///< rc2, 1 / dx, r_min / dx + 1/2, number of row 0 in `rows` + integer
    std::vector<Quad> rows;  ///< c0 c1 c2 c3 of all tables, one after the other
    bool any{false};
};

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

    [[nodiscard]] std::size_t pair(std::int64_t a, std::int64_t b) const {
        return static_cast<std::size_t>(a) * types + static_cast<std::size_t>(b);
    }

    std::size_t types;
    LennardJonesParameters lennard_jones;
    TableParameters table;
    std::optional<ChargeParameters> charges;
    std::vector<double> cutoff;  ///< per pair of types, 0 where there is no pair potential
    /// Per pair of types, how far apart they are worth listing: also as charges
    /// or arms of triples.
    std::vector<double> reach;
    double largest_reach{0.0};
    /// Closer than this two particles overlap: what no sane configuration has.
    std::vector<double> overlap;
};

}  // namespace regrain::particles
