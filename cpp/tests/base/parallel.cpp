#include "regrain/base/parallel.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"

using namespace regrain;

namespace {

double harmonic_sum(std::size_t n) {
    return parallel_sum<double>(n, [](std::size_t begin, std::size_t end) {
        double sum = 0.0;
        for (std::size_t i = begin; i < end; ++i) sum += 1.0 / static_cast<double>(i + 1);
        return sum;
    });
}

}  // namespace

TEST("sums have the same bits for any number of threads") {
    set_threads(1);
    const double one = harmonic_sum(1000003);
    for (int t = 2; t <= 5; ++t) {
        set_threads(t);
        CHECK(threads() == t);
        CHECK(harmonic_sum(1000003) == one);
    }
    // H_n = ln n + gamma + 1/(2n) - 1/(12 n^2)
    const double n = 1000003.0;
    CHECK_NEAR(one, std::log(n) + 0.57721566490153286 + 0.5 / n - 1.0 / (12 * n * n), 1e-11);
}

TEST("every element is visited once") {
    set_threads(3);
    std::vector<int> seen(100001, 0);
    parallel_for(seen.size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) ++seen[i];
    });
    for (const int s : seen) CHECK(s == 1);
    parallel_for(0, [&](std::size_t, std::size_t) { seen.at(seen.size()) = 1; });
}

TEST("of several exceptions the first in the order of the work is thrown") {
    set_threads(4);
    for (int repeat = 0; repeat < 20; ++repeat) {
        std::string message;
        try {
            parallel_for(
                1000,
                [](std::size_t begin, std::size_t) {
                    if (begin >= 300) throw Error(std::to_string(begin));
                },
                100);
        } catch (const Error& error) {
            message = error.what();
        }
        CHECK(message == "300");
    }
}

TEST("a forked child works on one thread instead of hanging") {
    set_threads(2);
    const double before = harmonic_sum(100000);
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);  // a hang ends the child with a signal
        _exit(threads() == 1 && harmonic_sum(100000) == before ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(threads() == 2);
}

TEST("less than one thread is refused") {
    CHECK_THROWS(Error, set_threads(0));
    CHECK_THROWS(Error, set_threads(-3));
}

TEST("a region inside of a region is worked off, in place") {
    set_threads(3);
    std::vector<double> inner(64);
    parallel_for(
        inner.size(),
        [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) inner[i] = harmonic_sum(10000 + i);
        },
        1);
    for (std::size_t i = 0; i < inner.size(); ++i) CHECK(inner[i] == harmonic_sum(10000 + i));
}

TEST("several threads of a program may ask at once") {
    set_threads(3);
    const double expected = harmonic_sum(300000);
    std::vector<double> found(4, 0.0);
    std::vector<std::thread> callers;
    for (double& f : found) {
        callers.emplace_back([&f] {
            for (int repeat = 0; repeat < 50; ++repeat) f = harmonic_sum(300000);
        });
    }
    for (std::thread& t : callers) t.join();
    for (const double f : found) CHECK(f == expected);
}

TEST("a hundred thousand small regions end, one after the other") {
    set_threads(4);
    std::uint64_t sum = 0;
    for (std::uint64_t region = 0; region < 100000; ++region) {
        sum += parallel_sum<std::uint64_t>(
            8, [](std::size_t begin, std::size_t end) { return std::uint64_t{end - begin}; }, 1);
    }
    CHECK(sum == 800000);
    set_threads(2);
}
