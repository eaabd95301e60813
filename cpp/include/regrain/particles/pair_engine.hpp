#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/force_field.hpp"

namespace regrain::particles {

/// One particle as the kernels read it: 32 bytes, one aligned vector load. `tag` holds the type.
struct alignas(32) Row {
    double x, y, z;
    std::int64_t tag;
};

/// Potential energy, virial W_ab = sum over pairs r_a f_b (symmetric: xx yy zz xy xz yz), and the
/// energy of charges, which `energy` does not hold.
struct Sums {
    double energy{0.0};
    std::array<double, 6> virial{};
    double charge{0.0};
    Sums& operator+=(const Sums& o) {
        energy += o.energy;
        charge += o.charge;
        for (std::size_t k = 0; k < 6; ++k) virial[k] += o.virial[k];
        return *this;
    }
};

/// In mixed precision pair potentials are evaluated in single precision, at places relative to a
/// particle nearby, and a lane of a vector adds up a dozen of pairs; these are added up in double.
/// Charges stay double.
enum class Precision : std::uint8_t { full, mixed };

/// Pair forces on particles kept in the order of space: rows sorted by cell, a halo of periodic
/// images behind them, and a full neighbour list (each pair from both sides: no write conflicts,
/// the same bits for any number of threads). Whoever moves the rows calls `refresh` before
/// `compute`.
///
/// The halo holds every image within reach, so any box is right, triclinic ones and those smaller
/// than two cutoffs too.
class REGRAIN_EXPORT PairEngine {
public:
    /// `types` per particle by id. `skin` >= 0 is the extra reach of the list.
    PairEngine(const ForceField& field, std::span<const std::int32_t> types, double skin,
               Precision precision = Precision::full);
    ~PairEngine();
    PairEngine(PairEngine&&) noexcept;
    PairEngine& operator=(PairEngine&&) noexcept;

    /// Takes positions by id (any image), sorts, builds. Throws Error on positions not finite.
    void assign(std::span<const Vec3> positions, const Box& box);

    [[nodiscard]] const Box& box() const;
    [[nodiscard]] std::size_t size() const;
    /// The real particles in the current order; whoever integrates moves these in place.
    [[nodiscard]] std::span<Row> rows();
    [[nodiscard]] std::span<const Row> rows() const;
    /// Id of the particle in each row, and the row of each id.
    [[nodiscard]] std::span<const std::uint32_t> ids() const;
    [[nodiscard]] std::span<const std::uint32_t> row_of() const;
    /// By row: position + image * vectors is the position that `assign` was given, moved on without
    /// wrapping. Rows are folded into the brick of Cells, so they need not lie in the cell of a
    /// skewed box.
    [[nodiscard]] std::span<const std::array<std::int32_t, 3>> images() const;

    /// What other forces between neighbours need. The rows of the particles, of the images around
    /// them, and one far away that fills up lists.
    [[nodiscard]] std::span<const Row> all_rows() const;
    /// For each row of an image the row of its particle.
    [[nodiscard]] std::span<const std::uint32_t> image_source() const;
    /// Those within reach of a row, at the last build, and the row far away.
    [[nodiscard]] std::span<const std::uint32_t> neighbors(std::size_t row) const;
    /// In mixed precision the engine has no use for lists of rows: who asks for `neighbors` says so
    /// before `assign`. (With triples in the field they are there.)
    void list_rows();
    /// Another number for each list that any engine built; 0 before the first.
    [[nodiscard]] std::uint64_t version() const;

    /// Replaces the box; the rows stay as they are (a barostat scales them itself).
    void set_box(const Box& box);
    /// The same with other vectors of the same lattice: the next `refresh` wraps and builds anew.
    void rename_box(const Box& box);

    /// After rows moved: renews the halo, or, where a particle went half a skin, wraps, sorts again
    /// and rebuilds the list. If it did, returns the old row of each new row (valid until the next
    /// call), so that the caller can carry its own per-row arrays along; empty otherwise.
    std::span<const std::uint32_t> refresh();

    /// Whether anything interacts in space; if nothing does, rows stay in the order of ids.
    [[nodiscard]] bool lists() const;
    /// Where nothing does, wraps and brings the rows into an order that somebody else wants:
    /// order[i] is the old row of row i. Returned as by `refresh`.
    std::span<const std::uint32_t> reorder(std::span<const std::uint32_t> order);

    /// Forces on the rows (overwritten), of charges what is within the cutoff. Energy and virial
    /// are summed only when asked for. Throws Error naming ids and distance for overlapping or
    /// out-of-table pairs.
    Sums compute(std::span<Vec3> forces, bool with_sums);

    /// All that decides future bits: rows, ids, images, box, and rows and box at the last build.
    struct Snapshot {
        std::vector<Row> rows, built_rows;
        std::vector<std::uint32_t> ids;
        std::vector<std::array<std::int32_t, 3>> images;
        std::vector<double> box, built_box;  ///< 9 numbers each, rows of lattice vectors
    };
    [[nodiscard]] Snapshot snapshot() const;
    void restore(const Snapshot& snapshot);

    /// Statistics for benchmarks and `info`: list builds so far and neighbours per particle.
    [[nodiscard]] std::size_t builds() const;
    [[nodiscard]] double mean_neighbors() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace regrain::particles
