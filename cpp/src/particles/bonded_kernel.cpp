#include "bonded_kernel.hpp"

#include <cmath>

namespace regrain::particles {

namespace {

using simd::Columns;
using simd::Double;
using simd::Vector;

constexpr double pi = 3.14159265358979323846;

/// What a potential says of W terms: dU/dx, divided by the length where x is a length, and U.
template <int W>
struct Value {
    Double<W> slope, energy{};
};

/// Parameters of the potentials of W terms: one row of four numbers for each, or the same for all.
template <int W>
struct Parameters {
    const Quad* all;
    const std::uint32_t* potential;
    std::size_t stride;
    bool same;

    REGRAIN_INLINE Parameters(const BondedGroup& group, std::size_t term)
        : all(group.parameters.data()),
          potential(group.potential.data() + term),
          stride(group.orders),
          same(group.parameters.size() == group.orders) {}

    REGRAIN_INLINE Columns<W> operator()(std::size_t order = 0) const {
        if (same) {
            const Quad& q = all[order];
            return {simd::broadcast<W>(q.v[0]), simd::broadcast<W>(q.v[1]),
                    simd::broadcast<W>(q.v[2]), simd::broadcast<W>(q.v[3])};
        }
        return simd::transpose<W>([&](int k) __attribute__((always_inline)) {
            return all + potential[k] * stride + order;
        });
    }
};

/// As for pairs (pair_functors.hpp); `outside` is set where x may be beyond the table.
template <int W>
REGRAIN_INLINE Value<W> from_table(const BondedGroup& group, const Columns<W>& grid,
                                   const Double<W>& x, bool& outside) {
    // 1 / dx, x_min / dx + 1/2, first row + integer, intervals
    const Double<W> place = x * grid.x - grid.y;
    const Double<W> last = grid.w - 0.5;
    Double<W> s = place > -0.5 ? place : simd::broadcast<W>(-0.5);
    s = s < last ? s : last;
    outside |= simd::any<W>((simd::Int<W>)(s == place ? Double<W>{} : simd::broadcast<W>(1.0)));
    const Double<W> numbered = s + grid.z;
    const Double<W> t = s - (numbered - grid.z);
    std::int64_t number[W];
    std::memcpy(number, &numbered, sizeof number);
    const Columns<W> c = simd::transpose<W>([&](int k) __attribute__((always_inline)) {
        return group.table_rows.data() + (number[k] & 0xFFFFFFFF);
    });
    return {(c.y + t * (2.0 * c.z + t * (3.0 * c.w))) * grid.x,
            c.x + t * (c.y + t * (c.z + t * c.w))};
}

// ------------------------------------------------------------------ potentials

// `of(...)` of the coordinates of W terms; `suspicious` where an Error may be due.

template <int W, bool with_energy>
struct HarmonicLength {
    REGRAIN_INLINE static Value<W> of(const BondedGroup& group, std::size_t term,
                                      const Double<W>& r2, bool&) {
        const Columns<W> p = Parameters<W>(group, term)();  // k, r0
        const Double<W> r = simd::sqrt<W>(r2);
        const Double<W> dr = r - p.y;
        // A bond of no length has a force without direction.
        const Double<W> slope = r2 > 0.0 ? p.x * dr / r : Double<W>{};
        return {slope, 0.5 * p.x * dr * dr};
    }
};

template <int W, bool with_energy>
struct FeneLength {
    REGRAIN_INLINE static Value<W> of(const BondedGroup& group, std::size_t term,
                                      const Double<W>& r2, bool& suspicious) {
        const Columns<W> p = Parameters<W>(group, term)();  // k, 1 / R^2, -k R^2 / 2
        Double<W> rest = 1.0 - r2 * p.y;
        // Written so that NaN is suspicious too.
        const Double<W> broken = rest > 0.0 ? Double<W>{} : simd::broadcast<W>(1.0);
        suspicious |= simd::any<W>((simd::Int<W>)broken);
        rest = rest > 0.0 ? rest : simd::broadcast<W>(1.0);
        Value<W> value{p.x / rest};
        if constexpr (with_energy) {
            for (int k = 0; k < W; ++k) value.energy[k] = p.z[k] * std::log(rest[k]);
        }
        return value;
    }
};

template <int W, bool with_energy>
struct TableLength {
    REGRAIN_INLINE static Value<W> of(const BondedGroup& group, std::size_t term,
                                      const Double<W>& r2, bool& suspicious) {
        const Double<W> r = simd::sqrt<W>(r2);
        Value<W> value = from_table<W>(group, Parameters<W>(group, term)(), r, suspicious);
        value.slope = r2 > 0.0 ? value.slope / r : Double<W>{};
        return value;
    }
};

template <int W, bool with_energy>
struct HarmonicTheta {
    REGRAIN_INLINE static Value<W> of(const BondedGroup& group, std::size_t term,
                                      const Double<W>& cosine, const Double<W>& sine) {
        const Columns<W> p = Parameters<W>(group, term)();  // k, theta0
        const Double<W> d = simd::angle_of<W>(cosine, sine) - p.y;
        return {p.x * d, 0.5 * p.x * d * d};
    }
};

template <int W, bool with_energy>
struct CosineTheta {
    REGRAIN_INLINE static Value<W> of(const BondedGroup& group, std::size_t term,
                                      const Double<W>& cosine, const Double<W>& sine) {
        const Columns<W> p = Parameters<W>(group, term)();  // k, cos(theta0)
        const Double<W> d = cosine - p.y;
        return {-p.x * d * sine, 0.5 * p.x * d * d};
    }
};

template <int W, bool with_energy>
struct HarmonicPhi {
    REGRAIN_INLINE static Value<W> of(const BondedGroup& group, std::size_t term,
                                      const Double<W>& cosine, const Double<W>& sine) {
        const Columns<W> p = Parameters<W>(group, term)();  // k, phi0
        Double<W> d = simd::angle_of<W>(cosine, sine) - p.y;
        d -= 2.0 * pi * simd::rounded<W>(d * (0.5 / pi));
        return {p.x * d, 0.5 * p.x * d * d};
    }
};

// Cosines and sines of multiples as powers of a complex number.
template <int W, bool with_energy>
struct FourierPhi {
    REGRAIN_INLINE static Value<W> of(const BondedGroup& group, std::size_t term,
                                      const Double<W>& cosine, const Double<W>& sine) {
        const Parameters<W> parameters(group, term);
        Double<W> c = simd::broadcast<W>(1.0), s{};
        Value<W> value{Double<W>{}, parameters(0).x};  // the sum of all k
        for (std::size_t n = 1; n < group.orders; ++n) {
            const Columns<W> p = parameters(n);  // k cos(phi0), k sin(phi0), and n times that
            const Double<W> next = c * cosine - s * sine;
            s = s * cosine + c * sine;
            c = next;
            value.slope += p.w * c - p.z * s;
            if constexpr (with_energy) value.energy += p.x * c + p.y * s;
        }
        return value;
    }
};

/// Of theta in [0, pi] and of phi in [-pi, pi].
template <int W, bool with_energy>
struct TableAngular {
    REGRAIN_INLINE static Value<W> of(const BondedGroup& group, std::size_t term,
                                      const Double<W>& cosine, const Double<W>& sine) {
        bool rounded_out = false;
        return from_table<W>(group, Parameters<W>(group, term)(), simd::angle_of<W>(cosine, sine),
                             rounded_out);
    }
};

// ------------------------------------------------------------------ geometry

template <int W>
struct Terms {
    BondedTask& task;
    Double<W> energy{}, xx{}, yy{}, zz{}, xy{}, xz{}, yz{};

