#pragma once

#include <array>
#include <span>

#include "regrain/base/export.hpp"
#include "regrain/base/table.hpp"
#include "regrain/particles/force_field.hpp"

/// The potentials as functions of one coordinate: what a user plots and fits is what runs.
namespace regrain::particles {

struct EnergySlope {
    double energy, slope;
};

/// Pair energy and du/dr at distance r > 0; zero at and beyond the cutoff. Throws Error below the
/// range of a table.
[[nodiscard]] REGRAIN_EXPORT EnergySlope evaluate(const PairPotential& potential, double r);

/// Bond energy and du/dr at length r. Throws Error for an overstretched FENE bond and outside of a
/// table.
[[nodiscard]] REGRAIN_EXPORT EnergySlope evaluate_bond(const BondPotential& potential, double r);
/// Angle energy and du/dtheta, theta in [0, pi], from the angle or, as some need no more, from its
/// cosine and sine.
[[nodiscard]] REGRAIN_EXPORT EnergySlope evaluate_angle(const AnglePotential& potential,
                                                        double theta);
[[nodiscard]] REGRAIN_EXPORT EnergySlope evaluate_angle(const AnglePotential& potential,
                                                        double cosine, double sine);
/// Dihedral energy and du/dphi; phi in [-pi, pi], 0 is cis (IUPAC).
[[nodiscard]] REGRAIN_EXPORT EnergySlope evaluate_dihedral(const DihedralPotential& potential,
                                                           double phi);

/// Energy of a triple, and its derivatives by r1, r2 and theta.
struct TripleValue {
    double energy;
    std::array<double, 3> slope;
};
/// At lengths r1 and r2 of the arms and the angle theta in [0, pi] between them.
[[nodiscard]] REGRAIN_EXPORT TripleValue evaluate(const TriplePotential& potential, double r1,
                                                  double r2, double theta);

/// Spline through values on [-pi, pi], both ends included and equal, with no kink where it closes.
[[nodiscard]] REGRAIN_EXPORT CubicTable periodic_table(std::span<const double> values);

}  // namespace regrain::particles
