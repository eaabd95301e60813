// Friction with a memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "noise.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/motion.hpp"
#include "regrain/particles/simulation.hpp"

namespace regrain::particles {

/// The auxiliary velocities of generalised Langevin dynamics. With one per term of the kernel,
/// dv = sum_k sqrt(c_k) z_k dt and dz_k = -sqrt(c_k) v dt - z_k / tau_k dt + noise is linear with
/// the Maxwell distribution of all: over a step it is a matrix and noise that makes up for what the
/// matrix shrinks.
class MemoryBath {
public:
    MemoryBath(const GeneralizedLangevin& law, double dt, std::size_t particles);

    /// The auxiliaries of a start, from the distribution of kT.
    void draw(const noise::Source& source, std::span<const double> inverse_mass_of_id);

    /// Exchange over a time step; returns the heat that the particles were given.
    double exchange(const noise::Source& source, std::span<const std::uint32_t> ids,
                    std::span<const double> mass, std::span<Motion> motion);

    /// By id: all auxiliaries of a particle, one after the other.
    [[nodiscard]] std::vector<double> state() const;
    void set_state(std::span<const double> state);

private:
    std::size_t width_;  ///< a velocity and its auxiliaries
    double kt_;
    std::vector<double> keep_, noise_;  ///< width x width: the matrix, and a lower triangular one
    std::vector<Vec3> auxiliary_;
};

}  // namespace regrain::particles
