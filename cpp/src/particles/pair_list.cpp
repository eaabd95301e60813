#include "pair_list.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "images.hpp"
#include "pair_search.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain::particles {

namespace {

// Far enough that no cutoff reaches it, near enough that r^-12 does not underflow.
constexpr double far_away = 1e20;

void check(std::span<const std::pair<std::uint32_t, std::uint32_t>> pairs, std::size_t n) {
    for (std::size_t k = 0; k < pairs.size(); ++k) {
        const auto [i, j] = pairs[k];
        if (i >= j || j >= n || (k > 0 && !(pairs[k - 1] < pairs[k]))) {
            throw Error("exclusion " + std::to_string(k) + " is (" + std::to_string(i) + ", " +
                        std::to_string(j) + ") of " + std::to_string(n) +
                        " particles; expected sorted, distinct pairs i < j");
        }
    }
}

}  // namespace

Exclusions::Exclusions(std::span<const std::pair<std::uint32_t, std::uint32_t>> pairs,
                       std::size_t n)
    : first_(n + 1, 0), other_(2 * pairs.size()) {
    check(pairs, n);
    for (const auto& [i, j] : pairs) {
        ++first_[i + 1];
        ++first_[j + 1];
    }
    for (std::size_t i = 0; i < n; ++i) first_[i + 1] += first_[i];
    std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
    for (const auto& [i, j] : pairs) {
        other_[next[i]++] = j;
        other_[next[j]++] = i;
    }
}

PairList::PairList(const PairParameters& parameters, double skin, Exclusions exclusions, bool rows,
                   bool groups)
    : types_(parameters.types),
      of_rows_(rows),
      of_groups_(groups),
      exclusions_(std::move(exclusions)),
      grid_(parameters.largest_reach + skin) {
    for (const double own : parameters.reach) {
        const double reach = own > 0.0 ? own + skin : 0.0;
        reach2_.push_back(reach * reach);
        selective_ = selective_ || own != parameters.largest_reach;
    }
    selective_ = selective_ || !exclusions_.empty();
}

namespace {

// The distinct shifts of a halo by number, from a table of all that lie between the extremes.
class Shifts {
public:
    void extend(const Image& image) {
        for (std::size_t k = 0; k < 3; ++k) {
            low_[k] = std::min(low_[k], image[k]);
            high_[k] = std::max(high_[k], image[k]);
        }
    }
    Shifts& operator+=(const Shifts& other) {
        extend(other.low_);
        extend(other.high_);
        return *this;
    }
    [[nodiscard]] std::uint32_t number(const Image& image) const {
        std::int32_t at = 0;
        for (std::size_t k = 0; k < 3; ++k)
            at = at * (high_[k] - low_[k] + 1) + (image[k] - low_[k]);
        return static_cast<std::uint32_t>(at);
    }
    [[nodiscard]] std::vector<Image> all() const {
        std::vector<Image> list;
        for (std::int32_t i = low_[0]; i <= high_[0]; ++i)
            for (std::int32_t j = low_[1]; j <= high_[1]; ++j)
                for (std::int32_t k = low_[2]; k <= high_[2]; ++k) list.push_back({i, j, k});
        return list;
    }

private:
    Image low_{0, 0, 0}, high_{0, 0, 0};
};

}  // namespace

void PairList::make_halo(std::vector<Row>& rows, std::size_t n, const Box& box) {
    ghosts_.resize((n + chunk_size - 1) / chunk_size);
    const auto shifts = parallel_sum<Shifts>(n, [&](std::size_t begin, std::size_t end) {
        std::vector<Ghost>& mine = ghosts_[begin / chunk_size];
        Shifts seen;
        mine.clear();
        for (std::size_t i = begin; i < end; ++i) {
            const Vec3 r{rows[i].x, rows[i].y, rows[i].z};
            for_images(box, r, grid_.margin(), [&](const Vec3&, const Image& image) {
                if ((image[0] | image[1] | image[2]) == 0) return;
                mine.push_back({static_cast<std::uint32_t>(i), image});
                seen.extend(image);
            });
        }
        return seen;
    });
    std::vector<std::size_t> first{0};
    for (const auto& part : ghosts_) first.push_back(first.back() + part.size());
    halo_.shifts = shifts.all();
    halo_.source.resize(first.back());
    halo_.shift.resize(first.back());
    parallel_chunks(ghosts_.size(), 1, [&](std::size_t c, std::size_t, std::size_t) {
        std::size_t at = first[c];
        for (const Ghost& ghost : ghosts_[c]) {
            halo_.source[at] = ghost.source;
            halo_.shift[at++] = shifts.number(ghost.image);
        }
    });
    rows.resize(n + halo_.source.size() + 1);
    rows.back() = {far_away, far_away, far_away, 0};
    halo_.renew(rows, n, box);
}

