#include "regrain/base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <limits>
#include <mutex>
#include <string>
#include <thread>

#include "regrain/base/error.hpp"

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#ifdef __linux__
#include <sched.h>
#endif

namespace regrain {

namespace {

std::atomic<bool> forked{false};
std::atomic<int> requested{0};

int default_threads() {
    if (const char* text = std::getenv("OMP_NUM_THREADS"); text != nullptr) {
        const int count = std::atoi(text);
        if (count > 0) return count;
    }
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

#if defined(__unix__) || defined(__APPLE__)
// libgomp hangs in a child forked after the parent ran a parallel region: its worker threads are
// not there any more. Such a child works on one thread.
[[maybe_unused]] const int fork_guard =
    pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });
#endif

// Keeps the exception of the earliest chunk, so that the message does not depend on the threads.
struct FirstError {
    std::mutex mutex;
    std::size_t chunk{std::numeric_limits<std::size_t>::max()};
    std::exception_ptr error;

    void keep(std::size_t c) {
        const std::lock_guard lock(mutex);
        if (c < chunk) {
            chunk = c;
            error = std::current_exception();
        }
    }
};

}  // namespace

int threads() {
    if (forked.load(std::memory_order_relaxed)) return 1;
    const int count = requested.load(std::memory_order_relaxed);
    static const int fallback = default_threads();
    return count > 0 ? count : fallback;
}

void set_threads(int count) {
    if (count < 1) {
        throw Error("threads: got " + std::to_string(count) + ", expected at least 1");
    }
    requested.store(count, std::memory_order_relaxed);
}

void detail::run_chunks(std::size_t n, std::size_t chunk, ChunkBody body, void* context) {
    if (n == 0) return;
    const std::size_t count = (n + chunk - 1) / chunk;
    const auto team =
        static_cast<int>(std::min<std::size_t>(count, static_cast<std::size_t>(threads())));
    if (team == 1) {
        for (std::size_t c = 0; c < count; ++c)
            body(context, c, c * chunk, std::min(n, (c + 1) * chunk));
        return;
    }
    FirstError first;
    const auto one = [&](std::size_t c) {
        try {
            body(context, c, c * chunk, std::min(n, (c + 1) * chunk));
        } catch (...) {
            first.keep(c);
        }
    };
#ifdef _OPENMP
#pragma omp parallel for num_threads(team) schedule(dynamic, 1)
    for (std::size_t c = 0; c < count; ++c) one(c);
#else
    // Where there is no OpenMP (and under ThreadSanitizer, which does not understand libgomp).
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t c = next++; c < count; c = next++) one(c);
    };
    std::vector<std::thread> crew;
    for (int t = 1; t < team; ++t) crew.emplace_back(work);
    work();
    for (std::thread& t : crew) t.join();
#endif
    if (first.error) std::rethrow_exception(first.error);
}

}  // namespace regrain
