#include "triple_kernel.hpp"

#include "simd.hpp"
#include "simd_math.hpp"

namespace regrain::particles {

namespace {

using simd::Columns;
using simd::Double;

template <int W>
REGRAIN_INLINE Double<W> lanes_from(std::size_t first) {
    Double<W> v;
    for (int k = 0; k < W; ++k) v[k] = k;
    return v + simd::broadcast<W>(static_cast<double>(first));
}

/// W arms as vectors, and the squares of their lengths.
template <int W>
struct Vectors {
    Double<W> x, y, z, r2;

    REGRAIN_INLINE Vectors(const TripleTask& task, const Row& centre, const std::uint32_t* row) {
        const Columns<W> end = simd::transpose<W>([&](int m) __attribute__((always_inline)) {
            return task.rows + row[m];
        });
        x = end.x - centre.x;
        y = end.y - centre.y;
        z = end.z - centre.z;
        r2 = x * x + y * y + z * z;
    }
};

// The listed ends that are closer than r_max, brought together without branches. The square of the
// shortest distance is returned.
template <int W>
REGRAIN_INLINE double collect(const TripleTask& task, const Row& centre, std::size_t begin,
                              std::size_t end, double r_max, Arms& arms) {
    const std::uint32_t* row = task.chunk->row.data();
    const std::uint32_t* place = task.chunk->place.data();
    const double r2_max = r_max * r_max;
    Double<W> least = simd::broadcast<W>(r2_max);
    std::size_t count = 0;
    for (std::size_t k = begin; k < end; k += W) {
        const Double<W> r2 = Vectors<W>(task, centre, row + k).r2;
        least = r2 < least ? r2 : least;
        double squares[W];
        simd::store(squares, r2);
        for (std::size_t m = 0; m < W; ++m) {
            arms.row[count] = row[k + m];
            arms.place[count] = place[k + m];
            count += static_cast<std::size_t>(squares[m] < r2_max);
        }
    }
    arms.count = count;
    for (std::size_t k = 0; k < W; ++k) arms.row[count + k] = task.far_row;
    return simd::smallest<W>(least);
}

template <int W>
REGRAIN_INLINE void prepare(const TripleTask& task, const Row& centre, const ArmKind& kind,
                            Arms& arms) {
    using V = Double<W>;
    // Where r is rounded to r_max, phi is as good as zero.
    const V nearly = simd::broadcast<W>(-1e-12 * kind.r_max);
    const V longest = simd::broadcast<W>(kind.r_max * kind.r_max);
    for (std::size_t k = 0; k < arms.count; k += W) {
        const Vectors<W> d(task, centre, arms.row + k);
        const V r = simd::sqrt<W>(d.r2);
        const V inverse_r = 1.0 / r;
        const V gap = r - kind.r_max;
        const V inverse_gap = 1.0 / (gap < nearly ? gap : nearly);
        const V phi = simd::exp<W>(kind.decay * inverse_gap);
        const V slope = -kind.decay * inverse_gap * inverse_gap * phi;
        simd::store(arms.phi + k, d.r2 < longest ? phi : V{});
        simd::store(arms.slope + k, d.r2 < longest ? slope : V{});
        simd::store(arms.r + k, r);
        simd::store(arms.inverse_r + k, inverse_r);
        simd::store(arms.x + k, d.x * inverse_r);
        simd::store(arms.y + k, d.y * inverse_r);
        simd::store(arms.z + k, d.z * inverse_r);
        simd::store(arms.fx + k, V{});
        simd::store(arms.fy + k, V{});
        simd::store(arms.fz + k, V{});
    }
}

/// f(theta) and df / d cos(theta), from the unit vectors of W arms, that of another, and the
/// cosines between them.
template <int W>
struct Angular {
    Double<W> value, slope;
};

template <int W>
struct HarmonicInCosine {
    Double<W> epsilon, cosine0;

    REGRAIN_INLINE HarmonicInCosine(const TripleHalf& half, const TripleParameters&)
        : epsilon(simd::broadcast<W>(half.epsilon)), cosine0(simd::broadcast<W>(half.cosine0)) {}

