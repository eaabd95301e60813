// What the pair engine is tested on: fields of all kinds, and configurations without overlaps.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "brute_force.hpp"
#include "regrain/base/error.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace pair_systems {

using namespace regrain;
using namespace regrain::particles;

inline CubicTable soft_table(double x_min, double x_max) {
    std::vector<double> u(60);  // smooth at the end, wiggly before
    for (std::size_t i = 0; i < u.size(); ++i) {
        const double x = x_min + (x_max - x_min) * static_cast<double>(i) / 59.0;
        u[i] = 3.0 * std::exp(-2.0 * x) * std::cos(4.0 * x) * (x_max - x) * (x_max - x);
    }
    return CubicTable::spline(x_min, x_max, u);
}

inline ForceField one(PairPotential potential) {
    ForceField field;
    field.pair_of_types = {0};
    field.pair_potentials = {std::move(potential)};
    return field;
}

// The cutoffs are not commensurate with any of the boxes: no image lies exactly at one of them.
/// Three types: LJ in all modes, two tables, and a pair that does not interact.
inline ForceField mixed(double size = 1.0) {
    ForceField field;
    field.types = 3;
    field.pair_potentials = {LennardJones{1.0, 0.4 * size, 1.0937, Cutoff::shifted},
                             LennardJones{0.4, 0.55 * size, 1.2871, Cutoff::force_shifted},
                             TabulatedPair{soft_table(0.0, 1.2113)},
                             TabulatedPair{soft_table(0.05 * size, 0.7919)},
                             LennardJones{2.0, 0.3 * size, 0.9013, Cutoff::cut}};
    field.pair_of_types = {0, 1, 2, 1, 3, -1, 2, -1, 4};
    field.exclusions = {{0, 1}, {0, 5}, {2, 30}};
    return field;
}

/// Three types: all kinds of potentials in one field.
inline ForceField kinds() {
    ForceField field;
    field.types = 3;
    field.pair_potentials = {Yukawa{0.7, 1.3, 1.1913, Cutoff::force_shifted},
                             Gaussian{2.0, 0.31, 1.0937, Cutoff::shifted},
                             Soft{25.0, 0.9013},
                             LennardJones{1.0, 0.3, 0.7919, Cutoff::shifted},
                             Gaussian{-1.0, 0.5, 1.2113, Cutoff::force_shifted},
                             TabulatedPair{soft_table(0.0, 1.2113)}};
    field.pair_of_types = {0, 1, 2, 1, 3, 4, 2, 4, 5};
    return field;
}

/// Each kind for itself, in all modes.
inline std::vector<PairPotential> every_kind() {
    std::vector<PairPotential> all{TabulatedPair{soft_table(0.0, 1.2113)}, Soft{25.0, 1.0937},
                                   Yukawa{-0.7, 0.0, 1.0937}};
    for (const Cutoff mode : {Cutoff::cut, Cutoff::shifted, Cutoff::force_shifted}) {
        all.emplace_back(LennardJones{1.0, 0.5, 1.0937, mode});
        all.emplace_back(Yukawa{1.4, 2.5, 1.0937, mode});
        all.emplace_back(Gaussian{3.0, 0.4, 1.0937, mode});
    }
    return all;
}

/// Random positions of which none are closer than `apart`, over all images.
inline std::vector<Vec3> apart(const Box& box, std::size_t n, double least, std::uint64_t seed) {
    const Philox random(seed, 7);
    Cells cells(least);
    std::vector<Vec3> r;
    for (std::uint32_t t = 0; r.size() < n && t < 20 * n; ++t) {
        const auto u = random.uniform2(0, t, 0);
        const auto v = random.uniform2(0, t, 1);
        const Vec3 candidate =
            box.cartesian({2.0 * u[0] - 0.5, 2.0 * u[1] - 0.5, 2.0 * v[0] - 0.5});
        Image image;
        Cells::Neighbors near;
        cells.assign(r, box);
        cells.around(fold_into_brick(box, candidate, image), least, near);
        if (near.count == 0) r.push_back(candidate);
    }
    return r;
}

inline std::vector<std::int32_t> types_of(std::size_t n, std::size_t types) {
    std::vector<std::int32_t> out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::int32_t>(i * i % types);
    return out;
}

inline std::vector<Vec3> by_id(const PairEngine& engine, const std::vector<Vec3>& by_row) {
    std::vector<Vec3> out(by_row.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[engine.ids()[i]] = by_row[i];
    return out;
}

/// What an engine says of a configuration in a box of 5; empty if nothing.
inline std::string message(const ForceField& field, const std::vector<Vec3>& r,
                           Precision precision = Precision::full) {
    PairEngine engine(field, types_of(r.size(), 1), 0.1, precision);
    std::vector<Vec3> forces(r.size());
    try {
        engine.assign(r, Box(Vec3{5.0, 5.0, 5.0}));
        engine.compute(forces, false);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

}  // namespace pair_systems
