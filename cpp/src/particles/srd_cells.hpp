// From the sums over each cell to what the collision does there.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "srd_kernel.hpp"

namespace regrain::particles {

/// Who draws from the generator of a seed, besides those of a Simulation.
enum SolventStream : std::uint32_t {
    grid_shift = 64,
    cell_noise = 65,
    solvent_noise = 66,
    wall_number = 67,
    wall_place = 68,
    wall_velocity_noise = 69,
    bead_noise = 70,
};

struct CellCollision {
    CollisionKind kind;
    double angle;
    bool thermostat;
    double kt;
    std::uint64_t seed, step;
    /// Particles of the solvent per cell and their mass, of which walls are made.
    double filling, mass;
};

/// Adds up the windows of all slabs, which are zero afterwards, and the solvent that walls stand
/// for, and writes the map of every cell.
void make_maps(const SolventPass& pass, const CellCollision& collision, const Slabs& slabs,
               std::span<std::vector<Four>> windows, std::span<Four> maps);

}  // namespace regrain::particles
