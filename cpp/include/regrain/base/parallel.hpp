#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

#include "regrain/base/export.hpp"

/// The one way to use more than one core. Work is cut into chunks whose borders depend on the
/// amount of work alone, never on the number of threads, so that sums over chunks have the same
/// bits on any machine.
namespace regrain {

inline constexpr std::size_t chunk_size = 4096;

/// Threads that the next parallel region uses: set_threads, else OMP_NUM_THREADS, else the cores
/// this process may run on. Always 1 in a forked child, into which threads do not follow.
REGRAIN_EXPORT int threads();
REGRAIN_EXPORT void set_threads(int count);

namespace detail {
using ChunkBody = void (*)(void* context, std::size_t chunk, std::size_t begin, std::size_t end);
REGRAIN_EXPORT void run_chunks(std::size_t n, std::size_t chunk, ChunkBody body, void* context);
}  // namespace detail

/// Calls f(chunk index, begin, end) for each chunk of [0, n), on all threads. If chunks throw, the
/// exception of the first of them (in order of the work) is thrown again. A region inside of a
/// region, or while another thread of the program runs one, is worked off by the calling thread.
template <class F>
void parallel_chunks(std::size_t n, std::size_t chunk, F&& f) {
    using Body = std::remove_reference_t<F>;
    detail::run_chunks(
        n, chunk,
        [](void* context, std::size_t c, std::size_t begin, std::size_t end) {
            (*static_cast<Body*>(context))(c, begin, end);
        },
        const_cast<void*>(static_cast<const void*>(std::addressof(f))));
}

/// Calls f(begin, end) for chunks of [0, n).
template <class F>
void parallel_for(std::size_t n, F&& f, std::size_t chunk = chunk_size) {
    parallel_chunks(n, chunk,
                    [&f](std::size_t, std::size_t begin, std::size_t end) { f(begin, end); });
}

/// Sum over chunks of f(begin, end) -> T (default-constructed T is zero, T has +=), added up in the
/// order of the chunks.
template <class T, class F>
T parallel_sum(std::size_t n, F&& f, std::size_t chunk = chunk_size) {
    std::vector<T> partial((n + chunk - 1) / chunk);
    parallel_chunks(n, chunk, [&](std::size_t c, std::size_t begin, std::size_t end) {
        partial[c] = f(begin, end);
    });
    T total{};
    for (const T& p : partial) total += p;
    return total;
}

}  // namespace regrain
