#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "regrain/base/export.hpp"
#include "regrain/lattice/model.hpp"

namespace regrain::lattice {

enum class Method { metropolis, heat_bath };

/// A Markov chain on the spins of a model, or several of them (replicas). All that decides what
/// comes next are the spins, the number of the sweep and the seed; the number of threads does not.
class REGRAIN_EXPORT Sampler {
public:
    virtual ~Sampler() = default;

    /// Spins of all replicas one after the other, each in the order of C, at a sweep.
    virtual void assign(std::span<const std::int8_t> values, std::uint64_t sweep);
    virtual void assign(std::span<const double> angles, std::uint64_t sweep);

    virtual void values(std::span<std::int8_t> out) const;
    virtual void values(std::span<double> out) const;

    /// Spins of two values as bits, set where they are 1, the lowest of a byte first, those of all
    /// replicas one after the other.
    virtual void bits(std::span<std::uint8_t> out) const;

    /// Every spin gets its chance once per sweep.
    virtual void run(std::uint64_t sweeps) = 0;

    [[nodiscard]] std::uint64_t sweep() const { return sweep_; }

protected:
    std::uint64_t sweep_ = 0;
};

/// Updates of single spins for any model, coupling and boundary.
REGRAIN_EXPORT std::unique_ptr<Sampler> single_spin_sampler(const Model& model, Method method,
                                                            std::uint64_t seed,
                                                            std::size_t replicas);

/// Metropolis updates of many systems at a time, one bit each, for Ising models of nearest
/// neighbours on tori of even lengths in two or three dimensions. Each system has draws of its own,
/// but a draw serves up to 16 of them, at different sites.
REGRAIN_EXPORT std::unique_ptr<Sampler> replica_sampler(const Model& model, std::uint64_t seed,
                                                        std::size_t replicas);

/// Moves of clusters, for models of pairs (and a field): all clusters of a lattice in each sweep
/// (Swendsen and Wang), or one (Wolff).
REGRAIN_EXPORT std::unique_ptr<Sampler> cluster_sampler(const Model& model, bool all,
                                                        std::uint64_t seed, std::size_t replicas);

/// Exchanges of spins that are one of these offsets apart (Kawasaki), as many tries as sites in
/// each sweep.
REGRAIN_EXPORT std::unique_ptr<Sampler> exchange_sampler(
    const Model& model, const std::vector<std::vector<int>>& exchanges, std::uint64_t seed,
    std::size_t replicas);

}  // namespace regrain::lattice
