#include "pair_kernel.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "simd.hpp"

namespace regrain::particles {

namespace {

using simd::Columns;
using simd::Double;

/// Energy and -U'(r) / r of W pairs; zero beyond the cutoff.
template <int W>
struct PairValues {
    Double<W> force_over_r, energy;
};

// A potential is: `row(tag)` to fetch what the pairs of one particle share, false if it has none,
// and `at<with_energy>(r2, tags of the W others)`.

/// Parameters of one pair of types in every lane, or those of each lane's own pair of types.
template <int W, bool one_type>
struct Parameters {
    Columns<W> all;
    const Quad* of_row;

    REGRAIN_INLINE explicit Parameters(const std::vector<Quad>& pairs) : of_row(pairs.data()) {
        const Quad& q = pairs.front();
        all = {simd::broadcast<W>(q.v[0]), simd::broadcast<W>(q.v[1]), simd::broadcast<W>(q.v[2]),
               simd::broadcast<W>(q.v[3])};
    }
    REGRAIN_INLINE Columns<W> operator()(const Quad* row, const Double<W>& tags) const {
        if constexpr (one_type) return all;
        std::int64_t types[W];
        std::memcpy(types, &tags, sizeof types);
        return simd::transpose<W>([&](int k)
                                      __attribute__((always_inline)) { return row + types[k]; });
    }
};

template <int W, bool one_type, bool force_shifted>
struct LennardJonesPotential {
    Parameters<W, one_type> force, energy;
    std::size_t types;
    const Quad *force_row, *energy_row;

    REGRAIN_INLINE explicit LennardJonesPotential(const PairTask& task)
        : force(task.parameters->lennard_jones.force),
          energy(task.parameters->lennard_jones.energy),
          types(task.parameters->types) {}

    REGRAIN_INLINE bool row(std::int64_t type) {
        force_row = force.of_row + static_cast<std::size_t>(type) * types;
        energy_row = energy.of_row + static_cast<std::size_t>(type) * types;
        return true;
    }

    template <bool with_energy>
    REGRAIN_INLINE PairValues<W> at(const Double<W>& r2, const Double<W>& tags) {
        const Columns<W> f = force(force_row, tags);  // rc2, 12 a12, 6 a6, fc
        const Double<W> inverse2 = 1.0 / r2;
        const Double<W> inverse6 = inverse2 * inverse2 * inverse2;
        PairValues<W> v{};
        Double<W> value = (f.y * inverse6 - f.z) * (inverse6 * inverse2);
        Double<W> r = r2;
        if constexpr (force_shifted) {
            r = simd::sqrt<W>(r2);
            value -= f.w * (r * inverse2);
        }
        v.force_over_r = r2 < f.x ? value : Double<W>{};
        if constexpr (with_energy) {
            const Columns<W> e = energy(energy_row, tags);  // a12, a6, a0, fc
            Double<W> u = (e.x * inverse6 - e.y) * inverse6 - e.z;
            if constexpr (force_shifted) u += e.w * r;
            v.energy = r2 < f.x ? u : Double<W>{};
        }
        return v;
    }

    /// Beyond this a force on a particle comes from an overlap.
    [[nodiscard]] REGRAIN_INLINE static double largest_force(const PairParameters& p) {
        return p.lennard_jones.largest_force;
    }
    [[nodiscard]] REGRAIN_INLINE bool suspicious() const { return false; }
};

template <int W, bool one_type>
struct TablePotential {
    Parameters<W, one_type> grid;
    const Quad* rows;
    std::size_t types;
    const Quad* grid_row;
    Double<W> least{};  // of the place in the table; below -1/2 a pair came before its beginning

    REGRAIN_INLINE explicit TablePotential(const PairTask& task)
        : grid(task.parameters->table.grid),
          rows(task.parameters->table.rows.data()),
          types(task.parameters->types) {}

    REGRAIN_INLINE bool row(std::int64_t type) {
        grid_row = grid.of_row + static_cast<std::size_t>(type) * types;
        return true;
    }

