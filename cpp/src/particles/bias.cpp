#include "regrain/particles/bias.hpp"

#include <cmath>
#include <optional>
#include <string>

#include "collective_variables.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/expression.hpp"

namespace regrain::particles {

namespace {

// Energy of a term, its slopes by the variables of the term and by the time.
struct Slopes {
    double energy{0.0}, by_time{0.0};
    std::vector<double> by_variable;
};

Slopes evaluate(const Restraint& law, const Reading& reading, double time) {
    double d = reading.value - law.center - law.speed * time;
    if (reading.period > 0.0) d -= reading.period * std::nearbyint(d / reading.period);
    return {0.5 * law.k * d * d, -law.k * d * law.speed, {law.k * d}};
}

Expression compiled(const FormulaBias& law) {
    Formulas formulas{{law.text}, law.names, law.constants, {}, 0};
    formulas.variables.emplace_back("t");
    for (std::size_t k = 0; k < formulas.variables.size(); ++k) formulas.by.push_back(k);
    return Expression(formulas);
}

}  // namespace

struct BiasForces::Impl {
    Bias law;
    std::vector<std::optional<Expression>> formulas;  // of each term, where it is one

    Impl(const Bias& given, std::size_t particles) : law(given) {
        for (const CollectiveVariable& variable : law.variables) check(variable, particles);
        for (const BiasTerm& term : law.terms) {
            const auto* formula = std::get_if<FormulaBias>(&term.law);
            const std::size_t wanted = formula == nullptr ? 1 : formula->names.size();
            for (const std::uint32_t v : term.variables) {
                if (v >= law.variables.size()) throw Error(term.name + ": a variable is missing");
            }
            if (term.variables.size() != wanted) {
                throw Error(term.name + ": give one variable for each name");
            }
            formulas.emplace_back();
            if (formula != nullptr) formulas.back() = compiled(*formula);
        }
    }

    [[nodiscard]] Slopes slopes(std::size_t k, const std::vector<Reading>& readings,
                                double time) const {
        const BiasTerm& term = law.terms[k];
        if (const auto* restraint = std::get_if<Restraint>(&term.law)) {
            return evaluate(*restraint, readings[term.variables[0]], time);
        }
        std::vector<double> point;
        for (const std::uint32_t v : term.variables) point.push_back(readings[v].value);
        point.push_back(time);
        std::vector<double> results(formulas[k]->outputs());
        formulas[k]->evaluate(point, results);
        return {results.front(), results.back(), {results.begin() + 1, results.end() - 1}};
    }
};

BiasForces::BiasForces(const ForceField& field, std::size_t particles)
    : impl_(field.bias.variables.empty() ? nullptr
                                         : std::make_unique<Impl>(field.bias, particles)) {}
BiasForces::~BiasForces() = default;
BiasForces::BiasForces(BiasForces&&) noexcept = default;
BiasForces& BiasForces::operator=(BiasForces&&) noexcept = default;

bool BiasForces::empty() const { return impl_ == nullptr; }

std::array<bool, 3> BiasForces::keeps_momentum() const {
    std::array<bool, 3> keeps{true, true, true};
    if (empty()) return keeps;
    for (const CollectiveVariable& variable : impl_->law.variables) {
        const std::array<bool, 3> moves = moves_with_all(variable);
        for (std::size_t d = 0; d < 3; ++d) keeps[d] = keeps[d] && !moves[d];
    }
    return keeps;
}

// By one thread: groups are small beside the system.
BiasSums BiasForces::compute(const Present& now, std::span<Vec3> forces) {
    BiasSums sums;
    if (empty()) return sums;
    const Bias& law = impl_->law;
    std::vector<Reading> readings;
    for (const CollectiveVariable& variable : law.variables) {
        readings.push_back(read(variable, now.engine));
        sums.values.push_back(readings.back().value);
    }
    std::vector<double> pull(readings.size(), 0.0);
    for (std::size_t k = 0; k < law.terms.size(); ++k) {
        const Slopes found = impl_->slopes(k, readings, now.time);
        bool good = std::isfinite(found.energy) && std::isfinite(found.by_time);
        for (std::size_t v = 0; v < found.by_variable.size(); ++v) {
            pull[law.terms[k].variables[v]] -= found.by_variable[v];
            good = good && std::isfinite(found.by_variable[v]);
        }
        if (!good) {
            std::string where;
            for (const std::uint32_t v : law.terms[k].variables) {
                where += (where.empty() ? "" : ", ") + law.variables[v].name + " = " +
                         std::to_string(readings[v].value);
            }
            throw Error(law.terms[k].name + ": the energy or its slope is not a number at " +
                        where + " and time " + std::to_string(now.time));
        }
        sums.energy += found.energy;
        sums.power += found.by_time;
    }
    for (std::size_t v = 0; v < readings.size(); ++v) {
        const auto& groups = law.variables[v].groups;
        for (std::size_t g = 0; g < groups.size(); ++g) {
            for (std::size_t k = 0; k < groups[g].size(); ++k) {
                forces[now.engine.row_of()[groups[g][k]]] += readings[v].gradient[g][k] * pull[v];
            }
        }
        for (std::size_t k = 0; k < 6; ++k) sums.virial[k] += readings[v].strain[k] * pull[v];
    }
    return sums;
}

}  // namespace regrain::particles
