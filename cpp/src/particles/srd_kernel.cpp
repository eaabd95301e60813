#include "srd_kernel.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "regrain/base/error.hpp"

namespace regrain::particles {

namespace {

using V = simd::Double<4>;
using I = simd::Int<4>;

// Particles that are dealt with together: their cells are found in vectors, and a branch for those
// that leave the box is one per group.
constexpr std::size_t group = 8;

// One lane in all of them, by one instruction.
template <int k>
REGRAIN_INLINE V lane(const V& v) {
    return __builtin_shufflevector(v, v, k, k, k, k);
}

// m x for a matrix of columns.
REGRAIN_INLINE V product(const Four* columns, const V& x) {
    return simd::load<V>(columns) * lane<0>(x) + simd::load<V>(columns + 1) * lane<1>(x) +
           simd::load<V>(columns + 2) * lane<2>(x);
}

REGRAIN_INLINE V spread_out(const std::array<double, 3>& a) { return V{a[0], a[1], a[2], 0.0}; }

// What stays the same for all particles of a pass.
struct Fixed {
    V length, half_kick_move, kick, old_shift, shift, inverse_edge, edge;
    double interval, middle;
};

REGRAIN_INLINE Fixed fixed_of(const SolventPass& p) {
    const CellGrid& g = *p.grid;
    const double h = p.interval;
    const V kick{p.acceleration.x * h, p.acceleration.y * h, p.acceleration.z * h, 0.0};
    // The last lanes belong to no coordinate: 0 is always inside of a box of length 1.
    return {V{g.length[0], g.length[1], g.length[2], 1.0},
            kick * (0.5 * h),
            kick,
            spread_out(p.old_shift),
            spread_out(p.shift),
            spread_out(g.inverse_edge),
            spread_out(g.edge),
            h,
            p.reverse >= 0 ? 0.5 * g.length[static_cast<std::size_t>(p.reverse)] : 0.0};
}

// From the middle of the cell.
REGRAIN_INLINE V inside_cell(const Fixed& c, const V& r, const V& shift) {
    const V s = r * c.inverse_edge + shift;
    const V whole = __builtin_convertvector(__builtin_convertvector(s, simd::Whole<4>), V);
    return (s - whole - 0.5) * c.edge;
}

template <bool rotates, bool angular>
REGRAIN_INLINE V apply(const Fixed& c, const Four* map, const V& r, const V& v) {
    V out = simd::load<V>(map) + (rotates ? product(map + 1, v) : v);
    if constexpr (angular) {
        out += product(map + (rotates ? 4 : 1), inside_cell(c, r, c.old_shift));
    }
    return out;
}

// d = v or v - v_random. The last lanes of v, d and r are zero.
template <bool energy, bool angular>
REGRAIN_INLINE void add(Four* sums, const V& v, const V& d, const V& q, double mass) {
    const V m = simd::broadcast<4>(mass);
    const V unit{0.0, 0.0, 0.0, 1.0};
    const auto increase = [&](std::size_t k, const V& by) __attribute__((always_inline)) {
        simd::store(sums + k, simd::load<V>(sums + k) + by);
    };
    increase(0, (d + unit) * m);
    if constexpr (energy) increase(1, v * v * m + unit);
    if constexpr (angular) {
        constexpr std::size_t at = energy ? 2 : 1;
        const V mq = q * m;
        increase(at, mq);
        const std::array<V, 3> arms{lane<0>(mq), lane<1>(mq), lane<2>(mq)};
        for (std::size_t k = 0; k < 3; ++k) {
            increase(at + 1 + k, arms[k] * d);
            increase(at + 4 + k, arms[k] * q);
        }
    }
}

template <int W>
REGRAIN_INLINE void find_cells(const SolventPass& p, const Window& w, const SolventPlace* places,
                               std::uint32_t* cells, std::uint32_t* in_window) {
    using D = simd::Double<W>;
    using N = simd::Whole<W>;
    const CellGrid& g = *p.grid;
    const auto axis = [&](const D& x, std::size_t k) __attribute__((always_inline)) {
        const D s = x * simd::broadcast<W>(g.inverse_edge[k]) + simd::broadcast<W>(p.shift[k]);
        const D n = simd::broadcast<W>(g.count[k]);
        const D folded = s >= n ? s - n : s;
        return __builtin_convertvector(folded, N) * static_cast<std::int32_t>(g.stride[k]);
    };
    const auto total = static_cast<std::int32_t>(g.total);
    for (std::size_t first = 0; first < group; first += W) {
        const auto c = simd::transpose<W>([&](int k) __attribute__((always_inline)) {
            return places + first + k;
        });
        const N cell = axis(c.x, 0) + axis(c.y, 1) + axis(c.z, 2);
        const N from_base = cell - static_cast<std::int32_t>(w.base);
        const N folded = from_base + (total & (from_base >> 31));
        simd::store(cells + first, cell);
        simd::store(in_window + first, folded);
    }
}

[[gnu::noinline]] void note_exception(std::vector<Exception>& list, std::uint32_t cell,
                                      const Four* sums) {
    list.push_back({cell, {}});
    std::copy(sums, sums + most_sums, list.back().sums.begin());
}

// A bare function, so that what the kernels call is compiled for any machine.
[[gnu::noinline]] void leave_box(const SolventPass& p, const Four& old, const Four& before,
                                 SolventPlace& place, SolventMotion& motion, Image& image) {
    place.r = {old.x, old.y, old.z};
    motion.v = {before.x, before.y, before.z};
    stream_particle(p, p.interval, place.r, motion.v, image, place.id);
}

template <int W, bool rotates, bool energy, bool angular, bool applies, bool moves>
REGRAIN_INLINE void pass_group(const SolventPass& p, const Fixed& c, const Window& w,
                               SolventPlace* places, SolventMotion* motion, Image* images,
                               std::size_t count, const noise::Normals& random, std::size_t drawn) {
    const I xyz{-1, -1, -1, 0};
    const V zero{};
    constexpr CollisionKind kind{rotates, energy, angular};
    alignas(64) std::array<Four, group> old, before;
    V left{};
    for (std::size_t k = 0; k < group; ++k) {
        const I record = simd::load<I>(motion + k);
        const I place = simd::load<I>(places + k);
        V v = (V)(record & xyz);
        const V r = (V)(place & xyz);
        if constexpr (applies) {
            v = apply<rotates, angular>(c, p.maps + std::size_t{places[k].cell} * kind.columns(), r,
                                        v);
        }
        if constexpr (moves) {
            simd::store(&old[k], r);
            simd::store(&before[k], v);
            V kick = c.kick, half = c.half_kick_move;
            if (p.reverse >= 0 && r[p.reverse] >= c.middle) {
                kick = -kick;
                half = -half;
            }
            const V moved = r + (v * c.interval + half);
            v += kick;
            const V in_reach = moved < c.length ? zero : zero + 1.0;
            left += moved >= zero ? in_reach : zero + 1.0;
            simd::store(places + k, ((I)moved & xyz) | (place & ~xyz));
        }
        simd::store(motion + k, ((I)v & xyz) | (record & ~xyz));
    }
    if constexpr (moves) {
        if (simd::sum<4>(left) != 0.0) {
            for (std::size_t k = 0; k < count; ++k) {
                const Vec3& r = places[k].r;
                const auto out = [&](double x, std::size_t axis) {
                    return !(x >= 0.0 && x < p.grid->length[axis]);
                };
                if (out(r.x, 0) || out(r.y, 1) || out(r.z, 2)) {
                    leave_box(p, old[k], before[k], places[k], motion[k], images[k]);
                }
            }
        }
        alignas(64) std::array<std::uint32_t, group> cells, in_window;
        find_cells<W>(p, w, places, cells.data(), in_window.data());
        for (std::size_t k = 0; k < count; ++k) {
            const I record = simd::load<I>(motion + k);
            const V v = (V)(record & xyz);
            V d = v, q{};
            if constexpr (!rotates) {
                const double scale = p.spread / __builtin_sqrt(motion[k].mass);
                const V drawn_v =
                    V{random.x[drawn + k], random.y[drawn + k], random.z[drawn + k], 0.0} * scale;
                d = v - drawn_v;
                simd::store(motion + k, ((I)drawn_v & xyz) | (record & ~xyz));
            }
            if constexpr (angular) {
                q = inside_cell(c, (V)(simd::load<I>(places + k) & xyz), c.shift);
            }
            places[k].cell = cells[k];
            if (in_window[k] < w.cells) {
                add<energy, angular>(w.sums + std::size_t{in_window[k]} * kind.sums(), v, d, q,
                                     motion[k].mass);
            } else {
                std::array<Four, most_sums> own;
                add<energy, angular>(own.data(), v, d, q, motion[k].mass);
                note_exception(*w.exceptions, cells[k], own.data());
            }
        }
    }
}

template <int W, bool rotates, bool energy, bool angular, bool applies, bool moves>
REGRAIN_INLINE void pass_over(const SolventPass& p, const Window& w, std::size_t begin,
                              std::size_t end) {
    const Fixed c = fixed_of(p);
    noise::Normals random;
    noise::Words words;
    for (std::size_t first = begin; first < end; first += noise::block) {
        const std::size_t many = std::min(noise::block, end - first);
        if constexpr (!rotates && moves) {
            noise::draw(
                p.noise, 0, many,
                [&](std::size_t k)
                    __attribute__((always_inline)) { return p.places[first + k].id; },
                words);
            noise::normals(words, many, random);
        }
        for (std::size_t k = 0; k < many; k += group) {
            const std::size_t at = first + k, count = std::min(group, many - k);
            if (count == group) {
                pass_group<W, rotates, energy, angular, applies, moves>(
                    p, c, w, p.places + at, p.motion + at, p.images + at, count, random, k);
                continue;
            }
            // The last ones, with copies of the first of them that are forgotten again.
            std::array<SolventPlace, group> places;
            std::array<SolventMotion, group> motion;
            for (std::size_t j = 0; j < group; ++j) {
                places[j] = p.places[at + (j < count ? j : 0)];
                motion[j] = p.motion[at + (j < count ? j : 0)];
            }
            pass_group<W, rotates, energy, angular, applies, moves>(
                p, c, w, places.data(), motion.data(), p.images + at, count, random, k);
            std::copy_n(places.begin(), count, p.places + at);
            std::copy_n(motion.begin(), count, p.motion + at);
        }
    }
}

template <int W, bool rotates, bool energy, bool angular>
REGRAIN_INLINE void pass_kind(const SolventPass& p, const Window& w, std::size_t begin,
                              std::size_t end) {
    if (p.maps != nullptr && p.moves) {
        pass_over<W, rotates, energy, angular, true, true>(p, w, begin, end);
    } else if (p.moves) {
        pass_over<W, rotates, energy, angular, false, true>(p, w, begin, end);
    } else if (p.maps != nullptr) {
        pass_over<W, rotates, energy, angular, true, false>(p, w, begin, end);
    }
}

template <int W>
REGRAIN_INLINE void pass_any_kind(const SolventPass& p, const Window& w, std::size_t begin,
                                  std::size_t end) {
    if (!p.kind.rotates) {
        p.kind.angular ? pass_kind<W, false, false, true>(p, w, begin, end)
                       : pass_kind<W, false, false, false>(p, w, begin, end);
    } else if (p.kind.angular) {
        pass_kind<W, true, true, true>(p, w, begin, end);
    } else {
        p.kind.energy ? pass_kind<W, true, true, false>(p, w, begin, end)
                      : pass_kind<W, true, false, false>(p, w, begin, end);
    }
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void kernel_v4(const SolventPass& p, const Window& w, std::size_t begin,
                                 std::size_t end) {
    pass_any_kind<8>(p, w, begin, end);
}
REGRAIN_TARGET_V3 void kernel_v3(const SolventPass& p, const Window& w, std::size_t begin,
                                 std::size_t end) {
    pass_any_kind<4>(p, w, begin, end);
}
#endif
void kernel_any(const SolventPass& p, const Window& w, std::size_t begin, std::size_t end) {
    pass_any_kind<2>(p, w, begin, end);
}

double& component(Vec3& v, std::size_t k) { return k == 0 ? v.x : k == 1 ? v.y : v.z; }

}  // namespace

void solvent_kernel(const SolventPass& pass, const Window& window, std::size_t begin,
                    std::size_t end) {
    simd::dispatch(REGRAIN_LEVELS(kernel), pass, window, begin, end);
}

void stream_particle(const SolventPass& pass, double time, Vec3& r, Vec3& v, Image& image,
                     std::uint32_t id) {
    const CellGrid& g = *pass.grid;
    Vec3 pull = pass.acceleration;
    if (pass.reverse >= 0) {
        const auto axis = static_cast<std::size_t>(pass.reverse);
        if (component(r, axis) >= 0.5 * g.length[axis]) pull = -pull;
    }
    // From wall to wall: at each the velocity relative to the wall is turned round. Walls feel no
    // acceleration across them, so that the time of the next hit is a quotient.
    for (int hits = 0;; ++hits) {
        double soonest = time;
        std::size_t which = 3;
        for (std::size_t k = 0; k < 3; ++k) {
            const double speed = component(v, k);
            if (!g.wall[k] || speed == 0.0) continue;
            const double face = speed > 0.0 ? g.length[k] : 0.0;
            const double hit = (face - component(r, k)) / speed;
            if (hit < soonest) {
                soonest = std::max(hit, 0.0);
                which = k;
            }
        }
        r += v * soonest + pull * (0.5 * soonest * soonest);
        v += pull * soonest;
        if (which == 3) break;
        const bool upper = component(v, which) > 0.0;
        component(r, which) = upper ? g.length[which] : 0.0;
        v = (upper ? 2.0 : -2.0) * pass.wall_velocity - v;
        time -= soonest;
        if (hits > 1000 || !finite(v)) break;
    }
    for (std::size_t k = 0; k < 3; ++k) {
        double& x = component(r, k);
        const double turns = g.wall[k] ? 0.0 : std::floor(x / g.length[k]);
        if (!(std::abs(turns) < 1e9 && x > -1e300 && x < 1e300)) {
            throw Error("particle " + std::to_string(id) + " of the solvent at " +
                        std::to_string(x) +
                        " has moved further than can be counted; a bead gave "
                        "it an impossible velocity: use a smaller time step or a smaller "
                        "acceleration");
        }
        x -= turns * g.length[k];
        image[k] += static_cast<std::int32_t>(turns);
        if (x >= g.length[k] && !g.wall[k]) {  // by rounding
            x = 0.0;
            image[k] += 1;
        }
        x = std::clamp(x, 0.0, std::nextafter(g.length[k], 0.0));
    }
}

void add_particle(const SolventPass& pass, const Vec3& r, const Vec3& v, double mass,
                  const Vec3& random, Four* sums) {
    const Fixed c = fixed_of(pass);
    const V velocity{v.x, v.y, v.z, 0.0}, drawn{random.x, random.y, random.z, 0.0};
    const V q = inside_cell(c, V{r.x, r.y, r.z, 0.0}, c.shift) * V{1.0, 1.0, 1.0, 0.0};
    if (!pass.kind.rotates) {
        pass.kind.angular ? add<false, true>(sums, velocity, velocity - drawn, q, mass)
                          : add<false, false>(sums, velocity, velocity - drawn, q, mass);
    } else if (pass.kind.angular) {
        add<true, true>(sums, velocity, velocity, q, mass);
    } else {
        pass.kind.energy ? add<true, false>(sums, velocity, velocity, q, mass)
                         : add<false, false>(sums, velocity, velocity, q, mass);
    }
}

std::uint32_t cell_of(const CellGrid& grid, const std::array<double, 3>& shift, const Vec3& r) {
    std::uint32_t cell = 0;
    const std::array<double, 3> x{r.x, r.y, r.z};
    for (std::size_t k = 0; k < 3; ++k) {
        double s = std::max(0.0, x[k] * grid.inverse_edge[k] + shift[k]);
        if (s >= grid.count[k]) s = grid.wall[k] ? grid.count[k] - 1 : s - grid.count[k];
        cell += static_cast<std::uint32_t>(s) * grid.stride[k];
    }
    return cell;
}

Vec3 collided(const SolventPass& pass, const Four* map, const Vec3& r, const Vec3& v) {
    Fixed c = fixed_of(pass);
    c.old_shift = c.shift;
    const V place{r.x, r.y, r.z, 0.0}, velocity{v.x, v.y, v.z, 0.0};
    V out;
    if (pass.kind.rotates) {
        out = pass.kind.angular ? apply<true, true>(c, map, place, velocity)
                                : apply<true, false>(c, map, place, velocity);
    } else {
        out = pass.kind.angular ? apply<false, true>(c, map, place, velocity)
                                : apply<false, false>(c, map, place, velocity);
    }
    return {out[0], out[1], out[2]};
}

}  // namespace regrain::particles
