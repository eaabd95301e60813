#include <algorithm>
#include <cmath>
#include <cstring>

#include "../base/vectors.hpp"
#include "kernels.hpp"

namespace regrain::lattice {

namespace {

constexpr std::size_t group = Tiles::group;

// sum += (all neighbours in the state of `own`), for a group; a spin that stands alone counts in
// state 0.
REGRAIN_INLINE void add_alike(std::int8_t* sum, const std::int8_t* own, int sign,
                              const Products& channel, const Block& block, std::size_t at) {
    std::uint32_t first = 0;
    for (const std::uint32_t end : channel.ends) {
        std::int8_t alike[group];
        if (end == first) {
#pragma omp simd
            for (std::size_t k = 0; k < group; ++k) alike[k] = own[k] == 0 ? 1 : 0;
        } else {
            std::memset(alike, 1, group);
            for (std::uint32_t m = first; m < end; ++m) {
                const std::int8_t* other = block.neighbours[channel.places[m]] + at;
#pragma omp simd
                for (std::size_t k = 0; k < group; ++k) {
                    alike[k] = static_cast<std::int8_t>(own[k] == other[k] ? alike[k] : 0);
                }
            }
        }
#pragma omp simd
        for (std::size_t k = 0; k < group; ++k) {
            sum[k] = static_cast<std::int8_t>(sum[k] + sign * alike[k]);
        }
        first = end;
    }
}

REGRAIN_INLINE void add_energy(double* energy, const std::int8_t* sum, double strength) {
#pragma omp simd
    for (std::size_t k = 0; k < group; ++k) energy[k] += strength * sum[k];
}

REGRAIN_INLINE double unit(std::uint32_t word) { return (word + 0.5) * 0x1p-32; }

REGRAIN_INLINE void metropolis(const PottsLaw& law, const Block& block, std::size_t at,
                               std::size_t count, std::int8_t* next) {
    const std::int8_t* present = block.spins + at;
    const std::uint32_t* words = block.random + 2 * at;
    const int states = law.states;
    std::int8_t wanted[group];
    for (std::size_t k = 0; k < group; ++k) {
        const auto step = static_cast<int>(
            (static_cast<std::uint64_t>(words[2 * k]) * static_cast<std::uint64_t>(states - 1)) >>
            32);
        const int to = present[k] + 1 + step;
        wanted[k] = static_cast<std::int8_t>(to >= states ? to - states : to);
    }
    double gain[group] = {};
    for (const Products& channel : law.channels) {
        std::int8_t sum[group] = {};
        add_alike(sum, wanted, 1, channel, block, at);
        add_alike(sum, present, -1, channel, block, at);
        add_energy(gain, sum, channel.strength);
    }
    for (std::size_t k = 0; k < count; ++k) {
        const bool accepted = gain[k] >= 0.0 || unit(words[2 * k + 1]) < std::exp(gain[k]);
        next[k] = accepted ? wanted[k] : present[k];
    }
}

REGRAIN_INLINE void heat_bath(const PottsLaw& law, const Block& block, std::size_t at,
                              std::size_t count, std::int8_t* next) {
    const int states = law.states;
    std::int8_t state[group];
    double energy[group * 128];  // by state
    for (int s = 0; s < states; ++s) {
        std::memset(state, s, group);
        double* of_state = energy + static_cast<std::size_t>(s) * group;
        std::fill(of_state, of_state + group, 0.0);
        for (const Products& channel : law.channels) {
            std::int8_t sum[group] = {};
            add_alike(sum, state, 1, channel, block, at);
            add_energy(of_state, sum, channel.strength);
        }
    }
    for (std::size_t k = 0; k < count; ++k) {
        double most = energy[k];
        for (std::size_t s = 1; s < static_cast<std::size_t>(states); ++s) {
            most = std::max(most, energy[s * group + k]);
        }
        double total = 0.0;
        for (std::size_t s = 0; s < static_cast<std::size_t>(states); ++s) {
            double& e = energy[s * group + k];
            total += std::exp(e - most);
            e = total;
        }
        const std::uint32_t* word = block.random + 2 * (at + k);
        const double draw = total * (unit(word[0]) - 0x1p-33 + word[1] * 0x1p-64);
        std::size_t s = 0;
        while (s + 1 < static_cast<std::size_t>(states) && energy[s * group + k] <= draw) ++s;
        next[k] = static_cast<std::int8_t>(s);
    }
}

template <int>
REGRAIN_INLINE void update(const PottsLaw& law, const Block& block) {
    for (std::size_t at = 0; at < block.size; at += group) {
        const std::size_t count = std::min(group, block.size - at);
        std::int8_t next[group];
        if (law.heat_bath) {
            heat_bath(law, block, at, count, next);
        } else {
            metropolis(law, block, at, count, next);
        }
        std::memcpy(block.spins + at, next, count);
    }
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void update_v4(const PottsLaw& law, const Block& block) { update<8>(law, block); }
REGRAIN_TARGET_V3 void update_v3(const PottsLaw& law, const Block& block) { update<4>(law, block); }
#endif
void update_any(const PottsLaw& law, const Block& block) { update<2>(law, block); }

}  // namespace

void update_potts(const PottsLaw& law, const Block& block) {
    vectors::dispatch(REGRAIN_LEVELS(update), law, block);
}

}  // namespace regrain::lattice
