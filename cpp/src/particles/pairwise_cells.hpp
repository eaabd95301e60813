// The particles of one step in cubic cells of the cutoff, for thermostats of pairs.
//
// Where particles move a good part of the cutoff in a few steps, as they do under dissipative
// particle dynamics, a list of neighbours would be built again every other step; sorting them into
// cells at every step costs less, and needs no skin.
//
// Each pair is found once, from the cell of which the other is a forward one: in the layer above,
// the next row of the same layer, or the next along x. Work is cut into tiles of columns, which
// take turns by colours: those of one colour touch no particle in common, so that sums have one
// order on any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/motion.hpp"
#include "regrain/particles/pair_engine.hpp"
#include "regrain/particles/pairwise.hpp"

namespace regrain::particles {

/// A particle or an image of one: one line of the cache, two vector loads.
struct alignas(64) PairPoint {
    double x, y, z;
    double word;  ///< of the noise, a whole number
    Vec3 v;
    std::uint32_t row;  ///< in the engine, of the particle
    std::uint32_t type;
};

class PairwiseCells {
public:
    explicit PairwiseCells(double cutoff) : cutoff_(cutoff) {}

    /// Throws Error for a box in which a pair may be near in two images.
    void check(const Box& box) const;

    /// Sorts the particles. To velocities is added what `lead` has by row, unless it is empty.
    void assign(const PairEngine& engine, std::span<const Motion> motion,
                std::span<const Vec3> lead, const PairNoise& noise);

    /// The rows in the order of cells.
    [[nodiscard]] std::span<const std::uint32_t> order(const PairEngine& engine,
                                                       std::span<const Motion> motion);

    /// Particles and images by cell, and two more that are far away, also from each other.
    [[nodiscard]] std::span<const PairPoint> points() const { return points_; }
    [[nodiscard]] std::uint32_t far_point() const {
        return static_cast<std::uint32_t>(points_.size() - 2);
    }
    /// Coordinates of the points in single precision, for a search that may find too much: within
    /// `generous()` are all that are within the cutoff. Vectors of 16 may be read from any point.
    [[nodiscard]] const float* x() const { return x_.data(); }
    [[nodiscard]] const float* y() const { return y_.data(); }
    [[nodiscard]] const float* z() const { return z_.data(); }
    [[nodiscard]] float generous() const { return generous_; }

    /// Some columns of cells along x, next to each other along y.
    struct Tile {
        std::size_t column, end;
    };
    /// Calls f(tile) for all tiles and adds up what it returns.
    template <class T, class F>
    [[nodiscard]] T sum_over_tiles(F&& f) const {
        T total{};
        for (const std::vector<Tile>& colour : colours_) {
            total += parallel_sum<T>(
                colour.size(),
                [&](std::size_t begin, std::size_t end) {
                    T sum{};
                    for (std::size_t k = begin; k < end; ++k) sum += f(colour[k]);
                    return sum;
                },
                tiles_per_task_);
        }
        return total;
    }

    /// An image of the particle of a row.
    struct Copy {
        double x, y, z;
        std::uint32_t row;
        std::uint32_t point;  ///< which point it is; before that is known, in which cell
    };
    /// Calls f(begin, end, images) for all rows in parts, and adds up what it returns.
    template <class T, class F>
    [[nodiscard]] T sum_over_rows(F&& f) const {
        return parallel_sum<T>(
            point_.size(),
            [&](std::size_t begin, std::size_t end) {
                const Part& part = parts_[begin / rows_per_part_];
                return f(begin, end,
                         std::span(copies_).subspan(part.first_image, part.images.size()));
            },
            rows_per_part_);
    }
    /// Which point the particle of a row is.
    [[nodiscard]] std::uint32_t point_of(std::size_t row) const { return point_[row]; }

    /// Points of a cell, and those of them and of the forward cells in five runs; what comes before
    /// a point is in none of its pairs.
    struct Run {
        std::uint32_t begin, end;
        std::uint32_t last;  ///< where the last cell of it begins
    };
    struct Near {
        Run own;
        Run runs[5];
    };
    [[nodiscard]] std::size_t cells() const { return count_[0]; }  ///< of a column: 1 .. cells()
    [[nodiscard]] Near near(std::size_t column, std::size_t cell) const {
        const std::size_t along_y = count_[0] + 2;
        const std::size_t along_z = along_y * (count_[1] + 2);
        const std::size_t at = first_cell(column) + cell;
        const auto three = [&](std::size_t middle) {
            return Run{start_[middle - 1], start_[middle + 2], start_[middle + 1]};
        };
        return {{start_[at], start_[at + 1], start_[at]},
                {{start_[at], start_[at + 2], start_[at + 1]},
                 three(at + along_y),
                 three(at + along_z - along_y),
                 three(at + along_z),
                 three(at + along_z + along_y)}};
    }

    /// Throws Error if two are at the same place: the slow look after a kernel saw something odd.
    void name_the_close(const PairEngine& engine) const;

private:
    // Some rows and their images.
    struct Part {
        std::size_t begin, end;
        std::vector<Copy> images;
        std::size_t first_image;                 // of all
        std::unique_ptr<std::uint32_t[]> tally;  // by cell: points, then where the next one goes
        std::vector<char> touched;               // layers of which the tally counts
    };
    [[nodiscard]] std::size_t columns() const { return count_[1] * count_[2]; }
    [[nodiscard]] std::size_t layer() const { return (count_[0] + 2) * (count_[1] + 2); }
    [[nodiscard]] std::size_t first_cell(std::size_t column) const {
        const std::size_t z = column / count_[1] + 1, y = column % count_[1] + 1;
        return (z * (count_[1] + 2) + y) * (count_[0] + 2);
    }
    void choose_grid(const Box& box, std::size_t n);
    void choose_tiles(const Box& box, std::size_t n);
    void make_parts(std::size_t n);
    [[nodiscard]] std::int32_t cell_along(double x, std::size_t k, bool image) const;
    std::uint32_t count(Part& part, const std::int32_t* at) const;
    void count_rows(Part& part, std::span<const Row> rows, const Box& box);
    void add_images(Part& part, std::uint32_t row, const Vec3& r, const std::int32_t* home,
                    const Box& box);
    void add_up();
    void order_points();

    double cutoff_;
    float generous_{0.0F};
    std::size_t count_[3]{};  // of cells that hold particles
    double inverse_width_[3]{};
    Vec3 brick_;
    std::vector<PairPoint> points_;
    std::vector<float> x_, y_, z_;
    std::vector<std::uint32_t> start_;  // by cell, images included, and the end
    std::vector<std::uint32_t> point_;  // by row; before that is known, the cell
    std::vector<Part> parts_;
    std::vector<Copy> copies_;          // images, in the order of parts
    std::vector<std::uint32_t> order_;  // by point: the row, or the number of rows and of the copy
    std::size_t rows_per_part_{0}, cells_of_tally_{0};
    std::vector<std::vector<Tile>> colours_;
    std::size_t tiled_[4]{};  // what the tiles are for: grid and rows that are abreast
    std::size_t tiles_per_task_{1};
    std::vector<std::uint32_t> by_cell_;  // rows
};

}  // namespace regrain::particles
