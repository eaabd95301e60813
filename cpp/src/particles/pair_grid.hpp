// The order of space in which the pair engine keeps its rows, and a search over it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// Rows that share a list in mixed precision: consecutive ones, which in the order of space are
/// close together.
inline constexpr std::size_t group_size = 4;

/// The points of a brick with the images around it, in columns along x that are cut into bins: what
/// is within reach of a few rows are a few contiguous runs. Like Cells, but in single precision and
/// of the rows of an engine, which are sorted already.
class PairGrid {
public:
    explicit PairGrid(double reach) : reach_(reach) {}

    [[nodiscard]] double reach() const { return reach_; }
    /// How far around the brick images count.
    [[nodiscard]] double margin() const { return reach_ * (1.0 + 1e-9); }

    /// Cuts the brick of n particles. Throws Error where there are too many images.
    void cut(std::size_t n, const Box& box);

    /// The place of a position of the brick in the order of space: columns side by side, run
    /// through to and fro so that neighbours in the order are neighbours in space, in tiles that a
    /// cache holds with their surroundings.
    [[nodiscard]] std::uint32_t key(const Vec3& r) const;
    /// order[k] is the number of the k-th of the keys; equal ones keep their order.
    void order(std::span<const std::uint32_t> keys, std::vector<std::uint32_t>& order);

    /// Takes the points: rows, of particles and images.
    void assign(std::span<const Row> rows);

    struct Range {
        std::int32_t first, last;
    };
    /// Bins of a few rows.
    struct Region {
        Range x, y, z;
    };

    struct Corners {
        Vec3 low, high;
    };

    // What the search of pair_search.cpp reads.
    [[nodiscard]] static Corners corners(std::span<const Row> rows);
    [[nodiscard]] Region region(const Corners& corners) const;
    /// A place from the middle of the brick, and from some other place.
    [[nodiscard]] std::array<float, 3> place(const Vec3& r,
                                             const std::array<float, 3>& from = {}) const {
        return {static_cast<float>(r.x - middle_.x - from[0]),
                static_cast<float>(r.y - middle_.y - from[1]),
                static_cast<float>(r.z - middle_.z - from[2])};
    }
    /// The reach, a little longer than rounding makes distances in single precision.
    [[nodiscard]] float sure_reach() const { return sure_reach_; }

    /// Arrays are this much longer than there are points, as whole vectors are read.
    static constexpr std::size_t overread = 16;

    struct Layout {
        const float *x, *y, *z;
        const std::uint32_t* row;
        const std::uint32_t* start;  ///< of each bin; bins of a column follow each other
        std::array<std::int32_t, 3> bins;
        std::int32_t far;          ///< columns further apart than this hold nothing within reach
        const std::int32_t* half;  ///< bins along x within reach, by distance of columns in y and z
    };
    [[nodiscard]] Layout layout() const {
        return {x_.data(),     y_.data(), z_.data(), row_.data(),
                start_.data(), bins_,     far_,      half_.data()};
    }

private:
    // Beyond the ends counts as at the end.
    [[nodiscard]] std::array<std::uint32_t, 3> bin(const Vec3& r) const {
        const auto along = [](double s, std::int32_t count) {
            const double last = count - 1;
            return static_cast<std::uint32_t>(
                static_cast<std::int32_t>(s < 0.0 ? 0.0 : (s > last ? last : s)));
        };
        return {along((r.x - origin_.x) * inverse_width_.x, bins_[0]),
                along((r.y - origin_.y) * inverse_width_.y, bins_[1]),
                along((r.z - origin_.z) * inverse_width_.z, bins_[2])};
    }
    void count(std::span<const std::uint32_t> keys, std::size_t bins);

    double reach_;
    float sure_reach_{0.0F};
    Vec3 origin_, middle_, inverse_width_;
    std::array<std::int32_t, 3> bins_{1, 1, 1};
    std::array<std::uint32_t, 2> tile_{1, 1};  ///< bins along x and columns along y of a tile
    std::array<std::uint32_t, 2> tiles_{1, 1};
    std::int32_t far_{0};
    std::vector<std::int32_t> half_;
    std::vector<std::uint32_t> start_, key_, row_;
    std::vector<float> x_, y_, z_;
};

}  // namespace regrain::particles
