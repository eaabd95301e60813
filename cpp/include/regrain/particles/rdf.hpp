#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/cells.hpp"

namespace regrain::particles {

/// Counts distances between particles by pair of types, frame after frame. The counts are integers,
/// the same for any number of threads.
class REGRAIN_EXPORT PairHistogram {
public:
    using Exclusion = std::pair<std::uint32_t, std::uint32_t>;

    /// `types` per particle, in [0, n_types). Bin k holds distances in [k, k + 1) r_max / bins.
    /// Excluded pairs, with all their images, are left out.
    PairHistogram(std::span<const std::int32_t> types, std::size_t n_types, double r_max,
                  std::size_t bins, std::span<const Exclusion> exclusions = {});

    [[nodiscard]] std::size_t bins() const { return bins_; }
    [[nodiscard]] std::size_t n_types() const { return n_types_; }

    /// Ordered pairs of a frame by (type of the one, type of the other, bin), n_types^2 * bins
    /// numbers: a pair of one type counts twice, a mixed one in both (a, b) and (b, a). Throws
    /// Error where r_max exceeds half the smallest height of the box, where images would mix.
    void count(std::span<const Vec3> positions, const Box& box, std::span<std::uint64_t> counts);

private:
    void add(std::uint32_t i, const Cells::Neighbors& near, std::span<const std::uint32_t> bin,
             std::uint64_t* n) const;

    std::vector<std::int32_t> types_;
    std::size_t n_types_;
    double r_max_;
    std::size_t bins_;
    std::vector<std::uint32_t> first_excluded_, excluded_;  // partners of particle i, both ways
    Cells cells_;
    std::vector<std::uint32_t> row_of_point_;  // type * bins of each point of the cells
};

/// Throws Error unless no particle can be within r_max of two images of another.
REGRAIN_EXPORT void require_single_images(double r_max, const Box& box);

}  // namespace regrain::particles
