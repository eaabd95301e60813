#include "bonded_parameters.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

namespace regrain::particles {

namespace {

/// What the kernel of a potential reads: rows of four numbers, and which kernel it is.
struct Compiled {
    BondedKind kind;
    std::vector<Quad> rows;
    const CubicTable* table{nullptr};
};

Compiled from_table(BondedKind kind, const CubicTable& table) {
    // The first row is set when it is known.
    const Quad grid{{1.0 / table.spacing(), table.x_min() / table.spacing() + 0.5, 0.0,
                     static_cast<double>(table.rows().size())}};
    return {kind, {grid}, &table};
}

struct OfBond {
    Compiled operator()(const Harmonic& p) const {
        return {BondedKind::harmonic_bond, {{{p.k, p.x0, 0.0, 0.0}}}};
    }
    Compiled operator()(const Fene& p) const {
        const double r2 = p.r_max * p.r_max;
        return {BondedKind::fene_bond, {{{p.k, 1.0 / r2, -0.5 * p.k * r2, 0.0}}}};
    }
    Compiled operator()(const TabulatedBonded& p) const {
        return from_table(BondedKind::table_bond, p.table);
    }
};

struct OfAngle {
    Compiled operator()(const Harmonic& p) const {
        return {BondedKind::harmonic_angle, {{{p.k, p.x0, 0.0, 0.0}}}};
    }
    Compiled operator()(const CosineSquared& p) const {
        return {BondedKind::cosine_angle, {{{p.k, std::cos(p.theta0), 0.0, 0.0}}}};
    }
    Compiled operator()(const TabulatedBonded& p) const {
        return from_table(BondedKind::table_angle, p.table);
    }
};

// The number of a mode, a whole number of at least 1, is its place among the rows.
Compiled modes(std::span<const std::pair<double, double>> k_and_phase) {
    Compiled out{BondedKind::fourier_dihedral, {{{0.0, 0.0, 0.0, 0.0}}}};
    double n = 0.0;
    for (const auto& [k, phase] : k_and_phase) {
        n += 1.0;
        const double a = k * std::cos(phase), b = k * std::sin(phase);
        out.rows.front().v[0] += k;
        out.rows.push_back({{a, b, n * a, n * b}});
    }
    return out;
}

struct OfDihedral {
    Compiled operator()(const Harmonic& p) const {
        return {BondedKind::harmonic_dihedral, {{{p.k, p.x0, 0.0, 0.0}}}};
    }
    Compiled operator()(const Periodic& p) const {
        // cos(-n phi - phi0) = cos(n phi + phi0).
        std::vector<std::pair<double, double>> all(static_cast<std::size_t>(std::abs(p.n)));
        if (all.empty()) {
            Compiled constant = modes({});
            constant.rows.front().v[0] = p.k * (1.0 + std::cos(p.phi0));
            return constant;
        }
        all.back() = {p.k, p.n < 0 ? -p.phi0 : p.phi0};
        return modes(all);
    }
    Compiled operator()(const Fourier& p) const {
        std::vector<std::pair<double, double>> all;
        for (std::size_t k = 0; k < p.k.size(); ++k) all.emplace_back(p.k[k], p.phi0[k]);
        return modes(all);
    }
    Compiled operator()(const TabulatedBonded& p) const {
        return from_table(BondedKind::table_dihedral, p.table);
    }
};

/// The number within its group of a potential that is added to it.
std::uint32_t add(BondedGroup& group, const Compiled& compiled) {
    const auto number = static_cast<std::uint32_t>(group.parameters.size() / group.orders);
    group.parameters.insert(group.parameters.end(), compiled.rows.begin(), compiled.rows.end());
    if (compiled.table != nullptr) {
        group.parameters.back().v[2] =
            static_cast<double>(group.table_rows.size() + 1) + integer_in_bits<double>;
        append_centred(*compiled.table, group.table_rows);
    }
    return number;
}

template <std::size_t N, class Potential, class Compiler>
std::vector<BondedTermsOfGroup> by_kind(const BondedTerms<N, Potential>& kind,
                                        const Compiler& compile) {
    struct Place {
        std::size_t group;
        std::uint32_t number;
    };
    std::vector<BondedTermsOfGroup> groups;
    std::vector<Place> place;
    for (const Potential& potential : kind.potentials) {
        const Compiled compiled = std::visit(compile, potential);
        std::size_t g = 0;
        while (g < groups.size() && !(groups[g].group.kind == compiled.kind &&
                                      groups[g].group.orders == compiled.rows.size())) {
            ++g;
        }
        if (g == groups.size()) {
            groups.emplace_back();
            groups[g].group.kind = compiled.kind;
            groups[g].group.width = N;
            groups[g].group.orders = compiled.rows.size();
        }
        place.push_back({g, add(groups[g].group, compiled)});
    }
    for (std::size_t t = 0; t < kind.terms.size(); ++t) {
        const auto& term = kind.terms[t];
        const Place& at = place[term.potential];
        BondedTermsOfGroup& terms = groups[at.group];
        terms.particle.insert(terms.particle.end(), std::begin(term.particle),
                              std::end(term.particle));
        terms.potential.push_back(at.number);
        terms.given.push_back(static_cast<std::uint32_t>(t));
        ++terms.group.count;
    }
    std::erase_if(groups, [](const BondedTermsOfGroup& g) { return g.group.count == 0; });
    return groups;
}

}  // namespace

void BondedTermsOfGroup::sort(std::span<const std::uint32_t> row_of) {
    const std::size_t width = group.width;
    const auto row = [&](std::size_t term, std::size_t k) {
        return row_of[particle[term * width + k]];
    };
    // A counting sort by the row of a particle in the middle.
    std::vector<std::uint32_t> next(row_of.size() + 1, 0);
    for (std::size_t t = 0; t < group.count; ++t) ++next[row(t, (width - 1) / 2) + 1];
    std::partial_sum(next.begin(), next.end(), next.begin());
    order.resize(group.count);
    for (std::size_t t = 0; t < group.count; ++t) {
        order[next[row(t, (width - 1) / 2)]++] = static_cast<std::uint32_t>(t);
    }
    const std::size_t filled_up = group.blocks() * BondedGroup::block;
    group.potential.resize(filled_up);
    for (std::size_t k = 0; k < width; ++k) group.row[k].resize(filled_up);
    for (std::size_t s = 0; s < filled_up; ++s) {
        const std::size_t t = order[std::min(s, group.count - 1)];
        group.potential[s] = potential[t];
        for (std::size_t k = 0; k < width; ++k) group.row[k][s] = row(t, k);
    }
}

std::vector<BondedTermsOfGroup> grouped(const BondedTerms<2, BondPotential>& bonds) {
    return by_kind(bonds, OfBond{});
}
std::vector<BondedTermsOfGroup> grouped(const BondedTerms<3, AnglePotential>& angles) {
    return by_kind(angles, OfAngle{});
}
std::vector<BondedTermsOfGroup> grouped(const BondedTerms<4, DihedralPotential>& dihedrals) {
    return by_kind(dihedrals, OfDihedral{});
}

}  // namespace regrain::particles
