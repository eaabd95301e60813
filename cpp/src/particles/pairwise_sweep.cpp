#include "pairwise_sweep.hpp"

#include <algorithm>
#include <array>

#include "noise.hpp"
#include "pairwise_search.hpp"
#include "simd_math.hpp"

namespace regrain::particles {

namespace {

/// What is known of some pairs before their velocities. The momentum along e that goes to the first
/// is slope u + spread g, where u is along . (v - v') + flow and g a normal number.
struct Block {
    static constexpr std::size_t size = 64;
    using Numbers = std::array<double, size>;
    alignas(64) double along[size][4];  ///< the unit vector e, and 0
    alignas(64) Numbers x, y, z, flow, slope, spread, inverse_mass, u, momentum;
    alignas(64) std::array<std::uint32_t, size> word;
    std::array<std::uint32_t, size> first, second;  ///< rows
    std::size_t count{0};
};

/// Normal numbers of words (Box and Muller), times the spread.
REGRAIN_INLINE void draw(const PairNoise& noise, Block& block) {
    const std::uint32_t key = noise.key(2);
#pragma omp simd
    for (std::size_t k = 0; k < Block::size; ++k) {
        const std::uint32_t a = block.word[k];
        const std::uint32_t b = PairNoise::mixed(a ^ key);
        const float radius = __builtin_sqrtf(noise::twice_minus_log(a));
        block.spread[k] *= static_cast<double>(radius * noise::sin_cos(b).cos);
    }
}

// One after the other, as the next needs the velocities that the one before left. Velocities come
// with inverse masses behind them, which e leaves as they are.
REGRAIN_INLINE void exchange(Motion* motion, Block& block) {
    using V = Double<4>;
    for (std::size_t k = 0; k < block.count; ++k) {
        const double slope = block.slope[k];
        if (slope == 0.0) continue;
        Motion* first = motion + block.first[k];
        Motion* second = motion + block.second[k];
        const V e = simd::load<V>(block.along[k]);
        const V mine = simd::load<V>(first), other = simd::load<V>(second);
        const double u = simd::sum<4>((mine - other) * e) + block.flow[k];
        const double momentum = slope * u + block.spread[k];
        simd::store(first, V(mine + e * (momentum * mine[3])));
        simd::store(second, V(other - e * (momentum * other[3])));
        block.u[k] = u;
        block.momentum[k] = momentum;
    }
}

REGRAIN_INLINE void add_up(const Block& block, SweepSums& sums) {
    double heat = 0.0, xx = 0.0, yy = 0.0, zz = 0.0, xy = 0.0, xz = 0.0, yz = 0.0;
#pragma omp simd reduction(+ : heat, xx, yy, zz, xy, xz, yz)
    for (std::size_t k = 0; k < Block::size; ++k) {
        const double p = block.momentum[k];
        heat += p * (block.u[k] + 0.5 * p * block.inverse_mass[k]);
        const double px = p * block.along[k][0], py = p * block.along[k][1];
        xx += px * block.x[k];
        yy += py * block.y[k];
        zz += p * block.along[k][2] * block.z[k];
        xy += px * block.y[k];
        xz += px * block.z[k];
        yz += py * block.z[k];
    }
    sums.heat += heat;
    const std::array<double, 6> virial{xx, yy, zz, xy, xz, yz};
    for (std::size_t k = 0; k < 6; ++k) sums.virial[k] += virial[k];
}

REGRAIN_INLINE void finish(const SweepTask& task, Block& block) {
    draw(*task.noise, block);
    block.momentum.fill(0.0);
    block.u.fill(0.0);
    exchange(task.motion, block);
    add_up(block, *task.sums);
    block.count = 0;
}

template <int W>
REGRAIN_INLINE void sweep(const SweepTask& task, Finder find) {
    const PairwiseParameters& p = *task.parameters;
    const SweepLaw law = *task.law;
    const PairPoint* points = task.cells->points().data();
    const double cutoff2 = p.cutoff * p.cutoff;
    const double inverse_cutoff = 1.0 / p.cutoff;
    const PairNoise noise = *task.noise;
    const FlowGradient flow = task.flow;
    const double likely = law.collides ? law.probability * 0x1p32 : 0x1p32;
    Block block{};
    const auto fetch = [&](std::uint32_t k) __attribute__((always_inline)) {
        __builtin_prefetch(points + k);
    };
    for_pairs<W>(
        *task.cells, task.tile, find, fetch,
        [&](const std::uint32_t* first, const std::uint32_t* second,
            int live) __attribute__((always_inline)) {
            const std::size_t at = block.count;
            const Columns<W> d =
                simd::line_differences<W>(
                    [&](int m) __attribute__((always_inline)) { return &points[first[m]].x; },
                    [&](int m) __attribute__((always_inline)) { return &points[second[m]].x; })
                    .front;
            Double<W> friction{}, inverse_mass{};
            for (int m = 0; m < W; ++m) {
                // Rows of other tiles may be changing: those behind the last pair look at its own.
                const int pair = m < live ? m : 0;
                const PairPoint &one = points[first[pair]], &other = points[second[pair]];
                block.first[at + static_cast<std::size_t>(m)] = one.row;
                block.second[at + static_cast<std::size_t>(m)] = other.row;
                friction[m] = p.of_pair[one.type * p.types + other.type].v[1];
                inverse_mass[m] =
                    task.motion[one.row].inverse_mass + task.motion[other.row].inverse_mass;
            }
            const Double<W> r2 = d.x * d.x + d.y * d.y + d.z * d.z;
            const Double<W> within = r2 < cutoff2 ? r2 : simd::broadcast<W>(cutoff2);
            const Double<W> inverse = simd::inverse_root<W>(within);
            const Double<W> ex = d.x * inverse, ey = d.y * inverse, ez = d.z * inverse;
            Double<W> keep{};
            if (!law.collides) {
                const Double<W> w = 1.0 - within * inverse * inverse_cutoff;
                const Double<W> wr = random_weight<W>(w, p.exponent);
                keep = simd::exp<W>(-law.dt * friction * wr * wr * inverse_mass);
            }
            // Two that are frozen, or apart, exchange nothing.
            const Double<W> mass = inverse_mass > 0.0 ? 1.0 / inverse_mass : Double<W>{};
            const Index<2 * W> word = words<W>(noise, d.w);
            const Double<W> chosen = numbers<W>(word) < likely ? (keep - 1.0) * mass : Double<W>{};
            simd::store(&block.slope[at], Double<W>(r2 < cutoff2 ? chosen : Double<W>{}));
            simd::store(&block.spread[at], simd::sqrt<W>(law.kt * (1.0 - keep * keep) * mass));
            simd::store(&block.inverse_mass[at], inverse_mass);
            simd::store(&block.flow[at],
                        Double<W>(ex * (flow.yx * d.y + flow.zx * d.z) + ey * flow.zy * d.z));
            simd::store(&block.x[at], d.x);
            simd::store(&block.y[at], d.y);
            simd::store(&block.z[at], d.z);
            simd::store_records<W>(block.along[at], Columns<W>{ex, ey, ez, Double<W>{}});
            for (int m = 0; m < W; ++m) {
                const std::uint32_t bits = word[2 * m];
                block.word[at + static_cast<std::size_t>(m)] =
                    law.collides ? PairNoise::mixed(bits ^ noise.key(2)) : bits;
            }
            block.count += static_cast<std::size_t>(live);
            if (block.count + W > Block::size) finish(task, block);
        });
    finish(task, block);
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void sweep_v4(const SweepTask* task) { sweep<8>(*task, &search_v4); }
REGRAIN_TARGET_V3 void sweep_v3(const SweepTask* task) { sweep<4>(*task, &search_v3); }
#endif
void sweep_any(const SweepTask* task) { sweep<2>(*task, &search_any); }

}  // namespace

void sweep_kernel(const SweepTask& task) { simd::dispatch(REGRAIN_LEVELS(sweep), &task); }

}  // namespace regrain::particles
