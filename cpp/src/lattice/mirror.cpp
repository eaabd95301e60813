#include "mirror.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "regrain/base/error.hpp"

namespace regrain::lattice {

Pairs pairs_of(const Model& model) {
    Pairs pairs;
    for (const Term& term : model.terms) {
        if (term.strength == 0.0) continue;
        for (const Cluster& cluster : term.clusters) {
            if (cluster.size() == 1) {
                pairs.field += term.strength;
            } else if (cluster.size() == 2 && cluster[0] != cluster[1]) {
                std::vector<int> offset(cluster[0].size());
                for (std::size_t a = 0; a < offset.size(); ++a) {
                    offset[a] = cluster[1][a] - cluster[0][a];
                }
                pairs.offsets.push_back(offset);
                pairs.strengths.push_back(term.strength);
            } else {
                throw Error("clusters of spins are tied by pairs, but a coupling has " +
                            std::to_string(cluster.size()) +
                            " sites; use single-spin updates for it");
            }
        }
    }
    return pairs;
}

WholeMirror::WholeMirror(const Model& model, const Pairs& pairs)
    : spin_(model.spin),
      ising_(model.spin == Spin::ising),
      count_(ising_ ? 2 : static_cast<std::size_t>(model.states)),
      strengths_(pairs.strengths),
      field_(pairs.field),
      image_(count_) {
    if (ising_) image_ = {1, -1};
    set_limits();
}

double WholeMirror::pair(std::size_t a, std::size_t b) const {
    switch (spin_) {
        case Spin::ising:
            return a == b ? 1.0 : -1.0;
        case Spin::potts:
            return a == b ? 1.0 : 0.0;
        default:
            return std::cos(2 * std::numbers::pi *
                            (static_cast<double>(a) - static_cast<double>(b)) /
                            static_cast<double>(count_));
    }
}

void WholeMirror::set_limits() {
    limits_.resize(strengths_.size() * count_ * count_);
    auto limit = limits_.begin();
    for (const double strength : strengths_) {
        for (std::size_t a = 0; a < count_; ++a) {
            const std::size_t to = index(image_[a]);
            for (std::size_t b = 0; b < count_; ++b) {
                const double loss = strength * (pair(a, b) - pair(to, b));
                *limit++ = loss > 0 ? threshold(-std::expm1(-loss)) : 0;
            }
        }
    }
}

// Clocks are mirrored along a random one of their axes; states of Potts are exchanged in random
// pairs, so that all of them may move at once.
void WholeMirror::turn(const RandomBlocks::Block& words) {
    if (ising_) return;
    if (spin_ == Spin::clock) {
        const std::size_t sum = (static_cast<std::uint64_t>(words[0]) * count_) >> 32;
        for (std::size_t s = 0; s < count_; ++s) {
            image_[s] = static_cast<Value>((sum + count_ - s) % count_);
        }
    } else {
        std::vector<std::size_t> order(count_);
        std::iota(order.begin(), order.end(), std::size_t{0});
        // A shuffle whose draws come from one generator of its own.
        std::uint64_t state = (static_cast<std::uint64_t>(words[0]) << 32) | words[1];
        for (std::size_t k = count_; k > 1; --k) {
            state = state * 6364136223846793005ULL + 1442695040888963407ULL;
            std::swap(order[k - 1], order[((state >> 32) * k) >> 32]);
        }
        for (std::size_t k = 0; k + 1 < count_; k += 2) {
            image_[order[k]] = static_cast<Value>(order[k + 1]);
            image_[order[k + 1]] = static_cast<Value>(order[k]);
        }
        if (count_ % 2 == 1) image_[order.back()] = static_cast<Value>(order.back());
    }
    set_limits();
}

}  // namespace regrain::lattice
