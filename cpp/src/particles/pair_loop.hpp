// The loop over neighbours, for any functor (pair_functors.hpp), and how a kernel is made of both.
#pragma once

#include <cmath>

#include "pair_functors.hpp"

namespace regrain::particles {

/// For each row of a chunk its neighbours, W of them at a time, their rows loaded and transposed in
/// registers. The functor is made from the task, which may be a PairTask with more in it.
template <int W, class Potential, bool with_sums, class Task>
REGRAIN_INLINE void loop(Task& task) {
    Potential potential(task);
    const Row* rows = task.rows;
    const std::uint32_t* neighbors = task.list->neighbors.data();
    const std::uint32_t* first = task.list->first.data();
    const double largest = potential.largest_force();
    Double<W> energy{}, xx{}, yy{}, zz{}, xy{}, xz{}, yz{};
    bool suspicious = false;
    for (std::size_t i = task.begin; i < task.end; ++i) {
        if (!potential.row(i, rows[i].tag)) continue;
        const Double<W> xi = simd::broadcast<W>(rows[i].x);
        const Double<W> yi = simd::broadcast<W>(rows[i].y);
        const Double<W> zi = simd::broadcast<W>(rows[i].z);
        Double<W> fx{}, fy{}, fz{};
        const std::uint32_t* end = neighbors + first[i - task.begin + 1];
        for (const std::uint32_t* j = neighbors + first[i - task.begin]; j != end; j += W) {
            const Columns<W> other = simd::transpose<W>([&](int k) __attribute__((always_inline)) {
                return rows + j[k];
            });
            const Double<W> dx = xi - other.x, dy = yi - other.y, dz = zi - other.z;
            const Double<W> r2 = dx * dx + dy * dy + dz * dz;
            const PairValues<W> v =
                potential.template at<with_sums>(Pairs<W>{dx, dy, dz, r2, other.w, j});
            const Double<W> px = v.force_over_r * dx;
            const Double<W> py = v.force_over_r * dy;
            const Double<W> pz = v.force_over_r * dz;
            fx += px;
            fy += py;
            fz += pz;
            if constexpr (with_sums) {
                energy += v.energy;
                xx += px * dx;
                yy += py * dy;
                zz += pz * dz;
                xy += px * dy;
                xz += px * dz;
                yz += py * dz;
            }
        }
        const Vec3 force{simd::sum<W>(fx), simd::sum<W>(fy), simd::sum<W>(fz)};
        // Written so that NaN is suspicious too.
        suspicious |= !(std::abs(force.x) + std::abs(force.y) + std::abs(force.z) <= largest);
        task.forces[i].x += force.x;
        task.forces[i].y += force.y;
        task.forces[i].z += force.z;
    }
    task.suspicious = suspicious || potential.suspicious();
    if constexpr (with_sums) {
        // Half, as each pair is seen from both sides.
        task.sums->energy += 0.5 * simd::sum<W>(energy);
        task.sums->virial[0] += 0.5 * simd::sum<W>(xx);
        task.sums->virial[1] += 0.5 * simd::sum<W>(yy);
        task.sums->virial[2] += 0.5 * simd::sum<W>(zz);
        task.sums->virial[3] += 0.5 * simd::sum<W>(xy);
        task.sums->virial[4] += 0.5 * simd::sum<W>(xz);
        task.sums->virial[5] += 0.5 * simd::sum<W>(yz);
    }
}

/// The loop with or without sums.
template <int W, class Potential, class Task>
REGRAIN_INLINE void with_or_without_sums(Task& task) {
    if (task.sums != nullptr) {
        loop<W, Potential, true>(task);
    } else {
        loop<W, Potential, false>(task);
    }
}

/// The loop for one kind of potentials per pair of types, by how many types there are and whether
/// some are force-shifted.
template <int W, template <int, bool, bool> class Potential>
REGRAIN_INLINE void typed_loop(PairTask& task) {
    const bool one_type = task.parameters->types == 1;
    const bool force_shifted = task.kind->force_shifted;
    if (one_type && force_shifted) return with_or_without_sums<W, Potential<W, true, true>>(task);
    if (one_type) return with_or_without_sums<W, Potential<W, true, false>>(task);
    if (force_shifted) return with_or_without_sums<W, Potential<W, false, true>>(task);
    return with_or_without_sums<W, Potential<W, false, false>>(task);
}

}  // namespace regrain::particles

/// Defines void NAME_kernel(PairTask&), which runs the template NAME<W>(PairTask&) with the widest
/// vectors of this machine.
#if REGRAIN_X86
#define REGRAIN_PAIR_KERNEL(name)                                        \
    namespace {                                                          \
    REGRAIN_TARGET_V4 void name##_v4(PairTask* task) { name<8>(*task); } \
    REGRAIN_TARGET_V3 void name##_v3(PairTask* task) { name<4>(*task); } \
    void name##_any(PairTask* task) { name<2>(*task); }                  \
    }                                                                    \
    void name##_kernel(PairTask& task) { simd::dispatch(REGRAIN_LEVELS(name), &task); }
#else
#define REGRAIN_PAIR_KERNEL(name)                       \
    namespace {                                         \
    void name##_any(PairTask* task) { name<2>(*task); } \
    }                                                   \
    void name##_kernel(PairTask& task) { simd::dispatch(REGRAIN_LEVELS(name), &task); }
#endif
