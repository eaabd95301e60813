#include "start.hpp"

#include <cmath>
#include <string>

#include "../base/messages.hpp"
#include "regrain/base/random.hpp"
#include "simulation_impl.hpp"

namespace regrain::particles {

void check_masses(std::span<const double> masses) {
    for (std::size_t i = 0; i < masses.size(); ++i) {
        if (!positive(masses[i])) {
            throw Error("particle " + std::to_string(i) + " has mass " + std::to_string(masses[i]) +
                        "; dynamics needs positive masses");
        }
    }
}

void check_start(std::size_t particles, std::size_t positions, std::size_t images,
                 std::size_t velocities) {
    const auto given_or_not = [&](std::size_t n) { return n == 0 || n == particles; };
    if (positions == particles && given_or_not(images) && given_or_not(velocities)) return;
    throw Error("positions, images and velocities must be those of all " +
                std::to_string(particles) + " particles");
}

void stop_drift(std::span<Vec3> velocities, std::span<const double> masses,
                const std::array<bool, 3>& along) {
    Vec3 momentum;
    double total = 0.0;
    for (std::size_t i = 0; i < masses.size(); ++i) {
        if (masses[i] == 0.0) continue;
        momentum += masses[i] * velocities[i];
        total += masses[i];
    }
    Vec3 drift = momentum * (1.0 / total);
    drift = {along[0] ? drift.x : 0.0, along[1] ? drift.y : 0.0, along[2] ? drift.z : 0.0};
    for (std::size_t i = 0; i < masses.size(); ++i) {
        if (masses[i] > 0.0) velocities[i] -= drift;
    }
}

std::vector<Vec3> draw_velocities(std::uint64_t seed, std::span<const double> masses, double kt) {
    const Philox generator(seed, initial_velocities);
    std::vector<Vec3> drawn(masses.size());
    for (std::size_t i = 0; i < masses.size(); ++i) {
        if (masses[i] == 0.0) continue;
        const auto g = generator.normal4(0, static_cast<std::uint32_t>(i));
        drawn[i] = Vec3{g[0], g[1], g[2]} * std::sqrt(kt / masses[i]);
    }
    if (masses.size() > 1) stop_drift(drawn, masses, {true, true, true});
    return drawn;
}

}  // namespace regrain::particles
