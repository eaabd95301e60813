// Updates of the spins of a block that do not feel each other: one function per kind of spin, with
// the widest vectors of the machine. They work on whole groups; what is behind the block's end is
// computed and thrown away.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "environment.hpp"
#include "tiles.hpp"

namespace regrain::lattice {

/// A channel as kernels want it: places of neighbours one after the other.
struct Products {
    double strength = 0.0;
    std::int32_t stride = 0;  // in tables
    int power = 1;
    std::vector<std::uint32_t> places, ends;  // of all products; where each of them ends
};

inline std::vector<Products> products_of(const Environment& environment) {
    std::vector<Products> all;
    for (const Channel& channel : environment.channels) {
        Products p;
        p.strength = channel.strength;
        p.power = channel.power;
        for (const auto& product : channel.products) {
            for (const int n : product) p.places.push_back(static_cast<std::uint32_t>(n));
            p.ends.push_back(static_cast<std::uint32_t>(p.places.size()));
        }
        all.push_back(p);
    }
    return all;
}

/// Chances as thresholds of 32 random bits: a draw below it, or any if it is the largest number.
std::uint32_t threshold(double chance);

/// Spins whose clusters are products: what a spin feels are sums of small whole numbers, and its
/// next value follows from a table of thresholds by these sums and the present value.
struct ProductLaw {
    bool heat_bath = false;
    int values = 2;  // -1, 1 or -1, 0, 1
    std::vector<Products> channels;
    std::int32_t start = 0, shift = 0;  // index = (start + sum of stride x sums) >> shift
    std::vector<std::uint32_t> table;   // (index, present value, threshold); none if too large

    /// Chances of the values below the first, below the second, ... given what the spin feels.
    [[nodiscard]] std::array<double, 2> chances(double first, double second, int present) const;
};

/// Potts spins: energies of a state are sums of strength x (all neighbours in that state).
struct PottsLaw {
    bool heat_bath = false;
    int states = 2;
    std::vector<Products> channels;
};

/// A block: its spins, those of its neighbours, and random words.
struct Block {
    std::int8_t* spins = nullptr;
    const std::int8_t* const* neighbours = nullptr;
    std::size_t size = 0;
    const std::uint32_t* random = nullptr;
};

void update_products(const ProductLaw& law, const Block& block);  // a word per spin
void update_potts(const PottsLaw& law, const Block& block);       // two words per spin

}  // namespace regrain::lattice
