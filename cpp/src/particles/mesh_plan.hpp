// How fine a mesh, and splines of what order, an accuracy needs.
#pragma once

#include <array>
#include <cstddef>

#include "regrain/base/box.hpp"

namespace regrain::particles {

struct MeshPlan {
    std::size_t order;                  ///< of the splines, 4 to 8
    std::array<std::size_t, 3> points;  ///< along each lattice vector
    double cost;                        ///< of a step, estimated: seconds of one core
};

/// The cheapest mesh whose error in the forces is half of the accuracy at most; of order 0 and
/// infinite cost if none is fine enough.
MeshPlan plan_mesh(const Box& box, std::size_t charges, double alpha, double accuracy);

}  // namespace regrain::particles
