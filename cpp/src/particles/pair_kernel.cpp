#include "pair_kernel.hpp"

#include <algorithm>
#include <cmath>

namespace regrain::particles {

namespace {

struct PairValue {
    double force_over_r{0.0}, energy{0.0};
};

struct LennardJonesPotential {
    static PairValue at(const PairParameters& all, std::size_t pair, double r2, bool&) {
        const Quad& f = all.lennard_jones.force[pair];
        if (!(r2 < f.v[0])) return {};
        const Quad& e = all.lennard_jones.energy[pair];
        const double inverse2 = 1.0 / r2;
        const double inverse6 = inverse2 * inverse2 * inverse2;
        const double r = f.v[3] != 0.0 ? std::sqrt(r2) : 1.0;
        return {(f.v[1] * inverse6 - f.v[2]) * inverse6 * inverse2 - f.v[3] / r,
                (e.v[0] * inverse6 - e.v[1]) * inverse6 - e.v[2] + f.v[3] * r};
    }
};

struct TablePotential {
    static PairValue at(const PairParameters& all, std::size_t pair, double r2, bool& suspicious) {
        const Quad& grid = all.table.grid[pair];
        if (!(r2 < grid.v[0])) return {};
        const Quad& origin = all.table.origin[pair];
        if (r2 < origin.v[0]) suspicious = true;
        const double r = std::sqrt(r2);
        const double s = (r - grid.v[1]) * grid.v[2];
        const double i = std::clamp(std::floor(s), 0.0, grid.v[3]);
        const double t = s - i;
        const Quad& c = all.table.rows[static_cast<std::size_t>(origin.v[1] + i)];
        return {-(c.v[1] + t * (2.0 * c.v[2] + t * 3.0 * c.v[3])) * grid.v[2] / r,
                c.v[0] + t * (c.v[1] + t * (c.v[2] + t * c.v[3]))};
    }
};

template <class Potential>
void kernel(PairTask& task) {
    Sums sums;
    for (std::size_t i = task.begin; i < task.end; ++i) {
        const Row& ri = task.rows[i];
        const std::uint32_t* list = task.list->neighbors.data();
        const std::uint32_t first = task.list->first[i - task.begin];
        const std::uint32_t last = task.list->first[i - task.begin + 1];
        Vec3 force;
        for (std::uint32_t k = first; k < last; ++k) {
            const Row& rj = task.rows[list[k]];
            const Vec3 d{ri.x - rj.x, ri.y - rj.y, ri.z - rj.z};
            const PairValue v = Potential::at(
                *task.parameters, task.parameters->pair(ri.tag, rj.tag), norm2(d), task.suspicious);
            force += v.force_over_r * d;
            if (task.sums != nullptr) {
                // Half, as each pair is seen from both sides.
                sums.energy += 0.5 * v.energy;
                const double w = 0.5 * v.force_over_r;
                sums.virial[0] += w * d.x * d.x;
                sums.virial[1] += w * d.y * d.y;
                sums.virial[2] += w * d.z * d.z;
                sums.virial[3] += w * d.x * d.y;
                sums.virial[4] += w * d.x * d.z;
                sums.virial[5] += w * d.y * d.z;
            }
        }
        // Written so that NaN is suspicious too.
        if (!(norm(force) <= task.parameters->largest_force) && task.parameters->lennard_jones.any)
            task.suspicious = true;
        task.forces[i] += force;
    }
    if (task.sums != nullptr) *task.sums += sums;
}

}  // namespace

void lennard_jones_kernel(PairTask& task) { kernel<LennardJonesPotential>(task); }
void table_kernel(PairTask& task) { kernel<TablePotential>(task); }

}  // namespace regrain::particles
