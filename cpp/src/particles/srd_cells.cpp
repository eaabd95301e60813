#include "srd_cells.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "regrain/base/parallel.hpp"
#include "regrain/base/random.hpp"

namespace regrain::particles {

namespace {

using noise::block;
using Column = std::array<double, block>;

// The sums of up to 64 cells, and what is made of them.
struct alignas(64) Cells {
    std::array<std::array<Four, most_sums>, block> sums;
    Column mass, ux, uy, uz, number, energy;  // energy: m (v - u)^2
    Column nx, ny, nz, scale;
    std::array<Column, 12> map;  // t, then the columns of B
};

// ------------------------------------------------------------------ walls

// How much of a layer of the shifted grid is outside of the walls.
double outside(const CellGrid& g, const SolventPass& pass, std::size_t axis, std::uint32_t layer) {
    if (!g.wall[axis]) return 0.0;
    if (layer == 0) return pass.shift[axis];
    return layer == g.fits[axis] ? 1.0 - pass.shift[axis] : 0.0;
}

std::uint32_t poisson(double mean, double uniform) {
    double term = std::exp(-mean), below = term;
    std::uint32_t n = 0;
    while (uniform > below && n < 1000) {
        term *= mean / ++n;
        below += term;
    }
    return n;
}

// Anywhere in a cell, but not inside of the walls.
Vec3 behind_walls(const SolventPass& pass, const CellCollision& c, std::uint32_t cell,
                  const std::array<std::uint32_t, 3>& layer, std::uint16_t particle) {
    const CellGrid& g = *pass.grid;
    const Philox generator(c.seed, wall_place);
    constexpr std::uint16_t attempts = 64;
    std::array<double, 3> r{};
    for (std::uint16_t attempt = 0; attempt < attempts; ++attempt) {
        const auto draw = static_cast<std::uint16_t>(2 * (attempts * particle + attempt));
        const auto a = generator.uniform2(c.step, cell, draw);
        const auto b = generator.uniform2(c.step, cell, static_cast<std::uint16_t>(draw + 1));
        const std::array<double, 3> x{a[0], a[1], b[0]};
        bool behind = false;
        for (std::size_t k = 0; k < 3; ++k) {
            r[k] = (layer[k] + x[k] - pass.shift[k]) * g.edge[k];
            behind = behind || (g.wall[k] && (r[k] < 0.0 || r[k] >= g.length[k]));
        }
        if (behind) break;
    }
    return {r[0], r[1], r[2]};
}

// The solvent behind walls: as many particles as belong into the outer part of the cell, with the
// velocity of the wall and its temperature (Lamura, Gompper, Ihle and Kroll, EPL 56, 319 (2001);
// with the number of an ideal gas, as of Whitmer and Luijten, J. Phys. Condens. Matter 22, 104106
// (2010)).
void add_walls(const SolventPass& pass, const CellCollision& c, std::uint32_t cell, Four* sums) {
    const CellGrid& g = *pass.grid;
    std::array<std::uint32_t, 3> layer{};
    double inner = 1.0;
    Vec3 velocity;
    for (std::size_t k = 0; k < 3; ++k) {
        layer[k] = cell / g.stride[k] % g.count[k];
        const double part = outside(g, pass, k, layer[k]);
        inner *= 1.0 - part;
        if (part > 0.0) velocity = layer[k] == 0 ? -pass.wall_velocity : pass.wall_velocity;
    }
    if (inner == 1.0) return;
    const Philox number(c.seed, wall_number), speed(c.seed, wall_velocity_noise);
    const std::uint32_t n = poisson(c.filling * (1.0 - inner), number.uniform2(c.step, cell)[0]);
    const double spread = std::sqrt(c.kt / c.mass);
    for (std::uint16_t i = 0; i < n; ++i) {
        const Vec3 r = c.kind.angular ? behind_walls(pass, c, cell, layer, i) : Vec3{};
        const auto v = speed.normal4(c.step, cell, static_cast<std::uint16_t>(2 * i));
        const auto w = speed.normal4(c.step, cell, static_cast<std::uint16_t>(2 * i + 1));
        add_particle(pass, r, velocity + spread * Vec3{v[0], v[1], v[2]}, c.mass,
                     spread * Vec3{w[0], w[1], w[2]}, sums);
    }
}

// ------------------------------------------------------------------ noise per cell

// Axes with a uniform distribution over all directions, and of length 1 to the last bit of a
// double, as the energy hangs on that.
REGRAIN_INLINE void draw_axes(const noise::Words& words, std::size_t count, Cells& cells) {
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
        const auto turned = static_cast<std::int32_t>(words.a[k]);
        const double z = (static_cast<double>(turned) + 0.5) * 0x1p-31;
        const double radius = __builtin_sqrt(1.0 - z * z);
        const noise::SinCos t = noise::sin_cos(words.b[k]);
        const double x = radius * static_cast<double>(t.cos);
        const double y = radius * static_cast<double>(t.sin);
        const double inverse = 1.0 / __builtin_sqrt(x * x + y * y + z * z);
        cells.nx[k] = x * inverse;
        cells.ny[k] = y * inverse;
        cells.nz[k] = z * inverse;
    }
}

// Half the energy of f degrees of freedom in kT: a gamma variate of f / 2, by the method of
// Marsaglia and Tsang (ACM Trans. Math. Softw. 26, 363 (2000)) from a normal number and a uniform
// one; below zero if these are rejected.
REGRAIN_INLINE double try_energy(double freedom, std::uint32_t a, std::uint32_t b,
                                 std::uint32_t c) {
    const double d = 0.5 * freedom - 1.0 / 3.0;
    const double g =
        static_cast<double>(__builtin_sqrtf(noise::twice_minus_log(a)) * noise::sin_cos(b).cos);
    const double root = 1.0 + g / __builtin_sqrt(9.0 * d);
    const double v = root * root * root;
    const auto safe = static_cast<float>(v > 1e-30 ? v : 1e-30);
    const double limit = 0.5 * g * g + d * (1.0 - v + static_cast<double>(noise::log_of(safe)));
    const bool good = v > 1e-30 && static_cast<double>(noise::log_of(noise::uniform(c))) < limit;
    return good ? d * v : -1.0;
}

double draw_energy(const CellCollision& c, double freedom, std::uint32_t cell) {
    const Philox generator(c.seed, cell_noise);
    for (std::uint16_t draw = 1;; ++draw) {
        const auto w = generator.bits(c.step, cell, draw);
        const double found = try_energy(freedom, w[0], w[1], w[2]);
        if (found >= 0.0) return found;
    }
}

// Relative velocities are scaled to an energy from the distribution of 3 (n - 1) degrees of freedom
// (Huang, Chatterji, Sutmann, Gompper and Winkler, J. Comput. Phys. 229, 168 (2010)).
REGRAIN_INLINE void draw_scales(const CellCollision& c, std::uint32_t first, std::size_t count,
                                Cells& cells) {
    noise::Words words;
    noise::draw(
        {c.seed, cell_noise, c.step}, 1, count,
        [&](std::size_t k)
            __attribute__((always_inline)) { return first + static_cast<std::uint32_t>(k); },
        words);
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
        const double freedom = cells.number[k] > 1.0 ? 3.0 * (cells.number[k] - 1.0) : 3.0;
        cells.scale[k] = try_energy(freedom, words.a[k], words.b[k], words.c[k]);
    }
    for (std::size_t k = 0; k < count; ++k) {
        const double n = cells.number[k];
        // One particle has no energy relative to itself, whatever rounding says.
        if (n < 1.5 || !(cells.energy[k] > 0.0)) {
            cells.scale[k] = 1.0;
            continue;
        }
        const double half =
            cells.scale[k] >= 0.0
                ? cells.scale[k]
                : draw_energy(c, 3.0 * (n - 1.0), first + static_cast<std::uint32_t>(k));
        cells.scale[k] = std::sqrt(2.0 * c.kt * half / cells.energy[k]);
    }
}

