#include "pair_list.hpp"

#include <algorithm>
#include <map>
#include <string>

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
      cells_(parameters.largest_reach + skin) {
    for (const double own : parameters.reach) {
        const double reach = own > 0.0 ? own + skin : 0.0;
        reach2_.push_back(reach * reach);
        selective_ = selective_ || own != parameters.largest_reach;
    }
    selective_ = selective_ || !exclusions_.empty();
}

void PairList::make_halo(std::vector<Row>& rows, std::size_t n, const Box& box) {
    const std::size_t points = cells_.points();
    halo_.source.clear();
    halo_.shift.clear();
    halo_.shifts.clear();
    row_of_point_.resize(points);
    std::map<Image, std::uint32_t> known;
    Image last{};  // neighbours in space are mostly in the same image
    std::uint32_t number = 0;
    for (std::size_t p = 0; p < points; ++p) {
        const Image& image = cells_.image()[p];
        const std::uint32_t particle = cells_.particle()[p];
        if ((image[0] | image[1] | image[2]) == 0) {
            row_of_point_[p] = particle;
            continue;
        }
        row_of_point_[p] = static_cast<std::uint32_t>(n + halo_.source.size());
        if (halo_.shifts.empty() || image != last) {
            const auto [at, fresh] =
                known.try_emplace(image, static_cast<std::uint32_t>(halo_.shifts.size()));
            if (fresh) halo_.shifts.push_back(image);
            last = image;
            number = at->second;
        }
        halo_.source.push_back(particle);
        halo_.shift.push_back(number);
    }
    rows.resize(n + halo_.source.size() + 1);
    rows.back() = {far_away, far_away, far_away, 0};
    halo_.renew(rows, n, box);
}

void PairList::build(std::vector<Row>& rows, std::size_t n, std::span<const std::uint32_t> ids,
                     const Box& box) {
    std::vector<Vec3> positions(n);
    for (std::size_t i = 0; i < n; ++i) positions[i] = {rows[i].x, rows[i].y, rows[i].z};
    cells_.assign(positions, box);
    make_halo(rows, n, box);
    chunks_.resize((n + chunk - 1) / chunk);
    parallel_chunks(n, chunk, [&](std::size_t c, std::size_t begin, std::size_t end) {
        fill(chunks_[c], rows, begin, end, ids);
    });
}

void PairList::fill(Chunk& out, std::span<const Row> rows, std::size_t begin, std::size_t end,
                    std::span<const std::uint32_t> ids) const {
    const auto dummy = static_cast<std::uint32_t>(rows.size() - 1);
    Cells::Candidates candidates;
    std::size_t count = 0;
    out.first.clear();
    while (begin < end) {
        const Cells::Group group = cells_.group(begin, end);
        cells_.gather(group.low, group.high, cells_.reach(), candidates);
        for (std::size_t k = 0; k < candidates.count; ++k)
            candidates.point[k] = row_of_point_[candidates.point[k]];
        const std::size_t most = count + (group.end - begin) * (candidates.count + padding) + 8;
        if (out.neighbors.size() < most) out.neighbors.resize(most + most / 4);
        for (; begin < group.end; ++begin) {
            out.first.push_back(static_cast<std::uint32_t>(count));
            std::uint32_t* list = out.neighbors.data() + count;
            const Vec3 r{rows[begin].x, rows[begin].y, rows[begin].z};
            std::size_t found = Cells::filter(candidates, r, static_cast<std::uint32_t>(begin),
                                              cells_.reach(), list, nullptr);
            if (selective_) found = select(list, found, begin, rows, ids);
            while (found % padding != 0) list[found++] = dummy;
            count += found;
        }
    }
    out.first.push_back(static_cast<std::uint32_t>(count));
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
