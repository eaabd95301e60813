// The particles of one step in cubic cells of the cutoff, for thermostats of pairs.
//
// Where particles move a good part of the cutoff in a few steps, as they do under dissipative
// particle dynamics, a list of neighbours would be built again every other step; sorting them into
// cells at every step costs less, and needs no skin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/particles/cells.hpp"
#include "regrain/particles/motion.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// A particle or an image of one: one line of the cache, two vector loads.
struct alignas(64) PairPoint {
    double x, y, z;
    std::int64_t tag;  ///< id + 2^32 type
    Vec3 v;
    std::uint32_t row;    ///< in the engine, of the particle
    std::uint32_t image;  ///< 1 for an image
};

class PairwiseCells {
public:
    explicit PairwiseCells(double cutoff) : cutoff_(cutoff) {}

    /// Throws Error for a box in which a pair may be near in two images.
    void check(const Box& box) const;

    /// Sorts the particles. To velocities is added what `lead` has by id, unless it is empty.
    void assign(const PairEngine& engine, std::span<const Motion> motion,
                std::span<const Vec3> lead);

    /// The rows in the order of cells.
    [[nodiscard]] std::span<const std::uint32_t> order(const PairEngine& engine,
                                                       std::span<const Motion> motion);

    [[nodiscard]] double cutoff() const { return cutoff_; }
    /// Particles and images by cell, and one more that is far away.
    [[nodiscard]] std::span<const PairPoint> points() const { return points_; }
    [[nodiscard]] std::uint32_t far_point() const {
        return static_cast<std::uint32_t>(points_.size() - 1);
    }
    /// Coordinates of the points in single precision, for a search that may find too much: within
    /// `generous()` are all that are within the cutoff. Vectors of 16 may be read from any point.
    [[nodiscard]] const float* x() const { return x_.data(); }
    [[nodiscard]] const float* y() const { return y_.data(); }
    [[nodiscard]] const float* z() const { return z_.data(); }
    [[nodiscard]] float generous() const { return generous_; }

    /// Columns of cells along x that hold particles: y() * z() of them; the cells of a column that
    /// do are 1 .. cells(), with images in those around them.
    [[nodiscard]] std::size_t columns() const { return count_[1] * count_[2]; }
    [[nodiscard]] std::size_t cells() const { return count_[0]; }
    [[nodiscard]] std::size_t columns_y() const { return count_[1]; }
    /// How many columns make up a piece of work.
    [[nodiscard]] std::size_t columns_per_task() const;

    /// Points of the cells next to a cell, 9 runs, the 5th of which holds the cell itself.
    struct Run {
        std::uint32_t begin, end;
    };
    void around(std::size_t column, std::size_t cell, Run* runs) const {
        const std::size_t middle = of_column(column) * (count_[0] + 2) + cell;
        const std::size_t along_y = count_[0] + 2;
        const std::size_t along_z = along_y * (count_[1] + 2);
        std::size_t at = middle - along_z - along_y - 1;
        for (int k = 0; k < 3; ++k, at += along_z) {
            for (int j = 0; j < 3; ++j) {
                const std::size_t from = at + static_cast<std::size_t>(j) * along_y;
                runs[3 * k + j] = {start_[from], start_[from + 3]};
            }
        }
    }
    /// Points of a cell.
    [[nodiscard]] Run cell(std::size_t column, std::size_t cell) const {
        const std::size_t at = of_column(column) * (count_[0] + 2) + cell;
        return {start_[at], start_[at + 1]};
    }

    /// Throws Error if two are at the same place: the slow look after a kernel saw something odd.
    void name_the_close(std::size_t begin, std::size_t end) const;

private:
    // A point on its way: `column` counts those of images, too.
    struct alignas(32) Placed {
        double x, y, z;
        std::uint32_t column, row;
    };

    [[nodiscard]] std::size_t of_column(std::size_t column) const {
        return (column / count_[1] + 1) * (count_[1] + 2) + column % count_[1] + 1;
    }
    [[nodiscard]] std::size_t all_columns() const { return (count_[1] + 2) * (count_[2] + 2); }
    void choose_grid(const Box& box, std::size_t n);
    [[nodiscard]] std::uint32_t cell_along(double x, std::size_t k, bool image) const;
    [[nodiscard]] Placed place(const Vec3& r, std::size_t row, bool image) const;
    void add_images(const Vec3& r, std::size_t row, const Box& box,
                    std::vector<Placed>& images) const;
    void order_columns(std::size_t n, std::size_t chunk);

    double cutoff_;
    float generous_{0.0F};
    std::size_t count_[3]{};  // of cells that hold particles
    double inverse_width_[3]{};
    Vec3 brick_;
    std::vector<PairPoint> points_;
    std::vector<float> x_, y_, z_;
    std::vector<std::uint32_t> start_;         // by cell, images included, and the end
    std::vector<Placed> placed_;               // by row
    std::vector<std::vector<Placed>> images_;  // by chunk of rows
    std::vector<std::uint32_t> tally_;  // chunk x column: points, then where the next one goes
    std::vector<std::uint32_t> column_start_;
    std::vector<const Placed*> order_;    // by column
    std::vector<std::uint32_t> by_cell_;  // rows
};

}  // namespace regrain::particles
