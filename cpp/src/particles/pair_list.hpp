// The halo and the full neighbour list of rows that are sorted by cell.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "pair_grid.hpp"
#include "pair_parameters.hpp"
#include "pair_places.hpp"
#include "pair_search.hpp"
#include "regrain/particles/cells.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// For each particle those it has no pair force with, by id.
class Exclusions {
public:
    Exclusions(std::span<const std::pair<std::uint32_t, std::uint32_t>> pairs, std::size_t n);
    [[nodiscard]] bool empty() const { return other_.empty(); }
    [[nodiscard]] std::span<const std::uint32_t> of(std::uint32_t id) const {
        return {other_.data() + first_[id], other_.data() + first_[id + 1]};
    }

private:
    std::vector<std::uint32_t> first_, other_;
};

class PairList {
public:
    static constexpr std::size_t chunk = 256;  ///< rows that one task works on
    static constexpr std::size_t padding = 8;  ///< a list is a multiple of this long

    /// Lists of group_size rows each. The first entries are not neighbours of all rows of the
    /// group: of them there are bits, the lowest for the first row, and a list is filled up with
    /// entries without any.
    struct Groups {
        static constexpr std::size_t padding = 16;
        std::vector<std::uint32_t> neighbors, first;  ///< as for rows, but per group
        std::vector<std::uint8_t> masks;
        std::vector<std::uint32_t> first_mask;  ///< of each group of the chunk, and the end
    };
    struct Chunk {
        std::vector<std::uint32_t> neighbors;  ///< row numbers, and room behind them
        std::vector<std::uint32_t> first;      ///< of each row of the chunk, and the end
        Groups groups;
    };

    PairList(const PairParameters& parameters, double skin, Exclusions exclusions, bool rows,
             bool groups);

    /// Which lists are made: of rows, of groups of them, or both.
    [[nodiscard]] bool of_rows() const { return of_rows_; }
    [[nodiscard]] bool of_groups() const { return of_groups_; }
    void list_rows() { of_rows_ = true; }

    [[nodiscard]] double reach() const { return grid_.reach(); }

    /// Which comes when in the order of space, from keys that `key` made after `cut`.
    void cut(std::size_t n, const Box& box) { grid_.cut(n, box); }
    [[nodiscard]] std::uint32_t key(const Vec3& r) const { return grid_.key(r); }
    void order(std::span<const std::uint32_t> keys, std::vector<std::uint32_t>& order) {
        grid_.order(keys, order);
    }

    /// Makes halo and lists of n rows that are in the brick and in the order of space. The rows are
    /// resized to hold the halo.
    void build(std::vector<Row>& rows, std::size_t n, std::span<const std::uint32_t> ids,
               const Box& box);

    [[nodiscard]] const Halo& halo() const { return halo_; }
    [[nodiscard]] std::span<const Chunk> chunks() const { return chunks_; }
    /// The list of a row, where lists of rows are made.
    [[nodiscard]] std::span<const std::uint32_t> of_row(std::size_t row) const {
        const Chunk& c = chunks_[row / chunk];
        const std::uint32_t* first = c.first.data() + row % chunk;
        return {c.neighbors.data() + first[0], c.neighbors.data() + first[1]};
    }
    /// What the kernel went through for a row, but itself and what is excluded.
    [[nodiscard]] std::vector<std::uint32_t> listed(std::size_t row) const;
    /// Per row, or in mixed precision per group.
    [[nodiscard]] double mean_neighbors() const;

private:
    struct Ghost {
        std::uint32_t source;
        Image image;
    };
    /// Consecutive rows that share a look at the grid: what may be near one of them.
    static constexpr std::size_t block_size = 16;
    struct Search {
        const PairGrid* grid;
        Nearby nearby;
        std::array<float, 3> middle;
        float limit;                       ///< of squares of distances
        std::vector<std::uint32_t> found;  ///< room

        [[nodiscard]] std::array<float, 3> place(const Row& row) const {
            return grid->place({row.x, row.y, row.z}, middle);
        }
        /// Entries that a list may take.
        [[nodiscard]] std::size_t most() const {
            return nearby.count + group_size + 2 * Groups::padding;
        }
    };
    void make_halo(std::vector<Row>& rows, std::size_t n, const Box& box);
    void fill(Chunk& out, std::span<const Row> rows, std::size_t begin, std::size_t end,
              std::span<const std::uint32_t> ids) const;
    void gather(std::span<const Row> block, Search& search) const;
    void add_row(Chunk& out, Search& search, std::span<const Row> rows, std::size_t i,
                 std::span<const std::uint32_t> ids) const;
    void add_group(Groups& out, Search& search, std::span<const Row> rows, std::size_t group,
                   std::size_t count, std::span<const std::uint32_t> ids) const;
    [[nodiscard]] bool wide(std::span<const Row> group) const;
    [[nodiscard]] bool excluded(std::size_t i, std::uint32_t j,
                                std::span<const std::uint32_t> ids) const;
    std::size_t select(std::uint32_t* list, std::size_t found, std::size_t i,
                       std::span<const Row> rows, std::span<const std::uint32_t> ids) const;

    std::size_t types_;
    bool of_rows_, of_groups_;
    bool selective_{false};       ///< whether the largest reach is not all there is to check
    std::vector<double> reach2_;  ///< per pair of types
    Exclusions exclusions_;
    PairGrid grid_;
    Halo halo_;
    std::vector<std::vector<Ghost>> ghosts_;  ///< per chunk of rows; kept for its memory
    std::vector<Chunk> chunks_;
};

}  // namespace regrain::particles
