// The one pass over the solvent that a collision makes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "noise.hpp"
#include "regrain/particles/srd.hpp"
#include "srd_grid.hpp"

namespace regrain::particles {

using Image = std::array<std::int32_t, 3>;

/// Position of one particle of the solvent, and its cell in the last collision.
struct alignas(32) SolventPlace {
    Vec3 r;
    std::uint32_t id, cell;
};

struct alignas(32) SolventMotion {
    Vec3 v;
    double mass;
};

struct alignas(32) Four {
    double x{0.0}, y{0.0}, z{0.0}, w{0.0};
    Four& operator+=(const Four& o) {
        x += o.x;
        y += o.y;
        z += o.z;
        w += o.w;
        return *this;
    }
};

/// What a collision needs to know of a cell, and what it does with velocities. A cell has a few
/// sums over its particles, d being v, or v - v_random for Andersen's rule, r measured from the
/// middle of the cell:
///     (m d, m)                      always
///     (m v^2 by component, 1)       with `energy`
///     (m r, 0), (m r_x d, 0), (m r_y d, 0), (m r_z d, 0), (m r_x r, 0), (m r_y r, 0), (m r_z r, 0)
///                                   with `angular`
/// and a map v <- t + B v + A r as columns: t, with `rotates` those of B (else 1, and v is
/// v_random), with `angular` those of A.
struct CollisionKind {
    bool rotates, energy, angular;
    [[nodiscard]] constexpr std::size_t sums() const {
        return 1 + (energy ? 1 : 0) + (angular ? 7 : 0);
    }
    [[nodiscard]] constexpr std::size_t columns() const {
        return 1 + (rotates ? 3 : 0) + (angular ? 3 : 0);
    }
    [[nodiscard]] constexpr std::size_t first_moment() const { return energy ? 2 : 1; }
};
inline constexpr std::size_t most_sums = 9;

/// The sums that one particle adds to its cell where its slab does not look.
struct Exception {
    std::uint32_t cell;
    std::array<Four, most_sums> sums;
};

struct SolventPass {
    CollisionKind kind;
    const CellGrid* grid;
    SolventPlace* places;
    SolventMotion* motion;
    Image* images;

    const Four* maps;                 ///< by cell: of the last collision, or none to be applied
    std::array<double, 3> old_shift;  ///< of the grid in that collision, in cells

    bool moves;                   ///< streams for `interval`, then adds up the next collision
    std::array<double, 3> shift;  ///< of the grid in that
    double interval;
    Vec3 acceleration;
    int reverse;
    Vec3 wall_velocity;
    noise::Source noise;  ///< v_random, of variance kt / m
    double spread;        ///< sqrt(kt)
};

/// The part of the cells that a slab looks at.
struct Window {
    Four* sums;
    std::uint32_t base, cells;  ///< its first cell; how many there are from that on, cyclically
    std::vector<Exception>* exceptions;
};

/// The pass over particles [begin, end), all of one slab.
void solvent_kernel(const SolventPass& pass, const Window& window, std::size_t begin,
                    std::size_t end);

/// Streams one particle freely for a time, with walls and periodic images.
void stream_particle(const SolventPass& pass, double time, Vec3& r, Vec3& v, Image& image,
                     std::uint32_t id);

/// The sums of one particle (or one that stands for a piece of wall), and the cell it is in.
void add_particle(const SolventPass& pass, const Vec3& r, const Vec3& v, double mass,
                  const Vec3& random, Four* sums);
std::uint32_t cell_of(const CellGrid& grid, const std::array<double, 3>& shift, const Vec3& r);
/// v after the collision.
Vec3 collided(const SolventPass& pass, const Four* map, const Vec3& r, const Vec3& v);

}  // namespace regrain::particles
