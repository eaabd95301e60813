// The loop over neighbours, for any functor (pair_functors.hpp), and how a kernel is made of both.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "pair_functors.hpp"

namespace regrain::particles {

/// Energy and virial of pairs, of which each is seen from both sides.
template <int W, class S>
struct VectorSums {
    using V = simd::Real<S, W>;
    V energy{}, xx{}, yy{}, zz{}, xy{}, xz{}, yz{};

    REGRAIN_INLINE void add(const V& e, const V& px, const V& py, const V& pz, const V& dx,
                            const V& dy, const V& dz) {
        energy += e;
        xx += px * dx;
        yy += py * dy;
        zz += pz * dz;
        xy += px * dy;
        xz += px * dz;
        yz += py * dz;
    }
    REGRAIN_INLINE void give(Sums& to) const {
        to.energy += 0.5 * simd::sum<W>(energy);
        to.virial[0] += 0.5 * simd::sum<W>(xx);
        to.virial[1] += 0.5 * simd::sum<W>(yy);
        to.virial[2] += 0.5 * simd::sum<W>(zz);
        to.virial[3] += 0.5 * simd::sum<W>(xy);
        to.virial[4] += 0.5 * simd::sum<W>(xz);
        to.virial[5] += 0.5 * simd::sum<W>(yz);
    }
};

/// Adds a force to that of a row; whether it is so large that it comes from an overlap, or NaN.
REGRAIN_INLINE bool add_force(Vec3& to, const Vec3& force, double largest) {
    to.x += force.x;
    to.y += force.y;
    to.z += force.z;
    return !(std::abs(force.x) + std::abs(force.y) + std::abs(force.z) <= largest);
}

/// For each row of a chunk its neighbours, W of them at a time, their rows loaded and transposed in
/// registers. The functor is made from the task, which may be a PairTask with more in it.
template <int W, class Potential, bool with_sums, class Task>
REGRAIN_INLINE void row_loop(Task& task) {
    Potential potential(task);
    const Row* rows = task.rows;
    const std::uint32_t* neighbors = task.list->neighbors.data();
    const std::uint32_t* first = task.list->first.data();
    const double largest = potential.largest_force();
    VectorSums<W, double> sums;
    bool suspicious = false;
    for (std::size_t i = task.begin; i < task.end; ++i) {
        if (!potential.row(i, rows[i].tag)) continue;
        const Double<W> xi = simd::broadcast<W>(rows[i].x);
        const Double<W> yi = simd::broadcast<W>(rows[i].y);
        const Double<W> zi = simd::broadcast<W>(rows[i].z);
        Double<W> fx{}, fy{}, fz{};
        const std::uint32_t* end = neighbors + first[i - task.begin + 1];
        for (const std::uint32_t* j = neighbors + first[i - task.begin]; j != end; j += W) {
            const simd::Columns<W> other = simd::transpose<W>([&](
                int k) __attribute__((always_inline)) { return rows + j[k]; });
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
            if constexpr (with_sums) sums.add(v.energy, px, py, pz, dx, dy, dz);
        }
        suspicious |= add_force(task.forces[i],
                                {simd::sum<W>(fx), simd::sum<W>(fy), simd::sum<W>(fz)}, largest);
    }
    task.suspicious = suspicious || potential.suspicious();
    if constexpr (with_sums) sums.give(*task.sums);
}

/// W neighbours as the loop over groups sees them: places relative to an origin nearby, so that
/// single precision has them to 1e-7 of the reach. Double precision needs no origin.
template <int W, class S>
struct GroupNeighbors {
    simd::Real<S, W> x, y, z;
    decltype(Pairs<W, S>::tags) tags;

