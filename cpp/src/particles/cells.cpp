#include "regrain/particles/cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "images.hpp"
#include "regrain/base/error.hpp"
#include "search_kernel.hpp"

namespace regrain::particles {

namespace {

std::int32_t whole_periods(double x, double period) {
    return static_cast<std::int32_t>(std::floor(x / period));
}

}  // namespace

Vec3 fold_into_brick(const Box& box, const Vec3& r, Image& image) {
    Vec3 folded = r;
    image = {0, 0, 0};
    // Again where a coordinate a rounding error below a face landed on the opposite face itself.
    for (int pass = 0; pass < 2; ++pass) {
        if (folded.x >= 0.0 && folded.y >= 0.0 && folded.z >= 0.0 && folded.x < box.a().x &&
            folded.y < box.b().y && folded.z < box.c().z)
            break;
        const std::int32_t k = whole_periods(folded.z, box.c().z);
        folded -= static_cast<double>(k) * box.c();
        const std::int32_t j = whole_periods(folded.y, box.b().y);
        folded -= static_cast<double>(j) * box.b();
        const std::int32_t i = whole_periods(folded.x, box.a().x);
        folded -= static_cast<double>(i) * box.a();
        image[0] -= i;
        image[1] -= j;
        image[2] -= k;
    }
    return folded;
}

Cells::Cells(double reach) : reach_(reach) {
    if (!(reach > 0.0) || !std::isfinite(reach)) {
        throw Error("the reach of a neighbour search is " + std::to_string(reach) +
                    "; it must be a positive length");
    }
}

Cells::Cells(std::span<const Vec3> positions, const Box& box, double reach) : Cells(reach) {
    assign(positions, box);
}

// Columns of half the reach keep the searched volume near the sphere; bins along x cost nothing
// more when they are thin, down to about one point each.
void Cells::choose_grid(std::size_t n, const Box& box) {
    check_copies(n, box, reach_);
    const Vec3 brick{box.a().x, box.b().y, box.c().z};
    const double margin = reach_ * (1.0 + 1e-9);
    origin_ = Vec3{-margin, -margin, -margin};
    const Vec3 extent = brick - 2.0 * origin_;
    const double volume_each = box.volume() / static_cast<double>(n);
    const double side = std::max(0.5 * reach_, std::cbrt(volume_each));
    const auto cut = [](double length, double width) {
        return static_cast<std::size_t>(std::max(1.0, std::floor(length / width)));
    };
    bins_ = cut(extent.x, std::min(side, volume_each / (side * side)));
    columns_ = {cut(extent.y, side), cut(extent.z, side)};
    width_ = {extent.x / static_cast<double>(bins_), extent.y / static_cast<double>(columns_[0]),
              extent.z / static_cast<double>(columns_[1])};
    inverse_width_ = {1.0 / width_.x, 1.0 / width_.y, 1.0 / width_.z};
}

namespace {

std::size_t clamped(double s, std::size_t count) {
    const double last = static_cast<double>(count - 1);
    return static_cast<std::size_t>(std::clamp(s, 0.0, last));
}

}  // namespace

std::size_t Cells::bin(const Vec3& r) const {
    const std::size_t i = clamped((r.x - origin_.x) * inverse_width_.x, bins_);
    const std::size_t j = clamped((r.y - origin_.y) * inverse_width_.y, columns_[0]);
    const std::size_t k = clamped((r.z - origin_.z) * inverse_width_.z, columns_[1]);
    return (k * columns_[0] + j) * bins_ + i;
}

void Cells::add_images(const Vec3& position, std::uint32_t particle, const Box& box,
                       std::vector<Found>& found) const {
    Image fold;
    const Vec3 r = fold_into_brick(box, position, fold);
    for_images(box, r, -origin_.x, [&](const Vec3& at, const Image& n) {
        found.push_back({at,
                         particle,
                         static_cast<std::uint32_t>(bin(at)),
                         {fold[0] + n[0], fold[1] + n[1], fold[2] + n[2]}});
    });
}

void Cells::assign(std::span<const Vec3> positions, const Box& box) {
    const std::size_t n = positions.size();
    reals_.assign(n, 0);
    bins_ = 1;
    columns_ = {1, 1};
    if (n > 0) choose_grid(n, box);

    found_.resize((n + chunk_size - 1) / chunk_size);
    parallel_chunks(n, chunk_size, [&](std::size_t c, std::size_t begin, std::size_t end) {
        found_[c].clear();
        for (std::size_t p = begin; p < end; ++p) {
            check_position(positions[p], box, p);
            add_images(positions[p], static_cast<std::uint32_t>(p), box, found_[c]);
        }
    });

    // Counting sort; stable, so the order depends on the particles alone.
    points_ = 0;
    start_.assign(bins_ * columns_[0] * columns_[1] + 1, 0);
    for (const auto& part : found_) {
        points_ += part.size();
        for (const Found& f : part) ++start_[f.bin + 1];
    }
    for (std::size_t b = 1; b < start_.size(); ++b) start_[b] += start_[b - 1];
    for (std::vector<double>* v : {&x_, &y_, &z_}) v->resize(points_ + overread);
    particle_.resize(points_);
    image_.resize(points_);
    bin_of_.assign(start_.begin(), start_.end() - 1);
    for (const auto& part : found_) {
        for (const Found& f : part) {
            const std::uint32_t at = bin_of_[f.bin]++;
            x_[at] = f.r.x;
            y_[at] = f.r.y;
            z_[at] = f.r.z;
            particle_[at] = f.particle;
            image_[at] = f.image;
        }
    }
    // The brick is half open and folding lands in it, so exactly one point of a particle is inside.
    std::size_t real = 0;
    for (std::size_t p = 0; p < points_; ++p) {
        const Vec3 r = point(p);
        if (r.x >= 0.0 && r.y >= 0.0 && r.z >= 0.0 && r.x < box.a().x && r.y < box.b().y &&
            r.z < box.c().z && real < n) {
            reals_[real++] = static_cast<std::uint32_t>(p);
        }
    }
    if (real != n) throw Error("internal: folding lost a particle");
}

void Cells::check_cutoff(double cutoff) const {
    if (cutoff > reach_) {
        throw Error("a cutoff of " + std::to_string(cutoff) + " exceeds the reach " +
                    std::to_string(reach_) + " that the points were sorted for");
    }
}

Cells::Group Cells::group(std::size_t begin, std::size_t end) const {
    // More in one group mean fewer searches and more candidates for each: flat around here.
    constexpr std::size_t most = 8;
    const Vec3 first = point(reals_[begin]);
    Group g{begin + 1, first, first};
    for (; g.end < end && g.end < begin + most; ++g.end) {
        const Vec3 r = point(reals_[g.end]);
        const Vec3 low{std::min(g.low.x, r.x), std::min(g.low.y, r.y), std::min(g.low.z, r.z)};
        const Vec3 high{std::max(g.high.x, r.x), std::max(g.high.y, r.y), std::max(g.high.z, r.z)};
        if (high.x - low.x > reach_ || high.y - low.y > width_.y || high.z - low.z > width_.z)
            break;
        g.low = low;
        g.high = high;
    }
    return g;
}

void Cells::gather(const Vec3& low, const Vec3& high, double cutoff, Candidates& found) const {
    check_cutoff(cutoff);
    const Vec3 s = low - origin_;
    const Vec3 t = high - origin_;
    const double square = cutoff * cutoff * (1.0 + 1e-12);
    const std::size_t j0 = clamped((s.y - cutoff) * inverse_width_.y, columns_[0]);
    const std::size_t j1 = clamped((t.y + cutoff) * inverse_width_.y, columns_[0]);
    const std::size_t k0 = clamped((s.z - cutoff) * inverse_width_.z, columns_[1]);
    const std::size_t k1 = clamped((t.z + cutoff) * inverse_width_.z, columns_[1]);
    // Squared gap between the region and a column; columns at the border reach to infinity.
    const auto gap2 = [](double from, double to, std::size_t column, double width) {
        const double edge = static_cast<double>(column) * width;
        const double gap = std::max({0.0, edge - to, from - edge - width});
        return gap * gap;
    };
    std::array<SearchRun, max_runs> runs;
    std::size_t count = 0;
    found.count = 0;
    const auto copy = [&] {
        copy_runs({runs.data(), count}, {x_.data(), y_.data(), z_.data()}, found);
        count = 0;
    };
    for (std::size_t k = k0; k <= k1; ++k) {
        const double rest_z = square - gap2(s.z, t.z, k, width_.z);
        for (std::size_t j = j0; j <= j1; ++j) {
            const double rest = rest_z - gap2(s.y, t.y, j, width_.y);
            if (rest < 0.0) continue;
            const double half = std::sqrt(rest) * (1.0 + 1e-12);
            const std::size_t row = (k * columns_[0] + j) * bins_;
            const SearchRun run{start_[row + clamped((s.x - half) * inverse_width_.x, bins_)],
                                start_[row + clamped((t.x + half) * inverse_width_.x, bins_) + 1]};
            if (run.begin == run.end) continue;
            runs[count++] = run;
            if (count == max_runs) copy();
        }
    }
    copy();
}

void Cells::around(const Vec3& r, double cutoff, Neighbors& found) const {
    Candidates candidates;
    gather(r, r, cutoff, candidates);
    found.point.resize(room(candidates));
    found.r2.resize(room(candidates));
    constexpr auto nobody = std::numeric_limits<std::uint32_t>::max();
    found.count = filter(candidates, r, nobody, cutoff, found.point.data(), found.r2.data());
}

std::size_t Cells::filter(const Candidates& candidates, const Vec3& r, std::uint32_t self,
                          double cutoff, std::uint32_t* point, double* r2) {
    return filter_candidates(candidates, r, self, cutoff * cutoff, point, r2);
}

}  // namespace regrain::particles
