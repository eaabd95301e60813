#include <bit>

#include "regrain/base/random_blocks.hpp"
#include "vectors.hpp"

#if REGRAIN_X86
#include <immintrin.h>
#endif

namespace regrain {

namespace {

using Block = RandomBlocks::Block;

constexpr int rounds = 5;
// Fractions of the golden ratio and of the square root of three, as in the paper.
constexpr std::uint64_t weyl_low = 0x9E3779B97F4A7C15ULL;
constexpr std::uint64_t weyl_high = 0xBB67AE8584CAA73BULL;

constexpr Block block_of(std::uint64_t low, std::uint64_t high) {
    return {static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32),
            static_cast<std::uint32_t>(high), static_cast<std::uint32_t>(high >> 32)};
}

constexpr std::uint64_t low_of(const Block& b) {
    return b[0] | (static_cast<std::uint64_t>(b[1]) << 32);
}

constexpr std::uint64_t high_of(const Block& b) {
    return b[2] | (static_cast<std::uint64_t>(b[3]) << 32);
}

// ------------------------------------------------------------------ without instructions for it

constexpr std::uint32_t doubled(std::uint32_t x) { return (x << 1) ^ ((x >> 7) * 0x11BU); }

struct Tables {
    std::array<std::uint8_t, 256> box{};      // SubBytes
    std::array<std::uint32_t, 256> column{};  // SubBytes of the first row, mixed into a column
};

// Powers and inverse powers of the generator 3 of the field run through all its elements.
constexpr Tables make_tables() {
    Tables t;
    std::uint32_t p = 1, q = 1;
    do {
        p ^= doubled(p);
        q ^= q << 1;
        q ^= q << 2;
        q = (q ^ (q << 4)) & 0xFFU;
        if ((q & 0x80U) != 0) q ^= 0x09U;
        const auto b = static_cast<std::uint8_t>(q);
        const int s =
            b ^ std::rotl(b, 1) ^ std::rotl(b, 2) ^ std::rotl(b, 3) ^ std::rotl(b, 4) ^ 0x63;
        t.box[p] = static_cast<std::uint8_t>(s);
    } while (p != 1);
    t.box[0] = 0x63;
    for (std::size_t x = 0; x < 256; ++x) {
        const std::uint32_t s = t.box[x], s2 = doubled(s);
        t.column[x] = s2 | (s << 8) | (s << 16) | ((s2 ^ s) << 24);
    }
    return t;
}

constexpr Tables tables = make_tables();

template <bool Last>
Block one_round(const Block& w, const Block& key) {
    Block out{};
    for (std::size_t c = 0; c < 4; ++c) {
        std::uint32_t mixed = 0;
        for (std::size_t r = 0; r < 4; ++r) {
            const std::uint32_t byte = (w[(c + r) % 4] >> (8 * r)) & 0xFFU;
            mixed ^=
                std::rotl(Last ? tables.box[byte] : tables.column[byte], static_cast<int>(8 * r));
        }
        out[c] = mixed ^ key[c];
    }
    return out;
}

void fill_any(const Block& key, std::uint64_t step, std::uint64_t first, std::size_t blocks,
              std::uint32_t* out) {
    std::array<Block, rounds + 1> keys{};
    for (std::uint64_t k = 0; k <= rounds; ++k) {
        keys[k] = block_of(low_of(key) + k * weyl_low, high_of(key) + k * weyl_high);
    }
    for (std::size_t n = 0; n < blocks; ++n) {
        Block state = block_of(first + n, step);
        for (std::size_t k = 0; k < 4; ++k) state[k] ^= keys[0][k];
        for (std::size_t k = 1; k < rounds; ++k) state = one_round<false>(state, keys[k]);
        state = one_round<true>(state, keys[rounds]);
        for (std::size_t k = 0; k < 4; ++k) out[4 * n + k] = state[k];
    }
}

// ------------------------------------------------------------------------- with instructions

#if REGRAIN_X86

#define REGRAIN_AES [[gnu::target("arch=x86-64-v3,aes")]]
#define REGRAIN_VAES [[gnu::target("arch=x86-64-v4,aes,vaes")]]

REGRAIN_AES __m128i word(std::uint64_t low, std::uint64_t high) {
    return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

// Four blocks at a time, as a round takes four cycles and one can begin in each.
REGRAIN_AES void fill_aes(const Block& key, std::uint64_t step, std::uint64_t first,
                          std::size_t blocks, std::uint32_t* out) {
    const __m128i weyl = word(weyl_low, weyl_high);
    __m128i keys[rounds + 1];
    keys[0] = word(low_of(key), high_of(key));
    for (int k = 0; k < rounds; ++k) keys[k + 1] = _mm_add_epi64(keys[k], weyl);
    const auto place = [&](std::size_t n) { return reinterpret_cast<__m128i*>(out + 4 * n); };
    std::size_t n = 0;
    for (; n + 4 <= blocks; n += 4) {
        __m128i s[4];
        for (std::size_t b = 0; b < 4; ++b)
            s[b] = _mm_xor_si128(word(first + n + b, step), keys[0]);
        for (int k = 1; k < rounds; ++k) {
            for (auto& state : s) state = _mm_aesenc_si128(state, keys[k]);
        }
        for (std::size_t b = 0; b < 4; ++b) {
            _mm_storeu_si128(place(n + b), _mm_aesenclast_si128(s[b], keys[rounds]));
        }
    }
    for (; n < blocks; ++n) {
        __m128i s = _mm_xor_si128(word(first + n, step), keys[0]);
        for (int k = 1; k < rounds; ++k) s = _mm_aesenc_si128(s, keys[k]);
        _mm_storeu_si128(place(n), _mm_aesenclast_si128(s, keys[rounds]));
    }
}

// (GCC 12 warns of its own _mm512_broadcast_i32x4, and sends eight numbers through memory.)
REGRAIN_VAES __m512i four_words(std::uint64_t low, std::uint64_t high) {
    const __m128i one = word(low, high);
    return __builtin_shufflevector(one, one, 0, 1, 0, 1, 0, 1, 0, 1);
}

// As many at a time as hide how long a round takes.
template <int Count>
REGRAIN_VAES void several(__m512i& counter, const __m512i& four, const __m512i (&keys)[rounds + 1],
                          std::uint32_t* out) {
    __m512i s[Count];
    for (auto& state : s) {
        state = _mm512_xor_si512(counter, keys[0]);
        counter = _mm512_add_epi64(counter, four);
    }
    for (int k = 1; k < rounds; ++k) {
        for (auto& state : s) state = _mm512_aesenc_epi128(state, keys[k]);
    }
    for (int b = 0; b < Count; ++b) {
        _mm512_storeu_si512(out + 16 * b, _mm512_aesenclast_epi128(s[b], keys[rounds]));
    }
}

REGRAIN_VAES void fill_vaes(const Block& key, std::uint64_t step, std::uint64_t first,
                            std::size_t blocks, std::uint32_t* out) {
    const __m512i weyl = four_words(weyl_low, weyl_high);
    __m512i keys[rounds + 1];
    keys[0] = four_words(low_of(key), high_of(key));
    for (int k = 0; k < rounds; ++k) keys[k + 1] = _mm512_add_epi64(keys[k], weyl);
    __m512i counter =
        _mm512_add_epi64(four_words(first, step), _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0));
    const __m512i four = _mm512_set_epi64(0, 4, 0, 4, 0, 4, 0, 4);
    std::size_t n = 0;
    for (; n + 48 <= blocks; n += 48) several<12>(counter, four, keys, out + 4 * n);
    for (; n + 16 <= blocks; n += 16) several<4>(counter, four, keys, out + 4 * n);
    for (; n < blocks; n += 4) {
        __m512i s = _mm512_xor_si512(counter, keys[0]);
        counter = _mm512_add_epi64(counter, four);
        for (int k = 1; k < rounds; ++k) s = _mm512_aesenc_epi128(s, keys[k]);
        s = _mm512_aesenclast_epi128(s, keys[rounds]);
        const std::size_t words = 4 * (blocks - n);
        const auto mask = static_cast<__mmask16>(words >= 16 ? 0xFFFFU : (1U << words) - 1U);
        _mm512_mask_storeu_epi32(out + 4 * n, mask, s);
    }
}

RandomBlocks::Fill best() {
    if (simd() == Simd::baseline || !__builtin_cpu_supports("aes")) return fill_any;
    const bool wide = simd() == Simd::x86_64_v4 && __builtin_cpu_supports("vaes");
    return wide ? fill_vaes : fill_aes;
}

#else

RandomBlocks::Fill best() { return fill_any; }

#endif

}  // namespace

RandomBlocks::RandomBlocks(std::uint64_t seed, std::uint64_t stream)
    : key_(block_of(seed, stream)), fill_(best()) {}

void RandomBlocks::fill_portably(std::uint64_t step, std::uint64_t first, std::size_t blocks,
                                 std::uint32_t* out) const {
    fill_any(key_, step, first, blocks, out);
}

RandomBlocks::Block RandomBlocks::round(const Block& state, const Block& key, bool last) {
    return last ? one_round<true>(state, key) : one_round<false>(state, key);
}

}  // namespace regrain
