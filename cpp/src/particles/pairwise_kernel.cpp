#include "pairwise_kernel.hpp"

#include "pairwise_search.hpp"

namespace regrain::particles {

namespace {

template <int W>
struct Six {
    Double<W> xx{}, yy{}, zz{}, xy{}, xz{}, yz{};
    REGRAIN_INLINE void add(const Double<W>& f, const Double<W>& x, const Double<W>& y,
                            const Double<W>& z) {
        const Double<W> fx = f * x, fy = f * y;
        xx += fx * x;
        yy += fy * y;
        zz += f * z * z;
        xy += fx * y;
        xz += fx * z;
        yz += fy * z;
    }
    REGRAIN_INLINE void add_to(std::array<double, 6>& sums) const {
        sums[0] += simd::sum<W>(xx);
        sums[1] += simd::sum<W>(yy);
        sums[2] += simd::sum<W>(zz);
        sums[3] += simd::sum<W>(xy);
        sums[4] += simd::sum<W>(xz);
        sums[5] += simd::sum<W>(yz);
    }
};

/// Adds `all` and `thermal` of W pairs to the first point of each and takes them from the second,
/// one pair after the other.
template <int W>
REGRAIN_INLINE void add_forces(const Columns<W>& all, const Columns<W>& thermal,
                               const std::uint32_t* first, const std::uint32_t* second, int live,
                               PairForce* forces) {
    using V = Double<W>;
    simd::for_lines<W>(
        all, thermal, [&](int k, int j, const V& part) __attribute__((always_inline)) {
            if (k >= live) return;
            double* to = forces[first[k]].numbers + j;
            double* from = forces[second[k]].numbers + j;
            simd::store(to, V(simd::load<V>(to) + part));
            simd::store(from, V(simd::load<V>(from) - part));
        });
}

template <int W, bool with_sums>
REGRAIN_INLINE void loop(const PairwiseTask& task, Finder find) {
    const PairwiseParameters& p = *task.parameters;
    const PairPoint* points = task.cells->points().data();
    const double cutoff2 = p.cutoff * p.cutoff;
    const double inverse_cutoff = 1.0 / p.cutoff;
    const double exponent = p.exponent;
    const Quad* quads = p.of_pair.data();
    const std::size_t types = p.types;
    const PairNoise noise = *task.noise;
    const FlowGradient flow = task.flow;
    PairForce* forces = task.forces;
    [[maybe_unused]] Six<W> virial, thermal;
    [[maybe_unused]] Double<W> energy{};
    Columns<W> q = simd::transpose<W>([&](int) __attribute__((always_inline)) { return quads; });
    const auto fetch = [&](std::uint32_t k) __attribute__((always_inline)) {
        __builtin_prefetch(points + k);
        __builtin_prefetch(forces + k, 1);
    };
    for_pairs<W>(
        *task.cells, task.tile, find, fetch,
        [&](const std::uint32_t* first, const std::uint32_t* second,
            int live) __attribute__((always_inline)) {
            const auto [d, u] = simd::line_differences<W>(
                [&](int m) __attribute__((always_inline)) { return &points[first[m]].x; },
                [&](int m) __attribute__((always_inline)) { return &points[second[m]].x; });
            if (types > 1) {
                q = simd::transpose<W>([&](int m) __attribute__((always_inline)) {
                    return quads + points[first[m]].type * types + points[second[m]].type;
                });
            }
            const Double<W> r2 = d.x * d.x + d.y * d.y + d.z * d.z;
            const Double<W> within = r2 < cutoff2 ? r2 : simd::broadcast<W>(cutoff2);
            const Double<W> inverse = simd::inverse_root<W>(within);
            const Double<W> w = 1.0 - within * inverse * inverse_cutoff;
            const Double<W> wr = random_weight<W>(w, exponent);
            const Double<W> approach = (d.x * (u.x + flow.yx * d.y + flow.zx * d.z) +
                                        d.y * (u.y + flow.zy * d.z) + d.z * u.z) *
                                       inverse;
            const Double<W> random = q.z * (numbers<W>(words<W>(noise, d.w)) - PairNoise::middle);
            const Double<W> thermal_force = wr * (random - q.y * wr * approach) * inverse;
            // At the cutoff w need not be an exact zero.
            const Double<W> t = r2 < cutoff2 ? thermal_force : Double<W>{};
            const Double<W> s = r2 < cutoff2 ? q.x * w * inverse : Double<W>{};
            const Double<W> f = s + t;
            if constexpr (with_sums) {
                energy += r2 < cutoff2 ? q.x * w * w : Double<W>{};
                virial.add(s, d.x, d.y, d.z);
                thermal.add(t, d.x, d.y, d.z);
            }
            const Double<W> none{};
            const Columns<W> all{f * d.x, f * d.y, f * d.z, none};
            const Columns<W> by_heat{t * d.x, t * d.y, t * d.z, none};
            add_forces<W>(all, by_heat, first, second, live, forces);
        });
    if constexpr (with_sums) {
        task.sums->energy += 0.5 * p.cutoff * simd::sum<W>(energy);
        virial.add_to(task.sums->virial);
        thermal.add_to(task.sums->thermal);
    }
}

template <int W>
REGRAIN_INLINE void kernel(const PairwiseTask& task, Finder find) {
    if (task.sums != nullptr) return loop<W, true>(task, find);
    loop<W, false>(task, find);
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void pairwise_v4(const PairwiseTask* task) { kernel<8>(*task, &search_v4); }
REGRAIN_TARGET_V3 void pairwise_v3(const PairwiseTask* task) { kernel<4>(*task, &search_v3); }
#endif
void pairwise_any(const PairwiseTask* task) { kernel<2>(*task, &search_any); }

}  // namespace

void pairwise_kernel(const PairwiseTask& task) { simd::dispatch(REGRAIN_LEVELS(pairwise), &task); }

}  // namespace regrain::particles
