#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "regrain/base/export.hpp"

namespace regrain {

/// Counter-based random bits by the hundred: ARS-5 of Salmon, Moraes, Dror and Shaw, "Parallel
/// random numbers: as easy as 1, 2, 3", SC11 (2011): five rounds of AES on a counter, with keys
/// that follow a Weyl sequence. Block `index` of a step is a pure function of (seed, stream, step,
/// index). With the processor's AES instructions a block costs about a cycle; without them tables
/// give the same bits.
class REGRAIN_EXPORT RandomBlocks {
public:
    using Block = std::array<std::uint32_t, 4>;
    using Fill = void (*)(const Block& key, std::uint64_t step, std::uint64_t first,
                          std::size_t blocks, std::uint32_t* out);

    RandomBlocks(std::uint64_t seed, std::uint64_t stream);

    /// Blocks first, first + 1, ... of a step, four words each.
    void fill(std::uint64_t step, std::uint64_t first, std::size_t blocks,
              std::uint32_t* out) const {
        fill_(key_, step, first, blocks, out);
    }

    /// The same without instructions for it; what the tests compare with.
    void fill_portably(std::uint64_t step, std::uint64_t first, std::size_t blocks,
                       std::uint32_t* out) const;

    /// One round of AES (FIPS 197: SubBytes, ShiftRows, MixColumns unless it is the last,
    /// AddRoundKey) on a state of four little-endian words; for tests.
    [[nodiscard]] static Block round(const Block& state, const Block& key, bool last);

private:
    Block key_;
    Fill fill_;
};

}  // namespace regrain