void PairList::build(std::vector<Row>& rows, std::size_t n, std::span<const std::uint32_t> ids,
                     const Box& box) {
    grid_.cut(n, box);
    make_halo(rows, n, box);
    grid_.assign(std::span(rows).first(rows.size() - 1));
    chunks_.resize((n + chunk - 1) / chunk);
    parallel_chunks(n, chunk, [&](std::size_t c, std::size_t begin, std::size_t end) {
        fill(chunks_[c], rows, begin, end, ids);
    });
}

void PairList::fill(Chunk& out, std::span<const Row> rows, std::size_t begin, std::size_t end,
                    std::span<const std::uint32_t> ids) const {
    Search search;
    out.first.assign(1, 0);
    out.groups.first.assign(1, 0);
    out.groups.first_mask.assign(1, 0);
    // A row goes through all that its block gathered, and so costs less in a smaller one.
    const std::size_t size = of_groups_ ? block_size : block_size / 2;
    for (std::size_t block = begin; block < end; block += size) {
        const std::size_t block_end = std::min(block + size, end);
        gather(rows.subspan(block, block_end - block), search);
        for (std::size_t i = block; of_rows_ && i < block_end; ++i)
            add_row(out, search, rows, i, ids);
        for (std::size_t group = block; of_groups_ && group < block_end; group += group_size) {
            const std::size_t count = std::min(block_end - group, group_size);
            add_group(out.groups, search, rows, group, count, ids);
        }
    }
}

namespace {

template <class T>
T* room_for(std::vector<T>& list, std::size_t count, std::size_t more) {
    if (list.size() < count + more) list.resize((count + more) * 5 / 4);
    return list.data() + count;
}

}  // namespace

void PairList::add_row(Chunk& out, Search& search, std::span<const Row> rows, std::size_t i,
                       std::span<const std::uint32_t> ids) const {
    const auto dummy = static_cast<std::uint32_t>(rows.size() - 1);
    std::uint32_t* list = room_for(out.neighbors, out.first.back(), search.most());
    const RowsAt<1> self{{search.place(rows[i])}, static_cast<std::uint32_t>(i), 1};
    std::size_t found = search_rows(search.nearby, self, search.limit, list);
    if (selective_) found = select(list, found, i, rows, ids);
    while (found % padding != 0) list[found++] = dummy;
    out.first.push_back(out.first.back() + static_cast<std::uint32_t>(found));
}

// First the rows of the group and what is excluded from some of them, then the others.
void PairList::add_group(Groups& out, Search& search, std::span<const Row> rows, std::size_t group,
                         std::size_t count, std::span<const std::uint32_t> ids) const {
    RowsAt<group_size> own{
        {}, static_cast<std::uint32_t>(group), static_cast<std::uint32_t>(count)};
    for (std::size_t g = 0; g < group_size; ++g)
        own.at[g] = search.place(rows[group + std::min(g, count - 1)]);
    search.found.resize(std::max(search.found.size(), search.most()));
    std::span<const std::uint32_t> plain(
        search.found.data(), search_rows(search.nearby, own, search.limit, search.found.data()));
    std::uint32_t* list = room_for(out.neighbors, out.first.back(), search.most());
    std::uint8_t* masks = room_for(out.masks, out.first_mask.back(), search.most());
    const auto all = static_cast<std::uint8_t>((1U << count) - 1U);
    std::size_t special = 0;
    const auto add_special = [&](std::uint32_t row, unsigned mask) {
        list[special] = row;
        masks[special++] = static_cast<std::uint8_t>(mask);
    };
    // Whether a row is within reach of one of the group, and by which of them it is not excluded.
    const auto near = [&](std::uint32_t j) {
        for (std::size_t g = 0; g < count; ++g) {
            const Row& row = rows[group + g];
            const Vec3 d{rows[j].x - row.x, rows[j].y - row.y, rows[j].z - row.z};
            if (norm2(d) < reach2_[static_cast<std::size_t>(row.tag) * types_ +
                                   static_cast<std::size_t>(rows[j].tag)])
                return true;
        }
        return false;
    };
    const auto seen_by = [&](std::uint32_t j) {
        unsigned mask = 0;
        for (std::size_t g = 0; g < count; ++g) {
            if (!excluded(group + g, j, ids)) mask |= 1U << g;
        }
        return mask;
    };
    for (std::size_t g = 0; g < count; ++g) {
        const auto row = static_cast<std::uint32_t>(group + g);
        const unsigned others = all & ~(1U << g);
        add_special(row, selective_ ? others & seen_by(row) : others);
    }
    std::vector<std::uint32_t> selected;
    if (selective_) {
        for (const std::uint32_t j : plain) {
            if (!near(j)) continue;
            const unsigned mask = seen_by(j);
            if (mask == all) selected.push_back(j);
            if (mask != all && mask != 0) add_special(j, mask);
        }
        plain = selected;
    }
    // What fills up the last vector is seen by none.
    while ((special + plain.size()) % Groups::padding != 0)
        add_special(static_cast<std::uint32_t>(group), 0);
    std::copy(plain.begin(), plain.end(), list + special);
    const std::size_t found = special + plain.size();
    // A group at the end may be smaller, so that nobody else sees its neighbours; and where bits
    // are looked at, the rows of a group may be far apart.
    const bool odd = count < group_size || wide(rows.subspan(group, count));
    const std::size_t masked = odd ? found : special;
    while (special < masked || special % Groups::padding != 0) masks[special++] = all;
    out.first.push_back(out.first.back() + static_cast<std::uint32_t>(found));
    out.first_mask.push_back(out.first_mask.back() + static_cast<std::uint32_t>(special));
}

