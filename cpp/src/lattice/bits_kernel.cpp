#include "bits.hpp"

#include <cstring>

#include "bit_counts.hpp"

namespace regrain::lattice {

namespace {

template <class B>
REGRAIN_INLINE B load(const std::uint32_t* from) {
    return vectors::load<B>(from);
}

/// For spins of each class, whether a number in [0, 1), of which every spin draws the bits until it
/// is known, is below the chance of the class.
template <class B, std::size_t First, std::size_t Z>
struct Draw {
    const B (&exactly)[Z + 1];
    B open, below;

    REGRAIN_INLINE explicit Draw(const B (&classes)[Z + 1]) : exactly(classes) {
        open = exactly[First];
        for (std::size_t n = First + 1; n <= Z; ++n) open |= exactly[n];
        below = open ^ open;
    }
    REGRAIN_INLINE void next(const BitLaw& law, std::size_t plane, const std::uint32_t* words) {
        B wanted = exactly[First] & load<B>(law.plane(First, plane));
        for (std::size_t n = First + 1; n <= Z; ++n) {
            wanted |= exactly[n] & load<B>(law.plane(n, plane));
        }
        const B drawn = load<B>(words);
        below |= open & wanted & ~drawn;
        open &= ~(wanted ^ drawn);
    }
};

template <class B, std::size_t Z, bool HeatBath>
REGRAIN_INLINE void update_part(const BitLaw& law, const BitRow& row, std::size_t v,
                                std::size_t part, const std::uint32_t* words,
                                const RandomBlocks& random, std::uint64_t sweep) {
    constexpr std::size_t first = HeatBath ? 0 : Z / 2 + 1;
    const std::size_t at = v * vector_words + part, length = row.vectors * vector_words;
    const std::uint32_t* along = row.others[0];
    B a[Z];
    a[0] = load<B>(along + at);
    if (row.left) {
        a[1] = (a[0] << 1) | (load<B>(along + (v == 0 ? at + length : at) - vector_words) >> 31);
    } else {
        a[1] = (a[0] >> 1) |
               (load<B>(along + (v + 1 == row.vectors ? part : at + vector_words)) << 31);
    }
    for (std::size_t k = 2; k < Z; ++k) a[k] = load<B>(row.others[k - 1] + at);
    const B spins = load<B>(row.spins + at), turned = load<B>(law.turned.data());
    const B mask = HeatBath ? turned : ~(spins ^ turned);
    for (auto& one : a) one ^= mask;
    B exactly[Z + 1];
    count<B, Z>(a, exactly);
    Draw<B, first, Z> draw(exactly);
    for (std::size_t plane = 0; plane < first_planes; ++plane) {
        draw.next(law, plane, words + plane * vector_words + part);
    }
    for (std::size_t made = first_planes; made < most_planes && any(draw.open);
         made += more_planes) {
        std::uint32_t more[more_planes * vector_words];
        random.fill(sweep, ((row.slot + v) * most_planes + made) * 4, more_planes * 4, more);
        for (std::size_t k = 0; k < more_planes; ++k) {
            draw.next(law, made + k, more + k * vector_words + part);
        }
    }
    if constexpr (HeatBath) {
        vectors::store(row.spins + at, draw.below);
    } else {
        B free = exactly[0];
        for (std::size_t k = 1; k < first; ++k) free |= exactly[k];
        vectors::store(row.spins + at, spins ^ (free | draw.below));
    }
}

template <class B, std::size_t Z, bool HeatBath>
REGRAIN_INLINE void update_row(const BitLaw& law, const BitRow& row, const RandomBlocks& random,
                               std::uint64_t sweep) {
    for (std::size_t v = 0; v < row.vectors; ++v) {
        std::uint32_t words[first_planes * vector_words];
        random.fill(sweep, (row.slot + v) * most_planes * 4, first_planes * 4, words);
        for (std::size_t part = 0; part < vector_words; part += sizeof(B) / 4) {
            update_part<B, Z, HeatBath>(law, row, v, part, words, random, sweep);
        }
    }
}

template <int Bytes>
REGRAIN_INLINE void update(const BitLaw& law, const BitRow& row, const RandomBlocks& random,
                           std::uint64_t sweep) {
    using B = typename Registers<Bytes, std::uint32_t>::Bits;
    if (law.neighbours == 4) {
        law.heat_bath ? update_row<B, 4, true>(law, row, random, sweep)
                      : update_row<B, 4, false>(law, row, random, sweep);
    } else {
        law.heat_bath ? update_row<B, 6, true>(law, row, random, sweep)
                      : update_row<B, 6, false>(law, row, random, sweep);
    }
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void update_v4(const BitLaw& law, const BitRow& row, const RandomBlocks& random,
                                 std::uint64_t sweep) {
    update<64>(law, row, random, sweep);
}
REGRAIN_TARGET_V3 void update_v3(const BitLaw& law, const BitRow& row, const RandomBlocks& random,
                                 std::uint64_t sweep) {
    update<32>(law, row, random, sweep);
}
#endif
void update_any(const BitLaw& law, const BitRow& row, const RandomBlocks& random,
                std::uint64_t sweep) {
    update<16>(law, row, random, sweep);
}

}  // namespace

void BitLaw::set_planes() {
    for (std::size_t n = 0; n < most_planes; ++n) {
        for (const std::uint64_t chance : chances) {
            const std::uint64_t bit = (chance >> (most_planes - 1 - n)) & 1U;
            planes.insert(planes.end(), vector_words, bit != 0 ? ~0U : 0U);
        }
    }
}

void update_bits(const BitLaw& law, const BitRow& row, const RandomBlocks& random,
                 std::uint64_t sweep) {
    vectors::dispatch(REGRAIN_LEVELS(update), law, row, random, sweep);
}

}  // namespace regrain::lattice
