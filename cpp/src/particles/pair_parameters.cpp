#include "pair_parameters.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <limits>
#include <variant>

#include "pair_forms.hpp"
#include "regrain/base/error.hpp"

namespace regrain::particles {

namespace {

// At a tenth of sigma the energy is 4e12 epsilon: no run comes there without having exploded.
constexpr double overlap_over_sigma = 0.1;

std::string name(std::size_t a, std::size_t b) {
    return "types " + std::to_string(a) + " and " + std::to_string(b);
}

struct Number {
    const char* name;
    double value;
    bool positive;
};

void check(const char* what, const std::string& who, std::initializer_list<Number> numbers) {
    for (const auto& [name, value, positive] : numbers) {
        if (std::isfinite(value) && (!positive || value > 0.0)) continue;
        throw Error(std::string(what) + " between " + who + ": " + name + " is " +
                    std::to_string(value) + ", expected a " + (positive ? "positive" : "finite") +
                    " number");
    }
}

void check(const LennardJones& p, const std::string& who) {
    check("Lennard-Jones", who,
          {{"epsilon", p.epsilon, false}, {"sigma", p.sigma, true}, {"cutoff", p.cutoff, true}});
}

void check(const Yukawa& p, const std::string& who) {
    check("Yukawa", who,
          {{"epsilon", p.epsilon, false}, {"kappa", p.kappa, false}, {"cutoff", p.cutoff, true}});
    if (p.kappa < 0.0) {
        throw Error("Yukawa between " + who + ": kappa is " + std::to_string(p.kappa) +
                    ", expected zero or a positive number");
    }
}

void check(const Gaussian& p, const std::string& who) {
    check("Gaussian", who,
          {{"epsilon", p.epsilon, false}, {"sigma", p.sigma, true}, {"cutoff", p.cutoff, true}});
}

void check(const Soft& p, const std::string& who) {
    check("Soft", who, {{"a", p.a, false}, {"cutoff", p.cutoff, true}});
}

void check(const TabulatedPair& p, const std::string& who) {
    if (p.table.x_min() < 0.0) {
        throw Error("the table between " + who + " begins at the distance " +
                    std::to_string(p.table.x_min()) + "; distances are not negative");
    }
}

void check_shape(const ForceField& field) {
    const std::size_t expected = field.types * field.types;
    if (field.types == 0 || field.pair_of_types.size() != expected) {
        throw Error("a force field of " + std::to_string(field.types) + " types came with " +
                    std::to_string(field.pair_of_types.size()) + " entries for pairs, expected " +
                    std::to_string(expected));
    }
    for (std::size_t a = 0; a < field.types; ++a) {
        for (std::size_t b = 0; b < field.types; ++b) {
            const int index = field.pair_of_types[a * field.types + b];
            if (index != field.pair_of_types[b * field.types + a]) {
                throw Error("the pair potentials of " + name(a, b) + " depend on their order");
            }
            if (index >= static_cast<int>(field.pair_potentials.size())) {
                throw Error("the pair potential of " + name(a, b) + " is number " +
                            std::to_string(index) + " of " +
                            std::to_string(field.pair_potentials.size()));
            }
        }
    }
}

void check_triples(const ForceField& field) {
    for (const TripleTerm& term : field.triples) {
        for (const std::uint32_t type : term.types) {
            if (type >= field.types) {
                throw Error("a triple names the type " + std::to_string(type) + " of " +
                            std::to_string(field.types) + ", counted from 0");
            }
        }
        for (const auto& [r_max, decay] : term.potential.arms) {
            if (!(r_max > 0.0 && decay > 0.0 && std::isfinite(r_max) && std::isfinite(decay))) {
                throw Error("an arm of a triple has r_max " + std::to_string(r_max) +
                            " and decay " + std::to_string(decay) +
                            "; both must be positive and finite");
            }
        }
        const auto& arms = term.potential.arms;
        if (term.types[0] == term.types[2] && !(arms[0] == arms[1])) {
            throw Error("a triple with two ends of type " + std::to_string(term.types[0]) +
                        " has arms that differ; which of the ends is the first?");
        }
    }
}

/// What the engine needs to know of one potential; see KindParameters.
struct Compiled {
    Quad force, energy;
    double overlap{0.0}, largest_force{std::numeric_limits<double>::max()};
};

struct Compiler {
    std::size_t first_row;  // of a table

