#include "expression_parser.hpp"

#include <charconv>
#include <cmath>
#include <numbers>
#include <set>
#include <string_view>

#include "regrain/base/error.hpp"

namespace regrain::expressions {

namespace {

struct Function {
    std::string_view name;
    Operation operation;
};
constexpr Function functions[] = {
    {"sqrt", Operation::sqrt}, {"exp", Operation::exp},     {"log", Operation::log},
    {"sin", Operation::sin},   {"cos", Operation::cos},     {"tan", Operation::tan},
    {"asin", Operation::asin}, {"acos", Operation::acos},   {"atan", Operation::atan},
    {"sinh", Operation::sinh}, {"cosh", Operation::cosh},   {"tanh", Operation::tanh},
    {"abs", Operation::abs},   {"floor", Operation::floor}, {"atan2", Operation::atan2},
    {"min", Operation::min},   {"max", Operation::max},     {"select", Operation::select},
};
// step(x) is 0 <= x.
constexpr std::string_view step = "step";

const Function* function_of(std::string_view name) {
    for (const Function& f : functions) {
        if (f.name == name) return &f;
    }
    return nullptr;
}

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

template <class Names, class Get>
std::string listed(const Names& names, Get&& get) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + std::string(get(name));
    return text;
}

// Deeper nesting than anybody writes would go beyond the end of the stack.
constexpr int deepest = 200;

class Parser {
public:
    Parser(const std::string& text, const Formulas& names, Graph& graph)
        : text_(text), names_(names), graph_(graph) {}

    Id all() {
        const Id id = comparison();
        if (at_ < text_.size()) {
            fail("expected an operator or the end, found \"" + symbol() + "\"");
        }
        return id;
    }

private:
    const std::string& text_;
    const Formulas& names_;
    Graph& graph_;
    std::size_t at_{0};
    int depth_{0};

    /// What stands here, whole if it has several bytes (UTF-8).
    [[nodiscard]] std::string symbol() const {
        std::size_t end = at_ + 1;
        while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U)
            ++end;
        return text_.substr(at_, end - at_);
    }
    [[noreturn]] void fail(const std::string& what) const { fail(what, at_); }
    [[noreturn]] void fail(const std::string& what, std::size_t where) const {
        throw Error("formula \"" + text_ + "\", position " + std::to_string(where + 1) + ": " +
                    what);
    }

