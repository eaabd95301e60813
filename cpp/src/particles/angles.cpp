#include "regrain/particles/angles.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/rdf.hpp"

namespace regrain::particles {

namespace {

struct Counts {
    std::vector<std::uint64_t> n;
    Counts& operator+=(const Counts& o) {
        if (n.empty()) n.resize(o.n.size(), 0);
        for (std::size_t k = 0; k < o.n.size(); ++k) n[k] += o.n[k];
        return *this;
    }
};

double angle_between(const Vec3& a, const Vec3& b, double lengths) {
    return std::acos(std::clamp(dot(a, b) / lengths, -1.0, 1.0));
}

template <std::size_t N>
std::string names(const std::array<std::int32_t, N>& ids) {
    std::string text = "particles " + std::to_string(ids[0]);
    for (std::size_t k = 1; k < N; ++k) {
        text += (k + 1 < N ? ", " : " and ") + std::to_string(ids[k]);
    }
    return text;
}

// Positions of the particles of a term, and a value per term.
template <std::size_t N, class F>
std::vector<double> per_term(std::span<const Vec3> positions,
                             std::span<const std::array<std::int32_t, N>> terms, F&& value) {
    std::vector<double> values(terms.size());
    parallel_for(terms.size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t t = begin; t < end; ++t) {
            std::array<Vec3, N> r{};
            for (std::size_t k = 0; k < N; ++k) {
                const auto i = static_cast<std::size_t>(terms[t][k]);
                if (terms[t][k] < 0 || i >= positions.size()) {
                    throw Error(names(terms[t]) + ": there are only " +
                                std::to_string(positions.size()));
                }
                r[k] = positions[i];
            }
            values[t] = value(r, terms[t]);
        }
    });
    return values;
}

}  // namespace

std::vector<double> bond_lengths(std::span<const Vec3> positions, const Box& box,
                                 std::span<const std::array<std::int32_t, 2>> bonds) {
    return per_term<2>(positions, bonds, [&](const std::array<Vec3, 2>& r, const auto&) {
        return norm(box.minimum_image(r[1] - r[0]));
    });
}

std::vector<double> bond_angles(std::span<const Vec3> positions, const Box& box,
                                std::span<const std::array<std::int32_t, 3>> angles) {
    return per_term<3>(positions, angles, [&](const std::array<Vec3, 3>& r, const auto& ids) {
        const Vec3 a = box.minimum_image(r[0] - r[1]);
        const Vec3 b = box.minimum_image(r[2] - r[1]);
        const double lengths = norm(a) * norm(b);
        if (lengths == 0.0) throw Error(names(ids) + " make no angle: two of them coincide");
        return angle_between(a, b, lengths);
    });
}

std::vector<double> dihedral_angles(std::span<const Vec3> positions, const Box& box,
                                    std::span<const std::array<std::int32_t, 4>> dihedrals) {
    return per_term<4>(positions, dihedrals, [&](const std::array<Vec3, 4>& r, const auto& ids) {
        const Vec3 a = box.minimum_image(r[1] - r[0]);
        const Vec3 b = box.minimum_image(r[2] - r[1]);
        const Vec3 c = box.minimum_image(r[3] - r[2]);
        const Vec3 m = cross(a, b);
        const Vec3 n = cross(b, c);
        if (norm2(m) == 0.0 || norm2(n) == 0.0) {
            throw Error(names(ids) + " make no dihedral angle: three of them are on a line");
        }
        return std::atan2(dot(cross(m, n), b) / norm(b), dot(m, n));
    });
}

AngleHistogram::AngleHistogram(std::span<const std::int32_t> types,
                               const std::array<std::int32_t, 3>& triplet, double r_max,
                               std::size_t bins)
    : types_(types.begin(), types.end()),
      triplet_(triplet),
      r_max_(r_max),
      bins_(bins),
      cells_(r_max) {
    if (bins == 0) throw Error("a histogram of angles needs at least one bin");
}

void AngleHistogram::count(std::span<const Vec3> positions, const Box& box,
                           std::span<std::uint64_t> counts) {
    if (positions.size() != types_.size() || counts.size() != bins_) {
        throw Error("AngleHistogram: got " + std::to_string(positions.size()) + " positions for " +
                    std::to_string(types_.size()) + " types");
    }
    require_single_images(r_max_, box);
    cells_.assign(positions, box);
    const auto particle = cells_.particle();
    const auto is = [&](std::uint32_t point, std::size_t role) {
        return triplet_[role] < 0 || types_[particle[point]] == triplet_[role];
    };
    const double per_radian = static_cast<double>(bins_) / std::numbers::pi;
    const auto add = [&](Counts& sum, std::uint32_t p, const Cells::Neighbors& near) {
        if (sum.n.empty()) sum.n.resize(bins_, 0);
        if (!is(p, 1)) return;
        const Vec3 centre = cells_.point(p);
        for (std::size_t k = 0; k < near.count; ++k) {
            const std::uint32_t q = near.point[k];
            const Vec3 a = cells_.point(q) - centre;
            for (std::size_t m = 0; m < k; ++m) {
                const std::uint32_t s = near.point[m];
                if (!((is(q, 0) && is(s, 2)) || (is(q, 2) && is(s, 0)))) continue;
                const double lengths = std::sqrt(near.r2[k] * near.r2[m]);
                if (lengths == 0.0) {
                    throw Error("particle " + std::to_string(particle[p]) + " coincides with " +
                                std::to_string(particle[near.r2[k] == 0.0 ? q : s]) +
                                ": there is no angle");
                }
                const double theta = angle_between(a, cells_.point(s) - centre, lengths);
                ++sum.n[std::min(static_cast<std::size_t>(theta * per_radian), bins_ - 1)];
            }
        }
    };
    const Counts found = cells_.sum_neighborhoods<Counts>(r_max_, add);
    std::fill(counts.begin(), counts.end(), std::uint64_t{0});
    std::copy(found.n.begin(), found.n.end(), counts.begin());
}

}  // namespace regrain::particles
