#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "regrain/base/export.hpp"

namespace regrain {

/// What an Expression computes: each formula and, right after it, its derivatives.
///
/// A formula has + - * / ^ (also **), comparisons (1 or 0), parentheses, numbers, names, pi, and
/// the functions sqrt exp log sin cos tan asin acos atan atan2 sinh cosh tanh abs floor min max
/// step (1 from 0 on) and select(condition, if_true, if_false).
struct Formulas {
    std::vector<std::string> texts;
    std::vector<std::string> variables;
    std::vector<std::pair<std::string, double>> constants;
    /// The variables, by their place, by which every formula is differentiated.
    std::vector<std::size_t> by;
    /// So many of the last variables have one value for all points, such as the time.
    std::size_t uniform{0};
};

/// Formulas compiled into one program of operations on blocks of numbers, so that reading the
/// program costs little. What formulas and derivatives have in common is computed once, what is
/// constant never, what depends on uniform variables alone once per many blocks. The numbers of a
/// point do not depend on where in a block it is.
///
/// Derivatives are exact; where a formula has a kink or a jump (abs, min, max, floor, step,
/// comparisons, select) they are those of one side.
class REGRAIN_EXPORT Expression {
public:
    /// Points that are computed at once.
    static constexpr std::size_t block = 128;

    /// Throws Error that says where a text goes wrong, and what there is for an unknown name.
    explicit Expression(const Formulas& formulas);

    [[nodiscard]] std::size_t inputs() const { return inputs_; }
    [[nodiscard]] std::size_t outputs() const { return results_.size(); }
    /// Whether any output depends on a variable.
    [[nodiscard]] bool uses(std::size_t variable) const { return used_[variable] != 0; }

    /// Whether an output is zero for all inputs.
    [[nodiscard]] bool vanishes(std::size_t which) const { return vanishes_[which] != 0; }

    /// The numbers of one thread while it computes.
    class REGRAIN_EXPORT Workspace {
    public:
        /// Every variable is zero.
        explicit Workspace(const Expression& expression);
        /// A uniform variable; `prepare` has to follow.
        void set(std::size_t variable, double value);
        /// Where the values of a variable belong, those of a block.
        [[nodiscard]] std::span<double, block> input(std::size_t variable);

    private:
        friend class Expression;
        std::vector<double> storage_;
        double* registers_;  ///< within the storage, aligned
        std::size_t inputs_;
    };

    /// Computes what depends on uniform variables alone.
    void prepare(Workspace& work) const;
    /// Computes the first `count` points of a block. After it the inputs are as they were.
    void run(Workspace& work, std::size_t count) const;
    /// The results of `run`.
    [[nodiscard]] std::span<const double, block> output(const Workspace& work,
                                                        std::size_t which) const;

    /// One point: a number per variable in, a number per output out.
    void evaluate(std::span<const double> point, std::span<double> results) const;

    struct Instruction {
        std::uint16_t operation, out, a, b, c;
    };

private:
    std::size_t inputs_{0}, registers_{0};
    std::vector<std::uint8_t> used_, vanishes_;
    std::vector<std::pair<std::uint16_t, double>> constants_;  ///< registers and what they hold
    std::vector<Instruction> once_, each_;
    std::vector<std::uint16_t> results_;
};

}  // namespace regrain
