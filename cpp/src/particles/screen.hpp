// What charges feel of each other besides 1/r: two unit charges closer than the cutoff have the
// energy 1/r - S(r^2). For Ewald's sum S is erf(alpha r) / r, for a reaction field c - k r^2; both
// are smooth functions of r^2, so that the kernel knows one polynomial only.
#pragma once

#include <vector>

#include "regrain/particles/force_field.hpp"

namespace regrain::particles {

class Screen {
public:
    /// Throws Error for a cutoff, accuracy or permittivity that is none.
    explicit Screen(const Charges& charges);

    /// The cutoff, and how fast Ewald's clouds decay: exp(-alpha^2 r^2); 0 for a reaction field.
    [[nodiscard]] double cutoff() const { return cutoff_; }
    [[nodiscard]] double alpha() const { return alpha_; }

    /// S and 2 dS/d(r^2), exact, at any distance; zero for a reaction field beyond the cutoff.
    struct Value {
        double energy, slope;
    };
    [[nodiscard]] Value operator()(double r2) const;

    /// The same for the kernel, as polynomials of t = scale r^2 - 1 in [-1, 1], highest power
    /// first and a multiple of four of them. The slope is exactly that of the energy.
    [[nodiscard]] double scale() const { return 2.0 / (cutoff_ * cutoff_); }
    [[nodiscard]] const std::vector<double>& energy() const { return energy_; }
    [[nodiscard]] const std::vector<double>& slope() const { return slope_; }

private:
    void fit(double tolerance);
    void pad();

    double cutoff_, alpha_{0.0};
    double c_{0.0}, k_{0.0};  ///< of the reaction field
    std::vector<double> energy_, slope_;
};

}  // namespace regrain::particles
