// Exchanges of neighbouring spins, which leave their number of each kind as it is: Kawasaki, Phys.
// Rev. 145, 224 (1966), with the chances of Metropolis.
#include <algorithm>
#include <cmath>

#include "environment.hpp"
#include "flat_sampler.hpp"
#include "graph.hpp"
#include "regrain/base/random_blocks.hpp"

namespace regrain::lattice {

namespace {

/// What a spin adds to the logarithm of the weight, with all the clusters it belongs to.
class Local {
public:
    explicit Local(const Model& model)
        : spin_(model.spin),
          states_(model.states),
          environment_(environment_of(model)),
          graph_(model, environment_.offsets) {}

    template <class Value>
    [[nodiscard]] double operator()(const std::vector<Value>& spins, std::uint32_t site) const {
        double total = 0.0;
        for (const Channel& channel : environment_.channels) {
            double sum = 0.0;
            for (const auto& product : channel.products) {
                sum += cluster(spins, site, channel.power, product);
            }
            total += channel.strength * sum;
        }
        return total;
    }

private:
    template <class Value>
    double cluster(const std::vector<Value>& spins, std::uint32_t site, int power,
                   const std::vector<int>& beside) const {
        const Value own = spins[site];
        double value = 1.0;
        const double scale = spin_ == Spin::clock ? 6.283185307179586 / states_ : 1.0;
        if (spin_ == Spin::clock || spin_ == Spin::xy) {
            value = beside.empty() ? std::cos(scale * own) : 1.0;
        } else if (spin_ == Spin::potts) {
            value = beside.empty() && own != 0 ? 0.0 : 1.0;
        } else {
            value = power == 2 ? own * own : own;
        }
        for (const int n : beside) {
            const std::uint32_t other = graph_.neighbour(site, static_cast<std::size_t>(n));
            if (other == Graph::none) return 0.0;
            const Value its = spins[other];
            if (spin_ == Spin::clock || spin_ == Spin::xy) {
                value = std::cos(scale * (own - its));
            } else if (spin_ == Spin::potts) {
                value = its == own ? value : 0.0;
            } else {
                value *= its;
            }
        }
        return value;
    }

    Spin spin_;
    int states_;
    Environment environment_;
    Graph graph_;
};

template <class V>
class Kawasaki final : public FlatSampler<V> {
public:
    Kawasaki(const Model& model, const std::vector<std::vector<int>>& exchanges, std::uint64_t seed,
             std::size_t replicas)
        : FlatSampler<V>(sites_of(model), replicas),
          local_(model),
          graph_(model, exchanges),
          seed_(seed) {}

private:
    void run_replica(std::size_t replica, std::uint64_t sweeps) override {
        for (std::uint64_t s = 1; s <= sweeps; ++s) one_sweep(replica, this->sweep_ + s);
    }

    void one_sweep(std::size_t replica, std::uint64_t sweep) {
        std::vector<V>& spins = this->spins_[replica];
        const std::uint64_t n = spins.size();
        const RandomBlocks random(seed_, replica);
        constexpr std::size_t most = 64;
        RandomBlocks::Block words[most];
        for (std::uint64_t at = 0; at < n; at += most) {
            const std::size_t count = std::min<std::uint64_t>(most, n - at);
            random.fill(sweep, at, count, words[0].data());
            for (std::size_t k = 0; k < count; ++k) exchange(spins, words[k]);
        }
    }

    void exchange(std::vector<V>& spins, const RandomBlocks::Block& words) const {
        const auto site =
            static_cast<std::uint32_t>((static_cast<std::uint64_t>(words[0]) * spins.size()) >> 32);
        const std::size_t way = (static_cast<std::uint64_t>(words[1]) * graph_.offsets()) >> 32;
        const std::uint32_t other = graph_.neighbour(site, way);
        if (other == Graph::none || spins[site] == spins[other]) return;
        // One spin after the other, so that clusters of both are right.
        const V a = spins[site], b = spins[other];
        double gain = -local_(spins, site);
        spins[site] = b;
        gain += local_(spins, site) - local_(spins, other);
        spins[other] = a;
        gain += local_(spins, other);
        if (gain < 0.0 && (words[2] + 0.5) * 0x1p-32 >= std::exp(gain)) {
            spins[site] = a;
            spins[other] = b;
        }
    }

    Local local_;
    Graph graph_;
    std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Sampler> exchange_sampler(const Model& model,
                                          const std::vector<std::vector<int>>& exchanges,
                                          std::uint64_t seed, std::size_t replicas) {
    if (exchanges.empty()) throw Error("there are no neighbours to exchange spins with");
    if (model.spin == Spin::xy) {
        return std::make_unique<Kawasaki<double>>(model, exchanges, seed, replicas);
    }
    return std::make_unique<Kawasaki<std::int8_t>>(model, exchanges, seed, replicas);
}

}  // namespace regrain::lattice
