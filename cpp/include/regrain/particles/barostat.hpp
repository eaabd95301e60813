#pragma once

#include <array>
#include <cstdint>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/random.hpp"
#include "regrain/particles/cell_map.hpp"
#include "regrain/particles/simulation.hpp"

namespace regrain::particles {

/// What it knows of the particles: xx yy zz xy xz yz, sums of m v_a v_b and of r_a f_b, and how
/// many particles' worth of kinetic energy along x, y, z those sums miss (one where the momentum
/// is kept at zero).
struct CellState {
    std::array<double, 6> kinetic, virial;
    std::array<double, 3> missing;
};

/// A change of the cell, and the logarithms of what it does to the three edges.
struct CellChange {
    CellMap map;
    std::array<double, 3> log_stretch;
};

/// Throws Error naming `step` when the cell would change by a quarter or more.
REGRAIN_EXPORT CellChange rescale(const CellRescale& barostat, double dt, const Box& box,
                                  const CellState& state, const Philox& noise, std::uint64_t step);

}  // namespace regrain::particles
