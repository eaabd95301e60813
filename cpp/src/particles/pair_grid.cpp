#include "pair_grid.hpp"

#include <algorithm>
#include <cmath>

#include "images.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain::particles {

// Columns of half the reach keep the searched volume near the sphere; bins along x cost nothing
// more when they are thin, down to about one point each.
void PairGrid::cut(std::size_t n, const Box& box) {
    check_copies(n, box, reach_);
    const Vec3 brick{box.a().x, box.b().y, box.c().z};
    const Vec3 extent = brick + 2.0 * Vec3{margin(), margin(), margin()};
    origin_ = Vec3{-margin(), -margin(), -margin()};
    middle_ = 0.5 * brick;
    const double volume_each = box.volume() / static_cast<double>(n);
    const double side = std::max(0.5 * reach_, std::cbrt(volume_each));
    const auto pieces = [](double length, double width) {
        return static_cast<std::int32_t>(std::max(1.0, std::floor(length / width)));
    };
    bins_ = {pieces(extent.x, std::min(side, volume_each / (side * side))), pieces(extent.y, side),
             pieces(extent.z, side)};
    inverse_width_ = {bins_[0] / extent.x, bins_[1] / extent.y, bins_[2] / extent.z};

    // Tiles so large that their surroundings, a reach thick, add little.
    constexpr double reaches = 14.0;
    const auto tiles = [&](double length) {
        return static_cast<std::uint32_t>(std::max(1.0, std::floor(length / (reaches * reach_))));
    };
    tiles_ = {tiles(extent.x), tiles(extent.y)};
    for (std::size_t axis : {0U, 1U}) {
        const auto bins = static_cast<std::uint32_t>(bins_[axis]);
        tile_[axis] = (bins + tiles_[axis] - 1) / tiles_[axis];
        tiles_[axis] = (bins + tile_[axis] - 1) / tile_[axis];
    }

    const double longest = std::max({extent.x, extent.y, extent.z});
    const double sure = reach_ * (1.0 + 1e-6) + 4.0 * longest * 0x1p-24;
    sure_reach_ = static_cast<float>(sure);
    const double narrowest = std::min(1.0 / inverse_width_.y, 1.0 / inverse_width_.z);
    far_ = static_cast<std::int32_t>(std::ceil(sure / narrowest));
    half_.clear();
    for (std::int32_t k = 0; k <= far_; ++k) {
        for (std::int32_t j = 0; j <= far_; ++j) {
            const double y = std::max(0, j - 1) / inverse_width_.y;
            const double z = std::max(0, k - 1) / inverse_width_.z;
            const double rest = sure * sure - y * y - z * z;
            const double bins = std::sqrt(std::max(0.0, rest)) * inverse_width_.x;
            half_.push_back(rest < 0.0 ? -1 : static_cast<std::int32_t>(bins) + 1);
        }
    }
}

std::uint32_t PairGrid::key(const Vec3& r) const {
    const auto [i, j, k] = bin(r);
    const std::uint32_t tile = (j / tile_[1]) * tiles_[0] + i / tile_[0];
    const auto turned = [](std::uint32_t place, std::uint32_t count, std::uint32_t turn) {
        return turn % 2 == 0 ? place : count - 1 - place;
    };
    const std::uint32_t column = turned(j % tile_[1], tile_[1], k);
    const std::uint32_t place = turned(i % tile_[0], tile_[0], k * tile_[1] + column);
    const auto layers = static_cast<std::uint32_t>(bins_[2]);
    return ((tile * layers + k) * tile_[1] + column) * tile_[0] + place;
}

// Counting sort: start_[b] .. start_[b + 1] are the places of those with the key b.
void PairGrid::count(std::span<const std::uint32_t> keys, std::size_t bins) {
    start_.assign(bins + 1, 0);
    for (const std::uint32_t key : keys) ++start_[key];
    std::uint32_t before = 0;
    for (std::uint32_t& start : start_) {
        const std::uint32_t here = start;
        start = before;
        before += here;
    }
}

void PairGrid::order(std::span<const std::uint32_t> keys, std::vector<std::uint32_t>& order) {
    order.resize(keys.size());
    const std::size_t bins = static_cast<std::size_t>(tiles_[0]) * tile_[0] * tiles_[1] * tile_[1] *
                             static_cast<std::size_t>(bins_[2]);
    count(keys, bins);
    for (std::size_t p = 0; p < keys.size(); ++p)
        order[start_[keys[p]]++] = static_cast<std::uint32_t>(p);
}

void PairGrid::assign(std::span<const Row> rows) {
    const std::size_t points = rows.size();
    key_.resize(points);
    const auto columns = static_cast<std::uint32_t>(bins_[1]);
    const auto bins = static_cast<std::uint32_t>(bins_[0]);
    parallel_for(points, [&](std::size_t begin, std::size_t end) {
        for (std::size_t p = begin; p < end; ++p) {
            const auto [i, j, k] = bin({rows[p].x, rows[p].y, rows[p].z});
            key_[p] = (k * columns + j) * bins + i;
        }
    });
    // Behind the starts one more, so that filling leaves the start of b in start_[b].
    count(key_, static_cast<std::size_t>(bins) * columns * static_cast<std::size_t>(bins_[2]));
    row_.resize(points + overread);
    for (std::size_t p = 0; p < points; ++p)
        row_[start_[key_[p]]++] = static_cast<std::uint32_t>(p);
    std::copy_backward(start_.begin(), start_.end() - 1, start_.end());
    start_.front() = 0;
    for (std::vector<float>* v : {&x_, &y_, &z_}) v->resize(points + overread);
    parallel_for(points, [&](std::size_t begin, std::size_t end) {
        for (std::size_t p = begin; p < end; ++p) {
            const Row& row = rows[row_[p]];
            const auto [x, y, z] = place({row.x, row.y, row.z});
            x_[p] = x;
            y_[p] = y;
            z_[p] = z;
        }
    });
}

PairGrid::Corners PairGrid::corners(std::span<const Row> rows) {
    Vec3 low{rows[0].x, rows[0].y, rows[0].z};
    Vec3 high = low;
    for (const Row& row : rows.subspan(1)) {
        low = {std::min(low.x, row.x), std::min(low.y, row.y), std::min(low.z, row.z)};
        high = {std::max(high.x, row.x), std::max(high.y, row.y), std::max(high.z, row.z)};
    }
    return {low, high};
}

PairGrid::Region PairGrid::region(const Corners& corners) const {
    const auto first = bin(corners.low), last = bin(corners.high);
    const auto range = [&](std::size_t axis) {
        return Range{static_cast<std::int32_t>(first[axis]), static_cast<std::int32_t>(last[axis])};
    };
    return {range(0), range(1), range(2)};
}

}  // namespace regrain::particles
