#include "screen.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../base/messages.hpp"

namespace regrain::particles {

namespace {

// erf(x) / x and its derivative by x^2 times 2.
Screen::Value cloud(double x) {
    constexpr double two_over_root_pi = 2.0 * std::numbers::inv_sqrtpi;
    const double x2 = x * x;
    if (x2 < 1e-2) {  // the series: the difference below loses its digits
        double energy = 0.0;
        double slope = 0.0;
        double power = 1.0;  // (-x^2)^n / n!
        for (int n = 0; n < 8; ++n) {
            energy += power / (2 * n + 1);
            slope -= 2.0 * power / (2 * n + 3);
            power *= -x2 / (n + 1);
        }
        return {two_over_root_pi * energy, two_over_root_pi * slope};
    }
    const double energy = std::erf(x) / x;
    return {energy, (two_over_root_pi * std::exp(-x2) - energy) / x2};
}

}  // namespace

Screen::Screen(const Charges& charges) : cutoff_(charges.cutoff()) {
    require(positive(cutoff_), "the cutoff of charges must be positive", cutoff_);
    if (const auto* ewald = std::get_if<Ewald>(&charges.method)) {
        const double e = ewald->accuracy;
        require(e >= 1e-13 && e <= 0.1, "the accuracy of Ewald's sum must be from 1e-13 to 0.1", e);
        // The rms error of a force by what is left out beyond the cutoff is, over that of two
        // charges at their mean distance d, 2 sqrt(d / rc) exp(-(alpha rc)^2) (Kolafa and Perram,
        // Mol. Simul. 9, 351 (1992)). Half of the accuracy goes to it, for d = rc at most.
        alpha_ = std::sqrt(std::log(4.0 / e)) / cutoff_;
        fit(1e-3 * e);
        return;
    }
    const double ratio = std::get<ReactionField>(charges.method).permittivity;
    require(ratio >= 1.0,
            "the permittivity of a reaction field, relative to that inside, is 1 or "
            "more (infinite for a conductor)",
            ratio);
    const double inverse = 1.0 / ratio;
    k_ = (1.0 - inverse) / (2.0 + inverse) / (cutoff_ * cutoff_ * cutoff_);
    c_ = 3.0 / (2.0 + inverse) / cutoff_;
    energy_ = {-k_ / scale(), c_ - k_ / scale()};
    slope_ = {-2.0 * k_};
    pad();
}

Screen::Value Screen::operator()(double r2) const {
    if (alpha_ > 0.0) {
        const Value v = cloud(alpha_ * std::sqrt(r2));
        return {alpha_ * v.energy, alpha_ * alpha_ * alpha_ * v.slope};
    }
    if (r2 >= cutoff_ * cutoff_) return {0.0, 0.0};
    return {c_ - k_ * r2, -2.0 * k_};
}

// Chebyshev's polynomials up to where their coefficients do not matter any more: those of an
// entire function vanish faster than any power.
void Screen::fit(double tolerance) {
    constexpr std::size_t nodes = 64;
    std::vector<double> value(nodes);
    const auto angle = [](std::size_t k) {
        return std::numbers::pi * (static_cast<double>(k) + 0.5) / nodes;
    };
    for (std::size_t k = 0; k < nodes; ++k) {
        value[k] = (*this)((std::cos(angle(k)) + 1.0) / scale()).energy;
    }
    std::vector<double> chebyshev(nodes);
    for (std::size_t n = 0; n < nodes; ++n) {
        for (std::size_t k = 0; k < nodes; ++k) {
            chebyshev[n] += value[k] * std::cos(static_cast<double>(n) * angle(k)) * 2.0 / nodes;
        }
    }
    chebyshev[0] *= 0.5;
    // The slope of the n-th is at most n^2, and once small they fall ever faster, down to rounding
    // errors that must not be taken for more.
    const double limit = std::max(tolerance, 2e-12) * chebyshev[0];
    std::size_t last = 2;
    const auto matters = [&](std::size_t n) {
        return std::abs(chebyshev[n]) * static_cast<double>(n * n) > limit;
    };
    while (last + 2 < nodes && matters(last + 1)) ++last;
    // Their powers of t, by T(n+1) = 2 t T(n) - T(n-1).
    std::vector<double> power(last + 1);
    std::vector<double> before(last + 1);
    std::vector<double> now(last + 1);
    before[0] = now[1] = 1.0;
    power[0] = chebyshev[0];
    for (std::size_t n = 1; n <= last; ++n) {
        for (std::size_t k = 0; k <= n; ++k) power[k] += chebyshev[n] * now[k];
        std::vector<double> next(last + 1);
        for (std::size_t k = 0; k <= last; ++k) {
            next[k] = (k > 0 ? 2.0 * now[k - 1] : 0.0) - before[k];
        }
        before = std::move(now);
        now = std::move(next);
    }
    energy_.assign(power.rbegin(), power.rend());
    for (std::size_t k = last; k > 0; --k) {
        slope_.push_back(2.0 * scale() * static_cast<double>(k) * power[k]);
    }
    pad();
}

void Screen::pad() {
    for (auto* powers : {&energy_, &slope_}) {
        while (powers->size() % 4 != 0) powers->insert(powers->begin(), 0.0);
    }
}

}  // namespace regrain::particles
