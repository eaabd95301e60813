#include "regrain/particles/neighbors.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "regrain/base/error.hpp"

namespace regrain::particles {

namespace {

// Cells measure from images that were added up before; so much more than the cutoff is sure to
// hold every pair, and so much less is sure to be inside.
constexpr double slack = 1e-9;

bool excluded(std::span<const std::pair<std::uint32_t, std::uint32_t>> sorted, std::uint32_t i,
              std::uint32_t j) {
    return std::binary_search(sorted.begin(), sorted.end(),
                              std::pair(std::min(i, j), std::max(i, j)));
}

double checked(double cutoff) {
    if (cutoff > 0.0 && std::isfinite(cutoff)) return cutoff;
    throw Error("the cutoff of a neighbour list is " + std::to_string(cutoff) +
                "; it must be a positive length");
}

}  // namespace

NeighborSearch::NeighborSearch(std::span<const Vec3> positions, const Box& box,
                               const NeighborOptions& options)
    : box_(box), cells_(positions, box, checked(options.cutoff) * (1.0 + slack)) {
    const std::size_t n = positions.size();
    given_.resize(cells_.points());
    parallel_for(cells_.points(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t p = begin; p < end; ++p) given_[p] = positions[cells_.particle()[p]];
    });
    parts_.resize((n + chunk - 1) / chunk);
    first_.assign(n + 1, 0);
    parallel_chunks(n, chunk, [&](std::size_t c, std::size_t begin, std::size_t end) {
        search(parts_[c], begin, end, options);
        std::uint32_t before = 0;
        for (std::size_t k = begin; k < end; ++k) {
            const std::uint32_t until = parts_[c].end[k - begin];
            first_[cells_.particle()[cells_.reals()[k]] + 1] = until - before;
            before = until;
        }
    });
    for (std::size_t i = 0; i < n; ++i) first_[i + 1] += first_[i];
}

Image NeighborSearch::shift(std::uint32_t p, std::uint32_t q) const {
    const Image& a = cells_.image()[p];
    const Image& b = cells_.image()[q];
    return {b[0] - a[0], b[1] - a[1], b[2] - a[2]};
}

// Not the difference of the points: this one only changes sign, to the last bit, when i and j
// change places, so that both sides agree about the cutoff.
Vec3 NeighborSearch::vector(std::uint32_t p, std::uint32_t q) const {
    return (given_[q] - given_[p]) + lattice_vector(box_, shift(p, q));
}

void NeighborSearch::search(Part& part, std::size_t begin, std::size_t end,
                            const NeighborOptions& options) const {
    const double cutoff2 = options.cutoff * options.cutoff;
    const double sure = cutoff2 * (1.0 - 2.0 * slack);
    const std::uint32_t* particle = cells_.particle().data();
    std::size_t count = 0;
    const auto add = [&](std::uint32_t p, const Cells::Neighbors& near) {
        const std::uint32_t i = particle[p];
        if (part.point.size() < count + near.count)
            part.point.resize(2 * (count + near.count) + 64);
        const std::size_t from = count;
        if (options.half) {
            for (std::size_t k = 0; k < near.count; ++k) {
                const std::uint32_t q = near.point[k];
                const std::uint32_t j = particle[q];
                // Without a branch where the answer is a coin toss.
                bool wanted = i < j;
                if (i == j) wanted = cells_.first_of_two(p, q);
                part.point[count] = q;
                count += wanted ? 1 : 0;
            }
        } else {
            std::copy_n(near.point.data(), near.count, part.point.data() + count);
            count += near.count;
        }
        bool certain = true;
        for (std::size_t k = 0; k < near.count; ++k) certain &= near.r2[k] < sure;
        if (!certain) {
            std::uint32_t* first = part.point.data();
            const auto beyond = [&](std::uint32_t q) { return !(norm2(vector(p, q)) < cutoff2); };
            const auto* last = std::remove_if(first + from, first + count, beyond);
            count = static_cast<std::size_t>(last - first);
        }
        part.end.push_back(static_cast<std::uint32_t>(count));
    };
    cells_.for_neighborhoods(begin, end, cells_.reach(), add);
    part.point.resize(count);
    if (options.exclusions.empty()) return;

    std::size_t kept = 0;
    std::size_t at = 0;
    for (std::size_t k = begin; k < end; ++k) {
        const std::uint32_t i = particle[cells_.reals()[k]];
        for (; at < part.end[k - begin]; ++at) {
            if (excluded(options.exclusions, i, particle[part.point[at]])) continue;
            part.point[kept++] = part.point[at];
        }
        part.end[k - begin] = static_cast<std::uint32_t>(kept);
    }
    part.point.resize(kept);
}

void NeighborSearch::write(const Arrays& to) const {
    const auto body = [&](std::size_t c, std::size_t begin, std::size_t end) {
        const std::uint32_t* q = parts_[c].point.data();
        for (std::size_t k = begin; k < end; ++k) {
            const std::uint32_t p = cells_.reals()[k];
            const std::uint32_t i = cells_.particle()[p];
            const std::size_t last = first_[i + 1];
            for (std::size_t at = first_[i]; at < last; ++at, ++q) {
                to.i[at] = i;
                to.j[at] = cells_.particle()[*q];
                to.shift[at] = shift(p, *q);
                to.d[at] = vector(p, *q);
            }
        }
    };
    parallel_chunks(first_.size() - 1, chunk, body);
}

NeighborList neighbor_list(std::span<const Vec3> positions, const Box& box,
                           const NeighborOptions& options) {
    const NeighborSearch found(positions, box, options);
    NeighborList list;
    list.i.resize(found.pairs());
    list.j.resize(found.pairs());
    list.shift.resize(found.pairs());
    list.d.resize(found.pairs());
    found.write({list.i.data(), list.j.data(), list.shift.data(), list.d.data()});
    return list;
}

}  // namespace regrain::particles
