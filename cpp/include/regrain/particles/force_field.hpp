#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "regrain/base/export.hpp"
#include "regrain/base/table.hpp"
#include "regrain/particles/external_laws.hpp"

/// What the particles do to each other: plain data, no state. Units are the caller's, consistent.
namespace regrain::particles {

/// What happens to a pair potential at its cutoff.
enum class Cutoff : std::uint8_t {
    cut,           ///< energy jumps to zero
    shifted,       ///< energy shifted to zero at the cutoff
    force_shifted  ///< energy and force go to zero at the cutoff
};

/// 4 eps ((sigma/r)^12 - (sigma/r)^6) for r < cutoff.
struct LennardJones {
    double epsilon, sigma, cutoff;
    Cutoff mode{Cutoff::cut};
};

/// A pair potential on a uniform grid of r; zero beyond x_max. A pair closer than x_min is an Error
/// (the table says nothing about it) that names both particles.
struct TabulatedPair {
    CubicTable table;
};

/// epsilon exp(-kappa r) / r for r < cutoff: charges in a salt solution.
struct Yukawa {
    double epsilon, kappa, cutoff;
    Cutoff mode{Cutoff::cut};
};

/// epsilon exp(-r^2 / (2 sigma^2)) for r < cutoff.
struct Gaussian {
    double epsilon, sigma, cutoff;
    Cutoff mode{Cutoff::cut};
};

/// a cutoff / 2 (1 - r / cutoff)^2 for r < cutoff: what is conservative in dissipative
/// particle dynamics (Groot and Warren, J. Chem. Phys. 107, 4423 (1997)).
struct Soft {
    double a, cutoff;
};

/// What the pair engine knows; each has a functor in src/particles/pair_functors.hpp.
using PairPotential = std::variant<LennardJones, TabulatedPair, Yukawa, Gaussian, Soft>;

/// The distance from which on a pair potential is zero.
REGRAIN_EXPORT double cutoff_of(const PairPotential& potential);

/// k/2 (x - x0)^2 of a bond length, an angle (radians), or an improper dihedral (radians,
/// periodic).
struct Harmonic {
    double k, x0;
};
/// -k/2 R^2 ln(1 - (r/R)^2) (Kremer and Grest, J. Chem. Phys. 92, 5057 (1990)); bonds only.
struct Fene {
    double k, r_max;
};
/// k/2 (cos theta - cos theta0)^2; angles only.
struct CosineSquared {
    double k, theta0;
};
/// k (1 + cos(n phi - phi0)); dihedrals only.
struct Periodic {
    double k, phi0;
    int n;
};
/// Sum over n = 1, 2, ... of k[n-1] (1 + cos(n phi - phi0[n-1])); dihedrals only.
struct Fourier {
    std::vector<double> k, phi0;
};
/// A table of the bond length, of the angle in [0, pi], or of the dihedral in [-pi, pi] (periodic).
struct TabulatedBonded {
    CubicTable table;
};

using BondPotential = std::variant<Harmonic, Fene, TabulatedBonded>;
using AnglePotential = std::variant<Harmonic, CosineSquared, TabulatedBonded>;
using DihedralPotential = std::variant<Harmonic, Periodic, Fourier, TabulatedBonded>;

/// All images of all charges, by Ewald's sum with conducting surroundings. `accuracy` is the rms
/// error of a force relative to that of two typical charges at the mean distance of charges.
struct Ewald {
    double cutoff, accuracy{1e-5};
    bool background{false};  ///< a uniform charge that makes the system neutral, if it is not
    /// Whether what is beyond the cutoff is summed on a mesh, or else wave by wave; by what costs
    /// less if nothing is said.
    std::optional<bool> mesh{};
};

/// Charges within the cutoff, and a medium beyond it whose permittivity is so many times that
/// inside (infinite: a conductor): q q' (1/r + k r^2 - c), zero at the cutoff
/// (Tironi, Sperb, Smith and van Gunsteren, J. Chem. Phys. 102, 5451 (1995)).
struct ReactionField {
    double cutoff, permittivity;
};

/// Charges of the particles, by id.
struct Charges {
    std::variant<Ewald, ReactionField> method;
    std::vector<double> values;
    double factor{1.0};  ///< energy times distance of two unit charges
    [[nodiscard]] double cutoff() const {
        return std::visit([](const auto& m) { return m.cutoff; }, method);
    }
};

template <std::size_t N, class Potential>
struct BondedTerms {
    struct Term {
        std::uint32_t particle[N];
        std::uint32_t potential;  ///< index into potentials
    };
    std::vector<Potential> potentials;
    std::vector<Term> terms;
};

/// Two particles that stay so far apart.
struct RigidBond {
    std::uint32_t i, j;
    double length;
};

/// The energy of two arms that meet in a particle: angle(theta) phi(r1) phi(r2), where phi(r) =
/// exp(decay / (r - r_max)) for r < r_max, else 0 (Stillinger and Weber, Phys. Rev. B 31, 5262
/// (1985)).
struct TriplePotential {
    struct Arm {
        double r_max, decay;
        bool operator==(const Arm&) const = default;
    };
    std::variant<CosineSquared, TabulatedBonded> angle;
    std::array<Arm, 2> arms;
};

/// Any particle of the type in the middle with any two others of the types of the ends. It is
/// given once, in either direction; arms[0] goes to the first end.
struct TripleTerm {
    std::array<std::uint32_t, 3> types;
    TriplePotential potential;
};

/// Pairs (i, j) with i < j, sorted, that feel their pair potential and each other's charges times
/// factors.
struct ScaledPairs {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    double pair_factor{1.0}, charge_factor{1.0};
};

/// The law on the level of particles for a given list of particles.
struct ForceField {
    std::size_t types{1};
    /// types x types, symmetric, row-major: index into pair_potentials, or -1 for "no interaction".
    std::vector<int> pair_of_types;
    std::vector<PairPotential> pair_potentials;
    BondedTerms<2, BondPotential> bonds;
    BondedTerms<3, AnglePotential> angles;
    BondedTerms<4, DihedralPotential> dihedrals;
    std::vector<RigidBond> rigid_bonds;
    std::vector<TripleTerm> triples;
    std::optional<Charges> charges;
    External external;
    Bias bias;
    /// Pairs (i, j) with i < j, sorted, that pair potentials and charges leave out; nor are they
    /// arms.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> exclusions;
    /// Those of them that act on each other in part, as 1-4 pairs do.
    ScaledPairs scaled_pairs;

    /// The largest cutoff of pairs and charges or length of an arm; 0 when there are none.
    [[nodiscard]] REGRAIN_EXPORT double cutoff() const;
};

}  // namespace regrain::particles
