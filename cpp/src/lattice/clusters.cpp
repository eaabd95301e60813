// Moves of clusters: Swendsen and Wang (all of them), Wolff (one); see mirror.hpp.
#include <algorithm>
#include <atomic>
#include <cmath>

#include "flat_sampler.hpp"
#include "graph.hpp"
#include "mirror.hpp"

namespace regrain::lattice {

namespace {

// Streams of random numbers of one replica: bonds, decisions, mirrors.
constexpr std::uint64_t decisions = 1ULL << 32, mirrors = 2ULL << 32;

/// Sets of sites, each known by its first one, whoever joins what when: so threads may.
class Sets {
public:
    explicit Sets(std::size_t n) : parent_(n) {}

    void alone(std::size_t begin, std::size_t end) {
        for (std::size_t k = begin; k < end; ++k) parent_[k] = static_cast<std::uint32_t>(k);
    }
    /// `shared` unless one thread does it all.
    void join(std::uint32_t a, std::uint32_t b, bool shared) {
        while (true) {
            a = first(a);
            b = first(b);
            if (a == b) return;
            if (a < b) std::swap(a, b);
            if (!shared) {
                parent_[a] = b;
                return;
            }
            // Only a site that still is the first of its set may be hung below another one.
            std::uint32_t expected = a;
            if (at(a).compare_exchange_strong(expected, b, std::memory_order_relaxed)) return;
        }
    }
    std::uint32_t first(std::uint32_t a) {
        while (true) {
            const std::uint32_t up = at(a).load(std::memory_order_relaxed);
            if (up == a) return a;
            const std::uint32_t above = at(up).load(std::memory_order_relaxed);
            if (above == up) return up;
            at(a).store(above, std::memory_order_relaxed);  // half the way for the next one
            a = above;
        }
    }

private:
    std::atomic_ref<std::uint32_t> at(std::uint32_t k) {
        return std::atomic_ref<std::uint32_t>(parent_[k]);
    }
    std::vector<std::uint32_t> parent_;
};

/// What both kinds share: spins in the order of C, and mirrors.
template <class Mirror>
class ClusterSampler : public FlatSampler<typename Mirror::Value> {
public:
    using Value = typename Mirror::Value;

    ClusterSampler(const Model& model, std::uint64_t seed, std::size_t replicas)
        : FlatSampler<Value>(sites_of(model), replicas),
          pairs_(pairs_of(model)),
          graph_(model, pairs_.offsets),
          seed_(seed),
          mirrors_(replicas, Mirror(model, pairs_)) {}

protected:
    Mirror& turned(std::size_t replica, std::uint64_t sweep) {
        RandomBlocks::Block words{};
        RandomBlocks(seed_, mirrors | replica).fill(sweep, 0, 1, words.data());
        mirrors_[replica].turn(words);
        return mirrors_[replica];
    }

    Pairs pairs_;
    Graph graph_;
    std::uint64_t seed_;
    std::vector<Mirror> mirrors_;
};

double unit(std::uint32_t word) { return (word + 0.5) * 0x1p-32; }

// ------------------------------------------------------------------------- Swendsen-Wang

template <class Mirror>
class SwendsenWang final : public ClusterSampler<Mirror> {
    using Base = ClusterSampler<Mirror>;
    using typename Base::Value;

public:
    using Base::Base;

private:
    void run_replica(std::size_t replica, std::uint64_t sweeps) override {
        const std::size_t n = this->graph_.sites();
        Sets sets(n);
        std::vector<std::int32_t> steps(this->mirrors_[replica].has_field() ? n : 0);
        std::vector<std::uint32_t> draws((n + 3) / 4 * 4);
        const bool shared = this->spins_.size() == 1 && threads() > 1;
        for (std::uint64_t s = 1; s <= sweeps; ++s) {
            const std::uint64_t sweep = this->sweep_ + s;
            const Mirror& mirror = this->turned(replica, sweep);
            std::vector<Value>& spins = this->spins_[replica];
            parallel_for(n, [&](std::size_t b, std::size_t e) { sets.alone(b, e); });
            const std::size_t rows = std::max<std::size_t>(1, chunk_size / this->graph_.length());
            parallel_for(
                this->graph_.rows(),
                [&](std::size_t b, std::size_t e) {
                    for (std::size_t row = b; row < e; ++row) {
                        tie_row(replica, mirror, spins, row, sweep, sets, shared);
                    }
                },
                rows);
            if (!steps.empty()) count_steps(mirror, spins, sets, steps);
            const RandomBlocks random(this->seed_, decisions | replica);
            parallel_for(draws.size() / 4, [&](std::size_t b, std::size_t e) {
                random.fill(sweep, b, e - b, draws.data() + 4 * b);
            });
            parallel_for(n, [&](std::size_t b, std::size_t e) {
                for (std::size_t k = b; k < e; ++k) {
                    const std::uint32_t first = sets.first(static_cast<std::uint32_t>(k));
                    if (mapped(mirror, steps, first, draws[first])) {
                        spins[k] = mirror.image(spins[k]);
                    }
                }
            });
        }
    }