    REGRAIN_INLINE Angular<W> operator()(const Double<W>&, const Double<W>&, const Double<W>&,
                                         double, double, double, const Double<W>& cosine) const {
        const Double<W> d = cosine - cosine0;
        const Double<W> slope = epsilon * d;
        return {slope * d, slope + slope};
    }
};

template <int W>
struct TableOfAngle {
    Double<W> per_spacing, half, first;
    const Quad* rows;

    REGRAIN_INLINE TableOfAngle(const TripleHalf& term, const TripleParameters& parameters)
        : per_spacing(simd::broadcast<W>(term.grid.v[0])),
          half(simd::broadcast<W>(term.grid.v[1])),
          first(simd::broadcast<W>(term.grid.v[2])),
          rows(parameters.rows.data()) {}

    // The angle comes from the sum and the difference of the unit vectors, 2 cos(theta / 2) and
    // 2 sin(theta / 2) long: exact for arms that are nearly in a line, where the cosine is not.
    REGRAIN_INLINE Angular<W> operator()(const Double<W>& ax, const Double<W>& ay,
                                         const Double<W>& az, double bx, double by, double bz,
                                         const Double<W>&) const {
        using V = Double<W>;
        constexpr double pi = 3.14159265358979323846;
        const V dx = ax - bx, dy = ay - by, dz = az - bz;
        const V sx = ax + bx, sy = ay + by, sz = az + bz;
        const V d2 = dx * dx + dy * dy + dz * dz;
        const V s2 = sx * sx + sy * sy + sz * sz;
        const V m = 0.25 * (d2 < s2 ? d2 : s2);
        const V rest = 2.0 * simd::sqrt<W>(m) * simd::arcsine_ratio<W>(m);
        const V theta = d2 < s2 ? rest : pi - rest;
        const V sine = 0.5 * simd::sqrt<W>(d2 * s2);
        // See TablePotential in pair_functors.hpp.
        const V s = theta * per_spacing - half;
        const V numbered = s + first;
        const V t = s - (numbered - first);
        std::int64_t number[W];
        std::memcpy(number, &numbered, sizeof number);
        const Columns<W> c = simd::transpose<W>([&](int k) __attribute__((always_inline)) {
            return rows + (number[k] & 0xFFFFFFFF);
        });
        const V slope = (c.y + t * (2.0 * c.z + t * (3.0 * c.w))) * per_spacing;
        // In a line the force has no direction.
        const V over_sine = -slope / sine;
        return {c.x + t * (c.y + t * (c.z + t * c.w)), sine > 1e-14 ? over_sine : V{}};
    }
};

// Forces on W arms `on` from all arms `from`: E = sum phi_j phi_k f(cos theta_jk), half of which is
// returned.
template <int W, class Function>
REGRAIN_INLINE Double<W> interact(const TripleHalf& half, const TripleParameters& parameters,
                                  const Arms& on, const Arms& from) {
    using V = Double<W>;
    const Function angular(half, parameters);
    const bool same = half.on == half.from;
    V energy{};
    for (std::size_t j = 0; j < on.count; j += W) {
        const V x = simd::load<V>(on.x + j);
        const V y = simd::load<V>(on.y + j);
        const V z = simd::load<V>(on.z + j);
        // No arm meets itself.
        const V lane = same ? lanes_from<W>(j) : simd::broadcast<W>(-1.0);
        V value{}, along{}, sx{}, sy{}, sz{};
        for (std::size_t k = 0; k < from.count; ++k) {
            // Numbers, not vectors of one number: those are read from memory by the operation.
            const double kx = from.x[k], ky = from.y[k], kz = from.z[k];
            const V phi = lane == static_cast<double>(k) ? V{} : V{} + from.phi[k];
            const V cosine = x * kx + y * ky + z * kz;
            const Angular<W> f = angular(x, y, z, kx, ky, kz, cosine);
            const V weighted = phi * f.slope;
            value += phi * f.value;
            along += weighted * cosine;
            sx += weighted * kx;
            sy += weighted * ky;
            sz += weighted * kz;
        }
        // d cos(theta) / d r_j = (u_k - cos(theta) u_j) / r_j.
        const V phi = simd::load<V>(on.phi + j);
        const V across = phi * simd::load<V>(on.inverse_r + j);
        const V radial = across * along - simd::load<V>(on.slope + j) * value;
        simd::store(on.fx + j, simd::load<V>(on.fx + j) + (radial * x - across * sx));
        simd::store(on.fy + j, simd::load<V>(on.fy + j) + (radial * y - across * sy));
        simd::store(on.fz + j, simd::load<V>(on.fz + j) + (radial * z - across * sz));
        energy += 0.5 * phi * value;
    }
    return energy;
}

template <int W>
struct VectorSums {
    Double<W> energy{}, xx{}, yy{}, zz{}, xy{}, xz{}, yz{};