    template <bool with_energy>
    REGRAIN_INLINE PairValues<W> at(const Double<W>& r2, const Double<W>& tags) {
        const Columns<W> g = grid(grid_row, tags);  // rc2, 1 / dx, r_min / dx + 1/2, first row
        const Double<W> inside = r2 < g.x ? r2 : g.x;
        const Double<W> r = simd::sqrt<W>(inside);
        Double<W> s = r * g.y - g.z;
        least = s < least ? s : least;
        s = s > -0.5 ? s : simd::broadcast<W>(-0.5);
        // The first row comes with 1.5 * 2^52 added: the sum is rounded to an integer, and the low
        // bits of the double are that integer, on any machine.
        const Double<W> numbered = s + g.w;
        const Double<W> t = s - (numbered - g.w);
        std::int64_t number[W];
        std::memcpy(number, &numbered, sizeof number);
        const Columns<W> c = simd::transpose<W>([&](int k) __attribute__((always_inline)) {
            return rows + (number[k] & 0xFFFFFFFF);
        });
        PairValues<W> v{};
        const Double<W> slope = (c.y + t * (2.0 * c.z + t * (3.0 * c.w))) * (g.y * r);
        v.force_over_r = r2 < g.x ? -slope / r2 : Double<W>{};
        if constexpr (with_energy) {
            const Double<W> u = c.x + t * (c.y + t * (c.z + t * c.w));
            v.energy = r2 < g.x ? u : Double<W>{};
        }
        return v;
    }

    /// No limit: the table itself says where it ends.
    [[nodiscard]] REGRAIN_INLINE static double largest_force(const PairParameters&) {
        return std::numeric_limits<double>::max();
    }
    [[nodiscard]] REGRAIN_INLINE bool suspicious() const { return simd::smallest<W>(least) < -0.5; }
};

/// Four interleaved schemes of Horner in t^4, as one would wait for itself: powers highest first, a
/// multiple of four of them.
template <int W>
struct Polynomial {
    const double *first, *end;

    REGRAIN_INLINE explicit Polynomial(const std::vector<double>& powers)
        : first(powers.data()), end(powers.data() + powers.size()) {}
    REGRAIN_INLINE Double<W> operator()(const Double<W>& t) const {
        const Double<W> t2 = t * t;
        const Double<W> t4 = t2 * t2;
        Double<W> a{}, b{}, c{}, d{};
        for (const double* p = first; p != end; p += 4) {
            a = a * t4 + p[0];
            b = b * t4 + p[1];
            c = c * t4 + p[2];
            d = d * t4 + p[3];
        }
        return (a * t + b) * t2 + (c * t + d);
    }
};

template <int W>
struct ChargePotential {
    Polynomial<W> slope, energy;
    Double<W> cutoff2;
    double scale, charge{0.0};

    REGRAIN_INLINE explicit ChargePotential(const PairTask& task)
        : slope(task.parameters->charges->screen.slope()),
          energy(task.parameters->charges->screen.energy()),
          scale(task.parameters->charges->screen.scale()) {
        const double cutoff = task.parameters->charges->screen.cutoff();
        cutoff2 = simd::broadcast<W>(cutoff * cutoff);
    }

    REGRAIN_INLINE bool row(std::int64_t tag) {
        charge = std::bit_cast<double>(tag);
        return charge != 0.0;
    }

    template <bool with_energy>
    REGRAIN_INLINE PairValues<W> at(const Double<W>& r2, const Double<W>& charges) {
        const Double<W> product = charges * charge;
        const Double<W> t = (r2 < cutoff2 ? r2 : cutoff2) * scale - 1.0;
        const Double<W> inverse = 1.0 / simd::sqrt<W>(r2);
        PairValues<W> v{};
        const Double<W> value = product * (inverse * inverse * inverse + slope(t));
        v.force_over_r = r2 < cutoff2 ? value : Double<W>{};
        if constexpr (with_energy) {
            const Double<W> u = product * (inverse - energy(t));
            v.energy = r2 < cutoff2 ? u : Double<W>{};
        }
        return v;
    }