    /// Of particle k of W terms from a term on.
    REGRAIN_INLINE Vector<W> place(std::size_t k, std::size_t term) const {
        return simd::places<W>(task.rows, task.group->row[k].data() + term);
    }

    REGRAIN_INLINE Vector<W> nearest(const Vector<W>& difference) const {
        return simd::nearest_image(*task.cell, difference);
    }

    REGRAIN_INLINE void set_force(std::size_t k, std::size_t term, const Vector<W>& f) const {
        Slot* slot = task.slots + task.group->slot(term, k);
        simd::store_records<W>(slot, {f.x, f.y, f.z, Double<W>{}});
    }

    /// W_ab += r_a f_b. A single outer product is not symmetric, the sum over a term is: any one
    /// triangle of it will do.
    REGRAIN_INLINE void add_virial(const Vector<W>& r, const Vector<W>& f) {
        xx += r.x * f.x;
        yy += r.y * f.y;
        zz += r.z * f.z;
        xy += r.x * f.y;
        xz += r.x * f.z;
        yz += r.y * f.z;
    }

    /// Terms that only fill up the last block have no energy and no force.
    REGRAIN_INLINE Value<W> counted(const Value<W>& value, std::size_t term) const {
        if (term + W <= task.group->count) return value;
        Value<W> kept = value;
        for (int k = 0; k < W; ++k) {
            if (term + static_cast<std::size_t>(k) < task.group->count) continue;
            kept.slope[k] = kept.energy[k] = 0.0;
        }
        return kept;
    }

