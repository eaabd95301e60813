// The loop over neighbours, for any functor (pair_functors.hpp), and how a kernel is made of both.
#pragma once

#include <algorithm>
#include <array>
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
    /// unit2: of the squares of lengths.
    REGRAIN_INLINE void give(Sums& to, double unit2 = 1.0) const {
        to.energy += 0.5 * simd::sum<W>(energy);
        to.virial[0] += 0.5 * unit2 * simd::sum<W>(xx);
        to.virial[1] += 0.5 * unit2 * simd::sum<W>(yy);
        to.virial[2] += 0.5 * unit2 * simd::sum<W>(zz);
        to.virial[3] += 0.5 * unit2 * simd::sum<W>(xy);
        to.virial[4] += 0.5 * unit2 * simd::sum<W>(xz);
        to.virial[5] += 0.5 * unit2 * simd::sum<W>(yz);
    }
};

/// Adds a force to that of a row; whether it is so large that it comes from an overlap, or NaN.
REGRAIN_INLINE bool add_force(Vec3& to, const Vec3& force, double largest) {
    to.x += force.x;
    to.y += force.y;
    to.z += force.z;
    return !(std::abs(force.x) + std::abs(force.y) + std::abs(force.z) <= largest);
}

/// Lists whose forces are added up together: what waits for the last pair of a list would keep the
/// first of the next one from its start.
inline constexpr std::size_t batch = 8;

/// For each row of a chunk its neighbours, W of them at a time, their rows loaded and transposed in
/// registers. The functor is made from the task, which may be a PairTask with more in it.
template <int W, class Potential, bool with_sums, class Task>
REGRAIN_INLINE void row_loop(Task& task) {
    using V = Double<W>;
    Potential potential(task);
    const Row* rows = task.rows;
    const std::uint32_t* neighbors = task.list->neighbors.data();
    const std::uint32_t* first = task.list->first.data();
    const double largest = potential.largest_force();
    VectorSums<W, double> sums;
    bool suspicious = false;
    V fx[batch], fy[batch], fz[batch];
    for (std::size_t start = task.begin; start < task.end; start += batch) {
        const std::size_t count = std::min(batch, task.end - start);
        for (std::size_t k = 0; k < count; ++k) {
            const std::size_t i = start + k;
            V ax{}, ay{}, az{};
            if (potential.row(i, rows[i].tag)) {
                const V xi = simd::broadcast<W>(rows[i].x);
                const V yi = simd::broadcast<W>(rows[i].y);
                const V zi = simd::broadcast<W>(rows[i].z);
                const std::uint32_t* end = neighbors + first[i - task.begin + 1];
                for (const std::uint32_t* j = neighbors + first[i - task.begin]; j != end; j += W) {
                    const simd::Columns<W> other = simd::transpose<W>([&](
                        int n) __attribute__((always_inline)) { return rows + j[n]; });
                    const V dx = xi - other.x, dy = yi - other.y, dz = zi - other.z;
                    const V r2 = dx * dx + dy * dy + dz * dz;
                    const PairValues<W> v =
                        potential.template at<with_sums>(Pairs<W>{dx, dy, dz, r2, other.w, j});
                    const V px = v.force_over_r * dx;
                    const V py = v.force_over_r * dy;
                    const V pz = v.force_over_r * dz;
                    ax += px;
                    ay += py;
                    az += pz;
                    if constexpr (with_sums) sums.add(v.energy, px, py, pz, dx, dy, dz);
                }
            }
            fx[k] = ax;
            fy[k] = ay;
            fz[k] = az;
        }
        for (std::size_t k = 0; k < count; ++k) {
            const simd::Double<4> f = simd::sums<W>(fx[k], fy[k], fz[k], fz[k]);
            suspicious |= add_force(task.forces[start + k], {f[0], f[1], f[2]}, largest);
        }
    }
    task.suspicious = suspicious || potential.suspicious();
    if constexpr (with_sums) sums.give(*task.sums);
}

/// Rows as the loop over groups sees them, counted in a unit of length. Single precision has them
/// relative to the first of a group, from places that are exact; double precision needs no origin.
template <int W, class S>
struct GroupRows {
    using Columns = simd::Columns<W, S>;
    const Place* places;
    Place first;

    REGRAIN_INLINE GroupRows(const PairTask& task, std::size_t row)
        : places(task.places->all.data()), first(places[row]) {}
    REGRAIN_INLINE static double unit(const PairTask& task) { return task.places->unit; }
    /// As they are in memory.
    REGRAIN_INLINE Columns load(const std::uint32_t* j) const {
        return simd::transpose_floats<W>([&](int k) __attribute__((always_inline)) {
            return places + j[k];
        });
    }
    REGRAIN_INLINE Columns relative(const Columns& loaded) const { return beyond(first, loaded); }
    /// From these to a row, exact also where the rows of a group are far apart.
    REGRAIN_INLINE Columns apart(std::size_t row, const Columns& loaded) const {
        const Columns d = beyond(places[row], loaded);
        return {-d.x, -d.y, -d.z, d.w};
    }
    [[nodiscard]] REGRAIN_INLINE std::array<S, 3> at(std::size_t row) const {
        const Place& p = places[row];
        const auto single = [](std::uint32_t d) {
            return static_cast<S>(static_cast<std::int32_t>(d));
        };
        return {single(p.x - first.x), single(p.y - first.y), single(p.z - first.z)};
    }

private:
    REGRAIN_INLINE Columns beyond(const Place& from, const Columns& loaded) const {
        const auto single =
            [](const simd::Float<W>& to, std::uint32_t origin) __attribute__((always_inline)) {
            const auto d = (simd::Whole<W>)((simd::Index<W>)to - origin);
            return __builtin_convertvector(d, simd::Float<W>);
        };
        return {single(loaded.x, from.x), single(loaded.y, from.y), single(loaded.z, from.z),
                loaded.w};
    }
};
template <int W>
struct GroupRows<W, double> {
    using Columns = simd::Columns<W>;
    const Row* rows;

