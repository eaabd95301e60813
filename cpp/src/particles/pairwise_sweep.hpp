// An exchange of momentum pair after pair, for the pairs of one tile.
#pragma once

#include <array>
#include <cstddef>

#include "pairwise_kernel.hpp"

namespace regrain::particles {

/// How a pair's relative velocity along the line that joins it changes: u' = keep u + noise of the
/// variance kT (1 / m + 1 / m') (1 - keep^2).
struct SweepLaw {
    double kt, dt;
    bool collides;       ///< keep = 0 at a random time, else exp(-friction w dt (1 / m + 1 / m'))
    double probability;  ///< of a collision in this step
};

struct SweepSums {
    double heat{0.0};
    std::array<double, 6> virial{};  ///< r_a times the momentum along b
    SweepSums& operator+=(const SweepSums& o) {
        heat += o.heat;
        for (std::size_t k = 0; k < 6; ++k) virial[k] += o.virial[k];
        return *this;
    }
};

struct SweepTask {
    const PairwiseParameters* parameters;
    const SweepLaw* law;
    const PairwiseCells* cells;
    const PairNoise* noise;
    FlowGradient flow;
    PairwiseCells::Tile tile;
    Motion* motion;  ///< by row of the engine
    SweepSums* sums;
};

void sweep_kernel(const SweepTask& task);

}  // namespace regrain::particles