// Whether differences between rows and what is near them are too large for places.
bool PairList::wide(std::span<const Row> group) const {
    const double most = (Places::most - 1.0) * reach();
    const Row& first = group.front();
    return std::any_of(group.begin(), group.end(), [&](const Row& row) {
        return std::abs(row.x - first.x) > most || std::abs(row.y - first.y) > most ||
               std::abs(row.z - first.z) > most;
    });
}

bool PairList::excluded(std::size_t i, std::uint32_t j, std::span<const std::uint32_t> ids) const {
    const std::span<const std::uint32_t> left_out = exclusions_.of(ids[i]);
    if (left_out.empty()) return false;
    const std::uint32_t id = ids[j < ids.size() ? j : halo_.source[j - ids.size()]];
    return std::find(left_out.begin(), left_out.end(), id) != left_out.end();
}

// What may be near the rows of a block.
void PairList::gather(std::span<const Row> block, Search& search) const {
    const PairGrid::Corners corners = grid_.corners(block);
    const auto low = grid_.place(corners.low), high = grid_.place(corners.high);
    float half2 = 0.0F;
    for (std::size_t k = 0; k < 3; ++k) {
        search.middle[k] = 0.5F * (low[k] + high[k]);
        half2 += 0.25F * (high[k] - low[k]) * (high[k] - low[k]);
    }
    search.grid = &grid_;
    gather_nearby(grid_.layout(), grid_.region(corners), search.middle, search.nearby);
    // A little more than the square of the reach, by what rounding of squares as large as those of
    // the block and its surroundings makes of it.
    const float sure = grid_.sure_reach();
    const float largest = 2.0F * std::sqrt(half2) + sure;
    search.limit = sure * sure + 8.0F * 0x1p-24F * largest * largest;
}

// Keeps the neighbours that are within the reach of their pair of types and not excluded.
std::size_t PairList::select(std::uint32_t* list, std::size_t found, std::size_t i,
                             std::span<const Row> rows, std::span<const std::uint32_t> ids) const {
    const double* reach2 = &reach2_[static_cast<std::size_t>(rows[i].tag) * types_];
    std::size_t kept = 0;
    for (std::size_t k = 0; k < found; ++k) {
        const std::uint32_t j = list[k];
        const Vec3 d{rows[j].x - rows[i].x, rows[j].y - rows[i].y, rows[j].z - rows[i].z};
        if (norm2(d) < reach2[rows[j].tag] && !excluded(i, j, ids)) list[kept++] = j;
    }
    return kept;
}

std::vector<std::uint32_t> PairList::listed(std::size_t row) const {
    if (of_rows_) {
        const auto list = of_row(row);
        return {list.begin(), list.end()};
    }
    const Groups& groups = chunks_[row / chunk].groups;
    const std::size_t group = row % chunk / group_size;
    const std::uint8_t* masks = groups.masks.data() + groups.first_mask[group];
    const std::size_t masked = groups.first_mask[group + 1] - groups.first_mask[group];
    const std::uint32_t* list = groups.neighbors.data() + groups.first[group];
    std::vector<std::uint32_t> seen;
    for (std::size_t k = 0; k < groups.first[group + 1] - groups.first[group]; ++k) {
        const unsigned mask = k < masked ? masks[k] : ~0U;
        if ((mask >> row % group_size & 1U) != 0U) seen.push_back(list[k]);
    }
    return seen;
}

double PairList::mean_neighbors() const {
    std::size_t listed = 0;
    std::size_t lists = 0;
    for (const Chunk& c : chunks_) {
        const auto& first = of_rows_ ? c.first : c.groups.first;
        listed += first.back();
        lists += first.size() - 1;
    }
    return lists == 0 ? 0.0 : static_cast<double>(listed) / static_cast<double>(lists);
}

}  // namespace regrain::particles