    void skip() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    }
    bool take(std::string_view token) {
        skip();
        if (std::string_view(text_).substr(at_, token.size()) != token) return false;
        at_ += token.size();
        skip();
        return true;
    }

    Id comparison() {
        if (++depth_ > deepest) fail("this is nested too deeply");
        Id left = sum();
        bool compared = false;
        while (true) {
            const std::size_t before = at_;
            Operation operation{};
            bool turned = false;
            if (take("<=")) {
                operation = Operation::less_equal;
            } else if (take(">=")) {
                operation = Operation::less_equal;
                turned = true;
            } else if (take("==")) {
                operation = Operation::equal;
            } else if (take("!=")) {
                operation = Operation::not_equal;
            } else if (take("<")) {
                operation = Operation::less;
            } else if (take(">")) {
                operation = Operation::less;
                turned = true;
            } else {
                --depth_;
                return left;
            }
            if (compared) {
                fail("comparisons in a row have no meaning; multiply them, (a < b) * (b < c)",
                     before);
            }
            compared = true;
            const Id right = sum();
            left =
                turned ? graph_.make(operation, right, left) : graph_.make(operation, left, right);
        }
    }

    Id sum() {
        Id left = product();
        while (true) {
            if (take("+")) {
                left = graph_.make(Operation::add, left, product());
            } else if (take("-")) {
                left = graph_.make(Operation::subtract, left, product());
            } else {
                return left;
            }
        }
    }

    Id product() {
        Id left = sign();
        while (true) {
            if (take("*")) {
                left = graph_.make(Operation::multiply, left, sign());
            } else if (take("/")) {
                left = graph_.make(Operation::divide, left, sign());
            } else {
                return left;
            }
        }
    }

    // -x^2 is -(x^2), and 2^-x is allowed.
    Id sign() {
        bool negative = false;
        while (true) {
            if (take("-")) {
                negative = !negative;
            } else if (!take("+")) {
                break;
            }
        }
        const Id id = power();
        return negative ? graph_.make(Operation::negate, id) : id;
    }

    Id power() {
        const Id base = primary();
        if (!take("^") && !take("**")) return base;
        if (++depth_ > deepest) fail("this is nested too deeply");
        const Id exponent = sign();
        --depth_;
        return graph_.make(Operation::pow, base, exponent);
    }

    Id primary() {
        skip();
        if (at_ == text_.size()) fail("expected a number, a name or a parenthesis, found the end");
        if (take("(")) {
            const Id id = comparison();
            if (!take(")")) fail("expected a closing parenthesis");
            return id;
        }
        const char c = text_[at_];
        if (digit(c) || c == '.') return number();
        if (letter(c)) return named();
        fail("expected a number, a name or a parenthesis, found \"" + symbol() + "\"");
    }

    Id number() {
        double value = 0.0;
        const char* first = text_.data() + at_;
        const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), value);
        if (error != std::errc{} || !std::isfinite(value)) fail("this is not a number");
        at_ += static_cast<std::size_t>(end - first);
        skip();
        return graph_.constant(value);
    }

    Id named() {
        const std::size_t first = at_;
        while (at_ < text_.size() && (letter(text_[at_]) || digit(text_[at_]))) ++at_;
        const std::string name = text_.substr(first, at_ - first);
        if (take("(")) return call(name, first);
        for (std::size_t v = 0; v < names_.variables.size(); ++v) {
            if (names_.variables[v] == name) return graph_.variable(v);
        }
        for (const auto& [known, value] : names_.constants) {
            if (known == name) return graph_.constant(value);
        }
        if (name == "pi") return graph_.constant(std::numbers::pi);
        if (function_of(name) != nullptr || name == step) {
            fail(name + " is a function; give its arguments in parentheses", first);
        }
        fail("there is no \"" + name + "\"; there are the variables " +
                 listed(names_.variables, [](const auto& n) { return n; }) + ", the constants " +
                 listed(names_.constants, [](const auto& n) { return n.first + ", "; }) + "pi" +
                 " and functions; a constant is given by its name and value",
             first);
    }

    Id call(const std::string& name, std::size_t first) {
        const Function* function = function_of(name);
        if (function == nullptr && name != step) {
            fail("there is no function \"" + name + "\"; there are " +
                     listed(functions, [](const Function& f) { return f.name; }) + " and step",
                 first);
        }
        std::array<Id, 3> given{};
        std::size_t count = 0;
        if (!take(")")) {
            do {
                if (count < given.size()) given[count] = comparison();
                if (++count > given.size()) break;
            } while (take(","));
            if (count <= given.size() && !take(")")) fail("expected a comma or a parenthesis");
        }
        const int wanted = function == nullptr ? 1 : arguments(function->operation);
        if (static_cast<int>(count) != wanted) {
            fail(name + " takes " + std::to_string(wanted) +
                     (wanted == 1 ? " number" : " numbers") + ", separated by commas; got " +
                     (count > given.size() ? "more" : std::to_string(count)),
                 first);
        }
        if (function == nullptr) {
            return graph_.make(Operation::less_equal, graph_.constant(0.0), given[0]);
        }
        return graph_.make(function->operation, given[0], given[1], given[2]);
    }
};

}  // namespace

Id parse(const std::string& text, const Formulas& names, Graph& graph) {
    return Parser(text, names, graph).all();
}

void check_names(const Formulas& names) {
    std::set<std::string> seen{"pi", std::string(step)};
    for (const Function& f : functions) seen.emplace(f.name);
    const auto check = [&seen](const std::string& name) {
        bool good = !name.empty() && letter(name[0]);
        for (const char c : name) good = good && (letter(c) || digit(c));
        if (!good) {
            throw Error("\"" + name + "\" is no name for a formula; give letters, digits and _");
        }
        if (!seen.insert(name).second) {
            throw Error("the name \"" + name + "\" means something else in formulas already; " +
                        "choose another");
        }
    };
    for (const std::string& name : names.variables) check(name);
    for (const auto& [name, value] : names.constants) {
        check(name);
        if (!std::isfinite(value)) {
            throw Error("the constant \"" + name + "\" is " + std::to_string(value) +
                        ", expected a finite number");
        }
    }
}

}  // namespace regrain::expressions
