// The same site of many Ising systems in the bits of a few words.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "regrain/base/random_blocks.hpp"

namespace regrain::lattice {

/// Words are done eight at a time; rows begin and end with room for as many.
inline constexpr std::size_t replica_vector = 8;
/// How often a random bit is used, each time for another replica.
inline constexpr std::size_t bit_uses = 16;

/// Sites of one colour of a row.
struct ReplicaRow {
    std::uint64_t* spins = nullptr;
    /// The other colour: its own row, and those before and behind along the slow axes.
    std::array<const std::uint64_t*, 5> others{};
    std::size_t neighbours = 4;
    std::ptrdiff_t side = 0;  // where the second neighbour along the row is, in words
    std::size_t words = 0;
    bool turned = false;       // unlike neighbours are content
    std::uint64_t chance = 0;  // to lose two bonds more, as a binary fraction
    std::uint64_t slot = 0;    // for random numbers: `replica_slots(row)` from here on are its own
};

/// Vectors of random bits that a row needs for each bond that may be lost.
constexpr std::size_t pool_vectors(std::size_t words) {
    const std::size_t pool = (words + bit_uses - 1) / bit_uses;
    return (pool + replica_vector - 1) / replica_vector;
}
constexpr std::size_t replica_slots(std::size_t words, std::size_t neighbours) {
    return pool_vectors(words) * (neighbours / 2);
}

/// `pool` has room for the words of all slots.
void update_replicas(const ReplicaRow& row, const RandomBlocks& random, std::uint64_t sweep,
                     std::uint64_t* pool);

}  // namespace regrain::lattice
