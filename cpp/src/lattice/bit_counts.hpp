// Sums over neighbours of spins that are bits of a register.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../base/vectors.hpp"

namespace regrain::lattice {

// Planes of random bits that are made for all spins, and how many more while one is undecided.
inline constexpr std::size_t first_planes = 12, more_planes = 4, most_planes = 64;

/// A register of so many bytes.
template <int Bytes, class Word>
struct Registers {
    typedef Word Bits __attribute__((vector_size(Bytes)));
};

template <class B>
REGRAIN_INLINE bool any(const B& bits) {
    std::uint64_t words[sizeof(B) / 8];
    std::memcpy(words, &bits, sizeof(B));
    std::uint64_t all = 0;
    for (const std::uint64_t word : words) all |= word;
    return all != 0;
}

/// Which spins have exactly n neighbours that count, for all n.
template <class B, std::size_t Z>
REGRAIN_INLINE void count(const B (&a)[Z], B (&exactly)[Z + 1]) {
    if constexpr (Z == 4) {
        const B x = a[0] ^ a[1], y = a[2] ^ a[3], c = a[0] & a[1], d = a[2] & a[3];
        const B one = x ^ y, two = c ^ d ^ (x & y), four = c & d;
        exactly[4] = four;
        exactly[3] = one & two;
        exactly[2] = two & ~one;
        exactly[1] = one & ~two;
        exactly[0] = ~(one | two | four);
    } else {
        static_assert(Z == 6);
        const B x = a[0] ^ a[1] ^ a[2], c = (a[0] & a[1]) | (a[2] & (a[0] ^ a[1]));
        const B y = a[3] ^ a[4] ^ a[5], d = (a[3] & a[4]) | (a[5] & (a[3] ^ a[4]));
        const B one = x ^ y, k = x & y;
        const B two = c ^ d ^ k, four = (c & d) | (k & (c ^ d));
        exactly[6] = four & two;
        exactly[5] = four & ~two & one;
        exactly[4] = four & ~two & ~one;
        exactly[3] = ~four & two & one;
        exactly[2] = ~four & two & ~one;
        exactly[1] = ~four & ~two & one;
        exactly[0] = ~(four | two | one);
    }
}

}  // namespace regrain::lattice