    REGRAIN_INLINE static Vec3 origin(const Row& row) {
        if constexpr (std::is_same_v<S, float>) return {row.x, row.y, row.z};
        return {0.0, 0.0, 0.0};
    }
    REGRAIN_INLINE GroupNeighbors(const Row* rows, const std::uint32_t* j, const Vec3& origin) {
        if constexpr (std::is_same_v<S, float>) {
            constexpr int H = W / 2;
            const auto half = [&](int from) __attribute__((always_inline)) {
                return simd::transpose<H>([&](int k) __attribute__((always_inline)) {
                    return rows + j[from + k];
                });
            };
            const simd::Columns<H> low = half(0), high = half(H);
            const auto single = [](const Double<H>& a, const Double<H>& b, double o)
                __attribute__((always_inline)) {
                return simd::join<W>(__builtin_convertvector(a - o, simd::Float<H>),
                                     __builtin_convertvector(b - o, simd::Float<H>));
            };
            x = single(low.x, high.x, origin.x);
            y = single(low.y, high.y, origin.y);
            z = single(low.z, high.z, origin.z);
            tags = {low.w, high.w};
        } else {
            const simd::Columns<W> all = simd::transpose<W>([&](
                int k) __attribute__((always_inline)) { return rows + j[k]; });
            x = all.x;
            y = all.y;
            z = all.z;
            tags = all.w;
        }
    }
};

/// Calls f for 0 .. group_size - 1 as constants, so that what they index may stay in registers.
template <class F>
REGRAIN_INLINE void for_each_of_group(F&& f) {
    static_assert(group_size == 4);
    f(std::integral_constant<std::size_t, 0>{});
    f(std::integral_constant<std::size_t, 1>{});
    f(std::integral_constant<std::size_t, 2>{});
    f(std::integral_constant<std::size_t, 3>{});
}

/// For each group of rows of a chunk what is near one of them. S is the type of numbers in which a
/// lane adds up its pairs with one particle, a dozen; their sums are double.
template <int W, class Potential, bool with_sums, class Task>
REGRAIN_INLINE void group_loop(Task& task) {
    using S = typename Potential::Number;
    using V = simd::Real<S, W>;
    using Masks = typename simd::Types<W>::Byte;
    using Lanes = std::conditional_t<std::is_same_v<S, float>, simd::Whole<W>, simd::Int<W>>;
    Potential potential(task);
    const Row* rows = task.rows;
    const PairList::Groups& list = task.list->groups;
    const double largest = potential.largest_force();
    Sums total;
    bool suspicious = false;
    for (std::size_t i = task.begin; i < task.end; i += group_size) {
        const std::size_t group = (i - task.begin) / group_size;
        const std::size_t last = task.end - i - 1;
        const Vec3 origin = GroupNeighbors<W, S>::origin(rows[i]);
        S xi[group_size], yi[group_size], zi[group_size];
        V fx[group_size], fy[group_size], fz[group_size];
        for_each_of_group([&](auto g) __attribute__((always_inline)) {
            const Row& row = rows[i + (g < last ? g : last)];
            xi[g] = static_cast<S>(row.x - origin.x);
            yi[g] = static_cast<S>(row.y - origin.y);
            zi[g] = static_cast<S>(row.z - origin.z);
            fx[g] = fy[g] = fz[g] = V{};
        });
        VectorSums<W, S> sums;
        const auto pass = [&](const std::uint32_t* j, const std::uint8_t* masks, auto masked)
            __attribute__((always_inline)) {
            const GroupNeighbors<W, S> other(rows, j, origin);
            Lanes seen{};
            if constexpr (masked) seen = __builtin_convertvector(simd::load<Masks>(masks), Lanes);
            for_each_of_group([&](auto g) __attribute__((always_inline)) {
                if (!potential.row(i + g, rows[i + (g < last ? g : last)].tag)) return;
                const V dx = simd::broadcast<W>(xi[g]) - other.x;
                const V dy = simd::broadcast<W>(yi[g]) - other.y;
                const V dz = simd::broadcast<W>(zi[g]) - other.z;
                V r2 = dx * dx + dy * dy + dz * dz;
                if constexpr (masked) {
                    // Not just a large number, whose powers would underflow: that takes long.
                    const V far = simd::broadcast<W>(std::numeric_limits<S>::infinity());
                    r2 = (seen & (1 << g)) != 0 ? r2 : far;
                }
                const PairValues<W, S> v =
                    potential.template at<with_sums>(Pairs<W, S>{dx, dy, dz, r2, other.tags, j});
                const V px = v.force_over_r * dx;
                const V py = v.force_over_r * dy;
                const V pz = v.force_over_r * dz;
                fx[g] += px;
                fy[g] += py;
                fz[g] += pz;
                if constexpr (with_sums) sums.add(v.energy, px, py, pz, dx, dy, dz);
            });
        };
        const std::uint8_t* masks = list.masks.data() + list.first_mask[group];
        const std::uint8_t* masks_end = list.masks.data() + list.first_mask[group + 1];
        const std::uint32_t* j = list.neighbors.data() + list.first[group];
        const std::uint32_t* end = list.neighbors.data() + list.first[group + 1];
        for (; masks != masks_end; masks += W, j += W) pass(j, masks, std::true_type{});
        for (; j != end; j += W) pass(j, nullptr, std::false_type{});
        for_each_of_group([&](auto g) __attribute__((always_inline)) {
            if (g > last) return;
            const Vec3 force{simd::sum<W>(fx[g]), simd::sum<W>(fy[g]), simd::sum<W>(fz[g])};
            suspicious |= add_force(task.forces[i + g], force, largest);
        });
        if constexpr (with_sums) sums.give(total);
    }
    task.suspicious = suspicious || potential.suspicious();
    if constexpr (with_sums) *task.sums += total;
}

/// A loop with or without sums.
template <int W, class Potential, class Task>
REGRAIN_INLINE void run_rows(Task& task) {
    if (task.sums != nullptr) {
        row_loop<W, Potential, true>(task);
    } else {
        row_loop<W, Potential, false>(task);
    }
}
template <int W, class Potential, class Task>
REGRAIN_INLINE void run_groups(Task& task) {
    if (task.sums != nullptr) {
        group_loop<W, Potential, true>(task);
    } else {
        group_loop<W, Potential, false>(task);
    }
}

/// The loops for one kind of potentials per pair of types, by how many types there are and whether
/// some are force-shifted. In mixed precision twice as many lanes.
template <int W, template <int, bool, bool, class> class Potential>
REGRAIN_INLINE void typed_rows(PairTask& task) {
    const bool one_type = task.parameters->types == 1;
    const bool force_shifted = task.kind->force_shifted;
    if (one_type && force_shifted) return run_rows<W, Potential<W, true, true, double>>(task);
    if (one_type) return run_rows<W, Potential<W, true, false, double>>(task);
    if (force_shifted) return run_rows<W, Potential<W, false, true, double>>(task);
    return run_rows<W, Potential<W, false, false, double>>(task);
}
template <int W, template <int, bool, bool, class> class Potential>
REGRAIN_INLINE void typed_groups(PairTask& task) {
    const bool one_type = task.parameters->types == 1;
    const bool force_shifted = task.kind->force_shifted;
    constexpr int L = 2 * W;
    if (one_type && force_shifted) return run_groups<L, Potential<L, true, true, float>>(task);
    if (one_type) return run_groups<L, Potential<L, true, false, float>>(task);
    if (force_shifted) return run_groups<L, Potential<L, false, true, float>>(task);
    return run_groups<L, Potential<L, false, false, float>>(task);
}

}  // namespace regrain::particles