    REGRAIN_INLINE void add_virial(const Arms& arms) {
        using V = Double<W>;
        for (std::size_t k = 0; k < arms.count; k += W) {
            const V r = simd::load<V>(arms.r + k);
            const V x = r * simd::load<V>(arms.x + k);
            const V y = r * simd::load<V>(arms.y + k);
            const V z = r * simd::load<V>(arms.z + k);
            const V fy = simd::load<V>(arms.fy + k);
            const V fz = simd::load<V>(arms.fz + k);
            xx += x * simd::load<V>(arms.fx + k);
            yy += y * fy;
            zz += z * fz;
            xy += x * fy;
            xz += x * fz;
            yz += y * fz;
        }
    }
    REGRAIN_INLINE void to(Sums& sums) const {
        sums.energy = simd::sum<W>(energy);
        sums.virial = {simd::sum<W>(xx), simd::sum<W>(yy), simd::sum<W>(zz),
                       simd::sum<W>(xy), simd::sum<W>(xz), simd::sum<W>(yz)};
    }
};

REGRAIN_INLINE void hand_out(const Arms& arms, Vec3* forces, Vec3& own) {
    for (std::size_t k = 0; k < arms.count; ++k) {
        const Vec3 f{arms.fx[k], arms.fy[k], arms.fz[k]};
        forces[arms.place[k]] += f;
        own -= f;
    }
}

template <int W>
REGRAIN_INLINE void triples(TripleTask& task) {
    const TripleParameters& parameters = *task.parameters;
    TripleChunk& chunk = *task.chunk;
    VectorSums<W> sums;
    for (std::size_t i = task.begin; i < task.end; ++i) {
        const Row& row = task.rows[i];
        const TripleCentre& centre = parameters.centres[static_cast<std::size_t>(row.tag)];
        const std::uint32_t* first = chunk.first.data() + (i - task.begin) * parameters.types;
        Arms* arms = chunk.arms.data();
        for (const ArmKind& kind : centre.kinds) {
            const double least =
                collect<W>(task, row, first[kind.type], first[kind.type + 1], kind.r_max, *arms);
            task.suspicious |= !(least > 0.0);
            prepare<W>(task, row, kind, *arms++);
        }
        arms = chunk.arms.data();
        for (const TripleHalf& half : centre.halves) {
            const Arms &on = arms[half.on], &from = arms[half.from];
            sums.energy += half.tabulated
                               ? interact<W, TableOfAngle<W>>(half, parameters, on, from)
                               : interact<W, HarmonicInCosine<W>>(half, parameters, on, from);
        }
        Vec3 own{};
        for (std::size_t a = 0; a < centre.kinds.size(); ++a) {
            sums.add_virial(arms[a]);
            hand_out(arms[a], chunk.forces.data(), own);
        }
        chunk.forces[i - task.begin] += own;
    }
    sums.to(task.sums);
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void triples_v4(TripleTask* task) { triples<8>(*task); }
REGRAIN_TARGET_V3 void triples_v3(TripleTask* task) { triples<4>(*task); }
#endif
void triples_any(TripleTask* task) { triples<2>(*task); }

}  // namespace

void triple_kernel(TripleTask& task) { simd::dispatch(REGRAIN_LEVELS(triples), &task); }

}  // namespace regrain::particles
