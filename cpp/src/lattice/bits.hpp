// Ising spins as bits: 512 of them at a time, each with a draw of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "regrain/base/random_blocks.hpp"

namespace regrain::lattice {

/// Words of 32 spins, 16 of them in a vector.
inline constexpr std::size_t vector_words = 16;
inline constexpr std::size_t vector_spins = 512;
/// The most neighbours a spin may have here.
inline constexpr std::size_t most_neighbours = 6;

/// Chances by the number of neighbours that count, as binary fractions. Metropolis: neighbours that
/// the coupling is content with; the chance to flip (one where half of them or
/// fewer are). Heat bath:
/// neighbours that pull up; the chance to be up.
struct BitLaw {
    bool heat_bath = false;
    std::array<std::uint32_t, vector_words> turned{};  // all set where unlike ones are content
    std::size_t neighbours = 4;
    std::array<std::uint64_t, most_neighbours + 1> chances{};
    /// Their binary places, the highest first, as vectors of all bits.
    std::vector<std::uint32_t> planes;

    void set_planes();
    [[nodiscard]] const std::uint32_t* plane(std::size_t count, std::size_t n) const {
        return planes.data() + (n * (most_neighbours + 1) + count) * vector_words;
    }
};

/// What a row of vectors needs: its spins, those of the other colour around, random numbers.
struct BitRow {
    std::uint32_t* spins = nullptr;
    /// Rows of the other colour: its own, and those before and behind along the slow axes.
    std::array<const std::uint32_t*, most_neighbours - 1> others{};
    bool left = false;  // the second neighbour along the row is in the bit before, else behind
    std::size_t vectors = 0;
    std::uint64_t slot = 0;  // of the first vector
};

void update_bits(const BitLaw& law, const BitRow& row, const RandomBlocks& random,
                 std::uint64_t sweep);

}  // namespace regrain::lattice
