#include "regrain/base/expression.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/random.hpp"

using regrain::Error;
using regrain::Expression;
using regrain::Formulas;

namespace {

double value(const std::string& text, double x = 0.0, double y = 0.0) {
    double result = 0.0;
    Expression({{text}, {"x", "y"}, {{"k", 3.0}}, {}}).evaluate(std::array{x, y}, {&result, 1});
    return result;
}

// Value, d/dx and d/dy.
std::array<double, 3> slopes(const std::string& text, double x, double y) {
    std::array<double, 3> results{};
    Expression({{text}, {"x", "y"}, {{"k", 3.0}}, {0, 1}}).evaluate(std::array{x, y}, results);
    return results;
}

std::string message(const std::string& text) {
    try {
        value(text);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST("formulas are read as mathematics is written") {
    CHECK(value("1 + 2 * 3") == 7.0);
    CHECK(value("(1 + 2) * 3") == 9.0);
    CHECK(value("2 - 3 - 4") == -5.0);
    CHECK(value("24 / 4 / 3") == 2.0);
    CHECK(value("2^3^2") == 512.0);
    CHECK(value("2**3") == 8.0);
    CHECK(value("-x^2", 3.0) == -9.0);
    CHECK(value("2^-x", 2.0) == 0.25);
    CHECK(value("--x - -y", 3.0, 4.0) == 7.0);
    CHECK(value("1.5e-3 * k") == 1.5e-3 * 3.0);
    CHECK(value(".5") == 0.5);
    CHECK_NEAR(value("2 * pi"), 2.0 * std::numbers::pi, 0.0);
    CHECK(value("x < y", 1.0, 2.0) == 1.0);
    CHECK(value("x + 1 >= y", 1.0, 2.0) == 1.0);
    CHECK(value("(x > y) + (x == 1) + (x != y)", 1.0, 2.0) == 2.0);
    CHECK(value("step(x)", 0.0) == 1.0);
    CHECK(value("step(x)", -1e-300) == 0.0);
    CHECK(value("select(x < y, x, y)", 5.0, 4.0) == 4.0);
    CHECK(value("floor(x)", -0.5) == -1.0);
    CHECK(value("atan2(x, y)", 1.0, -1.0) == std::atan2(1.0, -1.0));
    CHECK(value("x^0", 0.0) == 1.0);
    CHECK_NEAR(value("x / 1e-310", 1e-309), 10.0, 1e-12);
    CHECK(value("x^-2", 2.0) == 0.25);
    CHECK_NEAR(value("x^1.5", 4.0), 8.0, 1e-14);
}

TEST("a formula that is wrong says where") {
    CHECK(has(message("1 +"), "position 4: expected a number, a name or a parenthesis"));
    CHECK(has(message("2x"), "position 2: expected an operator"));
    CHECK(has(message("k*(z-1)"), "position 4: there is no \"z\"; there are the variables x, y"));
    CHECK(has(message("k*(z-1)"), "the constants k, pi"));
    CHECK(has(message("(x"), "position 3: expected a closing parenthesis"));
    CHECK(has(message("gauss(x)"), "position 1: there is no function \"gauss\"; there are sqrt"));
    CHECK(has(message("exp"), "exp is a function"));
    CHECK(has(message("min(x)"), "min takes 2 numbers, separated by commas; got 1"));
    CHECK(has(message("exp(x, y, 1, 2)"), "exp takes 1 number, separated by commas; got more"));
    CHECK(has(message("0 < x < 1"), "position 7: comparisons in a row"));
    CHECK(has(message("x $ y"), "position 3: expected an operator or the end, found \"$\""));
    CHECK(has(message("1e999"), "this is not a number"));
    CHECK(has(message(""), "position 1"));
    CHECK(has(message(std::string(1000, '(')), "nested too deeply"));
    CHECK(has(message(std::string(1000, '-') + "x + q"), "there is no \"q\""));
    CHECK_THROWS(Error, Expression({{"x"}, {"x", "x"}, {}, {}}));
    CHECK_THROWS(Error, Expression({{"x"}, {"x"}, {{"exp", 1.0}}, {}}));
    CHECK_THROWS(Error, Expression({{"x"}, {"x"}, {{"2k", 1.0}}, {}}));
    CHECK_THROWS(Error, Expression({{"x"}, {"x"}, {{"k", std::nan("")}}, {}}));
}

TEST("derivatives are those of calculus") {
    const double x = 0.7, y = -1.3;
    const auto check = [&](const std::string& text, double by_x, double by_y) {
        const auto found = slopes(text, x, y);
        CHECK_NEAR(found[1], by_x, 1e-14 * (1.0 + std::abs(by_x)));
        CHECK_NEAR(found[2], by_y, 1e-14 * (1.0 + std::abs(by_y)));
    };
    check("k*x^2*y", 2 * 3 * x * y, 3 * x * x);
    check("x/y", 1 / y, -x / (y * y));
    check("x^y", y * std::pow(x, y - 1), std::pow(x, y) * std::log(x));
    check("2^y", 0.0, std::log(2.0) * std::pow(2.0, y));
    check("x^-3.5", -3.5 * std::pow(x, -4.5), 0.0);
    check("x^9 - x^3", 9 * std::pow(x, 8) - 3 * x * x, 0.0);
    check("exp(-x*x)*log(x)", std::exp(-x * x) * (1 / x - 2 * x * std::log(x)), 0.0);
    check("sin(x)*cos(y)", std::cos(x) * std::cos(y), -std::sin(x) * std::sin(y));
    check("tan(x)", 1 / (std::cos(x) * std::cos(x)), 0.0);
    check("asin(x) + acos(x)", 0.0, 0.0);
    check("atan(y)", 0.0, 1 / (1 + y * y));
    check("atan2(y, x)", -y / (x * x + y * y), x / (x * x + y * y));
    check("sinh(x) + cosh(y)", std::cosh(x), std::sinh(y));
    check("tanh(x)", 1 / (std::cosh(x) * std::cosh(x)), 0.0);
    check("abs(y)*sqrt(x)", 0.5 * std::abs(y) / std::sqrt(x), -std::sqrt(x));
    check("min(x, y) + 2*max(x, y)", 2.0, 1.0);
    check("select(x > y, x*x, y*y)", 2 * x, 0.0);
    check("floor(x) + step(x)", 0.0, 0.0);
}

TEST("a branch that is not taken does no harm") {
    const auto found = slopes("select(x > 0, y/x, y)", 0.0, 2.0);
    CHECK(found[0] == 2.0 && found[1] == 0.0 && found[2] == 1.0);
}

TEST("functions of blocks are those of the C library") {
    // To two units in the last place; of sines, two roundings of 1.
    struct Case {
        const char* text;
        double (*function)(double);
        double low, high, absolute;
    };
    const Case cases[] = {
        {"exp(x)", std::exp, -700.0, 709.0, 0.0}, {"exp(x)", std::exp, -1.0, 1.0, 0.0},
        {"log(x)", std::log, 0.5, 2.0, 1e-17},    {"log(x)", std::log, 1e-300, 1e300, 0.0},
        {"sin(x)", std::sin, -7.0, 7.0, 1e-16},   {"cos(x)", std::cos, -7.0, 7.0, 1e-16},
        {"sin(x)", std::sin, -3e5, 3e5, 1e-16},   {"sqrt(x)", std::sqrt, 0.0, 1e6, 0.0},
        {"tanh(x)", std::tanh, -3.0, 3.0, 0.0},   {"floor(x)", std::floor, -1e9, 1e9, 0.0},
    };
    const regrain::Philox random(7, 0);
    for (const Case& test : cases) {
        const Expression e({{test.text}, {"x"}, {}, {}});
        Expression::Workspace work(e);
        for (std::uint64_t round = 0; round < 40; ++round) {
            for (std::size_t k = 0; k < Expression::block; ++k) {
                const double u = random.uniform2(round, static_cast<std::uint32_t>(k))[0];
                work.input(0)[k] = test.low + (test.high - test.low) * u;
            }
            e.run(work, Expression::block);
            for (std::size_t k = 0; k < Expression::block; ++k) {
                const double exact = test.function(work.input(0)[k]);
                CHECK_NEAR(e.output(work, 0)[k], exact, 4.5e-16 * std::abs(exact) + test.absolute);
            }
        }
    }
}

TEST("numbers at the edge are what the C library makes of them") {
    const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
    CHECK(value("exp(x)", inf) == inf && value("exp(x)", 800.0) == inf);
    CHECK(value("exp(x)", -inf) == 0.0 && value("exp(x)", -800.0) == 0.0);
    CHECK(value("log(x)", 0.0) == -inf && value("log(x)", inf) == inf);
    CHECK_NEAR(value("log(x)", 5e-324), std::log(5e-324), 1e-12);
    CHECK(std::isnan(value("log(x)", -1.0)));
    for (const char* text : {"exp(x)", "log(x)", "sin(x)", "cos(x)", "floor(x)", "abs(x)",
                             "min(x, y)", "max(x, y)", "min(y, x)", "max(y, x)", "x^2", "-x"}) {
        CHECK(std::isnan(value(text, nan, 1.0)));
    }
    CHECK(std::isnan(value("sin(x)", inf)));
    CHECK(std::isnan(value("sqrt(x)", -1.0)));
    CHECK(value("x / y", 1.0, 0.0) == inf);
}

TEST("a point has the same bits wherever it stands, and uniform variables are like others") {
    const std::vector<std::string> texts{"exp(-x*x)*sin(3*t) + pow0*x^5 + cos(t)/(1 + x*x)"};
    const Expression varying({texts, {"x", "t"}, {{"pow0", 0.1}}, {0, 1}});
    const Expression uniform({texts, {"x", "t"}, {{"pow0", 0.1}}, {0, 1}, 1});
    Expression::Workspace a(varying), b(uniform);
    b.set(1, 0.3);
    uniform.prepare(b);
    for (const std::size_t count : {std::size_t{1}, std::size_t{13}, Expression::block}) {
        for (std::size_t k = 0; k < count; ++k) {
            a.input(0)[k] = b.input(0)[k] = 0.37 * static_cast<double>(count - k) - 1.0;
            a.input(1)[k] = 0.3;
        }
        varying.run(a, count);
        uniform.run(b, count);
        for (std::size_t k = 0; k < count; ++k) {
            std::array<double, 3> alone{};
            varying.evaluate(std::array{a.input(0)[k], 0.3}, alone);
            for (std::size_t o = 0; o < 3; ++o) {
                CHECK(varying.output(a, o)[k] == alone[o]);
                CHECK(uniform.output(b, o)[k] == alone[o]);
            }
        }
    }
}

TEST("what is not used is known, and what is the same is computed once") {
    const Expression e({{"x^2 + 0*y"}, {"x", "y"}, {}, {0}});
    CHECK(e.uses(0) && !e.uses(1));
    CHECK(e.outputs() == 2);
    CHECK(!e.vanishes(1) && Expression({{"x^2 - y"}, {"x", "y", "z"}, {}, {2}}).vanishes(1));
}