// ------------------------------------------------------------------ maps

// v <- u + s R (v - u) as t + B v, R the rotation by the angle about the axis.
REGRAIN_INLINE void rotations(double angle, std::size_t count, Cells& cells) {
    const double cosine = std::cos(angle), sine = std::sin(angle);
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
        const double x = cells.nx[k], y = cells.ny[k], z = cells.nz[k], s = cells.scale[k];
        const double ux = cells.ux[k], uy = cells.uy[k], uz = cells.uz[k];
        const double rest = 1.0 - cosine;
        const double xx = s * (cosine + rest * x * x), xy = s * (rest * x * y - sine * z),
                     xz = s * (rest * x * z + sine * y);
        const double yx = s * (rest * x * y + sine * z), yy = s * (cosine + rest * y * y),
                     yz = s * (rest * y * z - sine * x);
        const double zx = s * (rest * x * z - sine * y), zy = s * (rest * y * z + sine * x),
                     zz = s * (cosine + rest * z * z);
        cells.map[0][k] = ux - (xx * ux + xy * uy + xz * uz);
        cells.map[1][k] = uy - (yx * ux + yy * uy + yz * uz);
        cells.map[2][k] = uz - (zx * ux + zy * uy + zz * uz);
        cells.map[3][k] = xx;
        cells.map[4][k] = yx;
        cells.map[5][k] = zx;
        cells.map[6][k] = xy;
        cells.map[7][k] = yy;
        cells.map[8][k] = zy;
        cells.map[9][k] = xz;
        cells.map[10][k] = yz;
        cells.map[11][k] = zz;
    }
}

