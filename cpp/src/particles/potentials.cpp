#include "regrain/particles/potentials.hpp"

#include <cmath>
#include <numbers>
#include <string>

#include "pair_forms.hpp"
#include "regrain/base/error.hpp"

namespace regrain::particles {

namespace {

constexpr double pi = std::numbers::pi;

// Distance on the circle, in [-pi, pi].
double periodic_difference(double phi, double phi0) { return std::remainder(phi - phi0, 2.0 * pi); }

[[noreturn]] void outside(const CubicTable& table, const char* what, double x) {
    throw Error(std::string(what) + " of " + std::to_string(x) + " is outside of its table, " +
                std::to_string(table.x_min()) + " to " + std::to_string(table.x_max()) +
                "; extend the table or use a smaller time step");
}

EnergySlope from_table(const CubicTable& table, double x) {
    const CubicTable::Value value = table(x);
    return {value.u, value.slope};
}

struct Pair {
    double r;
    EnergySlope operator()(const TabulatedPair& p) const {
        if (r >= p.table.x_max()) return {0.0, 0.0};
        if (r < p.table.x_min()) outside(p.table, "a distance", r);
        return from_table(p.table, r);
    }
    EnergySlope operator()(const Soft& p) const {
        const double rest = 1.0 - r / p.cutoff;
        if (!(rest > 0.0)) return {0.0, 0.0};
        return {0.5 * p.a * p.cutoff * rest * rest, -p.a * rest};
    }
    template <class Analytic>
    EnergySlope operator()(const Analytic& p) const {
        if (r >= p.cutoff) return {0.0, 0.0};
        const EnergySlope value = bare(p, r);
        const AtCutoff end = at_cutoff(p);
        return {value.energy - end.energy + end.slope * r, value.slope + end.slope};
    }
};

EnergySlope harmonic(const Harmonic& p, double dx) { return {0.5 * p.k * dx * dx, p.k * dx}; }

struct Bond {
    double r;
    EnergySlope operator()(const Harmonic& p) const { return harmonic(p, r - p.x0); }
    EnergySlope operator()(const Fene& p) const {
        const double s = r / p.r_max;
        if (!(s < 1.0)) {
            throw Error("a FENE bond of length " + std::to_string(r) +
                        " is longer than its limit " + std::to_string(p.r_max) +
                        "; start from shorter bonds or use a smaller time step");
        }
        const double rest = 1.0 - s * s;
        return {-0.5 * p.k * p.r_max * p.r_max * std::log(rest), p.k * r / rest};
    }
    EnergySlope operator()(const TabulatedBonded& p) const {
        if (!(r >= p.table.x_min() && r <= p.table.x_max())) outside(p.table, "a bond length", r);
        return from_table(p.table, r);
    }
};

struct Angle {
    double cosine, sine;
    [[nodiscard]] double theta() const { return std::atan2(sine, cosine); }
    EnergySlope operator()(const Harmonic& p) const { return harmonic(p, theta() - p.x0); }
    EnergySlope operator()(const CosineSquared& p) const {
        const double d = cosine - std::cos(p.theta0);
        return {0.5 * p.k * d * d, -p.k * d * sine};
    }
    EnergySlope operator()(const TabulatedBonded& p) const { return from_table(p.table, theta()); }
};

struct Dihedral {
    double phi;
    EnergySlope operator()(const Harmonic& p) const {
        return harmonic(p, periodic_difference(phi, p.x0));
    }
    EnergySlope operator()(const Periodic& p) const {
        const double n = p.n;
        return {p.k * (1.0 + std::cos(n * phi - p.phi0)), -p.k * n * std::sin(n * phi - p.phi0)};
    }
    EnergySlope operator()(const Fourier& p) const {
        EnergySlope sum{0.0, 0.0};
        for (std::size_t i = 0; i < p.k.size(); ++i) {
            const EnergySlope term = (*this)(Periodic{p.k[i], p.phi0[i], static_cast<int>(i) + 1});
            sum.energy += term.energy;
            sum.slope += term.slope;
        }
        return sum;
    }
    EnergySlope operator()(const TabulatedBonded& p) const { return from_table(p.table, phi); }
};

}  // namespace

EnergySlope evaluate(const PairPotential& potential, double r) {
    return std::visit(Pair{r}, potential);
}
EnergySlope evaluate_bond(const BondPotential& potential, double r) {
    return std::visit(Bond{r}, potential);
}
EnergySlope evaluate_angle(const AnglePotential& potential, double cosine, double sine) {
    return std::visit(Angle{cosine, sine}, potential);
}
EnergySlope evaluate_angle(const AnglePotential& potential, double theta) {
    return evaluate_angle(potential, std::cos(theta), std::sin(theta));
}
EnergySlope evaluate_dihedral(const DihedralPotential& potential, double phi) {
    return std::visit(Dihedral{phi}, potential);
}

TripleValue evaluate(const TriplePotential& potential, double r1, double r2, double theta) {
    const auto phi = [](const TriplePotential::Arm& arm, double r) -> EnergySlope {
        if (!(r < arm.r_max)) return {0.0, 0.0};
        const double gap = r - arm.r_max;
        const double value = std::exp(arm.decay / gap);
        return {value, -arm.decay / (gap * gap) * value};
    };
    const EnergySlope a = phi(potential.arms[0], r1);
    const EnergySlope b = phi(potential.arms[1], r2);
    const EnergySlope f = std::visit(Angle{std::cos(theta), std::sin(theta)}, potential.angle);
    return {f.energy * (a.energy * b.energy),
            {f.energy * a.slope * b.energy, f.energy * a.energy * b.slope,
             f.slope * a.energy * b.energy}};
}

CubicTable periodic_table(std::span<const double> values) {
    const std::size_t n = values.size() < 2 ? 0 : values.size() - 1;  // distinct points
    if (n < 3) {
        throw Error("a periodic table needs at least 4 points, got " +
                    std::to_string(values.size()));
    }
    if (std::abs(values[n] - values[0]) > 1e-9 * (std::abs(values[n]) + std::abs(values[0]))) {
        throw Error("a periodic table starts with " + std::to_string(values[0]) +
                    " and ends with " + std::to_string(values[n]) +
                    "; -pi and pi are the same angle, give equal values");
    }
    const double dx = 2.0 * pi / static_cast<double>(n);
    // Slopes d of the periodic spline: d[i-1] + 4 d[i] + d[i+1] = 3 (y[i+1] - y[i-1]) / dx. The
    // matrix is circulant and its inverse decays by 2 - sqrt(3) per point: a sum over distances is
    // exact and short.
    const double q = std::sqrt(3.0) - 2.0;
    const double turn = 1.0 - std::pow(q, static_cast<double>(n));
    std::vector<double> weight(n);
    for (std::size_t m = 0; m < n; ++m) {
        const auto distance = static_cast<double>(m);
        weight[m] = (std::pow(q, distance) + std::pow(q, static_cast<double>(n) - distance)) /
                    (turn * 2.0 * std::sqrt(3.0));
    }
    std::vector<double> slopes(n + 1, 0.0);
    for (std::size_t m = 0; m < n; ++m) {
        if (std::abs(weight[m]) < 1e-20) continue;
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t j = (i + m) % n;
            slopes[i] += weight[m] * 3.0 * (values[(j + 1) % n] - values[(j + n - 1) % n]) / dx;
        }
    }
    slopes[n] = slopes[0];
    return CubicTable::hermite(-pi, pi, values, slopes);
}

}  // namespace regrain::particles