    // Bonds of a row to its neighbours in front.
    void tie_row(std::size_t replica, const Mirror& mirror, const std::vector<Value>& spins,
                 std::size_t row, std::uint64_t sweep, Sets& sets, bool shared) const {
        const Graph& graph = this->graph_;
        const std::size_t length = graph.length(), blocks = (length + 3) / 4;
        const RandomBlocks random(this->seed_, replica);
        constexpr std::size_t most = 256;
        std::uint32_t draws[most];
        for (std::size_t pair = 0; pair < graph.offsets(); ++pair) {
            const std::uint32_t other = graph.row(pair, row);
            if (other == Graph::none) continue;
            const Value* from = spins.data() + row * length;
            const Value* to = spins.data() + other * length;
            const auto mine = static_cast<std::uint32_t>(row * length);
            const auto its = static_cast<std::uint32_t>(other * length);
            for (std::size_t at = 0; at < length; at += most) {
                const std::size_t count = std::min(most, length - at);
                random.fill(sweep, (pair * graph.rows() + row) * blocks + at / 4, (count + 3) / 4,
                            draws);
                for (std::size_t k = 0; k < count; ++k) {
                    // Inside of a row a sum is all; its ends take `place`.
                    auto x = static_cast<std::size_t>(static_cast<std::int64_t>(at + k) +
                                                      graph.along(pair));
                    if (x >= length) x = graph.place(pair, at + k);
                    if (x == Graph::none) continue;
                    if (mirror.ties(pair, from[at + k], to[x], draws[k])) {
                        sets.join(mine + static_cast<std::uint32_t>(at + k),
                                  its + static_cast<std::uint32_t>(x), shared);
                    }
                }
            }
        }
    }

    // What the field gains for each set. Whole numbers, so that their order does not matter.
    void count_steps(const Mirror& mirror, const std::vector<Value>& spins, Sets& sets,
                     std::vector<std::int32_t>& steps) const {
        parallel_for(spins.size(), [&](std::size_t b, std::size_t e) {
            std::fill(steps.begin() + static_cast<std::ptrdiff_t>(b),
                      steps.begin() + static_cast<std::ptrdiff_t>(e), 0);
        });
        parallel_for(spins.size(), [&](std::size_t b, std::size_t e) {
            for (std::size_t k = b; k < e; ++k) {
                const std::uint32_t first = sets.first(static_cast<std::uint32_t>(k));
                std::atomic_ref<std::int32_t>(steps[first])
                    .fetch_add(mirror.steps(spins[k]), std::memory_order_relaxed);
            }
        });
    }

    static bool mapped(const Mirror& mirror, const std::vector<std::int32_t>& steps,
                       std::uint32_t first, std::uint32_t draw) {
        if (steps.empty()) return draw < 0x80000000U;
        return unit(draw) < 1.0 / (1.0 + std::exp(-mirror.gain(steps[first])));
    }
};

// --------------------------------------------------------------------------------- Wolff

template <class Mirror>
class Wolff final : public ClusterSampler<Mirror> {
    using Base = ClusterSampler<Mirror>;
    using typename Base::Value;

public:
    Wolff(const Model& model, std::uint64_t seed, std::size_t replicas)
        : Base(model, seed, replicas), forward_(this->pairs_.offsets.size()) {
        // Neighbours to all sides.
        for (std::size_t k = 0; k < forward_; ++k) {
            std::vector<int> back = this->pairs_.offsets[k];
            for (int& x : back) x = -x;
            this->pairs_.offsets.push_back(back);
        }
        this->graph_ = Graph(model, this->pairs_.offsets);
    }

private:
    /// Words in a row, made some at a time.
    class Words {
    public:
        Words(const RandomBlocks& random, std::uint64_t step) : random_(random), step_(step) {}
        std::uint32_t next() {
            if (used_ == made_) {
                // Few at first: most clusters above a transition are small.
                made_ = made_ == 0 ? 16 : most;
                random_.fill(step_, block_, made_ / 4, words_);
                block_ += made_ / 4;
                used_ = 0;
            }
            return words_[used_++];
        }

