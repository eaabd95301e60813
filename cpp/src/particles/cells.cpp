#include "regrain/particles/cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "regrain/base/error.hpp"

namespace regrain::particles {

namespace {

constexpr double max_points = 2.0e9;

// Shifts so that n * period + x lies within [low, high].
struct Shifts {
    std::int32_t first, last;
    Shifts(double x, double period, double low, double high)
        : first(static_cast<std::int32_t>(std::ceil((low - x) / period))),
          last(static_cast<std::int32_t>(std::floor((high - x) / period))) {}
};

std::int32_t whole_periods(double x, double period) {
    return static_cast<std::int32_t>(std::floor(x / period));
}

std::string describe(const Vec3& r) {
    return "(" + std::to_string(r.x) + ", " + std::to_string(r.y) + ", " + std::to_string(r.z) +
           ")";
}

void check_position(const Vec3& r, const Box& box, std::size_t i) {
    if (!finite(r)) {
        throw Error("particle " + std::to_string(i) + " is at " + describe(r) +
                    "; every coordinate must be a finite number");
    }
    const Vec3 s = box.fractional(r);
    if (std::max({std::abs(s.x), std::abs(s.y), std::abs(s.z)}) > 1e7) {
        throw Error("particle " + std::to_string(i) + " is at " + describe(r) +
                    ", more than 1e7 boxes away; the run has exploded or the box is wrong");
    }
}

}  // namespace

Vec3 fold_into_brick(const Box& box, const Vec3& r, Image& image) {
    Vec3 folded = r;
    image = {0, 0, 0};
    // Twice: a coordinate a rounding error below a face lands on the opposite face itself.
    for (int pass = 0; pass < 2; ++pass) {
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
    const Vec3 brick{box.a().x, box.b().y, box.c().z};
    const double margin = reach_ * (1.0 + 1e-9);
    origin_ = Vec3{-margin, -margin, -margin};
    const Vec3 extent = brick - 2.0 * origin_;
    const double copies = extent.x * extent.y * extent.z / box.volume();
    if (copies * static_cast<double>(n) > max_points) {
        throw Error("a reach of " + std::to_string(reach_) + " in a box of " + describe(brick) +
                    " asks for " + std::to_string(copies) + " images of each of " +
                    std::to_string(n) + " particles; reduce the reach or repeat the box");
    }
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

void Cells::order(std::span<const Vec3> positions, const Box& box,
                  std::vector<std::uint32_t>& order) {
    const std::size_t n = positions.size();
    order.resize(n);
    if (n == 0) return;
    choose_grid(n, box);
    start_.assign(bins_ * columns_[0] * columns_[1] + 1, 0);
    std::vector<std::uint32_t> bins(n);
    for (std::size_t p = 0; p < n; ++p) {
        check_position(positions[p], box, p);
        Image fold;
        bins[p] = static_cast<std::uint32_t>(bin(fold_into_brick(box, positions[p], fold)));
        ++start_[bins[p] + 1];
    }
    for (std::size_t b = 1; b < start_.size(); ++b) start_[b] += start_[b - 1];
    for (std::size_t p = 0; p < n; ++p) order[start_[bins[p]]++] = static_cast<std::uint32_t>(p);
}

void Cells::assign(std::span<const Vec3> positions, const Box& box) {
    const std::size_t n = positions.size();
    found_.clear();
    reals_.assign(n, 0);
    bins_ = 1;
    columns_ = {1, 1};
    if (n > 0) choose_grid(n, box);
    start_.assign(bins_ * columns_[0] * columns_[1] + 1, 0);

    const double low = origin_.x;
    const Vec3 high = Vec3{box.a().x, box.b().y, box.c().z} - origin_;
    for (std::size_t p = 0; p < n; ++p) {
        check_position(positions[p], box, p);
        Image fold;
        const Vec3 r = fold_into_brick(box, positions[p], fold);
        const Shifts z(r.z, box.c().z, low, high.z);
        for (std::int32_t k = z.first; k <= z.last; ++k) {
            const Vec3 rk = r + static_cast<double>(k) * box.c();
            const Shifts y(rk.y, box.b().y, low, high.y);
            for (std::int32_t j = y.first; j <= y.last; ++j) {
                const Vec3 rj = rk + static_cast<double>(j) * box.b();
                const Shifts x(rj.x, box.a().x, low, high.x);
                for (std::int32_t i = x.first; i <= x.last; ++i) {
                    const Vec3 image = rj + static_cast<double>(i) * box.a();
                    const auto where = static_cast<std::uint32_t>(bin(image));
                    ++start_[where + 1];
                    found_.push_back({image,
                                      static_cast<std::uint32_t>(p),
                                      where,
                                      {fold[0] + i, fold[1] + j, fold[2] + k}});
                }
            }
        }
    }

    for (std::size_t b = 1; b < start_.size(); ++b) start_[b] += start_[b - 1];
    x_.resize(found_.size());
    y_.resize(found_.size());
    z_.resize(found_.size());
    particle_.resize(found_.size());
    image_.resize(found_.size());
    std::vector<std::uint32_t> next(start_.begin(), start_.end() - 1);
    for (const Found& f : found_) {
        const std::uint32_t at = next[f.bin]++;
        x_[at] = f.r.x;
        y_[at] = f.r.y;
        z_[at] = f.r.z;
        particle_[at] = f.particle;
        image_[at] = f.image;
    }
    // The brick is half open and folding lands in it, so exactly one point of a particle is inside.
    std::size_t real = 0;
    for (std::size_t p = 0; p < points(); ++p) {
        const Vec3 r = point(p);
        if (r.x >= 0.0 && r.y >= 0.0 && r.z >= 0.0 && r.x < box.a().x && r.y < box.b().y &&
            r.z < box.c().z && real < n) {
            reals_[real++] = static_cast<std::uint32_t>(p);
        }
    }
    if (real != n) throw Error("internal: folding lost a particle");
}

void Cells::around(const Vec3& r, double cutoff, Neighbors& found) const {
    if (cutoff > reach_) {
        throw Error("a cutoff of " + std::to_string(cutoff) + " exceeds the reach " +
                    std::to_string(reach_) + " that the points were sorted for");
    }
    found.count = 0;
    const double cutoff2 = cutoff * cutoff;
    const Vec3 s = r - origin_;
    const std::size_t j0 = clamped((s.y - cutoff) * inverse_width_.y, columns_[0]);
    const std::size_t j1 = clamped((s.y + cutoff) * inverse_width_.y, columns_[0]);
    const std::size_t k0 = clamped((s.z - cutoff) * inverse_width_.z, columns_[1]);
    const std::size_t k1 = clamped((s.z + cutoff) * inverse_width_.z, columns_[1]);
    const auto gap = [](double at, std::size_t cell, double width) {
        const double low = static_cast<double>(cell) * width;
        return std::max({0.0, low - at, at - low - width});
    };
    for (std::size_t k = k0; k <= k1; ++k) {
        const double dz = gap(s.z, k, width_.z);
        for (std::size_t j = j0; j <= j1; ++j) {
            const double dy = gap(s.y, j, width_.y);
            const double rest = cutoff2 * (1.0 + 1e-12) - dz * dz - dy * dy;
            if (rest < 0.0) continue;
            const double half = std::sqrt(rest) * (1.0 + 1e-12);
            const std::size_t row = (k * columns_[0] + j) * bins_;
            const std::size_t begin = start_[row + clamped((s.x - half) * inverse_width_.x, bins_)];
            const std::size_t end =
                start_[row + clamped((s.x + half) * inverse_width_.x, bins_) + 1];
            if (found.point.size() < found.count + (end - begin)) {
                found.point.resize(2 * (found.count + (end - begin)));
                found.r2.resize(found.point.size());
            }
            for (std::size_t q = begin; q < end; ++q) {
                const double dx = x_[q] - r.x;
                const double ey = y_[q] - r.y;
                const double ez = z_[q] - r.z;
                const double r2 = dx * dx + ey * ey + ez * ez;
                found.point[found.count] = static_cast<std::uint32_t>(q);
                found.r2[found.count] = r2;
                found.count += r2 < cutoff2 ? 1 : 0;
            }
        }
    }
}

void Cells::around_particle(std::uint32_t p, double cutoff, Neighbors& found) const {
    around(point(p), cutoff, found);
    // Itself is the one at distance zero with its own number.
    for (std::size_t k = 0; k < found.count; ++k) {
        if (found.point[k] != p) continue;
        for (std::size_t m = k + 1; m < found.count; ++m) {
            found.point[m - 1] = found.point[m];
            found.r2[m - 1] = found.r2[m];
        }
        --found.count;
        return;
    }
}

}  // namespace regrain::particles
