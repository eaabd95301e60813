#include <algorithm>
#include <cstring>

#include "bit_counts.hpp"
#include "replica_bits.hpp"

namespace regrain::lattice {

namespace {

constexpr std::size_t vector_blocks = 4;  // random blocks in eight words

/// Bits that are set with the chance, exactly: each draws until it is known.
template <class B>
REGRAIN_INLINE void fill_pool(const ReplicaRow& row, const RandomBlocks& random,
                              std::uint64_t sweep, std::uint64_t* pool) {
    const std::size_t vectors = replica_slots(row.words, row.neighbours);
    constexpr std::size_t width = sizeof(B) / 8;
    for (std::size_t v = 0; v < vectors; ++v) {
        std::uint32_t words[first_planes * 16];
        B open[replica_vector / width], below[replica_vector / width];
        for (auto& o : open) o = ~B{};
        for (auto& b : below) b = B{};
        for (std::size_t made = 0; made < most_planes;) {
            const std::size_t planes = made == 0 ? first_planes : more_planes;
            random.fill(sweep, ((row.slot + v) * most_planes + made) * vector_blocks,
                        planes * vector_blocks, words);
            bool undecided = false;
            for (std::size_t part = 0; part < replica_vector / width; ++part) {
                B o = open[part], b = below[part];
                for (std::size_t k = 0; k < planes; ++k) {
                    const B drawn = vectors::load<B>(words + 16 * k + 2 * width * part);
                    if (((row.chance >> (most_planes - 1 - made - k)) & 1U) != 0) {
                        b |= o & ~drawn;
                        o &= drawn;
                    } else {
                        o &= ~drawn;
                    }
                }
                open[part] = o;
                below[part] = b;
                undecided = undecided || any(o);
            }
            made += planes;
            if (!undecided) break;
        }
        std::memcpy(pool + v * replica_vector, below, 8 * replica_vector);
    }
}

template <class B, std::size_t Z>
REGRAIN_INLINE void update_words(const ReplicaRow& row, const std::uint64_t* pool) {
    constexpr std::size_t width = sizeof(B) / 8, levels = Z / 2;
    const std::size_t length = pool_vectors(row.words) * replica_vector;
    for (std::size_t use = 0; use < bit_uses; ++use) {
        const int turn = static_cast<int>(64 / bit_uses * use);
        const std::size_t end =
            std::min(length, row.words > use * length ? row.words - use * length : 0);
        for (std::size_t k = 0; k < end; k += width) {
            const std::size_t at = use * length + k;
            const B spins = vectors::load<B>(row.spins + at);
            const B mask = row.turned ? spins : ~spins;
            B a[Z];
            a[0] = vectors::load<B>(row.others[0] + at) ^ mask;
            a[1] =
                vectors::load<B>(row.others[0] + static_cast<std::ptrdiff_t>(at) + row.side) ^ mask;
            for (std::size_t n = 2; n < Z; ++n) {
                a[n] = vectors::load<B>(row.others[n - 1] + at) ^ mask;
            }
            B exactly[Z + 1];
            count<B, Z>(a, exactly);
            // To lose n bonds more than half needs n chances one after the other.
            B flips = exactly[Z];
            for (std::size_t level = levels; level-- > 0;) {
                const B bits = vectors::load<B>(pool + level * length + k);
                const B turned = turn == 0 ? bits : (bits << turn) | (bits >> (64 - turn));
                flips = (flips & turned) | exactly[levels + level];
            }
            for (std::size_t n = 0; n < levels; ++n) flips |= exactly[n];
            vectors::store(row.spins + at, spins ^ flips);
        }
    }
}

template <int Bytes>
REGRAIN_INLINE void update(const ReplicaRow& row, const RandomBlocks& random, std::uint64_t sweep,
                           std::uint64_t* pool) {
    using B = typename Registers<Bytes, std::uint64_t>::Bits;
    fill_pool<B>(row, random, sweep, pool);
    if (row.neighbours == 4) {
        update_words<B, 4>(row, pool);
    } else {
        update_words<B, 6>(row, pool);
    }
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void update_v4(const ReplicaRow& row, const RandomBlocks& random,
                                 std::uint64_t sweep, std::uint64_t* pool) {
    update<64>(row, random, sweep, pool);
}
REGRAIN_TARGET_V3 void update_v3(const ReplicaRow& row, const RandomBlocks& random,
                                 std::uint64_t sweep, std::uint64_t* pool) {
    update<32>(row, random, sweep, pool);
}
#endif
void update_any(const ReplicaRow& row, const RandomBlocks& random, std::uint64_t sweep,
                std::uint64_t* pool) {
    update<16>(row, random, sweep, pool);
}

}  // namespace

void update_replicas(const ReplicaRow& row, const RandomBlocks& random, std::uint64_t sweep,
                     std::uint64_t* pool) {
    vectors::dispatch(REGRAIN_LEVELS(update), row, random, sweep, pool);
}

}  // namespace regrain::lattice
