#include "expression_graph.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "regrain/base/error.hpp"

namespace regrain::expressions {

namespace {

// Long formulas are typed by machines, and beyond this something went wrong there.
constexpr std::size_t most_nodes = 50000;
// Powers up to this are products.
constexpr double largest_power = 64.0;

bool commutes(Operation operation) {
    switch (operation) {
        case Operation::add:
        case Operation::multiply:
        case Operation::equal:
        case Operation::not_equal:
            return true;
        default:
            return false;
    }
}

}  // namespace

int arguments(Operation operation) {
    if (operation <= Operation::variable) return 0;
    if (operation <= Operation::floor) return 1;
    return operation == Operation::select ? 3 : 2;
}

double apply(Operation operation, double a, double b, double c) {
    switch (operation) {
        case Operation::constant:
        case Operation::variable:
            break;
        case Operation::negate:
            return -a;
        case Operation::sqrt:
            return std::sqrt(a);
        case Operation::exp:
            return std::exp(a);
        case Operation::log:
            return std::log(a);
        case Operation::sin:
            return std::sin(a);
        case Operation::cos:
            return std::cos(a);
        case Operation::tan:
            return std::tan(a);
        case Operation::asin:
            return std::asin(a);
        case Operation::acos:
            return std::acos(a);
        case Operation::atan:
            return std::atan(a);
        case Operation::sinh:
            return std::sinh(a);
        case Operation::cosh:
            return std::cosh(a);
        case Operation::tanh:
            return std::tanh(a);
        case Operation::abs:
            return std::abs(a);
        case Operation::floor:
            return std::floor(a);
        case Operation::add:
            return a + b;
        case Operation::subtract:
            return a - b;
        case Operation::multiply:
            return a * b;
        case Operation::divide:
            return a / b;
        case Operation::pow:
        case Operation::whole_power:
            return std::pow(a, b);
        case Operation::atan2:
            return std::atan2(a, b);
        case Operation::min:
            return std::isnan(a) || a < b ? a : b;
        case Operation::max:
            return std::isnan(a) || a > b ? a : b;
        case Operation::less:
            return a < b ? 1.0 : 0.0;
        case Operation::less_equal:
            return a <= b ? 1.0 : 0.0;
        case Operation::equal:
            return a == b ? 1.0 : 0.0;
        case Operation::not_equal:
            return a != b ? 1.0 : 0.0;
        case Operation::select:
            return a != 0.0 ? b : c;
    }
    return std::numeric_limits<double>::quiet_NaN();
}

// ---------------------------------------------------------------------- nodes

Id Graph::keep(const Node& node) {
    const auto key =
        std::tuple{node.operation, node.of, std::bit_cast<std::uint64_t>(node.value + 0.0)};
    const auto [at, is_new] = known_.try_emplace(key, static_cast<Id>(nodes_.size()));
    if (is_new) {
        if (nodes_.size() >= most_nodes) {
            throw Error("a formula has more than " + std::to_string(most_nodes) +
                        " operations; give a table");
        }
        nodes_.push_back(node);
    }
    return at->second;
}

Id Graph::constant(double value) { return keep({Operation::constant, {}, value}); }

Id Graph::variable(std::size_t number) {
    return keep({Operation::variable, {static_cast<Id>(number), 0, 0}, 0.0});
}

bool Graph::is(Id id, double value) const { return is_constant(id) && nodes_[id].value == value; }

Id Graph::make(Operation operation, Id a, Id b, Id c) {
    const int count = arguments(operation);
    if (is_constant(a) && (count < 2 || is_constant(b)) && (count < 3 || is_constant(c))) {
        return constant(apply(operation, nodes_[a].value, nodes_[b].value, nodes_[c].value));
    }
    bool found = false;
    const Id same = simpler(operation, a, b, c, found);
    if (found) return same;
    if (commutes(operation) && a > b) std::swap(a, b);
    return keep({operation, {a, count > 1 ? b : 0, count > 2 ? c : 0}, 0.0});
}

// Constants are kept left of what they are multiplied with, so that they meet.
Id Graph::simpler(Operation operation, Id a, Id b, Id c, bool& found) {
    found = true;
    const auto negated = [this](Id id) { return nodes_[id].operation == Operation::negate; };
    switch (operation) {
        case Operation::negate:
            if (negated(a)) return nodes_[a].of[0];
            break;
        case Operation::add:
            if (is(a, 0.0)) return b;
            if (is(b, 0.0)) return a;
            if (negated(b)) return make(Operation::subtract, a, nodes_[b].of[0]);
            if (negated(a)) return make(Operation::subtract, b, nodes_[a].of[0]);
            break;
        case Operation::subtract:
            if (is(b, 0.0)) return a;
            if (is(a, 0.0)) return make(Operation::negate, b);
            if (a == b) return constant(0.0);
            if (negated(b)) return make(Operation::add, a, nodes_[b].of[0]);
            break;
        case Operation::multiply:
            if (is_constant(b)) std::swap(a, b);
            if (is(a, 0.0)) return a;
            if (is(a, 1.0)) return b;
            if (is(a, -1.0)) return make(Operation::negate, b);
            if (negated(a) && negated(b)) {
                return make(Operation::multiply, nodes_[a].of[0], nodes_[b].of[0]);
            }
            if (negated(b)) {
                return make(Operation::negate, make(Operation::multiply, a, nodes_[b].of[0]));
            }
            if (negated(a)) {
                return make(Operation::negate, make(Operation::multiply, nodes_[a].of[0], b));
            }
            if (nodes_[b].operation == Operation::multiply) {
                const auto [first, second, none] = nodes_[b].of;
                const Id number = is_constant(first) ? first : second;
                const Id rest = is_constant(first) ? second : first;
                if (is_constant(number)) {
                    if (is_constant(a)) {
                        return make(Operation::multiply, make(Operation::multiply, a, number),
                                    rest);
                    }
                    return make(Operation::multiply, number, make(Operation::multiply, a, rest));
                }
            }
            break;
        case Operation::divide:
            if (is(a, 0.0)) return a;
            if (is_constant(b) && std::isfinite(1.0 / nodes_[b].value)) {
                return make(Operation::multiply, constant(1.0 / nodes_[b].value), a);
            }
            break;
        case Operation::pow:
            if (is_constant(b)) {
                const double exponent = nodes_[b].value;
                if (exponent == 0.5) return make(Operation::sqrt, a);
                if (exponent == std::floor(exponent) && std::abs(exponent) <= largest_power) {
                    return power(a, b);
                }
            }
            break;
        case Operation::whole_power:
            return power(a, b);
        case Operation::select:
            if (is_constant(a)) return nodes_[a].value != 0.0 ? b : c;
            if (b == c) return b;
            break;
        default:
            break;
    }
    found = false;
    return 0;
}

Id Graph::power(Id base, Id exponent) {
    const double n = nodes_[exponent].value;
    if (n == 0.0) return constant(1.0);
    if (n == 1.0) return base;
    return keep({Operation::whole_power, {base, exponent, 0}, 0.0});
}

// ---------------------------------------------------------------------- derivatives

// Forwards: the derivative of a selection selects between derivatives, so that what goes wrong in
// the branch that is not taken (1/r at r = 0) does no harm.
Id Graph::derivative(Id of, std::size_t variable) {
    std::vector<Id> slopes(static_cast<std::size_t>(of) + 1);
    const Id zero = constant(0.0), one = constant(1.0);
    std::vector<char> needed(slopes.size(), 0);
    needed[of] = 1;
    for (std::size_t id = slopes.size(); id-- > 0;) {
        if (needed[id] == 0) continue;
        for (int k = 0; k < arguments(nodes_[id].operation); ++k) {
            needed[nodes_[id].of[static_cast<std::size_t>(k)]] = 1;
        }
    }
    for (std::size_t id = 0; id < slopes.size(); ++id) {
        slopes[id] = zero;
        if (needed[id] == 0) continue;
        const Node node = nodes_[id];
        if (node.operation == Operation::variable && node.of[0] == variable) slopes[id] = one;
        const int count = arguments(node.operation);
        const auto by = [&](int k) {
            return k < count ? slopes[node.of[static_cast<std::size_t>(k)]] : zero;
        };
        const bool depends = !(is(by(0), 0.0) && is(by(1), 0.0) && is(by(2), 0.0));
        if (depends) slopes[id] = slope(static_cast<Id>(id), by(0), by(1), by(2));
    }
    return slopes[of];
}

Id Graph::slope(Id id, Id da, Id db, Id dc) {
    using O = Operation;
    const Node node = nodes_[id];
    const auto [a, b, c] = node.of;
    const auto times = [this](Id l, Id r) { return make(O::multiply, l, r); };
    const auto over = [this](Id l, Id r) { return make(O::divide, l, r); };
    const auto plus = [this](Id l, Id r) { return make(O::add, l, r); };
    const auto minus = [this](Id l, Id r) { return make(O::subtract, l, r); };
    const auto negative = [this](Id l) { return make(O::negate, l); };
    const auto root = [this](Id l) { return make(O::sqrt, l); };
    const auto choose = [this](Id l, Id m, Id r) { return make(O::select, l, m, r); };
    const Id one = constant(1.0);
    switch (node.operation) {
        case O::negate:
            return negative(da);
        case O::sqrt:
            return over(da, times(constant(2.0), id));
        case O::exp:
            return times(id, da);
        case O::log:
            return over(da, a);
        case O::sin:
            return times(make(O::cos, a), da);
        case O::cos:
            return negative(times(make(O::sin, a), da));
        case O::tan:
            return times(plus(one, times(id, id)), da);
        case O::asin:
            return over(da, root(minus(one, times(a, a))));
        case O::acos:
            return negative(over(da, root(minus(one, times(a, a)))));
        case O::atan:
            return over(da, plus(one, times(a, a)));
        case O::sinh:
            return times(make(O::cosh, a), da);
        case O::cosh:
            return times(make(O::sinh, a), da);
        case O::tanh:
            return times(minus(one, times(id, id)), da);
        case O::abs:
            return choose(make(O::less, a, constant(0.0)), negative(da), da);
        case O::add:
            return plus(da, db);
        case O::subtract:
            return minus(da, db);
        case O::multiply:
            return plus(times(da, b), times(a, db));
        case O::divide:
            return over(minus(da, times(id, db)), b);
        case O::pow: {
            if (is_constant(b)) {
                return times(times(b, make(O::pow, a, minus(b, one))), da);
            }
            const Id by_exponent = times(make(O::log, a), db);
            return times(id, is(da, 0.0) ? by_exponent : plus(by_exponent, over(times(b, da), a)));
        }
        case O::whole_power:
            return times(times(b, make(O::whole_power, a, minus(b, one))), da);
        case O::atan2:
            return over(minus(times(da, b), times(db, a)), plus(times(a, a), times(b, b)));
        case O::min:
            return choose(make(O::less, a, b), da, db);
        case O::max:
            return choose(make(O::less, b, a), da, db);
        case O::select:
            return choose(a, db, dc);
        default:  // constants, jumps
            return constant(0.0);
    }
}

// ---------------------------------------------------------------------- lowering

// x^9 and x^8 share x^8, x^4 and x^2.
Id Graph::unrolled(Id base, unsigned exponent) {
    if (exponent == 1) return base;
    const unsigned highest = std::bit_floor(exponent);
    if (highest == exponent) {
        const Id half = unrolled(base, exponent / 2);
        return make(Operation::multiply, half, half);
    }
    return make(Operation::multiply, unrolled(base, highest), unrolled(base, exponent - highest));
}

std::vector<Id> Graph::lowered(const std::vector<Id>& ids) {
    const std::size_t count = nodes_.size();
    std::vector<Id> now(count);
    for (std::size_t id = 0; id < count; ++id) {
        const Node node = nodes_[id];
        const auto part = [&](std::size_t k) {
            return static_cast<int>(k) < arguments(node.operation) ? now[node.of[k]] : 0;
        };
        if (arguments(node.operation) == 0) {
            now[id] = static_cast<Id>(id);
        } else if (node.operation == Operation::whole_power) {
            const double n = nodes_[node.of[1]].value;
            const Id product = unrolled(part(0), static_cast<unsigned>(std::abs(n)));
            now[id] = n > 0.0 ? product : make(Operation::divide, constant(1.0), product);
        } else {
            now[id] = make(node.operation, part(0), part(1), part(2));
        }
    }
    std::vector<Id> found;
    for (const Id id : ids) found.push_back(now[id]);
    return found;
}

}  // namespace regrain::expressions
