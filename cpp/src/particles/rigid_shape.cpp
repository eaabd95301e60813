#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "rigid_kernel.hpp"

namespace regrain::particles {

namespace {

using Bond = RigidShape::Bond;

// The particle that two bonds share; no two bonds share both.
std::uint32_t shared(const Bond& a, const Bond& b) {
    return a[0] == b[0] || a[0] == b[1] ? a[0] : a[1];
}

bool meet(const Bond& a, const Bond& b) {
    return a[0] == b[0] || a[0] == b[1] || a[1] == b[0] || a[1] == b[1];
}

// Bonds that each bond meets.
std::vector<std::set<std::size_t>> neighbours(const std::vector<Bond>& bonds, std::size_t n) {
    std::vector<std::vector<std::size_t>> at(n);
    for (std::size_t k = 0; k < bonds.size(); ++k) {
        at[bonds[k][0]].push_back(k);
        at[bonds[k][1]].push_back(k);
    }
    std::vector<std::set<std::size_t>> next(bonds.size());
    for (const auto& here : at) {
        for (const std::size_t k : here) next[k].insert(here.begin(), here.end());
    }
    for (std::size_t k = 0; k < bonds.size(); ++k) next[k].erase(k);
    return next;
}

// Those with the fewest neighbours first; what a bond is eliminated from meets from then on.
std::vector<std::size_t> elimination(std::vector<std::set<std::size_t>> next) {
    std::set<std::pair<std::size_t, std::size_t>> left;  // degree and number
    for (std::size_t k = 0; k < next.size(); ++k) left.emplace(next[k].size(), k);
    std::vector<std::size_t> order;
    while (!left.empty()) {
        const std::size_t k = left.begin()->second;
        left.erase(left.begin());
        order.push_back(k);
        for (const std::size_t i : next[k]) {
            left.erase({next[i].size(), i});
            next[i].erase(k);
            next[i].insert(next[k].begin(), next[k].end());
            next[i].erase(i);
            left.emplace(next[i].size(), i);
        }
    }
    return order;
}

std::vector<Bond> spanning_tree(const std::vector<Bond>& bonds, std::size_t n) {
    std::vector<std::vector<std::uint32_t>> next(n);
    for (const auto& [a, b] : bonds) {
        next[a].push_back(b);
        next[b].push_back(a);
    }
    std::vector<Bond> tree;
    std::vector<bool> reached(n, false);
    std::vector<std::uint32_t> queue{0};
    reached[0] = true;
    for (std::size_t q = 0; q < queue.size(); ++q) {
        for (const std::uint32_t other : next[queue[q]]) {
            if (reached[other]) continue;
            reached[other] = true;
            tree.push_back({queue[q], other});
            queue.push_back(other);
        }
    }
    return tree;
}

}  // namespace

RigidShape::RigidShape(std::size_t n, std::vector<Bond> given, std::vector<std::size_t>& order)
    : particles(n), tree(spanning_tree(given, n)) {
    order = elimination(neighbours(given, n));
    for (const std::size_t k : order) bonds.push_back(given[k]);
    const std::size_t m = bonds.size();
    // Of each bond those after it that it meets, in the matrix or in the factors.
    std::vector<std::set<std::size_t>> later = neighbours(bonds, n);
    std::map<std::pair<std::size_t, std::size_t>, std::uint32_t> number;  // low, high
    for (std::size_t k = 0; k < m; ++k) {
        later[k].erase(later[k].begin(), later[k].upper_bound(k));
        first_meeting.push_back(static_cast<std::uint32_t>(meetings.size()));
        for (const std::size_t i : later[k]) {
            number[{k, i}] = static_cast<std::uint32_t>(meetings.size());
            const bool real = meet(bonds[k], bonds[i]);
            const std::uint32_t at = shared(bonds[k], bonds[i]);
            const bool alike = (bonds[k][0] == at) == (bonds[i][0] == at);
            meetings.push_back({static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(i),
                                real ? at : 0, real ? (alike ? 1.0 : -1.0) : 0.0});
            for (const std::size_t j : later[k]) {
                if (j > i) later[i].insert(j);
            }
        }
    }
    first_meeting.push_back(static_cast<std::uint32_t>(meetings.size()));
    const auto entry = [&](std::size_t i, std::size_t j) {
        if (i == j) return static_cast<std::uint32_t>(i);
        const std::uint32_t p = number.at({std::min(i, j), std::max(i, j)});
        return static_cast<std::uint32_t>(m) + 2 * p + (i > j ? 0U : 1U);
    };
    for (std::size_t k = 0; k < m; ++k) {
        first_update.push_back(static_cast<std::uint32_t>(updates.size()));
        for (const std::size_t i : later[k]) {
            for (const std::size_t j : later[k]) {
                updates.push_back({entry(i, j), entry(i, k), entry(k, j)});
            }
        }
    }
    first_update.push_back(static_cast<std::uint32_t>(updates.size()));
}

}  // namespace regrain::particles
