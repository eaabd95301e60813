#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"

namespace regrain::particles {

/// Indices (h, k, l) of the reciprocal vectors 2 pi (h a* + k b* + l c*) with 0 < |q| <= q_max, one
/// of each pair q, -q, ordered by (k, l, h).
REGRAIN_EXPORT std::vector<std::array<std::int32_t, 3>> reciprocal_indices(const Box& box,
                                                                           double q_max);
/// The wave vector of indices.
REGRAIN_EXPORT Vec3 wave_vector(const Box& box, const std::array<std::int32_t, 3>& index);

/// Sum over particles of exp(i q r) for each index, an exact sum (no grid). The bits do not depend
/// on the number of threads.
REGRAIN_EXPORT std::vector<std::complex<double>> density_modes(
    std::span<const Vec3> positions, const Box& box,
    std::span<const std::array<std::int32_t, 3>> indices);

}  // namespace regrain::particles
