#include "regrain/particles/structure_factor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <string>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "waves.hpp"

namespace regrain::particles {

using Index = std::array<std::int32_t, 3>;

namespace {

// The heights of the reciprocal cell bound the indices: |h| <= q_max |a| / 2 pi.
std::int32_t most(double q_max, const Vec3& edge) {
    return static_cast<std::int32_t>(std::floor(q_max * norm(edge) / (2.0 * std::numbers::pi)));
}

// Indices with the same (k, l) follow each other; each such run shares the product of two factors.
std::vector<std::size_t> run_borders(std::span<const Index> indices) {
    std::vector<std::size_t> borders;
    for (std::size_t m = 0; m < indices.size(); ++m) {
        if (m == 0 || indices[m][1] != indices[m - 1][1] || indices[m][2] != indices[m - 1][2]) {
            borders.push_back(m);
        }
    }
    borders.push_back(indices.size());
    return borders;
}

std::size_t reach(const Lines& lines) { return static_cast<std::size_t>(lines.last) + 1; }

// Runs two by two; one of a negative l is that of -q, whose modes are conjugates.
std::vector<Lines> lines_of(std::span<const Index> indices, std::span<const std::size_t> borders) {
    std::vector<Lines> all;
    for (std::size_t run = 0; run + 1 < borders.size(); ++run) {
        const Index& at = indices[borders[run]];
        const std::int32_t sign = at[2] < 0 ? -1 : 1;
        if (run % 2 == 0) {
            const std::size_t first = all.empty() ? 0 : all.back().first + reach(all.back());
            all.push_back({{0, 0}, {0, 0}, 0, first});
        }
        all.back().k[run % 2] = sign * at[1];
        all.back().l[run % 2] = sign * at[2];
        for (std::size_t m = borders[run]; m < borders[run + 1]; ++m)
            all.back().last = std::max(all.back().last, std::abs(indices[m][0]));
    }
    return all;
}

// Enough for a thread to be worth waking.
std::size_t lines_per_chunk(std::size_t work, std::size_t lines) {
    constexpr std::size_t least_work = 50'000;
    return 1 + least_work * lines / std::max<std::size_t>(work, 1);
}

}  // namespace

Vec3 wave_vector(const Box& box, const Index& index) {
    // q a = 2 pi h and so on, solved from the lower-triangular lattice vectors.
    const double tau = 2.0 * std::numbers::pi;
    const double x = tau * index[0] / box.a().x;
    const double y = (tau * index[1] - x * box.b().x) / box.b().y;
    const double z = (tau * index[2] - x * box.c().x - y * box.c().y) / box.c().z;
    return {x, y, z};
}

std::vector<Index> reciprocal_indices(const Box& box, double q_max) {
    if (!(q_max > 0.0) || !std::isfinite(q_max)) {
        throw Error("q_max is " + std::to_string(q_max) + "; give a positive wave number");
    }
    const double volume_q = 8.0 * std::pow(std::numbers::pi, 3) / box.volume();
    const double expected = 2.0 / 3.0 * std::numbers::pi * std::pow(q_max, 3) / volume_q;
    if (expected > 2e7) {
        throw Error("q_max = " + std::to_string(q_max) + " holds about " +
                    std::to_string(expected) + " wave vectors of this box; give a smaller q_max");
    }
    const std::int32_t hs = most(q_max, box.a());
    const std::int32_t ks = most(q_max, box.b());
    const std::int32_t ls = most(q_max, box.c());
    const double limit = q_max * q_max * (1.0 + 1e-12);
    std::vector<Index> indices;
    for (std::int32_t l = 0; l <= ls; ++l) {
        for (std::int32_t k = l == 0 ? 0 : -ks; k <= ks; ++k) {
            for (std::int32_t h = l == 0 && k == 0 ? 1 : -hs; h <= hs; ++h) {
                if (norm2(wave_vector(box, {h, k, l})) <= limit) indices.push_back({h, k, l});
            }
        }
    }
    return indices;
}

std::vector<std::complex<double>> density_modes(std::span<const Vec3> positions, const Box& box,
                                                std::span<const Index> indices) {
    Index last{0, 0, 0};
    for (const Index& index : indices) {
        for (std::size_t d = 0; d < 3; ++d) last[d] = std::max(last[d], std::abs(index[d]));
    }
    const std::vector<std::size_t> borders = run_borders(indices);
    const std::vector<Lines> lines = lines_of(indices, borders);
    std::vector<Overlap> sums(lines.empty() ? 0 : lines.back().first + reach(lines.back()));
    std::vector<Charge> charges;
    for (std::size_t begin = 0; begin < positions.size(); begin += Phases::most) {
        const std::size_t n = std::min(Phases::most, positions.size() - begin);
        charges.clear();
        for (const Vec3& r : positions.subspan(begin, n)) charges.push_back({r, 1.0});
        const Phases phases(charges, box, last);
        parallel_for(
            lines.size(),
            [&](std::size_t first, std::size_t end) {
                for (std::size_t k = first; k < end; ++k)
                    overlap_kernel(phases, lines[k], &sums[lines[k].first]);
            },
            lines_per_chunk(n * sums.size(), lines.size()));
    }
    std::vector<std::complex<double>> modes(indices.size());
    for (std::size_t run = 0; run + 1 < borders.size(); ++run) {
        for (std::size_t m = borders[run]; m < borders[run + 1]; ++m) {
            const bool turned = indices[m][2] < 0;
            const std::int32_t h = turned ? -indices[m][0] : indices[m][0];
            const auto at = lines[run / 2].first + static_cast<std::size_t>(std::abs(h));
            const Modes found = modes_of(sums[at], run % 2);
            const std::complex<double> mode = h < 0 ? found.minus : found.plus;
            modes[m] = turned ? std::conj(mode) : mode;
        }
    }
    return modes;
}

}  // namespace regrain::particles
