// Runs every TEST of the executable, or those whose name contains the first argument, or, given
// "1/3", the first of every three.
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <iomanip>
#include <sstream>

#include "check.hpp"

namespace check {

namespace {

int failures = 0;

// What runs, for whoever looks into a crash.
const char* running = "nothing";
struct sigaction before;

void tell_crash(int number) {
    std::fputs("crashed in ", stderr);
    std::fputs(running, stderr);
    std::fputs("\n", stderr);
    sigaction(number, &before, nullptr);  // it happens again, for whoever listened before
}

}  // namespace

std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}

void fail(const char* file, int line, const std::string& what) {
    ++failures;
    std::cout << "  " << file << ':' << line << ": " << what << '\n';
}

std::string show(double value) {
    std::ostringstream text;
    text << std::setprecision(17) << value;
    return text.str();
}

static bool passes(const Case& test) {
    using Clock = std::chrono::steady_clock;
    const int before = failures;
    const Clock::time_point begin = Clock::now();
    try {
        test.body();
    } catch (const std::exception& error) {
        fail(test.name.c_str(), 0, std::string("unexpected exception: ") + error.what());
    }
    const std::chrono::duration<double> took = Clock::now() - begin;
    if (took.count() > 1.0) std::cout << "slow: " << took.count() << " s, " << test.name << '\n';
    return failures == before;
}

static int run(const std::string& wanted) {
    std::size_t part = 1;
    std::size_t parts = 1;
    const bool whole = std::sscanf(wanted.c_str(), "%zu/%zu", &part, &parts) != 2;
    const std::string filter = whole ? wanted : "";
    struct sigaction action {};
    action.sa_handler = tell_crash;
    sigaction(SIGSEGV, &action, &before);
    std::size_t ran = 0;
    std::size_t failed = 0;
    std::size_t number = 0;
    for (const Case& test : cases()) {
        if (++number % parts != part % parts) continue;
        if (test.name.find(filter) == std::string::npos) continue;
        ++ran;
        running = test.name.c_str();
        if (!passes(test)) {
            ++failed;
            std::cout << "FAILED " << test.name << '\n';
        }
    }
    std::cout << ran - failed << " of " << ran << " tests passed\n";
    return failed == 0 && ran > 0 ? 0 : 1;
}

}  // namespace check

int main(int argc, char** argv) { return check::run(argc > 1 ? argv[1] : ""); }
