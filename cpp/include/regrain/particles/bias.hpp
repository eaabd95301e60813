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

struct BiasSums {
    double energy{0.0};
    double power{0.0};  ///< rate of the work that its change in time does on the particles
    std::array<double, 6> virial{};
    std::vector<double> values;  ///< of the collective variables
};

/// Potentials of collective variables. The virial holds all of them but places in the cell, which
/// are external fields: see ExternalForces.
class REGRAIN_EXPORT BiasForces {
public:
    /// Throws Error for particles that are not there, groups of a wrong number, formulas that are
    /// none.
    BiasForces(const ForceField& field, std::size_t particles);
    ~BiasForces();
    BiasForces(BiasForces&&) noexcept;
    BiasForces& operator=(BiasForces&&) noexcept;

    [[nodiscard]] bool empty() const;
    /// Whether nothing pushes along x, y and z.
    [[nodiscard]] std::array<bool, 3> keeps_momentum() const;

    /// Adds forces to the rows. Throws Error naming the variable where it is not defined or the
    /// energy is not a number.
    BiasSums compute(const Present& now, std::span<Vec3> forces);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace regrain::particles
