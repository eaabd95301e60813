#include "regrain/particles/neighbors.hpp"

#include <algorithm>

namespace regrain::particles {

namespace {

constexpr std::size_t chunk = 512;

using Exclusions = std::span<const std::pair<std::uint32_t, std::uint32_t>>;

bool excluded(Exclusions sorted, std::uint32_t i, std::uint32_t j) {
    return std::binary_search(sorted.begin(), sorted.end(),
                              std::pair(std::min(i, j), std::max(i, j)));
}

// What one chunk of particles, in the order of space, finds.
struct Part {
    std::vector<std::uint32_t> count;  // per particle of the chunk
    std::vector<std::uint32_t> j;
    std::vector<Image> shift;
    std::vector<Vec3> d;
};

Part search(const Cells& cells, std::span<const Vec3> positions, const Box& box,
            const NeighborOptions& options, std::size_t begin, std::size_t end) {
    Part part;
    const double cutoff2 = options.cutoff * options.cutoff;
    const auto add = [&](std::uint32_t p, const Cells::Neighbors& near) {
        const std::uint32_t i = cells.particle()[p];
        const std::size_t before = part.j.size();
        for (std::size_t m = 0; m < near.count; ++m) {
            const std::uint32_t q = near.point[m];
            const std::uint32_t j = cells.particle()[q];
            if (options.half && !cells.first_of_two(p, q)) continue;
            const Image& a = cells.image()[p];
            const Image& b = cells.image()[q];
            const Image shift{b[0] - a[0], b[1] - a[1], b[2] - a[2]};
            // Not the difference of the images in the cells: this one only changes sign, to the
            // last bit, when i and j change places, so that both sides agree about the cutoff.
            const Vec3 d = (positions[j] - positions[i]) + lattice_vector(box, shift);
            if (!(norm2(d) < cutoff2)) continue;
            if (!options.exclusions.empty() && excluded(options.exclusions, i, j)) continue;
            part.j.push_back(j);
            part.shift.push_back(shift);
            part.d.push_back(d);
        }
        part.count.push_back(static_cast<std::uint32_t>(part.j.size() - before));
    };
    cells.for_neighborhoods(begin, end, cells.reach(), add);
    return part;
}

}  // namespace

NeighborList neighbor_list(std::span<const Vec3> positions, const Box& box,
                           const NeighborOptions& options) {
    const std::size_t n = positions.size();
    Cells cells(options.cutoff * (1.0 + 1e-9));
    cells.assign(positions, box);

    std::vector<Part> parts((n + chunk - 1) / chunk);
    std::vector<std::size_t> first(n + 1, 0);
    parallel_chunks(n, chunk, [&](std::size_t c, std::size_t begin, std::size_t end) {
        parts[c] = search(cells, positions, box, options, begin, end);
        for (std::size_t k = begin; k < end; ++k)
            first[cells.particle()[cells.reals()[k]] + 1] = parts[c].count[k - begin];
    });
    for (std::size_t i = 0; i < n; ++i) first[i + 1] += first[i];

    NeighborList list;
    list.i.resize(first[n]);
    list.j.resize(first[n]);
    list.shift.resize(first[n]);
    list.d.resize(first[n]);
    parallel_chunks(n, chunk, [&](std::size_t c, std::size_t begin, std::size_t end) {
        Part& part = parts[c];
        std::ptrdiff_t from = 0;
        for (std::size_t k = begin; k < end; ++k) {
            const std::uint32_t i = cells.particle()[cells.reals()[k]];
            const std::ptrdiff_t count = part.count[k - begin];
            const auto to = static_cast<std::ptrdiff_t>(first[i]);
            std::fill_n(list.i.begin() + to, count, i);
            std::copy_n(part.j.begin() + from, count, list.j.begin() + to);
            std::copy_n(part.shift.begin() + from, count, list.shift.begin() + to);
            std::copy_n(part.d.begin() + from, count, list.d.begin() + to);
            from += count;
        }
        part = {};
    });
    return list;
}

}  // namespace regrain::particles
