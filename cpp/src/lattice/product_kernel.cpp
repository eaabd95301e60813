#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "../base/vectors.hpp"
#include "kernels.hpp"

namespace regrain::lattice {

namespace {

constexpr std::size_t group = Tiles::group;
using Bytes = std::int8_t[group];

// sum += product of the neighbours, for a group.
REGRAIN_INLINE void add_product(std::int8_t* sum, const std::int8_t* const* neighbours,
                                const std::uint32_t* place, std::size_t count, std::size_t at) {
    const std::int8_t* a = neighbours[place[0]] + at;
    if (count == 1) {
#pragma omp simd
        for (std::size_t k = 0; k < group; ++k) sum[k] = static_cast<std::int8_t>(sum[k] + a[k]);
        return;
    }
    Bytes product;
    const std::int8_t* b = neighbours[place[1]] + at;
#pragma omp simd
    for (std::size_t k = 0; k < group; ++k) product[k] = static_cast<std::int8_t>(a[k] * b[k]);
    for (std::size_t m = 2; m < count; ++m) {
        const std::int8_t* c = neighbours[place[m]] + at;
#pragma omp simd
        for (std::size_t k = 0; k < group; ++k) {
            product[k] = static_cast<std::int8_t>(product[k] * c[k]);
        }
    }
#pragma omp simd
    for (std::size_t k = 0; k < group; ++k) sum[k] = static_cast<std::int8_t>(sum[k] + product[k]);
}

REGRAIN_INLINE void sum_channel(std::int8_t* sum, const Products& channel, const Block& block,
                                std::size_t at) {
    std::memset(sum, 0, group);
    std::uint32_t first = 0;
    for (const std::uint32_t end : channel.ends) {
        if (end == first) {  // the spin stands alone
            for (std::size_t k = 0; k < group; ++k) sum[k] = static_cast<std::int8_t>(sum[k] + 1);
        } else {
            add_product(sum, block.neighbours, channel.places.data() + first, end - first, at);
        }
        first = end;
    }
}

REGRAIN_INLINE bool reached(std::uint32_t draw, std::uint32_t limit) {
    return (draw >= limit) & (limit != std::numeric_limits<std::uint32_t>::max());
}

REGRAIN_INLINE void by_table(const ProductLaw& law, const Block& block, std::size_t at,
                             std::int8_t* next) {
    std::int32_t index[group];
    for (std::size_t k = 0; k < group; ++k) index[k] = law.start;
    for (const Products& channel : law.channels) {
        Bytes sum;
        sum_channel(sum, channel, block, at);
        const std::int32_t stride = channel.stride;
#pragma omp simd
        for (std::size_t k = 0; k < group; ++k) index[k] += stride * sum[k];
    }
    const std::int32_t shift = law.shift;
    const std::int8_t* spins = block.spins + at;
    const std::uint32_t* draws = block.random + at;
    const std::uint32_t* table = law.table.data();
    if (law.values == 2) {
#pragma omp simd
        for (std::size_t k = 0; k < group; ++k) {
            const std::int32_t row = 2 * (index[k] >> shift) + (spins[k] > 0 ? 1 : 0);
            next[k] = reached(draws[k], table[row]) ? 1 : -1;
        }
    } else {
#pragma omp simd
        for (std::size_t k = 0; k < group; ++k) {
            const std::int32_t row = 2 * (3 * (index[k] >> shift) + spins[k] + 1);
            const int passed = (reached(draws[k], table[row]) ? 1 : 0) +
                               (reached(draws[k], table[row + 1]) ? 1 : 0);
            next[k] = static_cast<std::int8_t>(passed - 1);
        }
    }
}

// Where the sums have too many values for a table.
REGRAIN_INLINE void by_energies(const ProductLaw& law, const Block& block, std::size_t at,
                                std::size_t count, std::int8_t* next) {
    double felt[2][group] = {};
    for (const Products& channel : law.channels) {
        Bytes sum;
        sum_channel(sum, channel, block, at);
        double* into = felt[channel.power - 1];
        const double strength = channel.strength;
#pragma omp simd
        for (std::size_t k = 0; k < group; ++k) into[k] += strength * sum[k];
    }
    for (std::size_t k = 0; k < count; ++k) {
        const int present =
            law.values == 2 ? (block.spins[at + k] + 1) / 2 : block.spins[at + k] + 1;
        const auto chances = law.chances(felt[0][k], felt[1][k], present);
        int passed = 0;
        for (int v = 0; v + 1 < law.values; ++v) {
            passed +=
                reached(block.random[at + k], threshold(chances[static_cast<std::size_t>(v)]));
        }
        next[k] = static_cast<std::int8_t>(law.values == 2 ? 2 * passed - 1 : passed - 1);
    }
}

template <int>
REGRAIN_INLINE void update(const ProductLaw& law, const Block& block) {
    for (std::size_t at = 0; at < block.size; at += group) {
        const std::size_t count = std::min(group, block.size - at);
        Bytes next;
        if (law.table.empty()) {
            by_energies(law, block, at, count, next);
        } else {
            by_table(law, block, at, next);
        }
        std::memcpy(block.spins + at, next, count);
    }
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void update_v4(const ProductLaw& law, const Block& block) {
    update<8>(law, block);
}
REGRAIN_TARGET_V3 void update_v3(const ProductLaw& law, const Block& block) {
    update<4>(law, block);
}
#endif
void update_any(const ProductLaw& law, const Block& block) { update<2>(law, block); }

}  // namespace

std::uint32_t threshold(double chance) {
    const double scaled = std::round(chance * 0x1p32);
    return scaled >= 0x1p32 ? std::numeric_limits<std::uint32_t>::max()
                            : static_cast<std::uint32_t>(std::max(scaled, 0.0));
}

std::array<double, 2> ProductLaw::chances(double first, double second, int present) const {
    std::array<double, 3> logarithm{}, chance{};
    for (int v = 0; v < values; ++v) {
        const int spin = values == 2 ? 2 * v - 1 : v - 1;
        logarithm[static_cast<std::size_t>(v)] = first * spin + second * (spin * spin);
    }
    const auto now = static_cast<std::size_t>(present), n = static_cast<std::size_t>(values);
    double total = 0.0;
    const double most = *std::max_element(logarithm.begin(), logarithm.begin() + values);
    for (std::size_t v = 0; v < n; ++v) {
        if (heat_bath) {
            chance[v] = std::exp(logarithm[v] - most);
            total += chance[v];
        } else if (v != now) {
            chance[v] = std::min(1.0, std::exp(logarithm[v] - logarithm[now])) / (values - 1);
            total += chance[v];
        }
    }
    if (heat_bath) {
        for (double& c : chance) c /= total;
    } else {
        chance[now] = 1.0 - total;
    }
    return {chance[0], values == 3 && chance[2] <= 0.0 ? 1.0 : chance[0] + chance[1]};
}

void update_products(const ProductLaw& law, const Block& block) {
    vectors::dispatch(REGRAIN_LEVELS(update), law, block);
}

}  // namespace regrain::lattice
