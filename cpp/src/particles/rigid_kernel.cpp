#include "rigid_kernel.hpp"

namespace regrain::particles {

namespace {

using simd::Columns;
using simd::Double;
using simd::Vector;

constexpr int most_iterations = 40;
// A bond whose pivot is so much smaller than its own entry follows from those before it.
constexpr double least_pivot = 1e-9;

/// Arrays of W numbers in memory.
template <int W>
struct Lanes {
    double* at;

    REGRAIN_INLINE Double<W> get(std::size_t k) const { return simd::load<Double<W>>(at + k * W); }
    REGRAIN_INLINE void set(std::size_t k, const Double<W>& v) const { simd::store(at + k * W, v); }
    REGRAIN_INLINE Vector<W> vector(std::size_t k) const {
        return {get(3 * k), get(3 * k + 1), get(3 * k + 2)};
    }
    REGRAIN_INLINE void set_vector(std::size_t k, const Vector<W>& v) const {
        set(3 * k, v.x);
        set(3 * k + 1, v.y);
        set(3 * k + 2, v.z);
    }
};

/// W clusters of a block.
template <int W>
struct Clusters {
    RigidTask& task;
    const RigidShape& shape;
    const std::size_t bonds, particles;
    std::size_t block{0}, first{0};  ///< the first of W clusters within the block
    std::vector<double> room;
    Lanes<W> bond, start, inverse_mass, velocity, moved, matrix, solution;

    REGRAIN_INLINE explicit Clusters(RigidTask& t)
        : task(t),
          shape(t.group->shape),
          bonds(shape.bonds.size()),
          particles(shape.particles),
          room((7 * bonds + 7 * particles + shape.entries()) * W) {
        double* at = room.data();
        const auto take = [&at](std::size_t count) __attribute__((always_inline)) {
            const Lanes<W> lanes{at};
            at += count * W;
            return lanes;
        };
        bond = take(3 * bonds);
        start = take(3 * bonds);
        inverse_mass = take(particles);
        velocity = take(3 * particles);
        moved = take(3 * particles);
        matrix = take(shape.entries());
        solution = take(bonds);
    }

    // ------------------------------------------------------------------ in and out

    /// How many of the W clusters there are.
    [[nodiscard]] REGRAIN_INLINE std::size_t counted() const {
        const std::size_t left = task.group->count - block * RigidGroup::block - first;
        return left < W ? left : W;
    }
    [[nodiscard]] REGRAIN_INLINE const std::uint32_t* row(std::size_t particle) const {
        return task.group->row.data() + (block * particles + particle) * RigidGroup::block + first;
    }
    [[nodiscard]] REGRAIN_INLINE Double<W> length2(std::size_t k) const {
        const Double<W> length = simd::load<Double<W>>(
            task.group->length.data() + (block * bonds + k) * RigidGroup::block + first);
        return length * length;
    }
    [[nodiscard]] REGRAIN_INLINE double* direction(std::size_t k, std::size_t axis) const {
        return task.group->direction.data() + (3 * (block * bonds + k) + axis) * RigidGroup::block +
               first;
    }
    [[nodiscard]] REGRAIN_INLINE Vector<W> remembered(std::size_t k) const {
        using V = Double<W>;
        return {simd::load<V>(direction(k, 0)), simd::load<V>(direction(k, 1)),
                simd::load<V>(direction(k, 2))};
    }

    REGRAIN_INLINE void load_bonds() const {
        for (std::size_t k = 0; k < bonds; ++k) {
            const auto [a, b] = shape.bonds[k];
            const Vector<W> from = simd::places<W>(task.rows, row(b));
            const Vector<W> to = simd::places<W>(task.rows, row(a));
            bond.set_vector(k, simd::nearest_image(*task.cell, to - from));
        }
    }

    REGRAIN_INLINE void load_motion() const {
        for (std::size_t a = 0; a < particles; ++a) {
            const std::uint32_t* of = row(a);
            const Columns<W> v = simd::transpose<W>([&](int k) __attribute__((always_inline)) {
                return task.motion + of[k];
            });
            velocity.set_vector(a, {v.x, v.y, v.z});
            inverse_mass.set(a, v.w);
        }
    }

    /// Adds displacements, and velocities that are `rate` times as large.
    REGRAIN_INLINE void write(double rate) const {
        for (std::size_t a = 0; a < particles; ++a) {
            const std::uint32_t* of = row(a);
            const Vector<W> d = moved.vector(a);
            for (std::size_t k = 0; k < counted(); ++k) {
                const Vec3 by{d.x[k], d.y[k], d.z[k]};
                task.to_motion[of[k]].v += by * rate;
                if (task.to_rows == nullptr) continue;
                Row& r = task.to_rows[of[k]];
                r = {r.x + by.x, r.y + by.y, r.z + by.z, r.tag};
            }
        }
    }

