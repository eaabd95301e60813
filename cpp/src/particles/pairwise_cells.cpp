#include "pairwise_cells.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain::particles {

namespace {

constexpr std::size_t overread = 16;
constexpr double far_away = 1e20;

// Of a box of any size, at most so many chunks of rows: each has a tally of all columns.
std::size_t chunk_of(std::size_t n) { return std::max<std::size_t>(chunk_size, (n + 63) / 64); }

std::int32_t whole(double s) {
    const auto k = static_cast<std::int32_t>(s);
    return k - static_cast<std::int32_t>(s < static_cast<double>(k));
}

// Into the brick of the lattice vectors (see cells.hpp); most particles are there.
Vec3 folded(const Box& box, const Vec3& brick, Vec3 r) {
    if (r.x >= 0.0 && r.y >= 0.0 && r.z >= 0.0 && r.x < brick.x && r.y < brick.y && r.z < brick.z)
        return r;
    Image image;
    return fold_into_brick(box, r, image);
}

}  // namespace

void PairwiseCells::check(const Box& box) const {
    if (box.min_height() >= 2.0 * cutoff_) return;
    throw Error("the thermostat's cutoff of " + std::to_string(cutoff_) +
                " is more than half of the box, which is " + std::to_string(box.min_height()) +
                " high: two particles would be near in two images; use a larger box or a smaller "
                "cutoff");
}

void PairwiseCells::choose_grid(const Box& box, std::size_t n) {
    brick_ = {box.a().x, box.b().y, box.c().z};
    const std::array<double, 3> edge{brick_.x, brick_.y, brick_.z};
    // Cells are larger where there would be many more of them than particles.
    const double each = box.volume() / static_cast<double>(n);
    const double width = std::max(cutoff_, 0.5 * std::cbrt(each));
    for (std::size_t k = 0; k < 3; ++k) {
        count_[k] = static_cast<std::size_t>(std::max(2.0, std::floor(edge[k] / width)));
        inverse_width_[k] = static_cast<double>(count_[k]) / edge[k];
    }
    const double largest = std::max({edge[0], edge[1], edge[2]}) + cutoff_;
    const double rounding = 4.0 * largest * std::numeric_limits<float>::epsilon();
    generous_ = static_cast<float>((cutoff_ + rounding) * (cutoff_ + rounding));
}

// Particles are in the cells 1 .. count, where rounding would have it otherwise, too.
std::uint32_t PairwiseCells::cell_along(double x, std::size_t k, bool image) const {
    const std::int32_t first = image ? 0 : 1;
    const std::int32_t last = static_cast<std::int32_t>(count_[k]) + (image ? 1 : 0);
    return static_cast<std::uint32_t>(std::clamp(whole(x * inverse_width_[k]) + 1, first, last));
}

PairwiseCells::Placed PairwiseCells::place(const Vec3& r, std::size_t row, bool image) const {
    const std::uint32_t column =
        cell_along(r.z, 2, image) * static_cast<std::uint32_t>(count_[1] + 2) +
        cell_along(r.y, 1, image);
    return {r.x, r.y, r.z, column, static_cast<std::uint32_t>(row)};
}

// Those within the cutoff of the brick.
void PairwiseCells::add_images(const Vec3& r, std::size_t row, const Box& box,
                               std::vector<Placed>& images) const {
    const double m = cutoff_;
    if (r.x >= m && r.y >= m && r.z >= m && r.x < brick_.x - m && r.y < brick_.y - m &&
        r.z < brick_.z - m)
        return;
    const auto range = [m](double x, double period, double edge) {
        return std::array{static_cast<int>(std::ceil((-m - x) / period)),
                          static_cast<int>(std::floor((edge + m - x) / period))};
    };
    const auto [k0, k1] = range(r.z, box.c().z, brick_.z);
    for (int k = k0; k <= k1; ++k) {
        const Vec3 rk = r + static_cast<double>(k) * box.c();
        const auto [j0, j1] = range(rk.y, box.b().y, brick_.y);
        for (int j = j0; j <= j1; ++j) {
            const Vec3 rj = rk + static_cast<double>(j) * box.b();
            const auto [i0, i1] = range(rj.x, box.a().x, brick_.x);
            for (int i = i0; i <= i1; ++i) {
                if (i == 0 && j == 0 && k == 0) continue;
                images.push_back(place(rj + static_cast<double>(i) * box.a(), row, true));
            }
        }
    }
}

