#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "regrain/base/export.hpp"
#include "regrain/lattice/model.hpp"

namespace regrain::lattice {

/// Sums over all clusters of each coupling, for states one after the other: out has a number for
/// each state and term. The same bits on any number of threads.
REGRAIN_EXPORT void cluster_sums(const Model& model, std::span<const std::int8_t> values,
                                 std::span<double> out);
REGRAIN_EXPORT void cluster_sums(const Model& model, std::span<const double> angles,
                                 std::span<double> out);

}  // namespace regrain::lattice
