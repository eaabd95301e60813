// The cells of a collision, and the slabs of them that threads work on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/vec3.hpp"

namespace regrain::particles {

/// Cells of an orthorhombic box, shifted by a fraction of a cell for each collision. Where there
/// are walls a shifted grid has one layer more, cut by the walls. The axis with the most cells is
/// the slow one of the numbering; slabs are a few layers of it.
struct CellGrid {
    std::array<double, 3> length{}, edge{}, inverse_edge{};
    std::array<std::uint32_t, 3> fits{}, count{}, stride{};
    std::array<bool, 3> wall{};
    std::size_t slow{2};
    std::uint32_t total{0}, layer{0};  ///< cells in all, and per layer of the slow axis

    /// Throws Error unless the box is orthorhombic and a whole number of cells.
    CellGrid(const Box& box, const Vec3& cell, const std::array<bool, 3>& walls);
    CellGrid() = default;

    /// The cell of the unshifted grid.
    [[nodiscard]] std::uint32_t home(const Vec3& r) const;
};

/// Slabs of the unshifted grid. A particle of a slab is looked for in its window, which is one
/// layer more below and two more above (one of these for the shift); further ones are exceptions.
struct Slabs {
    std::uint32_t thickness{1}, count{1}, window{1};  ///< layers
    std::uint32_t layers{1}, cells_per_layer{1};
    /// The slabs that look into a layer, in ascending order, from first[layer] to first[layer + 1].
    std::vector<std::uint32_t> first, covering;

    Slabs(const CellGrid& grid, std::size_t particles);
    Slabs() = default;

    [[nodiscard]] std::uint32_t slab_of_home(std::uint32_t cell) const {
        return cell / cells_per_layer / thickness;
    }
    [[nodiscard]] std::uint32_t first_layer(std::uint32_t slab) const {
        return (slab * thickness + layers - 1) % layers;
    }
    /// Where a cell is in the window of a slab; not below the size of a window if it is not.
    [[nodiscard]] std::uint32_t place(std::uint32_t slab, std::uint32_t cell) const {
        const std::uint32_t base = first_layer(slab) * cells_per_layer;
        return cell >= base ? cell - base : cell + layers * cells_per_layer - base;
    }
    [[nodiscard]] std::uint32_t window_cells() const { return window * cells_per_layer; }
};

}  // namespace regrain::particles