    REGRAIN_INLINE GroupRows(const PairTask& task, std::size_t) : rows(task.rows) {}
    REGRAIN_INLINE static double unit(const PairTask&) { return 1.0; }
    REGRAIN_INLINE Columns load(const std::uint32_t* j) const {
        return simd::transpose<W>([&](int k)
                                      __attribute__((always_inline)) { return rows + j[k]; });
    }
    REGRAIN_INLINE const Columns& relative(const Columns& loaded) const { return loaded; }
    REGRAIN_INLINE Columns apart(std::size_t row, const Columns& loaded) const {
        const auto [x, y, z] = at(row);
        return {x - loaded.x, y - loaded.y, z - loaded.z, loaded.w};
    }
    [[nodiscard]] REGRAIN_INLINE std::array<double, 3> at(std::size_t row) const {
        return {rows[row].x, rows[row].y, rows[row].z};
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
    const double unit = GroupRows<W, S>::unit(task);
    const S unit2 = static_cast<S>(unit * unit);
    Sums total;
    bool suspicious = false;
    V fx[batch][group_size], fy[batch][group_size], fz[batch][group_size];
    for (std::size_t start = task.begin; start < task.end; start += batch * group_size) {
        std::size_t count = 0;
        for (std::size_t i = start; count < batch && i < task.end; i += group_size) {
            const std::size_t group = (i - task.begin) / group_size;
            const std::size_t last = task.end - i - 1;
            const GroupRows<W, S> near(task, i);
            S xi[group_size], yi[group_size], zi[group_size];
            V ax[group_size], ay[group_size], az[group_size];
            for_each_of_group([&](auto g) __attribute__((always_inline)) {
                const auto [x, y, z] = near.at(i + (g < last ? g : last));
                xi[g] = x;
                yi[g] = y;
                zi[g] = z;
                ax[g] = ay[g] = az[g] = V{};
            });
            VectorSums<W, S> sums;
            const auto pass = [&](const std::uint32_t* j, const std::uint8_t* masks, auto masked)
                __attribute__((always_inline)) {
                const simd::Columns<W, S> loaded = near.load(j);
                const simd::Columns<W, S> other = near.relative(loaded);
                Lanes seen{};
                if constexpr (masked)
                    seen = __builtin_convertvector(simd::load<Masks>(masks), Lanes);
                for_each_of_group([&](auto g) __attribute__((always_inline)) {
                    const std::size_t row = i + (g < last ? g : last);
                    if (!potential.row(row, rows[row].tag)) return;
                    V dx = simd::broadcast<W>(xi[g]) - other.x;
                    V dy = simd::broadcast<W>(yi[g]) - other.y;
                    V dz = simd::broadcast<W>(zi[g]) - other.z;
                    if constexpr (masked) {
                        const simd::Columns<W, S> d = near.apart(row, loaded);
                        dx = d.x;
                        dy = d.y;
                        dz = d.z;
                    }
                    V r2 = dx * dx + dy * dy + dz * dz;
                    if constexpr (std::is_same_v<S, float>) r2 *= unit2;
                    if constexpr (masked) {
                        // Not just a large number, whose powers would underflow: that takes long.
                        const V far = simd::broadcast<W>(std::numeric_limits<S>::infinity());
                        r2 = (seen & (1 << g)) != 0 ? r2 : far;
                    }
                    const PairValues<W, S> v =
                        potential.template at<with_sums>(Pairs<W, S>{dx, dy, dz, r2, other.w, j});
                    const V px = v.force_over_r * dx;
                    const V py = v.force_over_r * dy;
                    const V pz = v.force_over_r * dz;
                    ax[g] += px;
                    ay[g] += py;
                    az[g] += pz;
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
                fx[count][g] = ax[g];
                fy[count][g] = ay[g];
                fz[count][g] = az[g];
            });
            ++count;
            if constexpr (with_sums) sums.give(total, unit * unit);
        }
        for (std::size_t k = 0; k < count; ++k) {
            const auto x = simd::sums<W>(fx[k][0], fx[k][1], fx[k][2], fx[k][3]);
            const auto y = simd::sums<W>(fy[k][0], fy[k][1], fy[k][2], fy[k][3]);
            const auto z = simd::sums<W>(fz[k][0], fz[k][1], fz[k][2], fz[k][3]);
            const std::size_t i = start + k * group_size;
            for (std::size_t g = 0; g < std::min(group_size, task.end - i); ++g) {
                const Vec3 force{unit * x[g], unit * y[g], unit * z[g]};
                suspicious |= add_force(task.forces[i + g], force, largest);
            }
        }
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
