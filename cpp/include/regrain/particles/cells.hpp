#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/vec3.hpp"

namespace regrain::particles {

/// How many lattice vectors a, b, c are added to a position.
using Image = std::array<std::int32_t, 3>;

inline Vec3 lattice_vector(const Box& box, const Image& n) {
    return box.cartesian(
        {static_cast<double>(n[0]), static_cast<double>(n[1]), static_cast<double>(n[2])});
}

/// Folds r by lattice vectors into the brick [0, ax) x [0, by) x [0, cz); the result is
/// r + image * vectors. For lattice vectors in lower-triangular form the brick holds each particle
/// exactly once, skewed or not, which is why nothing that follows has to know about angles.
REGRAIN_EXPORT Vec3 fold_into_brick(const Box& box, const Vec3& r, Image& image);

/// The points of a periodic box and every periodic image within `reach` of its brick, in the order
/// of space: columns along x, each cut into bins. All points within the reach of a position are
/// then a few contiguous runs. Boxes of any shape and size, also smaller than the reach.
///
/// A "point" is one entry of x(), y(), z(): positions[particle] + image * vectors.
class REGRAIN_EXPORT Cells {
public:
    explicit Cells(double reach);
    Cells(std::span<const Vec3> positions, const Box& box, double reach);

    /// Sorts anew (another frame), in the memory of the last one. Throws Error naming the particle
    /// for positions that are not finite.
    void assign(std::span<const Vec3> positions, const Box& box);

    [[nodiscard]] double reach() const { return reach_; }
    /// Number of particles, and of points: particles with all their images.
    [[nodiscard]] std::size_t size() const { return reals_.size(); }
    [[nodiscard]] std::size_t points() const { return points_; }

    [[nodiscard]] std::span<const double> x() const { return {x_.data(), points()}; }
    [[nodiscard]] std::span<const double> y() const { return {y_.data(), points()}; }
    [[nodiscard]] std::span<const double> z() const { return {z_.data(), points()}; }
    [[nodiscard]] std::span<const std::uint32_t> particle() const { return particle_; }
    [[nodiscard]] std::span<const Image> image() const { return image_; }
    [[nodiscard]] Vec3 point(std::size_t p) const { return {x_[p], y_[p], z_[p]}; }
    /// The point in the brick of each particle, in the order of space.
    [[nodiscard]] std::span<const std::uint32_t> reals() const { return reals_; }

    /// Points around one point; memory that a loop reuses.
    struct Neighbors {
        std::vector<std::uint32_t> point;
        std::vector<double> r2;
        std::size_t count{0};
    };
    /// Finds all points closer than cutoff <= reach to a position in the brick, itself included
    /// where it is a point.
    void around(const Vec3& position, double cutoff, Neighbors& found) const;

    /// Copies of the points that may be within the cutoff of a small region, which `filter` goes
    /// through: a few particles close to each other share one such search.
    struct Candidates {
        struct alignas(64) Lane {
            double v[8];
        };
        std::vector<Lane> x, y, z;  ///< `count` coordinates, where aligned vectors can be read
        std::vector<std::uint32_t> point;
        std::size_t count{0};
    };
    void gather(const Vec3& low, const Vec3& high, double cutoff, Candidates& found) const;

    /// Finds those closer than the cutoff to r, but `self`. Returns how many; `point` and, unless
    /// it is null, `r2` need room for `room(candidates)`.
    static std::size_t filter(const Candidates& candidates, const Vec3& r, std::uint32_t self,
                              double cutoff, std::uint32_t* point, double* r2);
    static std::size_t room(const Candidates& candidates) { return candidates.count + 8; }

    /// How many of the particles from reals()[begin] on, up to reals()[end], are close enough to
    /// share one search, and the corners of their region.
    struct Group {
        std::size_t end;
        Vec3 low, high;
    };
    [[nodiscard]] Group group(std::size_t begin, std::size_t end) const;

