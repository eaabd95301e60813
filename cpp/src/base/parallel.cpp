#include "regrain/base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <limits>
#include <mutex>
#include <string>
#include <thread>

#include "regrain/base/error.hpp"

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
// The crew does not follow into a forked child. Such a child works on one thread.
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

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Looks for so long (some ten microseconds) before it sleeps: longer than the gap between the
// regions of one time step, short enough to cost the other programs of the machine nothing.
constexpr int patience = 1000;

template <class T>
void wait_while(const std::atomic<T>& value, T old) {
    for (int look = 0; look < patience; ++look) {
        if (value.load(std::memory_order_acquire) != old) return;
        pause();
    }
    value.wait(old, std::memory_order_acquire);
}

// Whether this thread is inside of a region: a region inside of a region is worked off in place.
thread_local bool inside = false;

struct Job {
    std::size_t n{0}, chunk{0};
    std::uint32_t count{0};
    detail::ChunkBody body{nullptr};
    void* context{nullptr};
    FirstError* first{nullptr};

    void run(std::size_t c) const {
        try {
            body(context, c, c * chunk, std::min(n, (c + 1) * chunk));
        } catch (...) {
            first->keep(c);
        }
    }
};

// Threads that take chunks from a common heap. The caller works too, and in the end waits for
// chunks that somebody works on, never for a thread that did not wake up in time. OpenMP's barrier
// does wait for it, and on a machine shared with others that costs a time slice per region.
class Crew {
public:
    // False if the crew is at work for another thread: the caller is better off alone then.
    bool run(const Job& job, int team) {
        const std::unique_lock lock(one_caller_, std::try_to_lock);
        if (!lock.owns_lock()) return false;
        while (size_ < team - 1) std::thread(&Crew::work, this, size_++).detach();
        job_ = job;
        team_.store(team - 1, std::memory_order_relaxed);
        done_.store(0, std::memory_order_relaxed);
        const std::uint32_t region = region_.load(std::memory_order_relaxed) + 1;
        heap_.store(std::uint64_t{region} << 32 | job.count, std::memory_order_release);
        region_.store(region, std::memory_order_release);
        region_.notify_all();
        drain(region);
        for (std::uint32_t d = done_.load(std::memory_order_acquire); d != job.count;
             d = done_.load(std::memory_order_acquire)) {
            wait_while(done_, d);
        }
        return true;
    }

private:
    void work(int rank) {
        std::uint32_t seen = 0;
        for (;;) {
            wait_while(region_, seen);
            seen = region_.load(std::memory_order_acquire);
            if (rank < team_.load(std::memory_order_relaxed)) drain(seen);
        }
    }

    // The job may be read only between taking a chunk of it and reporting it done: as long as one
    // chunk is missing the caller cannot return.
    void drain(std::uint32_t region) {
        inside = true;
        std::uint64_t heap = heap_.load(std::memory_order_acquire);
        while (heap >> 32 == region && (heap & 0xFFFFFFFFU) != 0) {
            if (!heap_.compare_exchange_weak(heap, heap - 1, std::memory_order_acq_rel,
                                             std::memory_order_acquire)) {
                continue;
            }
            const std::uint32_t count = job_.count;
            job_.run(count - (heap & 0xFFFFFFFFU));
            if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == count) done_.notify_one();
            heap = heap_.load(std::memory_order_acquire);
        }
        inside = false;
    }

    std::mutex one_caller_;
    int size_{0};
    Job job_;
    std::atomic<int> team_{0};
    std::atomic<std::uint32_t> region_{0};  // number of the region; idle threads sleep on it
    std::atomic<std::uint64_t> heap_{0};    // number of the region, and its chunks not yet taken
    std::atomic<std::uint32_t> done_{0};    // chunks finished
};

// Never destroyed: its threads sleep on it until the process is gone.
Crew& crew() {
    static Crew& one = *new Crew;
    return one;
}

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
    if (team > 1 && !inside && count <= std::numeric_limits<std::uint32_t>::max()) {
        FirstError first;
        const Job job{n, chunk, static_cast<std::uint32_t>(count), body, context, &first};
        if (crew().run(job, team)) {
            if (first.error) std::rethrow_exception(first.error);
            return;
        }
    }
    for (std::size_t c = 0; c < count; ++c)
        body(context, c, c * chunk, std::min(n, (c + 1) * chunk));
}

}  // namespace regrain