Four four(const Vec3& v) { return {v.x, v.y, v.z, 0.0}; }
Vec3 three(const Four& f) { return {f.x, f.y, f.z}; }

// A symmetric matrix, and the solution of M x = b; nothing if M has no inverse to speak of, seen
// from the numbers that it is a difference of.
struct Symmetric {
    double xx, yy, zz, xy, xz, yz;
    [[nodiscard]] Vec3 times(const Vec3& v) const {
        return {xx * v.x + xy * v.y + xz * v.z, xy * v.x + yy * v.y + yz * v.z,
                xz * v.x + yz * v.y + zz * v.z};
    }
    double scale;
    [[nodiscard]] bool solve(const Vec3& b, Vec3& x) const {
        const Vec3 p{yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy};
        const Vec3 q{p.y, xx * zz - xz * xz, xy * xz - xx * yz};
        const Vec3 r{p.z, q.z, xx * yy - xy * xy};
        const double determinant = xx * p.x + xy * p.y + xz * p.z;
        const double trace = xx + yy + zz;
        if (!(trace > 1e-10 * scale && determinant > 1e-9 * trace * trace * trace)) return false;
        x = Vec3{dot(p, b), dot(q, b), dot(r, b)} * (1.0 / determinant);
        return true;
    }
};

// Sums over a cell relative to its centre of mass.
struct Moments {
    double mass;
    Vec3 centre, velocity;
    std::array<Vec3, 3> arm;  // sum of m r_a d
    Symmetric inertia;

    Moments(const Four* sums, std::size_t at) : mass(sums[0].w) {
        velocity = three(sums[0]) * (1.0 / mass);
        centre = three(sums[at]) * (1.0 / mass);
        const std::array<double, 3> c{centre.x, centre.y, centre.z};
        std::array<Vec3, 3> second;
        for (std::size_t k = 0; k < 3; ++k) {
            arm[k] = three(sums[at + 1 + k]) - mass * c[k] * velocity;
            second[k] = three(sums[at + 4 + k]) - mass * c[k] * centre;
        }
        const double sum = second[0].x + second[1].y + second[2].z;
        inertia = {sum - second[0].x,
                   sum - second[1].y,
                   sum - second[2].z,
                   -second[0].y,
                   -second[0].z,
                   -second[1].z,
                   sums[at + 4].x + sums[at + 5].y + sums[at + 6].z};
    }
    // Of velocities B d: sum of m r x B d, column by column.
    [[nodiscard]] Vec3 angular_momentum(const std::array<Vec3, 3>& b) const {
        const auto turned = [&](const Vec3& v) { return b[0] * v.x + b[1] * v.y + b[2] * v.z; };
        const Vec3 x = turned(arm[0]), y = turned(arm[1]), z = turned(arm[2]);
        return {y.z - z.y, z.x - x.z, x.y - y.x};
    }
};

constexpr std::array<Vec3, 3> unit{Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}};