    REGRAIN_INLINE void finish() const {
        if (task.sums == nullptr) return;
        *task.sums = {simd::sum<W>(energy),
                      {simd::sum<W>(xx), simd::sum<W>(yy), simd::sum<W>(zz), simd::sum<W>(xy),
                       simd::sum<W>(xz), simd::sum<W>(yz)}};
    }
};

template <int W, class Potential, bool with_sums>
REGRAIN_INLINE void bonds(BondedTask& task) {
    Terms<W> terms{task};
    for (std::size_t t = task.begin * BondedGroup::block; t < task.end * BondedGroup::block;
         t += W) {
        const Vector<W> d = terms.nearest(terms.place(1, t) - terms.place(0, t));
        const Value<W> v =
            terms.counted(Potential::of(*task.group, t, dot(d, d), task.suspicious), t);
        const Vector<W> f = d * v.slope;
        terms.set_force(0, t, f);
        terms.set_force(1, t, -f);
        if constexpr (with_sums) {
            terms.energy += v.energy;
            terms.add_virial(-d, f);
        }
    }
    terms.finish();
}

// As angle_between in internal_coordinates.hpp.
template <int W, class Potential, bool with_sums>
REGRAIN_INLINE void angles(BondedTask& task) {
    using V = Double<W>;
    Terms<W> terms{task};
    for (std::size_t t = task.begin * BondedGroup::block; t < task.end * BondedGroup::block;
         t += W) {
        const Vector<W> centre = terms.place(1, t);
        const Vector<W> a = terms.nearest(terms.place(0, t) - centre);
        const Vector<W> c = terms.nearest(terms.place(2, t) - centre);
        const Vector<W> normal = cross(a, c);
        const V length = simd::sqrt<W>(dot(normal, normal));
        const V a2 = dot(a, a), c2 = dot(c, c);
        const V scale = simd::sqrt<W>(a2 * c2);
        const V inverse = scale > 0.0 ? 1.0 / scale : V{};
        const V cosine = scale > 0.0 ? dot(a, c) * inverse : simd::broadcast<W>(1.0);
        const Value<W> v =
            terms.counted(Potential::of(*task.group, t, cosine, length * inverse), t);
        // Where the three are in a line the force has no direction.
        const V strength = length > 1e-14 * scale ? -v.slope / length : V{};
        const Vector<W> fa = cross(a, normal) * (strength * c2 * (inverse * inverse));
        const Vector<W> fc = cross(normal, c) * (strength * a2 * (inverse * inverse));
        terms.set_force(0, t, fa);
        terms.set_force(1, t, -(fa + fc));
        terms.set_force(2, t, fc);
        if constexpr (with_sums) {
            terms.energy += v.energy;
            terms.add_virial(a, fa);
            terms.add_virial(c, fc);
        }
    }
    terms.finish();
}

// As dihedral_of in internal_coordinates.hpp.
template <int W, class Potential, bool with_sums>
REGRAIN_INLINE void dihedrals(BondedTask& task) {
    using V = Double<W>;
    Terms<W> terms{task};
    for (std::size_t t = task.begin * BondedGroup::block; t < task.end * BondedGroup::block;
         t += W) {
        const Vector<W> second = terms.place(1, t), third = terms.place(2, t);
        const Vector<W> f = terms.nearest(terms.place(0, t) - second);
        const Vector<W> g = terms.nearest(second - third);
        const Vector<W> h = terms.nearest(terms.place(3, t) - third);
        const Vector<W> a = cross(f, g), b = cross(h, g);
        const V g2 = dot(g, g), a2 = dot(a, a), b2 = dot(b, b);
        const V g1 = simd::sqrt<W>(g2);
        const V inverse_g = g2 > 0.0 ? 1.0 / g1 : V{};
        const V x = dot(a, b), y = dot(cross(b, a), g) * inverse_g;
        const V r = simd::sqrt<W>(x * x + y * y);
        const V cosine = r > 0.0 ? x / r : simd::broadcast<W>(1.0);
        const V sine = r > 0.0 ? y / r : V{};
        const Value<W> v = terms.counted(Potential::of(*task.group, t, cosine, sine), t);
        // No direction where three are in a line.
        const V slope = a2 > 1e-24 * dot(f, f) * g2 ? v.slope : V{};
        const V acts = b2 > 1e-24 * dot(h, h) * g2 ? slope : V{};
        const V over_a = acts / (a2 > 0.0 ? a2 : simd::broadcast<W>(1.0));
        const V over_b = acts / (b2 > 0.0 ? b2 : simd::broadcast<W>(1.0));
        const Vector<W> first = a * (g1 * over_a);
        const Vector<W> last = b * (-g1 * over_b);
        const Vector<W> s =
            a * (dot(f, g) * inverse_g * over_a) - b * (dot(h, g) * inverse_g * over_b);
        const Vector<W> middle = s - last;
        terms.set_force(0, t, first);
        terms.set_force(1, t, -(s + first));
        terms.set_force(2, t, middle);
        terms.set_force(3, t, last);
        if constexpr (with_sums) {
            terms.energy += v.energy;
            terms.add_virial(f, first);
            terms.add_virial(g, -middle);
            terms.add_virial(h - g, last);
        }
    }
    terms.finish();
}

// ------------------------------------------------------------------ all of them

template <int W, bool with_sums>
REGRAIN_INLINE void of_kind(BondedTask& task) {
    switch (task.group->kind) {
        case BondedKind::harmonic_bond:
            return bonds<W, HarmonicLength<W, with_sums>, with_sums>(task);
        case BondedKind::fene_bond:
            return bonds<W, FeneLength<W, with_sums>, with_sums>(task);
        case BondedKind::table_bond:
            return bonds<W, TableLength<W, with_sums>, with_sums>(task);
        case BondedKind::harmonic_angle:
            return angles<W, HarmonicTheta<W, with_sums>, with_sums>(task);
        case BondedKind::cosine_angle:
            return angles<W, CosineTheta<W, with_sums>, with_sums>(task);
        case BondedKind::table_angle:
            return angles<W, TableAngular<W, with_sums>, with_sums>(task);
        case BondedKind::harmonic_dihedral:
            return dihedrals<W, HarmonicPhi<W, with_sums>, with_sums>(task);
        case BondedKind::fourier_dihedral:
            return dihedrals<W, FourierPhi<W, with_sums>, with_sums>(task);
        case BondedKind::table_dihedral:
            return dihedrals<W, TableAngular<W, with_sums>, with_sums>(task);
    }
}

template <int W>
REGRAIN_INLINE void bonded(BondedTask& task) {
    if (task.sums != nullptr) {
        of_kind<W, true>(task);
    } else {
        of_kind<W, false>(task);
    }
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void bonded_v4(BondedTask* task) { bonded<8>(*task); }
REGRAIN_TARGET_V3 void bonded_v3(BondedTask* task) { bonded<4>(*task); }
#endif
void bonded_any(BondedTask* task) { bonded<2>(*task); }

}  // namespace

void bonded_kernel(BondedTask& task) { simd::dispatch(REGRAIN_LEVELS(bonded), &task); }

}  // namespace regrain::particles
