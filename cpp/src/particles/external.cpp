#include "regrain/particles/external.hpp"

#include <cmath>
#include <optional>
#include <string>

#include "../base/messages.hpp"
#include "regrain/base/expression.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain::particles {

namespace {

constexpr std::size_t block = Expression::block;

// The inputs of formulas; t is the same for all.
namespace Input {
enum : std::size_t { x, y, z, q, m, t };
}

// Rows that a term acts on, some at a time, with their places in the cell.
struct Block {
    std::array<std::uint32_t, block> row;
    std::array<Vec3, block> place;
    std::size_t count{0};
};

// Most rows are in the cell already, and the others have not gone far.
struct Cell {
    const Box& box;
    Vec3 lengths;
    bool brick;

    explicit Cell(const Box& b)
        : box(b), lengths{b.a().x, b.b().y, b.c().z}, brick(b.orthorhombic()) {}
    [[nodiscard]] Vec3 operator()(const Row& r) const {
        const bool inside = brick && r.x >= 0.0 && r.y >= 0.0 && r.z >= 0.0 && r.x < lengths.x &&
                            r.y < lengths.y && r.z < lengths.z;
        return inside ? Vec3{r.x, r.y, r.z} : box.wrap({r.x, r.y, r.z});
    }
};

[[noreturn]] void fail(const ExternalTerm& term, std::uint32_t id, const Vec3& place,
                       const std::string& what) {
    throw Error("particle " + std::to_string(id) + " at " + shown(place) + " in the cell: " + what +
                " in " + term.name + (term.remedy.empty() ? "" : "; " + term.remedy));
}

// Calls f(block) for the rows of a chunk that the term acts on.
template <class F>
void for_blocks(const ExternalTerm& term, const PairEngine& engine, const Cell& cell,
                std::size_t begin, std::size_t end, F&& f) {
    const std::span<const Row> rows = engine.rows();
    Block found;
    for (std::size_t row = begin; row < end; ++row) {
        if (term.acts_on[static_cast<std::size_t>(rows[row].tag)] != 0) {
            found.row[found.count] = static_cast<std::uint32_t>(row);
            found.place[found.count++] = cell(rows[row]);
        }
        if (found.count == block || (row + 1 == end && found.count > 0)) {
            f(found);
            found.count = 0;
        }
    }
}

// The variables of a formula, by where their values belong.
struct Inputs {
    double *x, *y, *z, *q, *m;  // the last two only where they are used

    Inputs(Expression::Workspace& work, const Expression& formula)
        : x(work.input(Input::x).data()),
          y(work.input(Input::y).data()),
          z(work.input(Input::z).data()),
          q(formula.uses(Input::q) ? work.input(Input::q).data() : nullptr),
          m(formula.uses(Input::m) ? work.input(Input::m).data() : nullptr) {}

    void fill(const Block& found, const External& law, std::span<const std::uint32_t> ids) const {
        for (std::size_t i = 0; i < found.count; ++i) {
            x[i] = found.place[i].x;
            y[i] = found.place[i].y;
            z[i] = found.place[i].z;
        }
        for (std::size_t i = 0; q != nullptr && i < found.count; ++i) {
            q[i] = law.charges[ids[found.row[i]]];
        }
        for (std::size_t i = 0; m != nullptr && i < found.count; ++i) {
            m[i] = law.masses[ids[found.row[i]]];
        }
    }
};

Expression compiled(const FormulaField& field) {
    const bool energy = field.texts.size() == 1;
    return Expression(
        Formulas{field.texts,
                 {"x", "y", "z", "q", "m", "t"},
                 field.constants,
                 energy ? std::vector<std::size_t>{Input::x, Input::y, Input::z, Input::t}
                        : std::vector<std::size_t>{},
                 1});
}

}  // namespace

struct ExternalForces::Impl {
    External law;
    std::vector<std::optional<Expression>> formulas;  // of each term, where it is one

    explicit Impl(const External& given) : law(given) {
        for (const ExternalTerm& term : law.terms) {
            formulas.emplace_back();
            if (const auto* field = std::get_if<FormulaField>(&term.field)) {
                formulas.back() = compiled(*field);
                const Expression& formula = *formulas.back();
                if ((formula.uses(Input::q) && law.charges.empty()) ||
                    (formula.uses(Input::m) && law.masses.empty())) {
                    throw Error(term.name + " asks for charges or masses, which are not there");
                }
            }
        }
    }

    [[nodiscard]] bool has_energy(std::size_t k) const {
        const auto* field = std::get_if<FormulaField>(&law.terms[k].field);
        return field == nullptr || field->texts.size() == 1;
    }

    ExternalSums compute(std::size_t k, const Present& now, std::span<Vec3> forces) const {
        const ExternalTerm& term = law.terms[k];
        if (std::holds_alternative<HardWall>(term.field)) return {};
        return parallel_sum<ExternalSums>(
            now.engine.rows().size(), [&](std::size_t begin, std::size_t end) {
                if (const auto* table = std::get_if<TableField>(&term.field)) {
                    return from_table(term, *table, now, forces, begin, end);
                }
                return from_formula(term, has_energy(k), *formulas[k], now, forces, begin, end);
            });
    }