// v <- t + B v + w x (r - centre).
void write(Four* map, bool rotates, const Vec3& t, const std::array<Vec3, 3>& b, const Vec3& w,
           const Vec3& centre) {
    *map++ = four(t - cross(w, centre));
    for (std::size_t k = 0; rotates && k < 3; ++k) *map++ = four(b[k]);
    for (std::size_t k = 0; k < 3; ++k) *map++ = four(cross(w, unit[k]));
}

// MPC-AT+a: v_random plus the rigid motion that momentum and angular momentum miss.
void andersen_angular(const Four* sums, Four* map) {
    const Moments m(sums, 1);
    Vec3 spin;
    // Where no rigid rotation is defined the angular momentum cannot be kept: nothing but the
    // momentum is (a line of particles; two or one).
    if (!m.inertia.solve(m.angular_momentum(unit), spin)) spin = {};
    write(map, false, m.velocity, unit, spin, m.centre);
}

// SRD+a: the rotation, and a rigid rotation that gives back the angular momentum. What is neither
// motion of the centre of mass nor rigid rotation is scaled, to the energy of before or to one
// that is drawn.
void rotation_angular(const CellCollision& c, const Four* sums, Four* map, double number,
                      std::uint32_t cell, const std::array<Vec3, 3>& turn) {
    const Moments m(sums, c.kind.first_moment());
    const Vec3& u = m.velocity;
    const Vec3 before = m.angular_momentum(unit), after = m.angular_momentum(turn);
    Vec3 rigid, correction;
    if (number < 2.5 || !m.inertia.solve(before, rigid) ||
        !m.inertia.solve(before - after, correction)) {
        write(map, true, {}, unit, {}, {});
        return;
    }
    const double all = sums[1].x + sums[1].y + sums[1].z - m.mass * norm2(u);
    const double kept = dot(rigid, before);
    const double turned =
        all + 2.0 * dot(correction, after) + dot(correction, m.inertia.times(correction));
    const double old_rest = all - kept, new_rest = turned - kept;
    double scale = 1.0;
    if (new_rest > 1e-12 * all && old_rest > 1e-12 * all) {
        const double wanted = c.thermostat && number > 2.5
                                  ? 2.0 * c.kt * draw_energy(c, 3.0 * number - 6.0, cell)
                                  : old_rest;
        scale = std::sqrt(wanted / new_rest);
    }
    std::array<Vec3, 3> b{};
    for (std::size_t k = 0; k < 3; ++k) b[k] = scale * turn[k];
    const Vec3 spin = rigid + scale * (correction - rigid);
    write(map, true, u - (b[0] * u.x + b[1] * u.y + b[2] * u.z), b, spin, m.centre);
}

// ------------------------------------------------------------------ all cells

struct Work {
    const SolventPass& pass;
    const CellCollision& collision;
    const Slabs& slabs;
    std::span<std::vector<Four>> windows;
    std::span<Four> maps;
};

// Sums of cells [first, first + count) of one layer, in the order of the slabs.
void gather(const Work& work, std::uint32_t layer, std::uint32_t first, std::size_t count,
            Cells& cells) {
    const std::size_t width = work.collision.kind.sums();
    const Slabs& s = work.slabs;
    bool fresh = true;
    for (std::uint32_t at = s.first[layer]; at < s.first[layer + 1]; ++at) {
        const std::uint32_t slab = s.covering[at];
        Four* own = work.windows[slab].data() + s.place(slab, first) * width;
        for (std::size_t k = 0; k < count; ++k) {
            for (std::size_t n = 0; n < width; ++n) {
                if (fresh) {
                    cells.sums[k][n] = own[k * width + n];
                } else {
                    cells.sums[k][n] += own[k * width + n];
                }
            }
        }
        std::fill_n(own, count * width, Four{});
        fresh = false;
    }
}

