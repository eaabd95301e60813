#include "planar.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace regrain::lattice {

namespace {

constexpr std::size_t group = Tiles::group;
constexpr double pi = std::numbers::pi;

// In (0, 1), from two words.
double unit(const std::uint32_t* words) {
    const std::uint64_t bits = (static_cast<std::uint64_t>(words[0]) << 32) | words[1];
    return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}

double wrapped(double angle) { return angle - 2 * pi * std::round(angle / (2 * pi)); }

// An angle with the density exp(length cos(angle)): Best and Fisher, Applied Statistics 28, 152
// (1979), with the constants in a form that stays right for short and long vectors.
double von_mises(double length, const RandomBlocks& random, std::uint64_t sweep, std::uint64_t slot,
                 RandomBlocks::Block words) {
    if (length < 1e-6) return pi * (2 * unit(words.data()) - 1);
    const double tau = 1 + std::sqrt(1 + 4 * length * length);
    const double rho = (tau - std::sqrt(2 * tau)) / (2 * length);
    const double r = (1 + rho * rho) / (2 * rho);
    for (std::uint64_t attempt = 1;; ++attempt) {
        const double z = std::cos(pi * unit(words.data()));
        const double f = (1 + r * z) / (r + z);
        const double c = length * (r - f);
        const double u = unit(words.data() + 2);
        // The lowest bit of a word tells the side; the others told z to 52 bits.
        const double side = (words[1] & 1U) != 0 ? 1.0 : -1.0;
        if (c * (2 - c) > u || std::log(c / u) + 1 >= c) {
            return side * std::acos(std::clamp(f, -1.0, 1.0));
        }
        random.fill(sweep | (attempt << 48), slot, 1, words.data());
    }
}

double next_angle(const PlanarLaw& law, double now, double x, double y, const RandomBlocks& random,
                  std::uint64_t sweep, std::uint64_t slot, const RandomBlocks::Block& words) {
    if (law.heat_bath) {
        const double turn = von_mises(std::hypot(x, y), random, sweep, slot, words);
        return wrapped(std::atan2(y, x) + turn);
    }
    const double to = wrapped(now + law.window * (2 * unit(words.data()) - 1));
    const double gain = x * (std::cos(to) - std::cos(now)) + y * (std::sin(to) - std::sin(now));
    return gain >= 0 || unit(words.data() + 2) < std::exp(gain) ? to : now;
}

double next_state(const PlanarLaw& law, double now, double x, double y,
                  const RandomBlocks::Block& words) {
    const auto energy = [&](std::size_t s) { return x * law.cosines[s] + y * law.sines[s]; };
    const auto present = static_cast<std::size_t>(now);
    const auto states = static_cast<std::size_t>(law.states);
    if (!law.heat_bath) {
        const std::size_t step = 1 + ((static_cast<std::uint64_t>(words[0]) * (states - 1)) >> 32);
        const std::size_t to = (present + step) % states;
        const double gain = energy(to) - energy(present);
        return gain >= 0 || unit(words.data() + 2) < std::exp(gain) ? static_cast<double>(to) : now;
    }
    const double most = std::hypot(x, y);
    double total = 0;
    for (std::size_t s = 0; s < states; ++s) total += std::exp(energy(s) - most);
    double left = total * unit(words.data());
    std::size_t s = 0;
    for (; s + 1 < states; ++s) {
        left -= std::exp(energy(s) - most);
        if (left < 0) break;
    }
    return static_cast<double>(s);
}

}  // namespace

PlanarLaw::PlanarLaw(const Model& model, const Environment& environment, bool heat_bath_)
    : heat_bath(heat_bath_),
      states(model.spin == Spin::clock ? model.states : 0),
      strengths(environment.offsets.size(), 0.0) {
    for (const Channel& channel : environment.channels) {
        for (const auto& product : channel.products) {
            if (product.empty()) {
                field += channel.strength;
            } else {
                strengths[static_cast<std::size_t>(product[0])] += channel.strength;
            }
        }
    }
    double strongest = std::abs(field);
    for (const double k : strengths) strongest += std::abs(k);
    window = std::min(pi, 2.5 / std::sqrt(std::max(strongest, 1e-300)));
    for (int s = 0; s < states; ++s) {
        cosines.push_back(std::cos(2 * pi * s / states));
        sines.push_back(std::sin(2 * pi * s / states));
    }
}

void update_planar(const PlanarLaw& law, const PlanarBlock& block, const RandomBlocks& random,
                   std::uint64_t sweep) {
    RandomBlocks::Block words[group];
    for (std::size_t at = 0; at < block.size; at += group) {
        const std::size_t count = std::min(group, block.size - at);
        double x[group], y[group];
        std::fill(x, x + group, law.field);
        std::fill(y, y + group, 0.0);
        for (std::size_t n = 0; n < law.strengths.size(); ++n) {
            const double k = law.strengths[n];
            const double* cosines = block.neighbour_cosines[n] + at;
            const double* sines = block.neighbour_sines[n] + at;
#pragma omp simd
            for (std::size_t i = 0; i < group; ++i) {
                x[i] += k * cosines[i];
                y[i] += k * sines[i];
            }
        }
        random.fill(sweep, block.slot + at, count, words[0].data());
        for (std::size_t i = 0; i < count; ++i) {
            double& spin = block.spins[at + i];
            if (law.states == 0) {
                spin =
                    next_angle(law, spin, x[i], y[i], random, sweep, block.slot + at + i, words[i]);
                block.cosines[at + i] = std::cos(spin);
                block.sines[at + i] = std::sin(spin);
            } else {
                spin = next_state(law, spin, x[i], y[i], words[i]);
                block.cosines[at + i] = law.cosines[static_cast<std::size_t>(spin)];
                block.sines[at + i] = law.sines[static_cast<std::size_t>(spin)];
            }
        }
    }
}

}  // namespace regrain::lattice
