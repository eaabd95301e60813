#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace regrain::particles {

/// The thermostat variables of a Nose-Hoover chain: positions xi and velocities of the links.
class NoseHooverChain {
public:
    NoseHooverChain(double kt, double time, int links, std::size_t degrees_of_freedom);

    /// Moves the chain by `dt` against particles of kinetic energy `kinetic`; returns the factor
    /// that the velocities of the particles are to be multiplied by.
    double advance(double kinetic, double dt);

    /// Kinetic and potential energy of the chain, its part of the conserved quantity.
    [[nodiscard]] double energy() const;

    [[nodiscard]] const std::vector<double>& state() const { return state_; }
    void set_state(std::span<const double> state);

private:
    [[nodiscard]] double acceleration(std::size_t link, double twice_kinetic) const;
    [[nodiscard]] double turn(double twice_kinetic, double dt) const;
    double sweep(double& twice_kinetic, double dt);

    double kt_, degrees_;
    std::vector<double> mass_;
    std::vector<double> state_;  ///< positions, then velocities
};

}  // namespace regrain::particles