void angular_maps(const Work& work, std::uint32_t first, std::size_t count, const Cells& cells) {
    const CellCollision& c = work.collision;
    const std::size_t columns = c.kind.columns();
    for (std::size_t k = 0; k < count; ++k) {
        const std::uint32_t cell = first + static_cast<std::uint32_t>(k);
        Four* map = work.maps.data() + cell * columns;
        const Four* sums = cells.sums[k].data();
        if (!(sums[0].w > 0.0)) continue;
        if (!c.kind.rotates) {
            andersen_angular(sums, map);
            continue;
        }
        std::array<Vec3, 3> turn;
        for (std::size_t j = 0; j < 3; ++j) {
            turn[j] = {cells.map[3 + 3 * j][k], cells.map[4 + 3 * j][k], cells.map[5 + 3 * j][k]};
        }
        rotation_angular(c, sums, map, sums[1].w, cell, turn);
    }
}

REGRAIN_INLINE void maps_of(const Work& work, std::uint32_t layer, std::uint32_t first,
                            std::size_t count) {
    const CellCollision& c = work.collision;
    Cells cells;
    gather(work, layer, first, count, cells);
    const CellGrid& g = *work.pass.grid;
    if (g.wall[0] || g.wall[1] || g.wall[2]) {
        for (std::size_t k = 0; k < count; ++k) {
            add_walls(work.pass, c, first + static_cast<std::uint32_t>(k), cells.sums[k].data());
        }
    }
    for (std::size_t k = 0; k < count; ++k) {
        const Four& s = cells.sums[k][0];
        const double inverse = s.w > 0.0 ? 1.0 / s.w : 0.0;
        cells.mass[k] = s.w;
        cells.ux[k] = s.x * inverse;
        cells.uy[k] = s.y * inverse;
        cells.uz[k] = s.z * inverse;
        cells.scale[k] = 1.0;
        if (c.kind.energy) {
            const Four& e = cells.sums[k][1];
            cells.number[k] = e.w;
            cells.energy[k] = e.x + e.y + e.z - (s.x * s.x + s.y * s.y + s.z * s.z) * inverse;
        }
    }
    if (c.kind.rotates) {
        noise::Words words;
        noise::draw(
            {c.seed, cell_noise, c.step}, 0, count,
            [&](std::size_t k)
                __attribute__((always_inline)) { return first + static_cast<std::uint32_t>(k); },
            words);
        draw_axes(words, count, cells);
        if (c.thermostat && !c.kind.angular) draw_scales(c, first, count, cells);
        rotations(c.angle, count, cells);
    }
    if (c.kind.angular) {
        angular_maps(work, first, count, cells);
        return;
    }
    Four* map = work.maps.data() + first * c.kind.columns();
    for (std::size_t k = 0; k < count; ++k) {
        if (!c.kind.rotates) {
            *map++ = {cells.ux[k], cells.uy[k], cells.uz[k], 0.0};
            continue;
        }
        for (std::size_t j = 0; j < 12; j += 3) {
            *map++ = {cells.map[j][k], cells.map[j + 1][k], cells.map[j + 2][k], 0.0};
        }
    }
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void maps_v4(const Work& work, std::uint32_t layer, std::uint32_t first,
                               std::size_t count) {
    maps_of(work, layer, first, count);
}
REGRAIN_TARGET_V3 void maps_v3(const Work& work, std::uint32_t layer, std::uint32_t first,
                               std::size_t count) {
    maps_of(work, layer, first, count);
}
#endif
void maps_any(const Work& work, std::uint32_t layer, std::uint32_t first, std::size_t count) {
    maps_of(work, layer, first, count);
}

}  // namespace

void make_maps(const SolventPass& pass, const CellCollision& collision, const Slabs& slabs,
               std::span<std::vector<Four>> windows, std::span<Four> maps) {
    const Work work{pass, collision, slabs, windows, maps};
    const std::uint32_t layer = slabs.cells_per_layer;
    const std::size_t blocks = (layer + block - 1) / block;
    parallel_for(
        blocks * slabs.layers,
        [&](std::size_t begin, std::size_t end) {
            for (std::size_t task = begin; task < end; ++task) {
                const auto of_layer = static_cast<std::uint32_t>(task / blocks);
                const auto within = static_cast<std::uint32_t>(task % blocks * block);
                const std::size_t count = std::min<std::size_t>(block, layer - within);
                const std::uint32_t first = of_layer * layer + within;
                simd::dispatch(REGRAIN_LEVELS(maps), work, of_layer, first, count);
            }
        },
        16);
}

}  // namespace regrain::particles