void PairwiseCells::assign(const PairEngine& engine, std::span<const Motion> motion,
                           std::span<const Vec3> lead) {
    const Box& box = engine.box();
    const std::span<const Row> rows = engine.rows();
    const std::span<const std::uint32_t> ids = engine.ids();
    const std::size_t n = rows.size();
    check(box);
    choose_grid(box, n);
    const std::size_t chunk = chunk_of(n);
    const std::size_t columns = all_columns();
    const std::size_t chunks = (n + chunk - 1) / chunk;
    placed_.resize(n);
    images_.resize(chunks);
    tally_.assign(chunks * columns, 0);
    parallel_chunks(n, chunk, [&](std::size_t c, std::size_t begin, std::size_t end) {
        std::uint32_t* tally = tally_.data() + c * columns;
        std::vector<Placed>& images = images_[c];
        images.clear();
        for (std::size_t i = begin; i < end; ++i) {
            const Vec3 r = folded(box, brick_, {rows[i].x, rows[i].y, rows[i].z});
            placed_[i] = place(r, i, false);
            ++tally[placed_[i].column];
            add_images(r, i, box, images);
        }
        for (const Placed& p : images) ++tally[p.column];
    });
    order_columns(n, chunk);

    const std::size_t along = count_[0] + 2;
    const std::size_t total = order_.size();
    start_.resize(columns * along + 1);
    start_.back() = static_cast<std::uint32_t>(total);
    points_.resize(total + 1);
    points_.back() = {far_away, far_away, far_away, 0, {}, 0, 1};
    for (std::vector<float>* v : {&x_, &y_, &z_}) v->resize(total + overread);
    parallel_for(
        columns,
        [&](std::size_t first, std::size_t last) {
            std::vector<std::uint32_t> next(along + 1);
            for (std::size_t column = first; column < last; ++column) {
                const std::uint32_t begin = column_start_[column];
                const std::uint32_t end = column_start_[column + 1];
                const auto is_image = [&](const Placed& p) {
                    return &p < placed_.data() || &p >= placed_.data() + n;
                };
                const auto cell = [&](const Placed& p) { return cell_along(p.x, 0, is_image(p)); };
                std::fill(next.begin(), next.end(), 0);
                for (std::uint32_t k = begin; k < end; ++k) ++next[cell(*order_[k]) + 1];
                next[0] = begin;
                for (std::size_t b = 0; b < along; ++b) {
                    start_[column * along + b] = next[b];
                    next[b + 1] += next[b];
                }
                for (std::uint32_t k = begin; k < end; ++k) {
                    const Placed& p = *order_[k];
                    const std::uint32_t at = next[cell(p)]++;
                    Vec3 v = motion[p.row].v;
                    if (!lead.empty()) v += lead[ids[p.row]];
                    points_[at] = {p.x,
                                   p.y,
                                   p.z,
                                   (rows[p.row].tag << 32) | ids[p.row],
                                   v,
                                   p.row,
                                   is_image(p) ? 1U : 0U};
                    x_[at] = static_cast<float>(p.x);
                    y_[at] = static_cast<float>(p.y);
                    z_[at] = static_cast<float>(p.z);
                }
            }
        },
        16);
}

// By column and there in the order of rows, images of a chunk after its particles.
void PairwiseCells::order_columns(std::size_t n, std::size_t chunk) {
    const std::size_t columns = all_columns();
    const std::size_t chunks = images_.size();
    column_start_.resize(columns + 1);
    std::uint32_t total = 0;
    for (std::size_t column = 0; column < columns; ++column) {
        column_start_[column] = total;
        for (std::size_t c = 0; c < chunks; ++c) {
            std::uint32_t& tally = tally_[c * columns + column];
            const std::uint32_t here = tally;
            tally = total;
            total += here;
        }
    }
    column_start_[columns] = total;
    order_.resize(total);
    parallel_chunks(n, chunk, [&](std::size_t c, std::size_t begin, std::size_t end) {
        std::uint32_t* next = tally_.data() + c * columns;
        for (std::size_t i = begin; i < end; ++i) order_[next[placed_[i].column]++] = &placed_[i];
        for (const Placed& p : images_[c]) order_[next[p.column]++] = &p;
    });
}

std::span<const std::uint32_t> PairwiseCells::order(const PairEngine& engine,
                                                    std::span<const Motion> motion) {
    assign(engine, motion, {});
    by_cell_.clear();
    for (const PairPoint& point : points_) {
        if (point.image == 0) by_cell_.push_back(point.row);
    }
    return by_cell_;
}

std::size_t PairwiseCells::columns_per_task() const {
    const std::size_t n = placed_.size();
    return std::max<std::size_t>(1, 256 * columns() / std::max<std::size_t>(1, n));
}

void PairwiseCells::name_the_close(std::size_t begin, std::size_t end) const {
    std::array<Run, 9> runs;
    const auto same = [](const PairPoint& p, const PairPoint& q) {
        return p.x == q.x && p.y == q.y && p.z == q.z;
    };
    for (std::size_t column = begin; column < end; ++column) {
        for (std::size_t c = 1; c <= cells(); ++c) {
            const Run own = cell(column, c);
            around(column, c, runs.data());
            for (std::uint32_t i = own.begin; i < own.end; ++i) {
                for (const Run& run : runs) {
                    for (std::uint32_t j = run.begin; j < run.end; ++j) {
                        if (i == j || !same(points_[i], points_[j])) continue;
                        const auto a = static_cast<std::uint32_t>(points_[i].tag);
                        const auto b = static_cast<std::uint32_t>(points_[j].tag);
                        throw Error("particles " + std::to_string(std::min(a, b)) + " and " +
                                    std::to_string(std::max(a, b)) +
                                    " are at the same place (distance 0), where no force has a "
                                    "direction; check the configuration");
                    }
                }
            }
        }
    }
}

}  // namespace regrain::particles
