// Formulas as a graph in which everything that is the same stands once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

namespace regrain::expressions {

enum class Operation : std::uint16_t {
    constant,
    variable,  // leaves
    negate,
    sqrt,
    exp,
    log,
    sin,
    cos,
    tan,
    asin,
    acos,
    atan,
    sinh,
    cosh,
    tanh,
    abs,
    floor,  // of one number
    add,
    subtract,
    multiply,
    divide,
    pow,
    whole_power,  // by a constant whole number; gone after `lowered`
    atan2,
    min,
    max,
    less,
    less_equal,
    equal,
    not_equal,  // of two
    select      // of three
};

/// How many numbers an operation takes.
int arguments(Operation operation);
/// What it makes of them.
double apply(Operation operation, double a, double b, double c);

using Id = std::uint32_t;

struct Node {
    Operation operation;
    std::array<Id, 3> of{};  ///< what it is made of, all before it; of a variable, its number
    double value{0.0};       ///< of a constant
};

/// Nodes only refer to nodes before them.
class Graph {
public:
    [[nodiscard]] const Node& operator[](Id id) const { return nodes_[id]; }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }

    Id constant(double value);
    Id variable(std::size_t number);
    /// The node of an operation, simplified: constants are folded, zeros and ones vanish.
    Id make(Operation operation, Id a, Id b = 0, Id c = 0);

    /// The derivative of a node by a variable.
    Id derivative(Id of, std::size_t variable);

    /// The same numbers by operations that there are instructions for.
    std::vector<Id> lowered(const std::vector<Id>& ids);

private:
    [[nodiscard]] bool is(Id id, double value) const;
    [[nodiscard]] bool is_constant(Id id) const {
        return nodes_[id].operation == Operation::constant;
    }
    [[nodiscard]] Id simpler(Operation operation, Id a, Id b, Id c, bool& found);
    Id power(Id base, Id exponent);
    Id unrolled(Id base, unsigned exponent);
    Id slope(Id id, Id da, Id db, Id dc);
    Id keep(const Node& node);

    std::vector<Node> nodes_;
    std::map<std::tuple<Operation, std::array<Id, 3>, std::uint64_t>, Id> known_;
};

}  // namespace regrain::expressions
