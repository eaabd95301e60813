#include "pairwise_sweep.hpp"

#include <cmath>
#include <numbers>

#include "pairwise_search.hpp"
#include "simd_math.hpp"

namespace regrain::particles {

namespace {

/// What is known of a pair before its velocities: the momentum along e that goes to the first is
/// slope u + noise.
struct Exchange {
    Vec3 e;
    double r, slope, noise;
    std::uint32_t row;
};

/// Standard normal numbers (Box and Muller).
double normal(std::uint32_t a, std::uint32_t b) {
    const double radius = std::sqrt(-2.0 * std::log((static_cast<double>(a) + 0.5) * 0x1p-32));
    return radius * std::cos(2.0 * std::numbers::pi * (static_cast<double>(b) + 0.5) * 0x1p-32);
}

// -1 where the first of two is the one that the pair belongs to, as the other is above it.
template <int W>
REGRAIN_INLINE Int<W> owns(const Double<W>& x, const Double<W>& y, const Double<W>& z) {
    const Int<W> all = Int<W>{} - 1;
    const Int<W> by_x = x < 0.0 ? all : Int<W>{};
    const Int<W> by_y = y < 0.0 ? all : (y == 0.0 ? by_x : Int<W>{});
    return z < 0.0 ? all : (z == 0.0 ? by_y : Int<W>{});
}

/// One after the other, as the next needs the velocities that the one before left.
inline void exchange(const SweepTask& task, std::uint32_t row, const std::vector<Exchange>& list,
                     std::size_t count, SweepSums& sums) {
    Motion& mine = task.motion[row];
    Vec3 v = mine.v;
    const double inverse = mine.inverse_mass;
    for (std::size_t k = 0; k < count; ++k) {
        const Exchange& pair = list[k];
        Motion& other = task.motion[pair.row];
        const double u = dot(v - other.v + task.flow(pair.e * pair.r), pair.e);
        const double momentum = pair.slope * u + pair.noise;
        v += pair.e * (momentum * inverse);
        other.v -= pair.e * (momentum * other.inverse_mass);
        sums.heat += momentum * (u + 0.5 * momentum * (inverse + other.inverse_mass));
        const Vec3 along = pair.e * (momentum * pair.r);
        sums.virial[0] += along.x * pair.e.x;
        sums.virial[1] += along.y * pair.e.y;
        sums.virial[2] += along.z * pair.e.z;
        sums.virial[3] += along.x * pair.e.y;
        sums.virial[4] += along.x * pair.e.z;
        sums.virial[5] += along.y * pair.e.z;
    }
    mine.v = v;
}

template <int W, bool square>
REGRAIN_INLINE void sweep(SweepTask& task, Finder find) {
    const PairwiseParameters& p = *task.parameters;
    const SweepLaw& law = *task.law;
    const PairPoint* points = task.cells->points().data();
    const double cutoff2 = p.cutoff * p.cutoff;
    const double inverse_cutoff = 1.0 / p.cutoff;
    const PairNoise noise = *task.noise;
    const auto likely = static_cast<std::uint64_t>(law.probability * 0x1p32);
    std::vector<Exchange> list;
    Near near;
    for (Walk walk{task.cells, task.column, task.column + 1, true}; walk.next(find, near);) {
        for (std::size_t c = 0; c < near.centre.size(); ++c) {
            const PairPoint& mine = points[near.centre[c]];
            const auto id = static_cast<std::uint32_t>(mine.tag);
            const Quad* of_type =
                p.of_pair.data() + static_cast<std::size_t>(mine.tag >> 32) * p.types;
            const double my_inverse = task.motion[mine.row].inverse_mass;
            const std::size_t found = near.first[c + 1] - near.first[c];
            if (list.size() < found) list.resize(2 * found);
            std::size_t count = 0;
            for (std::size_t k = near.first[c]; k < near.first[c + 1]; k += W) {
                const std::uint32_t* others = near.other.data() + k;
                const Columns<W> at = simd::transpose<W>([&](int m) __attribute__((always_inline)) {
                    return &points[others[m]].x;
                });
                const Double<W> x = mine.x - at.x, y = mine.y - at.y, z = mine.z - at.z;
                const Double<W> r2 = x * x + y * y + z * z;
                const Int<W> mask = r2 < cutoff2 ? owns<W>(x, y, z) : Int<W>{};
                if (!simd::any<W>(mask)) continue;
                const Int<W> tags = (Int<W>)at.w;
                Double<W> friction{}, inverse_mass{};
                for (int m = 0; m < W; ++m) {
                    friction[m] = of_type[tags[m] >> 32].v[1];
                    inverse_mass[m] = my_inverse + task.motion[points[others[m]].row].inverse_mass;
                }
                const Double<W> within = r2 < cutoff2 ? r2 : simd::broadcast<W>(cutoff2);
                const Double<W> inverse = 1.0 / simd::sqrt<W>(within);
                const Double<W> r = within * inverse;
                Double<W> keep{};
                if (!law.collides) {
                    const Double<W> wr =
                        random_weight<W, square>(1.0 - r * inverse_cutoff, p.exponent);
                    keep = simd::exp<W>(-law.dt * friction * wr * wr * inverse_mass);
                }
                const Double<W> spread = simd::sqrt<W>(law.kt * (1.0 - keep * keep) / inverse_mass);
                const Double<W> slope = (keep - 1.0) / inverse_mass;
                const Index<2 * W> word = words<W>(noise, id, tags);
                for (int m = 0; m < W; ++m) {
                    if (mask[m] == 0 || inverse_mass[m] == 0.0) continue;
                    const std::uint32_t bits = word[2 * m];
                    if (law.collides && bits >= likely) continue;
                    const std::uint32_t a = law.collides ? noise.more(bits) : bits;
                    const double g = normal(a, noise.more(a));
                    list[count++] = {Vec3{x[m], y[m], z[m]} * inverse[m], r[m], slope[m],
                                     spread[m] * g, points[others[m]].row};
                }
            }
            exchange(task, mine.row, list, count, task.sums);
        }
    }
}

template <int W>
REGRAIN_INLINE void kernel(SweepTask& task, Finder find) {
    if (task.parameters->exponent == 2.0) return sweep<W, true>(task, find);
    sweep<W, false>(task, find);
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void sweep_v4(SweepTask* task) { kernel<8>(*task, &search_v4); }
REGRAIN_TARGET_V3 void sweep_v3(SweepTask* task) { kernel<4>(*task, &search_v3); }
#endif
void sweep_any(SweepTask* task) { kernel<2>(*task, &search_any); }

}  // namespace

void sweep_kernel(SweepTask& task) { simd::dispatch(REGRAIN_LEVELS(sweep), &task); }

}  // namespace regrain::particles
