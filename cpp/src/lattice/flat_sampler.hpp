// What samplers have in common whose spins are in the order of C.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/lattice/sampler.hpp"

namespace regrain::lattice {

/// One bit per spin, set where it is positive, the lowest of a byte first.
inline void pack_signs(std::span<const std::int8_t> spins, std::span<std::uint8_t> out) {
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    for (std::size_t n = 0; n < spins.size(); ++n) {
        out[n / 8] = static_cast<std::uint8_t>(out[n / 8] | ((spins[n] > 0 ? 1 : 0) << (n % 8)));
    }
}

/// An error unless there are so many spins.
inline void expect_spins(std::size_t given, std::size_t sites, std::size_t replicas) {
    if (given != sites * replicas) {
        throw Error("got " + std::to_string(given) + " spins, expected " + std::to_string(sites) +
                    " for each of " + std::to_string(replicas) + " replicas");
    }
}

/// Calls f(replica, whether its own loops have the threads): replicas need not wait for each other.
template <class F>
void each_replica(std::size_t replicas, F&& f) {
    if (replicas == 1) {
        f(std::size_t{0}, true);
        return;
    }
    parallel_for(
        replicas,
        [&](std::size_t begin, std::size_t end) {
            for (std::size_t r = begin; r < end; ++r) f(r, false);
        },
        1);
}

template <class V>
class FlatSampler : public Sampler {
public:
    FlatSampler(std::size_t sites, std::size_t replicas)
        : spins_(replicas, std::vector<V>(sites)) {}

    void assign(std::span<const V> values, std::uint64_t sweep) override {
        const std::size_t n = spins_[0].size();
        expect_spins(values.size(), n, spins_.size());
        for (std::size_t r = 0; r < spins_.size(); ++r) {
            std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(r * n), n, spins_[r].begin());
        }
        sweep_ = sweep;
    }

    void values(std::span<V> out) const override {
        auto next = out.begin();
        for (const auto& spins : spins_) next = std::copy(spins.begin(), spins.end(), next);
    }

    void bits(std::span<std::uint8_t> out) const override {
        if constexpr (std::is_same_v<V, std::int8_t>) {
            std::vector<V> all(spins_.size() * spins_[0].size());
            values(all);
            pack_signs(all, out);
        } else {
            Sampler::bits(out);
        }
    }

    void run(std::uint64_t sweeps) override {
        each_replica(spins_.size(), [&](std::size_t r, bool) { run_replica(r, sweeps); });
        sweep_ += sweeps;
    }

protected:
    virtual void run_replica(std::size_t replica, std::uint64_t sweeps) = 0;

    std::vector<std::vector<V>> spins_;
};

}  // namespace regrain::lattice
