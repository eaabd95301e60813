#include "nose_hoover.hpp"

#include <algorithm>
#include <cmath>

namespace regrain::particles {

NoseHooverChain::NoseHooverChain(double kt, double time, int links, std::size_t degrees_of_freedom)
    : kt_(kt),
      degrees_(static_cast<double>(degrees_of_freedom)),
      mass_(static_cast<std::size_t>(links), kt * time * time) {
    mass_[0] *= degrees_;
    state_.resize(2 * mass_.size());
}

void NoseHooverChain::set_state(std::span<const double> state) {
    std::copy(state.begin(), state.end(), state_.begin());
}

double NoseHooverChain::acceleration(std::size_t link, double twice_kinetic) const {
    const double* v = state_.data() + mass_.size();
    if (link == 0) return (twice_kinetic - degrees_ * kt_) / mass_[0];
    return (mass_[link - 1] * v[link - 1] * v[link - 1] - kt_) / mass_[link];
}

// The operator exp(dt L_NHC) for one Suzuki-Yoshida weight (Martyna et al. 1996, section 4).
double NoseHooverChain::sweep(double& twice_kinetic, double dt) {
    const std::size_t last = mass_.size() - 1;
    double* xi = state_.data();
    double* v = xi + mass_.size();
    const auto kick = [&](std::size_t link) {
        const double brake = link == last ? 1.0 : std::exp(-0.25 * dt * v[link + 1]);
        v[link] = (v[link] * brake + 0.5 * dt * acceleration(link, twice_kinetic)) * brake;
    };
    for (std::size_t link = last + 1; link-- > 0;) kick(link);
    const double scale = std::exp(-dt * v[0]);
    twice_kinetic *= scale * scale;
    for (std::size_t link = 0; link <= last; ++link) xi[link] += dt * v[link];
    for (std::size_t link = 0; link <= last; ++link) kick(link);
    return scale;
}

double NoseHooverChain::advance(double kinetic, double dt) {
    // Fourth-order weights of Yoshida (1990), so that a short chain time needs no shorter step.
    const double outer = 1.0 / (2.0 - std::cbrt(2.0));
    const double weights[] = {outer, 1.0 - 2.0 * outer, outer};
    double twice_kinetic = 2.0 * kinetic;
    double scale = 1.0;
    for (double left = dt; left > 0.0;) {
        double part = left;
        while (turn(twice_kinetic, part) > 0.5 && part > 1e-4 * dt) part *= 0.5;
        for (const double w : weights) scale *= sweep(twice_kinetic, w * part);
        left -= part;
    }
    return scale;
}

// An upper bound of velocity times dt of the links, where each has been pushed for dt. Near
// equilibrium that is a few times dt / time, and one part is all of the step; far from it the first
// link, which is as heavy as all particles, would throw the second.
double NoseHooverChain::turn(double twice_kinetic, double dt) const {
    double fastest = 0.0, before = 0.0;
    for (std::size_t link = 0; link < mass_.size(); ++link) {
        const double push = link == 0
                                ? std::abs(acceleration(0, twice_kinetic))
                                : std::max(mass_[link - 1] * before * before, kt_) / mass_[link];
        before = std::abs(state_[mass_.size() + link]) + push * dt;
        fastest = std::max(fastest, before);
    }
    return fastest * dt;
}

double NoseHooverChain::energy() const {
    const double* xi = state_.data();
    const double* v = xi + mass_.size();
    double energy = 0.0;
    for (std::size_t link = 0; link < mass_.size(); ++link) {
        const double degrees = link == 0 ? degrees_ : 1.0;
        energy += 0.5 * mass_[link] * v[link] * v[link] + degrees * kt_ * xi[link];
    }
    return energy;
}

}  // namespace regrain::particles