    // ------------------------------------------------------------------ the matrix

    /// Of d_k . s_l for bonds k and l that share a particle, times its inverse mass.
    template <class Directions>
    REGRAIN_INLINE void set_matrix(const Directions& s) const {
        for (std::size_t k = 0; k < bonds; ++k) {
            const auto [a, b] = shape.bonds[k];
            matrix.set(k, dot(bond.vector(k), s(k)) * (inverse_mass.get(a) + inverse_mass.get(b)));
        }
        for (std::size_t p = 0; p < shape.meetings.size(); ++p) {
            const RigidShape::Meeting& both = shape.meetings[p];
            const Double<W> weight = inverse_mass.get(both.particle) * both.sign;
            matrix.set(bonds + 2 * p, dot(bond.vector(both.high), s(both.low)) * weight);
            matrix.set(bonds + 2 * p + 1, dot(bond.vector(both.low), s(both.high)) * weight);
        }
    }

    /// Puts the solution in place of the right-hand side, and factors in that of the matrix.
    REGRAIN_INLINE void solve() const {
        const auto meetings_of = [&](std::size_t k, auto&& f) __attribute__((always_inline)) {
            for (std::size_t p = shape.first_meeting[k]; p < shape.first_meeting[k + 1]; ++p) {
                f(bonds + 2 * p, std::size_t{shape.meetings[p].high});
            }
        };
        Double<W> least = simd::broadcast<W>(1.0);
        for (std::size_t k = 0; k < bonds; ++k) {
            const auto [a, b] = shape.bonds[k];
            const Double<W> own = length2(k) * (inverse_mass.get(a) + inverse_mass.get(b));
            const Double<W> pivot = matrix.get(k);
            // Written so that NaN is none of the good ones.
            const Double<W> share = pivot > least_pivot * own ? least : Double<W>{};
            least = share;
            const Double<W> inverse = 1.0 / pivot;
            const Double<W> x = solution.get(k);
            matrix.set(k, inverse);
            meetings_of(
                k, [&](std::size_t below, std::size_t high) __attribute__((always_inline)) {
                    const Double<W> factor = matrix.get(below) * inverse;
                    matrix.set(below, factor);
                    solution.set(high, solution.get(high) - factor * x);
                });
            for (std::size_t u = shape.first_update[k]; u < shape.first_update[k + 1]; ++u) {
                const RigidShape::Update& update = shape.updates[u];
                matrix.set(update.target, matrix.get(update.target) -
                                              matrix.get(update.row) * matrix.get(update.column));
            }
        }
        if (!(simd::smallest<W>(least) > 0.0)) task.redundant = true;
        for (std::size_t k = bonds; k-- > 0;) {
            Double<W> x = solution.get(k);
            meetings_of(
                k, [&](std::size_t below, std::size_t high) __attribute__((always_inline)) {
                    x -= matrix.get(below + 1) * solution.get(high);
                });
            solution.set(k, x * matrix.get(k));
        }
    }

    /// Moves the ends of the bonds along s by the solution.
    template <class Directions>
    REGRAIN_INLINE void move_along(const Directions& s) const {
        for (std::size_t k = 0; k < bonds; ++k) {
            const auto [a, b] = shape.bonds[k];
            const Vector<W> by = s(k) * solution.get(k);
            moved.set_vector(a, moved.vector(a) + by * inverse_mass.get(a));
            moved.set_vector(b, moved.vector(b) - by * inverse_mass.get(b));
        }
    }
    REGRAIN_INLINE void move_nowhere() const {
        for (std::size_t k = 0; k < 3 * particles; ++k) moved.set(k, Double<W>{});
    }

    // ------------------------------------------------------------------ what is done

    REGRAIN_INLINE void remember() const {
        load_bonds();
        for (std::size_t k = 0; k < bonds; ++k) {
            const Vector<W> d = bond.vector(k);
            simd::store(direction(k, 0), d.x);
            simd::store(direction(k, 1), d.y);
            simd::store(direction(k, 2), d.z);
        }
    }

