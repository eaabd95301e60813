// Spins that are angles: any, or one of a few.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.hpp"
#include "regrain/base/random_blocks.hpp"

namespace regrain::lattice {

/// Energies are sums of strength x cosine of the difference to each neighbour: the scalar product
/// of the spin with a vector that its neighbours and the field make.
struct PlanarLaw {
    bool heat_bath = false;
    int states = 0;  // of a clock; 0 where any angle goes
    double field = 0.0;
    double window = 0.0;                 // how far a move of any angle goes
    std::vector<double> strengths;       // of each neighbour
    std::vector<double> cosines, sines;  // of the states

    PlanarLaw(const Model& model, const Environment& environment, bool heat_bath_);
};

/// A block of spins: angles or numbers of states, their cosines and sines, those of neighbours.
struct PlanarBlock {
    double *spins = nullptr, *cosines = nullptr, *sines = nullptr;
    const double* const* neighbour_cosines = nullptr;
    const double* const* neighbour_sines = nullptr;
    std::size_t size = 0;
    std::uint64_t slot = 0;  // of the first spin, for random numbers
};

void update_planar(const PlanarLaw& law, const PlanarBlock& block, const RandomBlocks& random,
                   std::uint64_t sweep);

}  // namespace regrain::lattice