    Compiled operator()(const LennardJones& p) const {
        const double s6 = std::pow(p.sigma, 6);
        const double a12 = 4.0 * p.epsilon * s6 * s6;
        const double a6 = 4.0 * p.epsilon * s6;
        const AtCutoff end = at_cutoff(p);
        const double close = std::min(overlap_over_sigma * p.sigma, 0.5 * p.cutoff);
        return {{{p.cutoff * p.cutoff, 12.0 * a12, 6.0 * a6, end.slope}},
                {{a12, a6, end.energy, end.slope}},
                close,
                12.0 * std::abs(a12) * std::pow(close, -13)};
    }

    Compiled operator()(const TabulatedPair& p) const {
        const CubicTable& t = p.table;
        const Quad grid{{t.x_max() * t.x_max(), 1.0 / t.spacing(), t.x_min() / t.spacing() + 0.5,
                         static_cast<double>(first_row) + integer_in_bits<double>}};
        return {grid, {}, t.x_min()};
    }

    Compiled operator()(const Yukawa& p) const {
        const AtCutoff end = at_cutoff(p);
        return {{{p.cutoff * p.cutoff, p.epsilon, -p.kappa, end.slope}},
                {{0.0, 0.0, end.energy, end.slope}}};
    }

    Compiled operator()(const Gaussian& p) const {
        const AtCutoff end = at_cutoff(p);
        const double inverse = 1.0 / (p.sigma * p.sigma);
        return {{{p.cutoff * p.cutoff, p.epsilon * inverse, -0.5 * inverse, end.slope}},
                {{p.sigma * p.sigma, 0.0, end.energy, end.slope}}};
    }

