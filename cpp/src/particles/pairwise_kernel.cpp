#include "pairwise_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

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
    // Half, as each pair is seen from both sides.
    REGRAIN_INLINE void add_to(std::array<double, 6>& sums) const {
        sums[0] += 0.5 * simd::sum<W>(xx);
        sums[1] += 0.5 * simd::sum<W>(yy);
        sums[2] += 0.5 * simd::sum<W>(zz);
        sums[3] += 0.5 * simd::sum<W>(xy);
        sums[4] += 0.5 * simd::sum<W>(xz);
        sums[5] += 0.5 * simd::sum<W>(yz);
    }
};

template <int W, bool one_type, bool square, bool with_sums>
REGRAIN_INLINE void loop(PairwiseTask& task, Finder find) {
    const PairwiseParameters& p = *task.parameters;
    const PairPoint* points = task.cells->points().data();
    const double cutoff2 = p.cutoff * p.cutoff;
    const double inverse_cutoff = 1.0 / p.cutoff;
    const Quad* quads = p.of_pair.data();
    const PairNoise noise = *task.noise;
    const FlowGradient flow = task.flow;
    Columns<W> q{simd::broadcast<W>(quads->v[0]),
                 simd::broadcast<W>(quads->v[1]),
                 simd::broadcast<W>(quads->v[2]),
                 {}};
    Six<W> virial, thermal;
    Double<W> energy{};
    double along = 0.0, square_sum = 0.0;
    bool suspicious = false;
    Near near;
    for (Walk walk{task.cells, task.begin, task.end}; walk.next(find, near);) {
        for (std::size_t c = 0; c < near.centre.size(); ++c) {
            const PairPoint& mine = points[near.centre[c]];
            const auto id = static_cast<std::uint32_t>(mine.tag);
            const Quad* of_type = quads + static_cast<std::size_t>(mine.tag >> 32) * p.types;
            Double<W> cx{}, cy{}, cz{}, tx{}, ty{}, tz{};
            for (std::size_t k = near.first[c]; k < near.first[c + 1]; k += W) {
                const std::uint32_t* others = near.other.data() + k;
                const Columns<W> at = simd::transpose<W>([&](int m) __attribute__((always_inline)) {
                    return &points[others[m]].x;
                });
                const Columns<W> moving = simd::transpose<W>([&](
                    int m) __attribute__((always_inline)) { return &points[others[m]].v; });
                const Double<W> x = mine.x - at.x, y = mine.y - at.y, z = mine.z - at.z;
                const Int<W> tags = (Int<W>)at.w;
                if constexpr (!one_type) {
                    q = simd::transpose<W>([&](int m) __attribute__((always_inline)) {
                        return of_type + (tags[m] >> 32);
                    });
                }
                const Double<W> r2 = x * x + y * y + z * z;
                const Double<W> within = r2 < cutoff2 ? r2 : simd::broadcast<W>(cutoff2);
                const Double<W> inverse = 1.0 / simd::sqrt<W>(within);
                const Double<W> w = 1.0 - within * inverse * inverse_cutoff;
                const Double<W> wr = random_weight<W, square>(w, p.exponent);
                const Double<W> approach =
                    (x * (mine.v.x - moving.x + flow.yx * y + flow.zx * z) +
                     y * (mine.v.y - moving.y + flow.zy * z) + z * (mine.v.z - moving.z)) *
                    inverse;
                const Double<W> random = q.z * uniform<W>(noise, id, tags);
                const Double<W> thermal_force = wr * (random - q.y * wr * approach) * inverse;
                // At the cutoff w need not be an exact zero.
                const Double<W> t = r2 < cutoff2 ? thermal_force : Double<W>{};
                const Double<W> s = r2 < cutoff2 ? q.x * w * inverse : Double<W>{};
                cx += s * x;
                cy += s * y;
                cz += s * z;
                tx += t * x;
                ty += t * y;
                tz += t * z;
                if constexpr (with_sums) {
                    energy += q.x * w * w;
                    virial.add(s, x, y, z);
                    thermal.add(t, x, y, z);
                }
            }
            const Vec3 heating{simd::sum<W>(tx), simd::sum<W>(ty), simd::sum<W>(tz)};
            Vec3& force = task.forces[mine.row];
            const Motion& motion = task.motion[mine.row];
            force += heating + Vec3{simd::sum<W>(cx), simd::sum<W>(cy), simd::sum<W>(cz)};
            along += dot(heating, motion.v);
            square_sum += dot(heating, force) * motion.inverse_mass;
            // Written so that NaN is suspicious too.
            suspicious |= !(norm2(force) <= std::numeric_limits<double>::max());
        }
    }
    task.suspicious = suspicious;
    task.sums.along += along;
    task.sums.square += square_sum;
    if constexpr (with_sums) {
        // a rc / 2 w^2, half from each side.
        task.sums.energy += 0.25 * p.cutoff * simd::sum<W>(energy);
        virial.add_to(task.sums.virial);
        thermal.add_to(task.sums.thermal);
    }
}

template <int W, bool one_type, bool square>
REGRAIN_INLINE void loop_with(PairwiseTask& task, Finder find) {
    if (task.with_sums) {
        loop<W, one_type, square, true>(task, find);
    } else {
        loop<W, one_type, square, false>(task, find);
    }
}

template <int W>
REGRAIN_INLINE void kernel(PairwiseTask& task, Finder find) {
    const bool one_type = task.parameters->types == 1;
    const bool square = task.parameters->exponent == 2.0;
    if (one_type && square) return loop_with<W, true, true>(task, find);
    if (one_type) return loop_with<W, true, false>(task, find);
    if (square) return loop_with<W, false, true>(task, find);
    return loop_with<W, false, false>(task, find);
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void pairwise_v4(PairwiseTask* task) { kernel<8>(*task, &search_v4); }
REGRAIN_TARGET_V3 void pairwise_v3(PairwiseTask* task) { kernel<4>(*task, &search_v3); }
#endif
void pairwise_any(PairwiseTask* task) { kernel<2>(*task, &search_any); }

}  // namespace

void pairwise_kernel(PairwiseTask& task) { simd::dispatch(REGRAIN_LEVELS(pairwise), &task); }

}  // namespace regrain::particles
