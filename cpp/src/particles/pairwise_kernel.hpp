// Forces of dissipative particle dynamics on the pairs of a tile, with soft repulsion in the same
// pass.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pair_parameters.hpp"
#include "pairwise_cells.hpp"
#include "regrain/particles/pair_engine.hpp"
#include "regrain/particles/pairwise.hpp"

namespace regrain::particles {

struct PairwiseParameters {
    std::size_t types;
    double cutoff, exponent;
    std::vector<Quad> of_pair;  ///< repulsion, friction, noise / sqrt(12) 2^32, 0
};

/// On one point: all, and from the fourth number on what friction and noise have of it; one line of
/// the cache.
struct alignas(64) PairForce {
    double numbers[8];
    [[nodiscard]] Vec3 all() const { return {numbers[0], numbers[1], numbers[2]}; }
    [[nodiscard]] Vec3 thermal() const { return {numbers[4], numbers[5], numbers[6]}; }
};

/// `thermal` are the dissipative and random forces. The heat that these give to the particles in
/// the two half kicks by the forces is dt / 2 (along + dt / 4 square) in the one that comes next,
/// before which velocities are those the forces were computed from, and dt / 2 (along + 3 dt / 4
/// square) in the one after that.
struct PairwiseSums {
    double energy{0.0};
    std::array<double, 6> virial{};   ///< of the repulsion
    std::array<double, 6> thermal{};  ///< virial of the thermal forces
    double along{0.0};                ///< sum of thermal force . v
    double square{0.0};               ///< sum of thermal force . force / m
    bool suspicious{false};           ///< set when two may be at the same place
    PairwiseSums& operator+=(const PairwiseSums& o) {
        energy += o.energy;
        for (std::size_t k = 0; k < 6; ++k) virial[k] += o.virial[k];
        for (std::size_t k = 0; k < 6; ++k) thermal[k] += o.thermal[k];
        along += o.along;
        square += o.square;
        suspicious |= o.suspicious;
        return *this;
    }
};

struct PairwiseTask {
    const PairwiseParameters* parameters;
    const PairwiseCells* cells;
    const PairNoise* noise;
    FlowGradient flow;
    PairwiseCells::Tile tile;
    PairForce* forces;   ///< by point; added to
    PairwiseSums* sums;  ///< energy and virials, or null
};

/// The stream of the generator of a seed that pairwise noise takes its keys from.
inline constexpr std::uint32_t pair_noise = 5;

void pairwise_kernel(const PairwiseTask& task);

}  // namespace regrain::particles