    // Newton's method for (|d_k|^2 - l_k^2) / 2 = 0 as functions of displacements along the
    // remembered directions.
    REGRAIN_INLINE void set_lengths() const {
        load_bonds();
        load_motion();
        move_nowhere();
        for (std::size_t k = 0; k < 3 * bonds; ++k) start.set(k, bond.get(k));
        const auto s = [&](std::size_t k) __attribute__((always_inline)) { return remembered(k); };
        bool found = false;
        for (int iteration = 0; iteration < most_iterations && !found; ++iteration) {
            Double<W> worst{};
            for (std::size_t k = 0; k < bonds; ++k) {
                const Vector<W> d = bond.vector(k);
                const Double<W> wanted = length2(k);
                const Double<W> off = 0.5 * (wanted - dot(d, d));
                const Double<W> size = (off > 0.0 ? off : -off) / wanted;
                worst = size <= worst ? worst : size;  // NaN stays
                solution.set(k, off);
            }
            const Double<W> wrong =
                worst <= rigid_tolerance ? Double<W>{} : simd::broadcast<W>(1.0);
            found = !simd::any<W>((simd::Int<W>)wrong);
            if (found) break;
            set_matrix(s);
            solve();
            move_along(s);
            for (std::size_t k = 0; k < bonds; ++k) {
                const auto [a, b] = shape.bonds[k];
                bond.set_vector(k, start.vector(k) + (moved.vector(a) - moved.vector(b)));
            }
        }
        if (!found) task.failed = true;
        write(task.rate);
    }

    REGRAIN_INLINE void stop_lengths() const {
        load_bonds();
        load_motion();
        move_nowhere();
        const auto d = [&](std::size_t k) __attribute__((always_inline)) { return bond.vector(k); };
        const auto along = [&](std::size_t k) __attribute__((always_inline)) {
            const auto [a, b] = shape.bonds[k];
            return dot(d(k), velocity.vector(a) - velocity.vector(b));
        };
        for (std::size_t k = 0; k < bonds; ++k) solution.set(k, -along(k));
        set_matrix(d);
        solve();
        move_along(d);
        write(1.0);
        Double<W> lost{};
        for (std::size_t k = 0; k < bonds; ++k) lost -= 0.5 * along(k) * solution.get(k);
        for (std::size_t k = 0; k < counted(); ++k) task.energy += lost[k];
    }

    // The forces along bonds under which lengths stay as they are: the second derivative of each
    // length is zero.
    REGRAIN_INLINE void add_virial() const {
        load_bonds();
        load_motion();
        for (std::size_t a = 0; a < particles; ++a) {
            const std::uint32_t* of = row(a);
            double x[W], y[W], z[W];
            for (int k = 0; k < W; ++k) {
                const Vec3& force = task.force[of[k]];
                x[k] = force.x;
                y[k] = force.y;
                z[k] = force.z;
            }
            const Vector<W> f{simd::load<Double<W>>(x), simd::load<Double<W>>(y),
                              simd::load<Double<W>>(z)};
            moved.set_vector(a, f * inverse_mass.get(a));
        }
        const auto d = [&](std::size_t k) __attribute__((always_inline)) { return bond.vector(k); };
        for (std::size_t k = 0; k < bonds; ++k) {
            const auto [a, b] = shape.bonds[k];
            const Vector<W> v = velocity.vector(a) - velocity.vector(b);
            solution.set(k, -(dot(d(k), moved.vector(a) - moved.vector(b)) + dot(v, v)));
        }
        set_matrix(d);
        solve();
        Vector<W> diagonal{}, rest{};
        for (std::size_t k = 0; k < bonds; ++k) {
            const Vector<W> r = d(k), f = r * solution.get(k);
            diagonal = diagonal + Vector<W>{r.x * f.x, r.y * f.y, r.z * f.z};
            rest = rest + Vector<W>{r.x * f.y, r.x * f.z, r.y * f.z};
        }
        for (std::size_t k = 0; k < counted(); ++k) {
            const double more[]{diagonal.x[k], diagonal.y[k], diagonal.z[k],
                                rest.x[k],     rest.y[k],     rest.z[k]};
            for (std::size_t c = 0; c < 6; ++c) task.virial[c] += more[c];
        }
    }
};

template <int W>
REGRAIN_INLINE void rigid(RigidTask& task) {
    Clusters<W> clusters(task);
    for (std::size_t block = task.begin; block < task.end; ++block) {
        clusters.block = block;
        for (std::size_t first = 0; first < RigidGroup::block; first += W) {
            if (block * RigidGroup::block + first >= task.group->count) break;
            clusters.first = first;
            switch (task.work) {
                case RigidWork::remember:
                    clusters.remember();
                    break;
                case RigidWork::places:
                    clusters.set_lengths();
                    break;
                case RigidWork::velocities:
                    clusters.stop_lengths();
                    break;
                case RigidWork::virial:
                    clusters.add_virial();
                    break;
            }
        }
    }
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void rigid_v4(RigidTask* task) { rigid<8>(*task); }
REGRAIN_TARGET_V3 void rigid_v3(RigidTask* task) { rigid<4>(*task); }
#endif
void rigid_any(RigidTask* task) { rigid<2>(*task); }

}  // namespace

void rigid_kernel(RigidTask& task) { simd::dispatch(REGRAIN_LEVELS(rigid), &task); }

}  // namespace regrain::particles
