#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "regrain/base/export.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/force_field.hpp"
#include "regrain/particles/motion.hpp"

namespace regrain::particles {

/// What a field from outside does to all particles together.
struct ExternalSums {
    double energy{0.0};  ///< none of a force that was given as such
    double power{0.0};   ///< rate at which it does work on the particles: of an energy by its
                         ///< change in time, of a force by their motion
    Vec3 force{};        ///< on all of them
    ExternalSums& operator+=(const ExternalSums& o) {
        energy += o.energy;
        power += o.power;
        force += o.force;
        return *this;
    }
};

/// Fields of the place in the cell [0, 1)^3 of the box: where an energy differs at opposite faces
/// it jumps there, and no force tells. They have no part in the virial: the pressure is what the
/// particles do to each other, which is what they do to the walls that hold them.
class REGRAIN_EXPORT ExternalForces {
public:
    /// Throws Error for formulas that are none.
    explicit ExternalForces(const ForceField& field);
    ~ExternalForces();
    ExternalForces(ExternalForces&&) noexcept;
    ExternalForces& operator=(ExternalForces&&) noexcept;

    [[nodiscard]] bool empty() const;
    /// Whether nothing pushes along x, y and z.
    [[nodiscard]] std::array<bool, 3> keeps_momentum() const;

    /// Adds forces to the rows, which hold all others, and returns sums for each term. Throws Error
    /// naming particle, place and term for a number that is not finite.
    std::vector<ExternalSums> compute(const Present& now, std::span<Vec3> forces);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace regrain::particles