    ExternalSums from_formula(const ExternalTerm& term, bool energy, const Expression& formula,
                              const Present& now, std::span<Vec3> forces, std::size_t begin,
                              std::size_t end) const {
        const std::span<const std::uint32_t> ids = now.engine.ids();
        ExternalSums sums;
        Expression::Workspace work(formula);
        work.set(Input::t, now.time);
        formula.prepare(work);
        const Inputs in(work, formula);
        // An energy comes with its derivatives, a force has three components.
        const std::size_t first = energy ? 1 : 0;
        const auto out = [&](std::size_t which) { return formula.output(work, which).data(); };
        const double *fx = out(first), *fy = out(first + 1), *fz = out(first + 2);
        const double *u = energy ? out(0) : nullptr, *power = energy ? out(4) : nullptr;
        const double sign = energy ? -1.0 : 1.0;
        const Cell cell(now.engine.box());
        for_blocks(term, now.engine, cell, begin, end, [&](const Block& found) {
            in.fill(found, law, ids);
            formula.run(work, found.count);
            for (std::size_t i = 0; i < found.count; ++i) {
                const std::uint32_t row = found.row[i];
                const Vec3 force = Vec3{fx[i], fy[i], fz[i]} * sign;
                const double value = energy ? u[i] : 0.0;
                // Not a number, or infinite: the difference from itself is no zero.
                const double all = value + force.x + force.y + force.z;
                if (!(all - all == 0.0)) {
                    fail(term, ids[row], found.place[i],
                         "the energy is " + std::to_string(value) + " and the force " +
                             shown(force));
                }
                forces[row] += force;
                sums.energy += value;
                sums.force += force;
                sums.power += energy ? power[i] : dot(force, velocity(now, row, forces[row]));
            }
        });
        return sums;
    }

    // Half a kick of the present forces is still to come.
    static Vec3 velocity(const Present& now, std::uint32_t row, const Vec3& force) {
        const Motion& motion = now.motion[row];
        return motion.v + force * (now.kick_to_come * motion.inverse_mass);
    }

    static ExternalSums from_table(const ExternalTerm& term, const TableField& field,
                                   const Present& now, std::span<Vec3> forces, std::size_t begin,
                                   std::size_t end) {
        ExternalSums sums;
        const Cell cell(now.engine.box());
        for_blocks(term, now.engine, cell, begin, end, [&](const Block& found) {
            for (std::size_t i = 0; i < found.count; ++i) {
                const double s = dot(field.normal, found.place[i]) - field.offset;
                if (field.ends && s > field.table.x_max()) continue;
                if (!(s >= field.table.x_min() && s <= field.table.x_max())) {
                    fail(term, now.engine.ids()[found.row[i]], found.place[i],
                         "this is at " + std::to_string(s) + ", and the table is from " +
                             std::to_string(field.table.x_min()) + " to " +
                             std::to_string(field.table.x_max()));
                }
                const CubicTable::Value value = field.table(s);
                const Vec3 force = field.normal * -value.slope;
                forces[found.row[i]] += force;
                sums.energy += value.u;
                sums.force += force;
            }
        });
        return sums;
    }
};

ExternalForces::ExternalForces(const ForceField& field)
    : impl_(field.external.terms.empty() ? nullptr : std::make_unique<Impl>(field.external)) {}
ExternalForces::~ExternalForces() = default;
ExternalForces::ExternalForces(ExternalForces&&) noexcept = default;
ExternalForces& ExternalForces::operator=(ExternalForces&&) noexcept = default;

bool ExternalForces::empty() const { return impl_ == nullptr; }

std::array<bool, 3> ExternalForces::keeps_momentum() const {
    std::array<bool, 3> keeps{true, true, true};
    for (std::size_t k = 0; impl_ != nullptr && k < impl_->law.terms.size(); ++k) {
        if (const auto* table = std::get_if<TableField>(&impl_->law.terms[k].field)) {
            const std::array<double, 3> normal{table->normal.x, table->normal.y, table->normal.z};
            for (std::size_t d = 0; d < 3; ++d) keeps[d] = keeps[d] && normal[d] == 0.0;
            continue;
        }
        if (const auto* wall = std::get_if<HardWall>(&impl_->law.terms[k].field)) {
            for (int d = 0; d < 3; ++d) {
                if (wall->turns_round || wall->axis == d)
                    keeps[static_cast<std::size_t>(d)] = false;
            }
            continue;
        }
        const Expression& formula = *impl_->formulas[k];
        const std::size_t first = impl_->has_energy(k) ? 1 : 0;
        for (std::size_t d = 0; d < 3; ++d) keeps[d] = keeps[d] && formula.vanishes(first + d);
    }
    return keeps;
}

std::vector<ExternalSums> ExternalForces::compute(const Present& now, std::span<Vec3> forces) {
    if (empty()) return {};
    // Forces without an energy come last: their power depends on the velocities of the step, and
    // these on all forces.
    std::vector<ExternalSums> sums(impl_->law.terms.size());
    for (const bool has_energy : {true, false}) {
        for (std::size_t k = 0; k < sums.size(); ++k) {
            if (impl_->has_energy(k) == has_energy) sums[k] = impl_->compute(k, now, forces);
        }
    }
    return sums;
}

}  // namespace regrain::particles
