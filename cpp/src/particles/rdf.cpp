#include "regrain/particles/rdf.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "regrain/base/error.hpp"

namespace regrain::particles {

namespace {

struct Counts {
    std::vector<std::uint64_t> n;
    Counts& operator+=(const Counts& o) {
        if (n.empty()) n.resize(o.n.size(), 0);
        for (std::size_t k = 0; k < o.n.size(); ++k) n[k] += o.n[k];
        return *this;
    }
};

}  // namespace

void require_single_images(double r_max, const Box& box) {
    const double half = 0.5 * box.min_height();
    if (r_max > half * (1.0 + 1e-12)) {
        throw Error("r_max = " + std::to_string(r_max) +
                    " is more than half the smallest height of the box, " + std::to_string(half) +
                    ": a particle would meet its neighbours twice; give a smaller r_max");
    }
}

PairHistogram::PairHistogram(std::span<const std::int32_t> types, std::size_t n_types, double r_max,
                             std::size_t bins, std::span<const Exclusion> exclusions)
    : types_(types.begin(), types.end()),
      n_types_(n_types),
      r_max_(r_max),
      bins_(bins),
      first_excluded_(types.size() + 1, 0),
      cells_(r_max) {
    if (bins == 0) throw Error("a histogram of distances needs at least one bin");
    for (const std::int32_t t : types_) {
        if (t < 0 || static_cast<std::size_t>(t) >= n_types) {
            throw Error("type " + std::to_string(t) + " is not one of " + std::to_string(n_types));
        }
    }
    for (const auto& [i, j] : exclusions) {
        if (std::max(i, j) >= types.size()) {
            throw Error("an exclusion names particle " + std::to_string(std::max(i, j)) + " of " +
                        std::to_string(types.size()));
        }
        ++first_excluded_[i + 1];
        ++first_excluded_[j + 1];
    }
    for (std::size_t i = 0; i < types.size(); ++i) first_excluded_[i + 1] += first_excluded_[i];
    excluded_.resize(2 * exclusions.size());
    std::vector<std::uint32_t> next(first_excluded_.begin(), first_excluded_.end() - 1);
    for (const auto& [i, j] : exclusions) {
        excluded_[next[i]++] = j;
        excluded_[next[j]++] = i;
    }
}

void PairHistogram::count(std::span<const Vec3> positions, const Box& box,
                          std::span<std::uint64_t> counts) {
    if (positions.size() != types_.size() || counts.size() != n_types_ * n_types_ * bins_) {
        throw Error("PairHistogram: got " + std::to_string(positions.size()) + " positions for " +
                    std::to_string(types_.size()) + " types");
    }
    require_single_images(r_max_, box);
    cells_.assign(positions, box);
    const double per_length = static_cast<double>(bins_) / r_max_;
    const auto particle = cells_.particle();
    const Counts found = cells_.sum_neighborhoods<Counts>(
        r_max_, [&](Counts& sum, std::uint32_t p, const Cells::Neighbors& near) {
            if (sum.n.empty()) sum.n.resize(counts.size(), 0);
            const std::uint32_t i = particle[p];
            const auto excluded_begin = excluded_.begin() + first_excluded_[i];
            const auto excluded_end = excluded_.begin() + first_excluded_[i + 1];
            const std::size_t base = static_cast<std::size_t>(types_[i]) * n_types_ * bins_;
            for (std::size_t k = 0; k < near.count; ++k) {
                const std::uint32_t j = particle[near.point[k]];
                if (std::find(excluded_begin, excluded_end, j) != excluded_end) continue;
                const auto bin = static_cast<std::size_t>(std::sqrt(near.r2[k]) * per_length);
                ++sum.n[base + static_cast<std::size_t>(types_[j]) * bins_ +
                        std::min(bin, bins_ - 1)];
            }
        });
    std::fill(counts.begin(), counts.end(), std::uint64_t{0});
    std::copy(found.n.begin(), found.n.end(), counts.begin());
}

}  // namespace regrain::particles
