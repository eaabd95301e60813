#include "srd_grid.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "regrain/base/error.hpp"

namespace regrain::particles {

namespace {

// What a slab should hold at least: enough work for a thread, and few windows to add up.
constexpr std::size_t particles_per_slab = 8192;
constexpr std::uint32_t most_layers = 4;

}  // namespace

CellGrid::CellGrid(const Box& box, const Vec3& cell, const std::array<bool, 3>& walls)
    : wall(walls) {
    if (!box.orthorhombic()) {
        throw Error("the cells of a solvent need an orthorhombic box; this one is skewed");
    }
    length = {box.a().x, box.b().y, box.c().z};
    const std::array<double, 3> wanted{cell.x, cell.y, cell.z};
    double cells = 1.0;
    for (std::size_t k = 0; k < 3; ++k) {
        const double n = std::round(length[k] / wanted[k]);
        if (!(n >= 1.0) || std::abs(n * wanted[k] - length[k]) > 1e-6 * wanted[k]) {
            throw Error("cells of edge " + std::to_string(wanted[k]) +
                        " do not fit the box, which is " + std::to_string(length[k]) + " along " +
                        "xyz"[k] + "; make the box a whole number of cells");
        }
        if (n > 1e6) throw Error("more than a million cells along one edge of the box");
        if (wall[k] && n < 2.0) {
            throw Error(std::string("walls across ") + "xyz"[k] + " are " +
                        std::to_string(length[k]) +
                        " apart, less than two cells of the solvent; move them apart, or make the "
                        "cells smaller");
        }
        fits[k] = static_cast<std::uint32_t>(n);
        count[k] = fits[k] + (wall[k] ? 1 : 0);
        edge[k] = length[k] / n;
        inverse_edge[k] = n / length[k];
        cells *= count[k];
    }
    if (cells > 2e9) throw Error("more than two thousand million cells; make them larger");
    slow = static_cast<std::size_t>(std::max_element(count.begin(), count.end()) - count.begin());
    if (count[2] == count[slow]) slow = 2;
    std::uint32_t stride_now = 1;
    for (std::size_t k = 0; k < 3; ++k) {
        if (k == slow) continue;
        stride[k] = stride_now;
        stride_now *= count[k];
    }
    stride[slow] = layer = stride_now;
    total = layer * count[slow];
}

std::uint32_t CellGrid::home(const Vec3& r) const {
    const std::array<double, 3> x{r.x, r.y, r.z};
    std::uint32_t cell = 0;
    for (std::size_t k = 0; k < 3; ++k) {
        const auto n = static_cast<std::uint32_t>(std::max(0.0, x[k] * inverse_edge[k]));
        cell += std::min(n, fits[k] - 1) * stride[k];
    }
    return cell;
}

Slabs::Slabs(const CellGrid& grid, std::size_t particles)
    : layers(grid.count[grid.slow]), cells_per_layer(grid.layer) {
    const std::uint32_t occupied = grid.fits[grid.slow];
    const std::size_t per_layer = particles / occupied + 1;
    const std::size_t wanted = (particles_per_slab + per_layer - 1) / per_layer;
    // Of many layers a few go together, as each window is three layers more than its slab.
    const std::uint32_t few = std::min(most_layers, std::max(1U, occupied / 8));
    thickness = std::max(few, static_cast<std::uint32_t>(std::min<std::size_t>(wanted, occupied)));
    count = (occupied + thickness - 1) / thickness;
    window = std::min(thickness + 3, layers);
    std::vector<std::vector<std::uint32_t>> of_layer(layers);
    for (std::uint32_t s = 0; s < count; ++s) {
        for (std::uint32_t w = 0; w < window; ++w) {
            of_layer[(first_layer(s) + w) % layers].push_back(s);
        }
    }
    first.assign(1, 0);
    for (const auto& slabs : of_layer) {
        covering.insert(covering.end(), slabs.begin(), slabs.end());
        first.push_back(static_cast<std::uint32_t>(covering.size()));
    }
}

}  // namespace regrain::particles
