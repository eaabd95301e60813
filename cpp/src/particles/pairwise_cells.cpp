#include "pairwise_cells.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "images.hpp"
#include "regrain/base/error.hpp"
#include "regrain/particles/cells.hpp"

namespace regrain::particles {

namespace {

constexpr std::size_t overread = 16;
constexpr double far_away = 1e18;

std::int32_t whole(double s) {
    const auto k = static_cast<std::int32_t>(s);
    return k - static_cast<std::int32_t>(s < static_cast<double>(k));
}

// Into the brick of the lattice vectors (see cells.hpp); most particles are there.
Vec3 folded(const Box& box, const Vec3& brick, const Row& row) {
    const Vec3 r{row.x, row.y, row.z};
    if (r.x >= 0.0 && r.y >= 0.0 && r.z >= 0.0 && r.x < brick.x && r.y < brick.y && r.z < brick.z)
        return r;
    Image image;
    return fold_into_brick(box, r, image);
}

// The colour of a piece along one direction, where pieces that are next to each other touch the
// same: if the last is odd out it has a colour of its own.
std::size_t colour_along(std::size_t at, std::size_t count) {
    return at + 1 == count && count % 2 == 1 ? 2 : at % 2;
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
    // Cells are larger where there would be more of them than particles.
    const double width = std::max(cutoff_, std::cbrt(box.volume() / static_cast<double>(n)));
    for (std::size_t k = 0; k < 3; ++k) {
        count_[k] = static_cast<std::size_t>(std::max(2.0, std::floor(edge[k] / width)));
        inverse_width_[k] = static_cast<double>(count_[k]) / edge[k];
    }
    const double largest = std::max({edge[0], edge[1], edge[2]}) + cutoff_;
    const double rounding = 4.0 * largest * std::numeric_limits<float>::epsilon();
    generous_ = static_cast<float>((cutoff_ + rounding) * (cutoff_ + rounding));
}

// A tile touches the rows of cells beside it, in its own layer and the next; one more where layers
// that are next to each other across the border of a skewed box are out of step. Layers take turns,
// and in them the tiles, which are as large as a cache likes them.
void PairwiseCells::choose_tiles(const Box& box, std::size_t n) {
    constexpr std::size_t particles = 1024;
    const std::size_t abreast = box.c().y == 0.0 ? 3 : 4;
    const std::size_t ny = count_[1], nz = count_[2];
    const std::array<std::size_t, 4> grid{count_[0], ny, nz, abreast};
    if (std::equal(grid.begin(), grid.end(), tiled_) && n == point_.size()) return;
    std::copy(grid.begin(), grid.end(), tiled_);
    const std::size_t wide = std::max(abreast, particles * columns() / n);
    const std::size_t tiles = ny < 2 * wide ? 1 : ny / wide / 2 * 2;
    colours_.assign(9, {});
    for (std::size_t z = 0; z < nz; ++z) {
        for (std::size_t t = 0; t < tiles; ++t) {
            const std::size_t colour = colour_along(z, nz) * 3 + colour_along(t, tiles);
            colours_[colour].push_back({z * ny + t * ny / tiles, z * ny + (t + 1) * ny / tiles});
        }
    }
    tiles_per_task_ = std::max<std::size_t>(1, 128 * nz * tiles / n);
}

// Few parts, as each has a tally of all cells it comes to.
void PairwiseCells::make_parts(std::size_t n) {
    constexpr std::size_t most = 16;
    const std::size_t cells = layer() * (count_[2] + 2);
    const std::size_t rows = std::max(chunk_size, (n + most - 1) / most);
    if (n != point_.size() || cells > cells_of_tally_) {
        point_.resize(n);
        cells_of_tally_ = cells + cells / 8;
        rows_per_part_ = rows;
        parts_.clear();
        for (std::size_t begin = 0; begin < n; begin += rows) {
            parts_.push_back({begin, std::min(n, begin + rows), {}, 0, nullptr, {}});
            parts_.back().tally = std::make_unique_for_overwrite<std::uint32_t[]>(cells_of_tally_);
        }
    }
    for (Part& part : parts_) part.touched.assign(count_[2] + 2, 0);
}

// Particles are in the cells 1 .. count, where rounding would have it otherwise, too.
std::int32_t PairwiseCells::cell_along(double x, std::size_t k, bool image) const {
    const auto last = static_cast<std::int32_t>(count_[k]);
    const std::int32_t at = whole(x * inverse_width_[k]) + 1;
    return image ? std::clamp(at, 0, last + 1) : std::clamp(at, 1, last);
}

std::uint32_t PairwiseCells::count(Part& part, const std::int32_t* at) const {
    const auto z = static_cast<std::size_t>(at[2]);
    if (part.touched[z] == 0) {
        part.touched[z] = 1;
        std::fill_n(part.tally.get() + z * layer(), layer(), 0);
    }
    const auto nx = static_cast<std::int32_t>(count_[0] + 2);
    const auto ny = static_cast<std::int32_t>(count_[1] + 2);
    const auto cell = static_cast<std::uint32_t>((at[2] * ny + at[1]) * nx + at[0]);
    ++part.tally[cell];
    return cell;
}

void PairwiseCells::count_rows(Part& part, std::span<const Row> rows, const Box& box) {
    const double m = cutoff_;
    part.images.clear();
    for (std::size_t i = part.begin; i < part.end; ++i) {
        const Vec3 r = folded(box, brick_, rows[i]);
        const std::int32_t home[3] = {cell_along(r.x, 0, false), cell_along(r.y, 1, false),
                                      cell_along(r.z, 2, false)};
        point_[i] = count(part, home);
        if (r.z > m && r.x > m && r.y > m && r.x < brick_.x - m && r.y < brick_.y - m) continue;
        add_images(part, static_cast<std::uint32_t>(i), r, home, box);
    }
}

// Only those that are in a forward cell of somebody; that is nobody below the lowest layer. The
// first direction along which an image is in another period decides which of two particles is the
// forward one, so that it has to be in that very cell, whatever rounding says.
void PairwiseCells::add_images(Part& part, std::uint32_t row, const Vec3& r,
                               const std::int32_t* home, const Box& box) {
    for_images(box, r, cutoff_, [&](const Vec3& at, const Image& shift) {
        if (shift[2] < 0 || shift == Image{0, 0, 0}) return;
        std::int32_t cell[3];
        bool same = true;
        for (std::size_t k = 3; k-- > 0;) {
            const auto period = static_cast<std::int32_t>(count_[k]);
            const double x = std::array{at.x, at.y, at.z}[k];
            cell[k] = same ? home[k] + shift[k] * period : cell_along(x, k, true);
            same = same && shift[k] == 0;
            if (cell[k] < 0 || cell[k] > period + 1) return;
        }
        part.images.push_back({at.x, at.y, at.z, row, count(part, cell)});
    });
}

// Tallies become places: by cell, and there in the order of parts.
void PairwiseCells::add_up() {
    const std::size_t layers = count_[2] + 2;
    std::vector<std::uint32_t> first(layers + 1, 0);
    const auto touching = [&](std::size_t z, auto&& f) {
        for (Part& part : parts_) {
            if (part.touched[z] != 0) f(part.tally.get() + z * layer());
        }
    };
    parallel_for(
        layers,
        [&](std::size_t begin, std::size_t end) {
            for (std::size_t z = begin; z < end; ++z) {
                touching(z, [&](const std::uint32_t* tally) {
                    std::uint32_t sum = 0;
                    for (std::size_t c = 0; c < layer(); ++c) sum += tally[c];
                    first[z + 1] += sum;
                });
            }
        },
        1);
    for (std::size_t z = 0; z < layers; ++z) first[z + 1] += first[z];
    start_.resize(layers * layer() + 1);
    start_.back() = first[layers];
    parallel_for(
        layers,
        [&](std::size_t begin, std::size_t end) {
            for (std::size_t z = begin; z < end; ++z) {
                std::vector<std::uint32_t*> tallies;
                touching(z, [&](std::uint32_t* tally) { tallies.push_back(tally); });
                std::uint32_t total = first[z];
                for (std::size_t c = 0; c < layer(); ++c) {
                    start_[z * layer() + c] = total;
                    for (std::uint32_t* tally : tallies) {
                        const std::uint32_t here = tally[c];
                        tally[c] = total;
                        total += here;
                    }
                }
            }
        },
        1);
}

// Who is which point, and back.
void PairwiseCells::order_points() {
    std::size_t images = 0;
    for (Part& part : parts_) {
        part.first_image = images;
        images += part.images.size();
    }
    const std::size_t n = point_.size();
    copies_.resize(images);
    order_.resize(n + images);
    parallel_chunks(n, rows_per_part_, [&](std::size_t c, std::size_t, std::size_t) {
        Part& part = parts_[c];
        const auto place = [&](std::uint32_t& cell, std::size_t number) {
            cell = part.tally[cell]++;
            order_[cell] = static_cast<std::uint32_t>(number);
        };
        for (std::size_t i = part.begin; i < part.end; ++i) place(point_[i], i);
        for (std::size_t k = 0; k < part.images.size(); ++k) {
            place(part.images[k].point, n + part.first_image + k);
            copies_[part.first_image + k] = part.images[k];
        }
    });
}

void PairwiseCells::assign(const PairEngine& engine, std::span<const Motion> motion,
                           std::span<const Vec3> lead, const PairNoise& noise) {
    const Box& box = engine.box();
    const std::span<const Row> rows = engine.rows();
    const std::span<const std::uint32_t> ids = engine.ids();
    const std::size_t n = rows.size();
    check(box);
    choose_grid(box, n);
    choose_tiles(box, n);
    make_parts(n);
    parallel_chunks(n, rows_per_part_, [&](std::size_t c, std::size_t, std::size_t) {
        count_rows(parts_[c], rows, box);
    });
    add_up();
    order_points();
    const std::size_t total = order_.size();
    points_.resize(total + 2);
    for (std::vector<float>* v : {&x_, &y_, &z_}) v->resize(total + overread);
    points_[total] = {far_away, far_away, far_away, 0.0, {}, 0, 0};
    points_[total + 1] = {-far_away, -far_away, -far_away, 0.0, {}, 0, 0};
    parallel_for(total, [&](std::size_t begin, std::size_t end) {
        constexpr std::size_t ahead = 16;
        for (std::size_t k = begin; k < end; ++k) {
            if (const std::size_t next = order_[std::min(k + ahead, total - 1)]; next < n) {
                __builtin_prefetch(&rows[next]);
                __builtin_prefetch(&motion[next]);
            }
            std::uint32_t row = order_[k];
            Vec3 r;
            if (row < n) {
                r = folded(box, brick_, rows[row]);
            } else {
                const Copy& copy = copies_[row - n];
                row = copy.row;
                r = {copy.x, copy.y, copy.z};
            }
            Vec3 v = motion[row].v;
            if (!lead.empty()) v += lead[row];
            const auto word = static_cast<double>(noise.of_particle(ids[row]));
            points_[k] = {r.x, r.y, r.z, word, v, row, static_cast<std::uint32_t>(rows[row].tag)};
            x_[k] = static_cast<float>(r.x);
            y_[k] = static_cast<float>(r.y);
            z_[k] = static_cast<float>(r.z);
        }
    });
}

std::span<const std::uint32_t> PairwiseCells::order(const PairEngine& engine,
                                                    std::span<const Motion> motion) {
    assign(engine, motion, {}, PairNoise(0, 0, 0));
    by_cell_.clear();
    for (std::size_t column = 0; column < columns(); ++column) {
        const std::size_t first = first_cell(column) + 1;
        for (std::uint32_t k = start_[first]; k < start_[first + cells()]; ++k)
            by_cell_.push_back(points_[k].row);
    }
    return by_cell_;
}

void PairwiseCells::name_the_close(const PairEngine& engine) const {
    const auto same = [](const PairPoint& p, const PairPoint& q) {
        return p.x == q.x && p.y == q.y && p.z == q.z;
    };
    for (std::size_t column = 0; column < columns(); ++column) {
        for (std::size_t c = 1; c <= cells(); ++c) {
            const Near around = near(column, c);
            for (std::uint32_t i = around.own.begin; i < around.own.end; ++i) {
                for (const Run& run : around.runs) {
                    for (std::uint32_t j = std::max(i + 1, run.begin); j < run.end; ++j) {
                        if (!same(points_[i], points_[j])) continue;
                        const std::uint32_t a = engine.ids()[points_[i].row];
                        const std::uint32_t b = engine.ids()[points_[j].row];
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
