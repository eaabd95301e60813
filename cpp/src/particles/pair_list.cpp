#include "pair_list.hpp"

#include <algorithm>
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

void Halo::renew(std::vector<Row>& rows, std::size_t n, const Box& box) const {
    std::vector<Vec3> by(shifts.size());
    for (std::size_t s = 0; s < shifts.size(); ++s) by[s] = lattice_vector(box, shifts[s]);
    parallel_for(source.size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t h = begin; h < end; ++h) {
            const Row& from = rows[source[h]];
            const Vec3& d = by[shift[h]];
            rows[n + h] = {from.x + d.x, from.y + d.y, from.z + d.z, from.tag};
        }
    });
}

PairList::PairList(const PairParameters& parameters, double skin, Exclusions exclusions)
    : types_(parameters.types),
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
    const auto dummy = static_cast<std::uint32_t>(rows.size() - 1);
    Nearby nearby;
    std::size_t count = 0;
    out.first.clear();
    for (std::size_t group = begin; group < end; group += group_size) {
        const std::size_t last = std::min(end, group + group_size);
        find(rows.subspan(group, last - group), group, nearby);
        // Each has the others of its group as neighbours, too, if they are near.
        const std::size_t most = (last - group) * (nearby.count + group_size + padding + 16);
        if (out.neighbors.size() < count + most) out.neighbors.resize((count + most) * 5 / 4);
        for (std::size_t i = group; i < last; ++i) {
            out.first.push_back(static_cast<std::uint32_t>(count));
            std::uint32_t* list = out.neighbors.data() + count;
            std::size_t found = 0;
            for (std::size_t j = group; j < last; ++j) {
                list[found] = static_cast<std::uint32_t>(j);
                found += static_cast<std::size_t>(j != i);
            }
            found += search_row(nearby, grid_.place(rows[i]), grid_.sure_reach(), list + found);
            if (selective_) found = select(list, found, i, rows, ids);
            while (found % padding != 0) list[found++] = dummy;
            count += found;
        }
    }
    out.first.push_back(static_cast<std::uint32_t>(count));
}

// What is near the rows of a group, from row number `first` on.
void PairList::find(std::span<const Row> group, std::size_t first, Nearby& nearby) const {
    GroupPlaces places{
        {}, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(group.size())};
    for (std::size_t g = 0; g < group_size; ++g)
        places.at[g] = grid_.place(group[std::min(g, group.size() - 1)]);
    search_group(grid_.layout(), grid_.region(group), places, grid_.sure_reach(), nearby);
}

// Keeps the neighbours that are within the reach of their pair of types and not excluded.
std::size_t PairList::select(std::uint32_t* list, std::size_t found, std::size_t i,
                             std::span<const Row> rows, std::span<const std::uint32_t> ids) const {
    const std::span<const std::uint32_t> left_out = exclusions_.of(ids[i]);
    const double* reach2 = &reach2_[static_cast<std::size_t>(rows[i].tag) * types_];
    std::size_t kept = 0;
    for (std::size_t k = 0; k < found; ++k) {
        const std::uint32_t j = list[k];
        const Vec3 d{rows[j].x - rows[i].x, rows[j].y - rows[i].y, rows[j].z - rows[i].z};
        if (!(norm2(d) < reach2[rows[j].tag])) continue;
        if (!left_out.empty()) {
            const std::uint32_t id = ids[j < ids.size() ? j : halo_.source[j - ids.size()]];
            if (std::find(left_out.begin(), left_out.end(), id) != left_out.end()) continue;
        }
        list[kept++] = j;
    }
    return kept;
}

double PairList::mean_neighbors() const {
    std::size_t listed = 0;
    std::size_t rows = 0;
    for (const Chunk& c : chunks_) {
        listed += c.first.back();
        rows += c.first.size() - 1;
    }
    return rows == 0 ? 0.0 : static_cast<double>(listed) / static_cast<double>(rows);
}

}  // namespace regrain::particles