/// Defines void NAME_kernel(PairTask&), which runs the template NAME<W>(PairTask&), W doubles wide,
/// with the widest vectors of this machine.
#if REGRAIN_X86
#define REGRAIN_PAIR_KERNEL(name)                                        \
    REGRAIN_TARGET_V4 void name##_v4(PairTask* task) { name<8>(*task); } \
    REGRAIN_TARGET_V3 void name##_v3(PairTask* task) { name<4>(*task); } \
    void name##_any(PairTask* task) { name<2>(*task); }                  \
    void name##_kernel(PairTask& task) { simd::dispatch(REGRAIN_LEVELS(name), &task); }
#else
#define REGRAIN_PAIR_KERNEL(name)                       \
    void name##_any(PairTask* task) { name<2>(*task); } \
    void name##_kernel(PairTask& task) { simd::dispatch(REGRAIN_LEVELS(name), &task); }
#endif

/// Defines NAME_kernels of a functor for pairs of types: in a file of its own, as there are dozens
/// of loops to compile.
#define REGRAIN_TYPED_KERNELS(name, Potential)          \
    namespace {                                         \
    template <int W>                                    \
    REGRAIN_INLINE void name##_rows(PairTask& task) {   \
        typed_rows<W, Potential>(task);                 \
    }                                                   \
    template <int W>                                    \
    REGRAIN_INLINE void name##_groups(PairTask& task) { \
        typed_groups<W, Potential>(task);               \
    }                                                   \
    REGRAIN_PAIR_KERNEL(name##_rows)                    \
    REGRAIN_PAIR_KERNEL(name##_groups)                  \
    }                                                   \
    const PairKernels name##_kernels{&name##_rows_kernel, &name##_groups_kernel};
