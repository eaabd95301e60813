// Numbers that tell how a few particles stand to each other, and their gradients.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/external_laws.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// The present value of a collective variable.
struct Reading {
    double value{0.0};
    double period{0.0};  ///< value + period is the same; 0 where there is none
    /// Gradients by particle, those of the groups in their order.
    std::vector<std::vector<Vec3>> gradient;
    /// Sum of r_a dvalue/dr_b, xx yy zz xy xz yz; of a place in the cell, zero.
    std::array<double, 6> strain{};
};

/// Throws Error where it is not defined.
Reading read(const CollectiveVariable& variable, const PairEngine& engine);

/// Whether it changes when all particles move along x, y, z together.
std::array<bool, 3> moves_with_all(const CollectiveVariable& variable);

/// Throws Error for a wrong number of groups, particles that are not there, weights that are none.
void check(const CollectiveVariable& variable, std::size_t particles);

}  // namespace regrain::particles
