#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/force_field.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// Forces of three particles in space, on the rows of a pair engine and from its neighbour lists:
/// every image within reach is an arm, so any box is right.
///
/// A chunk of centres adds the forces on the ends to places of its own, and each particle then adds
/// up its places in the order of the chunks: no write conflicts, the same bits for any number of
/// threads.
class REGRAIN_EXPORT TripleForces {
public:
    /// `skin` is that of the engine. Throws Error for a term that is given twice.
    TripleForces(const ForceField& field, double skin);
    ~TripleForces();
    TripleForces(TripleForces&&) noexcept;
    TripleForces& operator=(TripleForces&&) noexcept;

    [[nodiscard]] bool empty() const;

    /// Adds forces to the rows; refresh the engine before. Throws Error naming ids for an end at
    /// the place of its centre.
    Sums compute(const PairEngine& engine, std::span<Vec3> forces);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace regrain::particles
