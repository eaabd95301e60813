#include "pairwise_pass.hpp"

#include <algorithm>
#include <limits>

namespace regrain::particles {

PairwiseSums PairwisePass::add(const PairwiseParameters& parameters, const Present& now,
                               std::span<const Vec3> lead, const PairNoise& noise,
                               std::span<Vec3> forces, bool with_sums) {
    cells_.assign(now.engine, now.motion, lead, noise);
    if (sums_.size() < cells_.points().size()) sums_.resize(cells_.points().size() * 9 / 8);
    PairwiseSums sums = cells_.sum_over_tiles<PairwiseSums>([&](const PairwiseCells::Tile& tile) {
        PairwiseSums of_tile;
        pairwise_kernel({&parameters, &cells_, &noise, now.flow, tile, sums_.data(),
                         with_sums ? &of_tile : nullptr});
        return of_tile;
    });
    sums += collect(now.motion, forces);
    if (sums.suspicious) cells_.name_the_close(now.engine);
    return sums;
}

// What images felt goes to their particles first. Sums are left zero.
PairwiseSums PairwisePass::collect(std::span<const Motion> motion, std::span<Vec3> forces) {
    return cells_.sum_over_rows<PairwiseSums>(
        [&](std::size_t begin, std::size_t end, std::span<const PairwiseCells::Copy> images) {
            for (const PairwiseCells::Copy& image : images) {
                PairForce& from = sums_[image.point];
                PairForce& to = sums_[cells_.point_of(image.row)];
                for (std::size_t k = 0; k < 8; ++k) to.numbers[k] += from.numbers[k];
                from = {};
            }
            PairwiseSums sums;
            for (std::size_t row = begin; row < end; ++row) {
                constexpr std::size_t ahead = 16;
                __builtin_prefetch(&sums_[cells_.point_of(std::min(row + ahead, end - 1))], 1);
                PairForce& f = sums_[cells_.point_of(row)];
                const Vec3 thermal = f.thermal();
                const Vec3 force = forces[row] + f.all();
                forces[row] = force;
                sums.along += dot(thermal, motion[row].v);
                sums.square += dot(thermal, force) * motion[row].inverse_mass;
                // Written so that NaN is suspicious too.
                sums.suspicious |= !(norm2(force) <= std::numeric_limits<double>::max());
                f = {};
            }
            return sums;
        });
}

}  // namespace regrain::particles
