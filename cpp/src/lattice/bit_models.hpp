// Which models are done as bits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "regrain/lattice/model.hpp"

namespace regrain::lattice {

/// The coupling, if nearest neighbours along the axes of a torus are all that there is.
inline std::optional<double> nearest_neighbours(const Model& model) {
    const bool whole =
        std::all_of(model.periodic.begin(), model.periodic.end(), [](bool on) { return on; });
    if (model.spin != Spin::ising || !whole) return std::nullopt;
    const std::size_t d = model.shape.size();
    std::optional<double> strength;
    for (const Term& term : model.terms) {
        if (term.strength == 0.0) continue;
        if (strength || term.clusters.size() != d) return std::nullopt;
        for (const Cluster& cluster : term.clusters) {
            if (cluster.size() != 2) return std::nullopt;
            int distance = 0;
            for (std::size_t a = 0; a < d; ++a) distance += std::abs(cluster[0][a] - cluster[1][a]);
            if (distance != 1) return std::nullopt;
        }
        strength = term.strength;  // as many as axes, all different: one along each
    }
    return strength;
}

/// A chance as a binary fraction.
inline std::uint64_t fraction(double chance) {
    const double scaled = std::ldexp(chance, 64);
    return scaled >= 0x1p64 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(scaled);
}

}  // namespace regrain::lattice
