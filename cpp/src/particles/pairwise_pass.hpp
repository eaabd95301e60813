// One pass over all pairs within a cutoff: sorts particles into cells, and adds to their forces.
#pragma once

#include <span>
#include <vector>

#include "pairwise_kernel.hpp"

namespace regrain::particles {

class PairwisePass {
public:
    explicit PairwisePass(double cutoff) : cells_(cutoff) {}

    /// Forces are complete but for these. To velocities is added what `lead` has by row, unless it
    /// is empty. Throws Error when two particles are at the same place.
    PairwiseSums add(const PairwiseParameters& parameters, const Present& now,
                     std::span<const Vec3> lead, const PairNoise& noise, std::span<Vec3> forces,
                     bool with_sums);

    [[nodiscard]] PairwiseCells& cells() { return cells_; }

private:
    [[nodiscard]] PairwiseSums collect(std::span<const Motion> motion, std::span<Vec3> forces);

    PairwiseCells cells_;
    std::vector<PairForce> sums_;  // by point; zero between passes
};

}  // namespace regrain::particles