    /// No limit: opposite charges may come close.
    [[nodiscard]] REGRAIN_INLINE static double largest_force(const PairParameters&) {
        return std::numeric_limits<double>::max();
    }
    [[nodiscard]] REGRAIN_INLINE bool suspicious() const { return false; }
};

/// The loop over the neighbours of each row of a chunk: W of them at a time, their rows loaded and
/// transposed in registers.
template <int W, class Potential, bool with_sums>
REGRAIN_INLINE void loop(PairTask& task) {
    Potential potential(task);
    const Row* rows = task.rows;
    const std::uint32_t* neighbors = task.list->neighbors.data();
    const std::uint32_t* first = task.list->first.data();
    const double largest = Potential::largest_force(*task.parameters);
    Double<W> energy{}, xx{}, yy{}, zz{}, xy{}, xz{}, yz{};
    bool suspicious = false;
    for (std::size_t i = task.begin; i < task.end; ++i) {
        if (!potential.row(rows[i].tag)) continue;
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
            const PairValues<W> v = potential.template at<with_sums>(r2, other.w);
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

template <int W, bool one_type, bool force_shifted>
REGRAIN_INLINE void lennard_jones_of(PairTask& task) {
    using Potential = LennardJonesPotential<W, one_type, force_shifted>;
    if (task.sums != nullptr) {
        loop<W, Potential, true>(task);
    } else {
        loop<W, Potential, false>(task);
    }
}

template <int W>
REGRAIN_INLINE void lennard_jones(PairTask& task) {
    const bool one_type = task.parameters->types == 1;
    const bool force_shifted = task.parameters->lennard_jones.force_shifted;
    if (one_type && force_shifted) return lennard_jones_of<W, true, true>(task);
    if (one_type) return lennard_jones_of<W, true, false>(task);
    if (force_shifted) return lennard_jones_of<W, false, true>(task);
    return lennard_jones_of<W, false, false>(task);
}

template <int W, bool one_type>
REGRAIN_INLINE void table_of(PairTask& task) {
    using Potential = TablePotential<W, one_type>;
    if (task.sums != nullptr) {
        loop<W, Potential, true>(task);
    } else {
        loop<W, Potential, false>(task);
    }
}

template <int W>
REGRAIN_INLINE void table(PairTask& task) {
    if (task.parameters->types == 1) {
        table_of<W, true>(task);
    } else {
        table_of<W, false>(task);
    }
}

template <int W>
REGRAIN_INLINE void charge(PairTask& task) {
    if (task.sums != nullptr) {
        loop<W, ChargePotential<W>, true>(task);
    } else {
        loop<W, ChargePotential<W>, false>(task);
    }
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void lennard_jones_v4(PairTask* task) { lennard_jones<8>(*task); }
REGRAIN_TARGET_V3 void lennard_jones_v3(PairTask* task) { lennard_jones<4>(*task); }
REGRAIN_TARGET_V4 void table_v4(PairTask* task) { table<8>(*task); }
REGRAIN_TARGET_V3 void table_v3(PairTask* task) { table<4>(*task); }
REGRAIN_TARGET_V4 void charge_v4(PairTask* task) { charge<8>(*task); }
REGRAIN_TARGET_V3 void charge_v3(PairTask* task) { charge<4>(*task); }
#endif
void lennard_jones_any(PairTask* task) { lennard_jones<2>(*task); }
void table_any(PairTask* task) { table<2>(*task); }
void charge_any(PairTask* task) { charge<2>(*task); }

}  // namespace

void lennard_jones_kernel(PairTask& task) { simd::dispatch(REGRAIN_LEVELS(lennard_jones), &task); }
void table_kernel(PairTask& task) { simd::dispatch(REGRAIN_LEVELS(table), &task); }
void charge_kernel(PairTask& task) { simd::dispatch(REGRAIN_LEVELS(charge), &task); }

}  // namespace regrain::particles