    Compiled operator()(const Soft& p) const {
        return {{{p.cutoff * p.cutoff, p.a, p.a / p.cutoff, 0.0}},
                {{0.5 * p.cutoff, 1.0 / p.cutoff, 0.0, 0.0}}};
    }
};

void check_types(std::span<const std::int32_t> of_particles, std::size_t types) {
    for (std::size_t i = 0; i < of_particles.size(); ++i) {
        if (of_particles[i] >= 0 && static_cast<std::size_t>(of_particles[i]) < types) continue;
        throw Error("particle " + std::to_string(i) + " has type " +
                    std::to_string(of_particles[i]) + " of " + std::to_string(types) +
                    ", counted from 0");
    }
}

// Types that have a charged particle reach as far as charges do.
std::vector<bool> charged_types(const PairParameters& p, std::span<const std::int32_t> types) {
    std::vector<bool> charged(p.types, false);
    for (std::size_t i = 0; i < types.size(); ++i) {
        if (p.charges->of_id[i] != 0.0) charged[static_cast<std::size_t>(types[i])] = true;
    }
    return charged;
}

}  // namespace

void append_centred(const CubicTable& table, std::vector<Quad>& out) {
    const auto rows = table.rows();
    const auto around = [&](const CubicTable::Row& c, double h) {
        out.push_back({{c[0] + h * (c[1] + h * (c[2] + h * c[3])),
                        c[1] + h * (2.0 * c[2] + h * 3.0 * c[3]), c[2] + 3.0 * h * c[3], c[3]}});
    };
    around(rows.front(), -0.5);
    for (const CubicTable::Row& c : rows) around(c, 0.5);
    around(rows.back(), 1.5);
}

ChargeParameters::ChargeParameters(const Charges& charges, std::size_t particles)
    : screen(charges) {
    if (charges.values.size() != particles) {
        throw Error("got charges of " + std::to_string(charges.values.size()) + " particles for " +
                    std::to_string(particles) + "; give one each");
    }
    if (!(charges.factor > 0.0) || !std::isfinite(charges.factor)) {
        throw Error("the factor between charges and energies is " + std::to_string(charges.factor) +
                    "; it must be positive");
    }
    for (const double q : charges.values) {
        if (!std::isfinite(q)) throw Error("a charge is not a number: " + std::to_string(q));
        of_id.push_back(q * std::sqrt(charges.factor));
    }
}

PairParameters::PairParameters(const ForceField& field, std::span<const std::int32_t> of_particles)
    : types(field.types) {
    check_shape(field);
    check_triples(field);
    check_types(of_particles, types);
    std::vector<std::size_t> first_row;
    for (const PairPotential& potential : field.pair_potentials) {
        first_row.push_back(table_rows.size() + 1);
        if (const auto* tabulated_pair = std::get_if<TabulatedPair>(&potential))
            append_centred(tabulated_pair->table, table_rows);
    }
    const std::size_t pairs = types * types;
    for (KindParameters& k : kind) {
        k.full.force.assign(pairs, {});
        k.full.energy.assign(pairs, {});
    }
    cutoff.assign(pairs, 0.0);
    overlap.assign(pairs, 0.0);
    tabulated.assign(pairs, false);
    for (std::size_t p = 0; p < pairs; ++p) {
        if (field.pair_of_types[p] < 0) continue;
        const auto index = static_cast<std::size_t>(field.pair_of_types[p]);
        const PairPotential& potential = field.pair_potentials[index];
        std::visit([&](const auto& it) { check(it, name(p / types, p % types)); }, potential);
        const Compiled compiled = std::visit(Compiler{first_row[index]}, potential);
        KindParameters& k = kind[potential.index()];
        k.any = true;
        k.full.force[p] = compiled.force;
        k.full.energy[p] = compiled.energy;
        k.force_shifted = k.force_shifted || compiled.energy.v[3] != 0.0;
        k.largest_force = std::max(k.largest_force, compiled.largest_force);
        cutoff[p] = cutoff_of(potential);
        overlap[p] = compiled.overlap;
        tabulated[p] = std::holds_alternative<TabulatedPair>(potential);
    }
    reach = cutoff;
    for (const TripleTerm& term : field.triples) {
        const auto [first, centre, second] = term.types;
        for (const std::size_t k : {pair(first, centre), pair(centre, first)})
            reach[k] = std::max(reach[k], term.potential.arms[0].r_max);
        for (const std::size_t k : {pair(second, centre), pair(centre, second)})
            reach[k] = std::max(reach[k], term.potential.arms[1].r_max);
    }
    if (field.charges) {
        charges.emplace(*field.charges, of_particles.size());
        const std::vector<bool> charged = charged_types(*this, of_particles);
        for (std::size_t p = 0; p < pairs; ++p) {
            if (!charged[p / types] || !charged[p % types]) continue;
            reach[p] = std::max(reach[p], charges->screen.cutoff());
        }
    }
    for (const double r : reach) largest_reach = std::max(largest_reach, r);
}

void PairParameters::make_single() {
    // There must be room for what the kernels make of a number, and nothing that matters may
    // vanish.
    const auto check_number = [](double x, bool matters) {
        if (std::abs(x) < 1e28 && (!matters || x == 0.0 || std::abs(x) > 1e-28)) return;
        char text[32];
        std::snprintf(text, sizeof text, "%.4g", x);
        throw Error(std::string("a pair potential has the number ") + text +
                    ", for which single precision has no room; use units in which distances and "
                    "energies are near one, or double precision");
    };
    const auto rounded = [&](const std::vector<Quad>& of, std::size_t that_matter) {
        std::vector<QuadOf<float>> single(of.size());
        for (std::size_t k = 0; k < of.size(); ++k) {
            for (std::size_t m = 0; m < 4; ++m) {
                check_number(of[k].v[m], m < that_matter);
                single[k].v[m] = static_cast<float>(of[k].v[m]);
            }
        }
        return single;
    };
    for (KindParameters& k : kind) {
        k.single.force = rounded(k.full.force, 3);
        k.single.energy = rounded(k.full.energy, 0);
    }
    if (table_rows.size() > bits_of_integer<float> / 2) {
        throw Error("the pair tables have " + std::to_string(table_rows.size()) +
                    " rows in all, too many for mixed precision; use double");
    }
    single_table_rows = rounded(table_rows, 0);
    // Of numbers of rows what is added leaves single precision its integers, too.
    constexpr std::size_t tables = 1;
    static_assert(std::is_same_v<std::variant_alternative_t<tables, PairPotential>, TabulatedPair>);
    for (std::size_t p = 0; p < types * types; ++p) {
        const double number = kind[tables].full.force[p].v[3] - integer_in_bits<double>;
        if (!tabulated[p]) continue;
        kind[tables].single.force[p].v[3] = static_cast<float>(number) + integer_in_bits<float>;
    }
}

}  // namespace regrain::particles
