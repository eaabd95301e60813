// A test framework of one page, so that the C++ tests need nothing but a compiler.
//
//   TEST("a wall reflects") {
//       CHECK(x > 0);
//       CHECK_NEAR(energy, 1.5, 1e-12);
//       CHECK_THROWS(Error, box.wrap(nan));
//   }
#pragma once

#include <cmath>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace check {

struct Case {
    std::string name;
    std::function<void()> body;
};

/// Every test of this executable, in the order the files registered them.
std::vector<Case>& cases();

/// Records one failure of the running test; the test goes on, so all failures are seen.
void fail(const char* file, int line, const std::string& what);

struct Register {
    Register(std::string name, std::function<void()> body) {
        cases().push_back({std::move(name), std::move(body)});
    }
};

}  // namespace check

#define CHECK_JOIN_(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN_(a, b)
#define CHECK_TEST_(name, id)                                                                  \
    static void CHECK_JOIN(check_body_, id)();                                                 \
    static const check::Register CHECK_JOIN(check_register_, id)(name,                         \
                                                                 CHECK_JOIN(check_body_, id)); \
    static void CHECK_JOIN(check_body_, id)()

#define TEST(name) CHECK_TEST_(name, __COUNTER__)

#define CHECK(...)                                                         \
    do {                                                                   \
        if (!(__VA_ARGS__)) check::fail(__FILE__, __LINE__, #__VA_ARGS__); \
    } while (false)

#define CHECK_NEAR(actual, expected, tolerance)                                               \
    do {                                                                                      \
        const double check_a = static_cast<double>(actual);                                   \
        const double check_e = static_cast<double>(expected);                                 \
        if (!(std::abs(check_a - check_e) <= static_cast<double>(tolerance)))                 \
            check::fail(__FILE__, __LINE__,                                                   \
                        std::string(#actual) + " = " + check::show(check_a) + ", expected " + \
                            check::show(check_e) + " within " +                               \
                            check::show(static_cast<double>(tolerance)));                     \
    } while (false)

#define CHECK_THROWS(exception, ...)                                                    \
    do {                                                                                \
        bool check_thrown = false;                                                      \
        try {                                                                           \
            static_cast<void>(__VA_ARGS__);                                             \
        } catch (const exception&) {                                                    \
            check_thrown = true;                                                        \
        }                                                                               \
        if (!check_thrown)                                                              \
            check::fail(__FILE__, __LINE__, #__VA_ARGS__ " did not throw " #exception); \
    } while (false)

namespace check {
/// All digits of a number.
std::string show(double value);
}  // namespace check
