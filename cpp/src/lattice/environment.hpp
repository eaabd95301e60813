// What a spin feels: the clusters it belongs to, as products over its neighbours.
#pragma once

#include <algorithm>
#include <vector>

#include "regrain/lattice/model.hpp"

namespace regrain::lattice {

/// Clusters of one coupling in which a spin stands so many times.
struct Channel {
    double strength = 0.0;
    int power = 1;
    /// Neighbours that stand beside the spin in each cluster, by their place in `offsets`; none
    /// where the spin stands alone.
    std::vector<std::vector<int>> products;
};

struct Environment {
    std::vector<std::vector<int>> offsets;  // of all neighbours, each once
    std::vector<Channel> channels;
    std::vector<int> range;  // how far neighbours are along each axis
};

inline Environment environment_of(const Model& model) {
    Environment e;
    e.range.assign(model.shape.size(), 0);
    const auto place_of = [&](const std::vector<int>& offset) {
        const auto found = std::find(e.offsets.begin(), e.offsets.end(), offset);
        if (found != e.offsets.end()) return static_cast<int>(found - e.offsets.begin());
        for (std::size_t a = 0; a < offset.size(); ++a) {
            e.range[a] = std::max(e.range[a], std::abs(offset[a]));
        }
        e.offsets.push_back(offset);
        return static_cast<int>(e.offsets.size() - 1);
    };
    for (const Term& term : model.terms) {
        std::vector<Channel> channels;
        for (const Cluster& cluster : term.clusters) {
            for (std::size_t own = 0; own < cluster.size(); ++own) {
                if (std::find(cluster.begin(), cluster.begin() + static_cast<long>(own),
                              cluster[own]) != cluster.begin() + static_cast<long>(own)) {
                    continue;  // named before
                }
                int power = 0;
                std::vector<int> beside;
                for (const auto& site : cluster) {
                    if (site == cluster[own]) {
                        ++power;
                        continue;
                    }
                    std::vector<int> offset(site.size());
                    for (std::size_t a = 0; a < site.size(); ++a) {
                        offset[a] = site[a] - cluster[own][a];
                    }
                    beside.push_back(place_of(offset));
                }
                auto channel = std::find_if(channels.begin(), channels.end(),
                                            [&](const Channel& c) { return c.power == power; });
                if (channel == channels.end()) {
                    channels.push_back({term.strength, power, {}});
                    channel = channels.end() - 1;
                }
                channel->products.push_back(beside);
            }
        }
        e.channels.insert(e.channels.end(), channels.begin(), channels.end());
    }
    return e;
}

}  // namespace regrain::lattice
