#include "regrain/base/expression.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "expression_graph.hpp"
#include "expression_kernel.hpp"
#include "expression_parser.hpp"
#include "regrain/base/error.hpp"

namespace regrain {

namespace {

using expressions::Graph;
using expressions::Id;
using expressions::Node;
using expressions::Operation;

constexpr std::size_t most_registers = std::numeric_limits<std::uint16_t>::max();

// Which registers hold what, and for how long. Inputs, constants, what is computed once and results
// stay where they are; the place of anything else is free after its last use.
class Registers {
public:
    explicit Registers(std::size_t inputs) : next_(inputs) {}
    std::uint16_t take() {
        if (!free_.empty()) {
            const std::uint16_t place = free_.back();
            free_.pop_back();
            return place;
        }
        return fresh();
    }
    std::uint16_t fresh() {
        if (next_ >= most_registers) throw Error("the formulas are too long; give tables");
        return static_cast<std::uint16_t>(next_++);
    }
    void release(std::uint16_t place) { free_.push_back(place); }
    [[nodiscard]] std::size_t used() const { return next_; }

private:
    std::size_t next_;
    std::vector<std::uint16_t> free_;
};

// Nodes in an order in which each comes after what it is made of and close to its use.
std::vector<Id> ordered(const Graph& graph, const std::vector<Id>& results) {
    std::vector<Id> order, stack;
    std::vector<char> seen(graph.size(), 0);
    for (const Id result : results) {
        stack.push_back(result);
        while (!stack.empty()) {
            const Id id = stack.back();
            const Node& node = graph[id];
            bool ready = true;
            for (int k = expressions::arguments(node.operation); k-- > 0;) {
                const Id part = node.of[static_cast<std::size_t>(k)];
                if (seen[part] != 2) {
                    stack.push_back(part);
                    ready = false;
                }
            }
            if (!ready) continue;
            stack.pop_back();
            if (seen[id] != 2) order.push_back(id);
            seen[id] = 2;
        }
    }
    return order;
}

// What becomes of nodes.
struct Uses {
    std::vector<char> stays, uniform;
    /// Of each node the parts that nothing after it needs.
    std::vector<std::vector<Id>> last_of;

    Uses(const Graph& graph, const std::vector<Id>& order, const std::vector<Id>& results,
         std::size_t varying)
        : stays(graph.size(), 0), uniform(graph.size(), 0), last_of(graph.size()) {
        for (const Id id : results) stays[id] = 1;
        std::vector<Id> last(graph.size(), 0);
        for (const Id id : order) {
            const Node& node = graph[id];
            const int count = expressions::arguments(node.operation);
            bool same = node.operation != Operation::variable || node.of[0] >= varying;
            for (int k = 0; k < count; ++k) {
                const Id part = node.of[static_cast<std::size_t>(k)];
                last[part] = id;
                same = same && uniform[part] != 0;
            }
            uniform[id] = same ? 1 : 0;
            if (same || count == 0) stays[id] = 1;
        }
        for (const Id id : order) {
            if (stays[id] == 0) last_of[last[id]].push_back(id);
        }
    }
};

}  // namespace

Expression::Expression(const Formulas& formulas)
    : inputs_(formulas.variables.size()), used_(formulas.variables.size(), 0) {
    expressions::check_names(formulas);
    Graph graph;
    std::vector<Id> wanted;
    for (const std::string& text : formulas.texts) {
        const Id value = expressions::parse(text, formulas, graph);
        wanted.push_back(value);
        for (const std::size_t variable : formulas.by) {
            wanted.push_back(graph.derivative(value, variable));
        }
    }
    const std::vector<Id> results = graph.lowered(wanted);
    const std::vector<Id> order = ordered(graph, results);
    const Uses uses(graph, order, results, inputs_ - formulas.uniform);
    Registers registers(inputs_);
    std::vector<std::uint16_t> place(graph.size(), 0);
    for (const Id id : order) {  // what stays must not come to where something was before
        const Node& node = graph[id];
        if (node.operation == Operation::variable) {
            used_[node.of[0]] = 1;
            place[id] = static_cast<std::uint16_t>(node.of[0]);
        } else if (uses.stays[id] != 0) {
            place[id] = registers.fresh();
        }
        if (node.operation == Operation::constant) constants_.emplace_back(place[id], node.value);
    }
    for (const Id id : order) {
        const Node& node = graph[id];
        if (expressions::arguments(node.operation) == 0) continue;
        Instruction next{static_cast<std::uint16_t>(node.operation), 0, place[node.of[0]],
                         place[node.of[1]], place[node.of[2]]};
        for (const Id part : uses.last_of[id]) registers.release(place[part]);
        if (uses.stays[id] == 0) place[id] = registers.take();
        next.out = place[id];
        (uses.uniform[id] != 0 ? once_ : each_).push_back(next);
    }
    for (const Id id : results) {
        results_.push_back(place[id]);
        vanishes_.push_back(
            graph[id].operation == Operation::constant && graph[id].value == 0.0 ? 1 : 0);
    }
    registers_ = registers.used();
}

Expression::Workspace::Workspace(const Expression& expression)
    : storage_(expression.registers_ * block + 8, 0.0), inputs_(expression.inputs_) {
    constexpr std::uintptr_t alignment = 64;
    const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
    registers_ = storage_.data() + (alignment - address % alignment) % alignment / sizeof(double);
    for (const auto& [place, value] : expression.constants_) {
        std::fill_n(registers_ + place * block, block, value);
    }
    expression.prepare(*this);
}

void Expression::Workspace::set(std::size_t variable, double value) {
    std::fill_n(registers_ + variable * block, block, value);
}

std::span<double, Expression::block> Expression::Workspace::input(std::size_t variable) {
    return std::span<double, block>(registers_ + variable * block, block);
}

void Expression::prepare(Workspace& work) const {
    expressions::execute(once_, work.registers_, block);
}

void Expression::run(Workspace& work, std::size_t count) const {
    // The rest of the last vector: numbers that surely cost and mean nothing.
    const std::size_t whole = (count + 7) / 8 * 8;
    for (std::size_t v = 0; v < inputs_; ++v) {
        double* values = work.registers_ + v * block;
        std::fill(values + count, values + whole, values[0]);
    }
    expressions::execute(each_, work.registers_, whole);
}

std::span<const double, Expression::block> Expression::output(const Workspace& work,
                                                              std::size_t which) const {
    return std::span<const double, block>(work.registers_ + results_[which] * block, block);
}

void Expression::evaluate(std::span<const double> point, std::span<double> results) const {
    Workspace work(*this);
    for (std::size_t v = 0; v < inputs_; ++v) work.set(v, point[v]);
    prepare(work);
    run(work, 1);
    for (std::size_t k = 0; k < outputs(); ++k) results[k] = output(work, k)[0];
}

}  // namespace regrain
