// The parts of the neighbour search that depend on the instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "regrain/particles/cells.hpp"

namespace regrain::particles {

/// A contiguous run of points.
struct SearchRun {
    std::uint32_t begin, end;
};
inline constexpr std::size_t max_runs = 64;

/// Arrays of points are this much longer than the points, as whole vectors are read.
inline constexpr std::size_t overread = 8;

struct PointArrays {
    const double *x, *y, *z;
};

/// Appends the points of the runs to the candidates.
void copy_runs(std::span<const SearchRun> runs, const PointArrays& points,
               Cells::Candidates& candidates);

/// Cells::filter.
std::size_t filter_candidates(const Cells::Candidates& candidates, const Vec3& r,
                              std::uint32_t self, double cutoff2, std::uint32_t* point, double* r2);

}  // namespace regrain::particles
