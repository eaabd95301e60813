// The sampler of nearest-neighbour Ising models by bits; see bits.hpp.
#pragma once

#include <memory>

#include "regrain/lattice/sampler.hpp"

namespace regrain::lattice {

/// None where the model or its shape does not allow it: an Ising model with one coupling of nearest
/// neighbours, periodic, in two or three dimensions, whose first axis is a multiple of 32, the last
/// of 64, the middle one even.
std::unique_ptr<Sampler> bit_sampler(const Model& model, Method method, std::uint64_t seed,
                                     std::size_t replicas);

}  // namespace regrain::lattice
