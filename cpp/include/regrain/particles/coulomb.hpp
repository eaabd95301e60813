#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "regrain/base/box.hpp"
#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/force_field.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// What charges do besides the pairs within the cutoff, which the pair engine sums: Ewald's
/// reciprocal sum and its background, each charge in the field of its own cloud (or of the medium
/// that it polarises), and what of all that acts between excluded pairs.
///
/// The reciprocal sum is one over wave vectors, with a cutoff that grows like N^(1/6) of cost
/// N^(3/2), or on a mesh (smooth particle-mesh Ewald), of cost N log N. Which of them, how many
/// waves and how fine a mesh follow from the box and hold no state.
class REGRAIN_EXPORT CoulombForces {
public:
    /// Throws Error for settings that are none, and for a total charge without a background.
    CoulombForces(const ForceField& field, std::size_t particles);
    ~CoulombForces();
    CoulombForces(CoulombForces&&) noexcept;
    CoulombForces& operator=(CoulombForces&&) noexcept;

    [[nodiscard]] bool empty() const { return impl_ == nullptr; }

    /// Adds forces to the rows of the engine, returns energy (`charge`) and virial. Of an excluded
    /// pair it is the nearest images that do not feel each other. The bits do not depend on the
    /// number of threads. Energy and virial of a mesh are there only if they are asked for.
    Sums compute(const PairEngine& engine, std::span<Vec3> forces, bool with_sums = true);

    /// The sum of the forces that were added last: that of a mesh is as large as its errors are,
    /// else zero but for roundings.
    [[nodiscard]] Vec3 push() const;

    /// Of Ewald's sum in this box: the decay of clouds, exp(-alpha^2 r^2), and either the longest
    /// wave number and how many of the wave vectors q, -q are summed, or the order of the splines
    /// and the points of the mesh. Zeros for a reaction field.
    struct Resolution {
        double alpha{0.0}, q_max{0.0};
        std::size_t wave_vectors{0}, order{0};
        std::array<std::size_t, 3> points{};
    };
    [[nodiscard]] Resolution resolution(const Box& box) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace regrain::particles
