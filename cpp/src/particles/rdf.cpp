#include "regrain/particles/rdf.hpp"

#include <algorithm>
#include <string>

#include "regrain/base/error.hpp"
#include "simd.hpp"

namespace regrain::particles {

namespace {

// The sum over a chunk of particles, and its scratch.
struct Counts {
    std::vector<std::uint64_t> n;
    std::vector<std::uint32_t> bin;
    Counts& operator+=(const Counts& o) {
        if (n.empty()) n.resize(o.n.size(), 0);
        for (std::size_t k = 0; k < o.n.size(); ++k) n[k] += o.n[k];
        return *this;
    }
};

struct Binning {
    const double* r2;
    std::size_t count;
    double per_length;
    std::int32_t last;
    std::uint32_t* bin;
};

REGRAIN_INLINE void bins_of(const Binning& b) {
    for (std::size_t k = 0; k < b.count; ++k) {
        const auto bin = static_cast<std::int32_t>(__builtin_sqrt(b.r2[k]) * b.per_length);
        b.bin[k] = static_cast<std::uint32_t>(bin < b.last ? bin : b.last);
    }
}
#if REGRAIN_X86
REGRAIN_TARGET_V4 void bins_v4(const Binning& b) { bins_of(b); }
REGRAIN_TARGET_V3 void bins_v3(const Binning& b) { bins_of(b); }
#endif
void bins_any(const Binning& b) { bins_of(b); }

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

// Counts the neighbours of particle i in the bins of its own type.
void PairHistogram::add(std::uint32_t i, const Cells::Neighbors& near,
                        std::span<const std::uint32_t> bin, std::uint64_t* n) const {
    if (first_excluded_[i] != first_excluded_[i + 1]) {
        const auto particle = cells_.particle();
        const auto begin = excluded_.begin() + first_excluded_[i];
        const auto end = excluded_.begin() + first_excluded_[i + 1];
        for (std::size_t k = 0; k < near.count; ++k) {
            const std::uint32_t q = near.point[k];
            if (std::find(begin, end, particle[q]) == end) ++n[row_of_point_[q] + bin[k]];
        }
    } else if (n_types_ > 1) {
        for (std::size_t k = 0; k < near.count; ++k) ++n[row_of_point_[near.point[k]] + bin[k]];
    } else {
        for (std::size_t k = 0; k < near.count; ++k) ++n[bin[k]];
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
    const auto particle = cells_.particle();
    row_of_point_.resize(particle.size());
    for (std::size_t q = 0; q < particle.size(); ++q) {
        row_of_point_[q] =
            static_cast<std::uint32_t>(types_[particle[q]]) * static_cast<std::uint32_t>(bins_);
    }
    const Counts found = cells_.sum_neighborhoods<Counts>(
        r_max_, [&](Counts& sum, std::uint32_t p, const Cells::Neighbors& near) {
            if (sum.n.empty()) sum.n.resize(counts.size(), 0);
            if (sum.bin.size() < near.count) sum.bin.resize(2 * near.count);
            simd::dispatch(REGRAIN_LEVELS(bins),
                           Binning{near.r2.data(), near.count, static_cast<double>(bins_) / r_max_,
                                   static_cast<std::int32_t>(bins_) - 1, sum.bin.data()});
            add(particle[p], near, sum.bin, sum.n.data() + row_of_point_[p] * n_types_);
        });
    std::fill(counts.begin(), counts.end(), std::uint64_t{0});
    std::copy(found.n.begin(), found.n.end(), counts.begin());
}

}  // namespace regrain::particles
