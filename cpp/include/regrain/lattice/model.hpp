#pragma once

#include <cstdint>
#include <vector>

/// Spins on lattices.
namespace regrain::lattice {

/// What a spin is, and what a cluster of them adds to the sum of its coupling.
enum class Spin {
    ising,        ///< -1, 1; the product
    blume_capel,  ///< -1, 0, 1; the product
    potts,        ///< 0 ... states - 1; whether all are alike, whether a single one is 0
    clock,        ///< 0 ... states - 1, as angles; cosine of the difference of two, or of one
    xy,           ///< an angle; the same
};

/// Sites of a cluster relative to each other, as many numbers each as the lattice has axes; the
/// smallest along each axis is zero.
using Cluster = std::vector<std::vector<int>>;

/// A coupling: its clusters, one of each set of translations.
struct Term {
    double strength = 0.0;
    std::vector<Cluster> clusters;
};

/// The weight of a configuration is exp(sum of strength x sum over clusters).
struct Model {
    Spin spin = Spin::ising;
    int states = 2;
    std::vector<int> shape;
    std::vector<bool> periodic;
    std::vector<Term> terms;
};

}  // namespace regrain::lattice