    private:
        static constexpr std::size_t most = 256;
        const RandomBlocks& random_;
        std::uint64_t step_, block_ = 0;
        std::uint32_t words_[most];
        std::size_t used_ = 0, made_ = 0;
    };

    void run_replica(std::size_t replica, std::uint64_t sweeps) override {
        const std::size_t n = this->graph_.sites();
        std::vector<Value>& spins = this->spins_[replica];
        std::vector<std::uint8_t> tied(n, 0);
        std::vector<std::uint32_t> cluster;
        const RandomBlocks random(this->seed_, replica);
        for (std::uint64_t s = 1; s <= sweeps; ++s) {
            const std::uint64_t sweep = this->sweep_ + s;
            const Mirror& mirror = this->turned(replica, sweep);
            Words words(random, sweep);
            const std::uint64_t wide =
                (static_cast<std::uint64_t>(words.next()) << 32) | words.next();
            cluster.assign(1, static_cast<std::uint32_t>(wide % n));
            tied[cluster[0]] = 1;
            for (std::size_t k = 0; k < cluster.size(); ++k) {
                grow(mirror, spins, cluster[k], words, tied, cluster);
            }
            std::int64_t steps = 0;
            if (mirror.has_field()) {
                for (const std::uint32_t site : cluster) steps += mirror.steps(spins[site]);
            }
            const bool accepted = steps == 0 || unit(words.next()) < std::exp(mirror.gain(steps));
            for (const std::uint32_t site : cluster) {
                tied[site] = 0;
                if (accepted) spins[site] = mirror.image(spins[site]);
            }
        }
    }

    void grow(const Mirror& mirror, const std::vector<Value>& spins, std::uint32_t site,
              Words& words, std::vector<std::uint8_t>& tied,
              std::vector<std::uint32_t>& cluster) const {
        const auto length = static_cast<std::uint32_t>(this->graph_.length());
        const std::uint32_t row = site / length, place = site - row * length;
        for (std::size_t k = 0; k < this->graph_.offsets(); ++k) {
            const std::uint32_t to = this->graph_.row(k, row), x = this->graph_.place(k, place);
            if (to == Graph::none || x == Graph::none) continue;
            const std::uint32_t other = to * length + x;
            if (tied[other] != 0) continue;
            const std::size_t pair = k < forward_ ? k : k - forward_;
            if (mirror.ties(pair, spins[site], spins[other], words.next())) {
                tied[other] = 1;
                cluster.push_back(other);
            }
        }
    }

    std::size_t forward_;
};

template <template <class> class Kind>
std::unique_ptr<Sampler> make(const Model& model, std::uint64_t seed, std::size_t replicas) {
    if (model.spin == Spin::blume_capel) {
        throw Error(
            "clusters of Blume-Capel spins never change where zeros are; use single-spin "
            "updates");
    }
    if (model.spin != Spin::xy) {
        return std::make_unique<Kind<WholeMirror>>(model, seed, replicas);
    }
    return std::make_unique<Kind<AngleMirror>>(model, seed, replicas);
}

}  // namespace

std::unique_ptr<Sampler> cluster_sampler(const Model& model, bool all, std::uint64_t seed,
                                         std::size_t replicas) {
    const Pairs pairs = pairs_of(model);
    if (pairs.field != 0.0 && (model.spin == Spin::clock || model.spin == Spin::xy)) {
        throw Error(
            "clusters of angles know nothing of a field; use single-spin updates, or leave "
            "the field out");
    }
    return all ? make<SwendsenWang>(model, seed, replicas) : make<Wolff>(model, seed, replicas);
}

}  // namespace regrain::lattice
