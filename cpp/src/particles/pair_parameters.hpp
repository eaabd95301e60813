// What the kernels read instead of the ForceField: rows of four doubles per pair of types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "regrain/particles/force_field.hpp"

namespace regrain::particles {

/// Four doubles, one aligned vector load.
struct alignas(32) Quad {
    double v[4];
};

/// U = a12 / r^12 - a6 / r^6 - a0 + fc r, -U'/r = 12 a12 / r^14 - 6 a6 / r^8 - fc / r, for
/// r^2 < rc2. Pairs without such a potential have rc2 = 0.
struct LennardJonesParameters {
    std::vector<Quad> force;   ///< rc2, 12 a12, 6 a6, fc per pair of types
    std::vector<Quad> energy;  ///< a12, a6, a0, fc
    bool any{false}, force_shifted{false};
};

/// U = c0 + t (c1 + t (c2 + t c3)) with s = (r - r_min) / dx, t = s - floor(s), for r^2 < rc2.
struct TableParameters {
    std::vector<Quad> grid;    ///< rc2, r_min, 1 / dx, last row of the table counted from its first
    std::vector<Quad> origin;  ///< r_min^2, number of its first row in `rows`
    std::vector<Quad> rows;    ///< c0 c1 c2 c3 of all tables, one after the other
    bool any{false};
};

struct PairParameters {
    /// Throws Error for a field that does not say what each pair of types does, or says nonsense.
    explicit PairParameters(const ForceField& field);

    [[nodiscard]] std::size_t pair(std::int64_t a, std::int64_t b) const {
        return static_cast<std::size_t>(a) * types + static_cast<std::size_t>(b);
    }

    std::size_t types;
    LennardJonesParameters lennard_jones;
    TableParameters table;
    std::vector<double> cutoff;  ///< per pair of types, 0 where nothing interacts
    double largest_cutoff{0.0};
    /// Closer than this two particles overlap: what no sane configuration has.
    std::vector<double> overlap;
    /// No force of a sane pair exceeds this.
    double largest_force{0.0};
};

}  // namespace regrain::particles