    /// Calls f(point, const Neighbors&) for the particles reals()[begin] .. reals()[end - 1] with
    /// all points closer than the cutoff to each, but itself.
    template <class F>
    void for_neighborhoods(std::size_t begin, std::size_t end, double cutoff, F&& f) const {
        Candidates candidates;
        Neighbors near;
        while (begin < end) {
            const Group together = group(begin, end);
            gather(together.low, together.high, cutoff, candidates);
            if (near.point.size() < room(candidates)) {
                near.point.resize(room(candidates));
                near.r2.resize(room(candidates));
            }
            for (; begin < together.end; ++begin) {
                const std::uint32_t p = reals_[begin];
                near.count =
                    filter(candidates, point(p), p, cutoff, near.point.data(), near.r2.data());
                f(p, static_cast<const Neighbors&>(near));
            }
        }
    }

    /// Two particles and the vector from i to the image of j, shorter than the cutoff.
    struct Pair {
        std::uint32_t i, j;
        Vec3 d;
        double r2;
    };

    /// Sum over chunks of particles, in parallel and with the same bits on any number of threads,
    /// of what f(T& sum, const Pair&) adds up. Each pair of images is seen once, with i < j, or
    /// i == j for a particle and its own image.
    template <class T, class F>
    [[nodiscard]] T sum_pairs(double cutoff, F&& f, std::size_t chunk = 512) const {
        return sum_neighborhoods<T>(
            cutoff,
            [&](T& sum, std::uint32_t p, const Neighbors& near) {
                for (std::size_t k = 0; k < near.count; ++k) {
                    const std::uint32_t q = near.point[k];
                    if (first_of_two(p, q)) {
                        f(sum, Pair{particle_[p], particle_[q], point(q) - point(p), near.r2[k]});
                    }
                }
            },
            chunk);
    }

    /// The same for whole neighbourhoods: f(T& sum, point, const Neighbors&) is called once per
    /// particle with its point and all points closer than the cutoff but itself.
    template <class T, class F>
    [[nodiscard]] T sum_neighborhoods(double cutoff, F&& f, std::size_t chunk = 512) const {
        return parallel_sum<T>(
            size(),
            [&](std::size_t begin, std::size_t end) {
                T sum{};
                for_neighborhoods(begin, end, cutoff,
                                  [&](std::uint32_t p, const Neighbors& near) { f(sum, p, near); });
                return sum;
            },
            chunk);
    }

    /// Of the two ways to see a pair, p (in the brick) to q and the image of that, picks one.
    [[nodiscard]] bool first_of_two(std::uint32_t p, std::uint32_t q) const {
        if (particle_[p] != particle_[q]) return particle_[p] < particle_[q];
        return image_[p] < image_[q];
    }

private:
    void choose_grid(std::size_t n, const Box& box);
    [[nodiscard]] std::size_t bin(const Vec3& r) const;
    void check_cutoff(double cutoff) const;

    // A point on its way into the order of space.
    struct Found {
        Vec3 r;
        std::uint32_t particle, bin;
        Image image;
    };
    // Appends a particle and its images.
    void add_images(const Vec3& position, std::uint32_t particle, const Box& box,
                    std::vector<Found>& found) const;

    double reach_;
    // Bins: `columns_` along y and z, each of `bins_` along x; start_[bin] .. start_[bin + 1].
    Vec3 origin_, inverse_width_, width_;
    std::size_t bins_{1};
    std::array<std::size_t, 2> columns_{1, 1};
    std::vector<std::uint32_t> start_;
    std::size_t points_{0};
    std::vector<double> x_, y_, z_;  // longer than points_ by what a vector may read over
    std::vector<std::uint32_t> particle_, reals_;
    std::vector<Image> image_;
    std::vector<std::vector<Found>> found_;  // per chunk of particles; kept for its memory
    std::vector<std::uint32_t> bin_of_;      // kept for its memory
};

}  // namespace regrain::particles
