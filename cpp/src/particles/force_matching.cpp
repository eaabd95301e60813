#include "regrain/particles/force_matching.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "force_matching_impl.hpp"
#include "internal_coordinates.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "search_kernel.hpp"

namespace regrain::particles {

namespace {

// Particles of one block of rows; with forty columns it stays in the nearest cache.
constexpr std::size_t block_particles = 40;
constexpr std::size_t block_stride = 3 * block_particles;
static_assert(QrFactor::padded(block_stride) == block_stride);

struct Geometry {
    double x;
    std::array<Vec3, 4> gradient;
};

struct Places {
    std::span<const Vec3> positions;
    const Box& box;
    double safe2;  // no image of a vector shorter than this (squared) is shorter
    [[nodiscard]] Vec3 from_to(std::uint32_t i, std::uint32_t j) const {
        const Vec3 d = positions[j] - positions[i];
        return norm2(d) <= safe2 ? d : box.minimum_image(d);
    }
};

Geometry geometry(const Places& at, const std::array<std::uint32_t, 4>& p, std::size_t width) {
    if (width == 2) {
        const Vec3 d = at.from_to(p[0], p[1]);
        const double r = norm(d);
        const Vec3 e = r > 0.0 ? d * (1.0 / r) : Vec3{};
        return {r, {-e, e}};
    }
    if (width == 3) {
        const AngleGeometry angle = angle_between(at.from_to(p[1], p[0]), at.from_to(p[1], p[2]));
        return {angle.theta(), {angle.by_a, -(angle.by_a + angle.by_c), angle.by_c}};
    }
    const DihedralGeometry dihedral =
        dihedral_of(at.from_to(p[1], p[0]), at.from_to(p[2], p[1]), at.from_to(p[2], p[3]));
    return {dihedral.phi, dihedral.gradient};
}

}  // namespace

// ---------------------------------------------------------------------- setting up

ForceDesign::Parts::Parts(std::span<const std::int32_t> given, std::size_t number_of_types,
                          std::span<const Pair> exclusions)
    : types(given.begin(), given.end()),
      n_types(number_of_types),
      first_excluded(given.size() + 1, 0),
      pair_of_types(number_of_types * number_of_types, -1),
      triple_of_types(number_of_types * number_of_types * number_of_types, -1),
      terms_of(given.size()) {
    for (const std::int32_t type : types) check_type(type);
    for (const auto& [i, j] : exclusions) {
        if (std::max(i, j) >= types.size()) {
            throw Error("an exclusion names particle " + std::to_string(std::max(i, j)) + " of " +
                        std::to_string(types.size()));
        }
        ++first_excluded[i + 1];
        ++first_excluded[j + 1];
    }
    for (std::size_t i = 0; i < types.size(); ++i) first_excluded[i + 1] += first_excluded[i];
    excluded.resize(2 * exclusions.size());
    std::vector<std::uint32_t> next(first_excluded.begin(), first_excluded.end() - 1);
    for (const auto& [i, j] : exclusions) {
        excluded[next[i]++] = j;
        excluded[next[j]++] = i;
    }
}

void ForceDesign::Parts::check_type(std::int32_t type) const {
    if (type < 0 || static_cast<std::size_t>(type) >= n_types) {
        throw Error("type " + std::to_string(type) + " is not one of " + std::to_string(n_types));
    }
}

std::uint32_t ForceDesign::Parts::add(const UniformSpline& spline, double reach) {
    if (spline.degree > max_degree) {
        throw Error("force matching has splines of degree 0 to " + std::to_string(max_degree) +
                    ", got " + std::to_string(spline.degree));
    }
    interactions.push_back({Pieces(spline), columns, intervals, moments, reach});
    const Pieces& pieces = interactions.back().pieces;
    columns += pieces.functions;
    intervals += pieces.count;
    moments += pieces.moments();
    return static_cast<std::uint32_t>(interactions.size() - 1);
}

template <std::size_t N>
void ForceDesign::Parts::add_terms(const UniformSpline& spline,
                                   std::span<const std::array<std::int32_t, N>> given) {
    for (const auto& ids : given) {
        for (const std::int32_t id : ids) {
            if (id < 0 || static_cast<std::size_t>(id) >= types.size()) {
                throw Error("a bonded term names particle " + std::to_string(id) + " of " +
                            std::to_string(types.size()));
            }
        }
    }
    const std::uint32_t interaction = add(spline, 0.0);
    for (const auto& ids : given) {
        Term term{{}, interaction, static_cast<std::uint32_t>(N)};
        const auto number = static_cast<std::uint32_t>(4 * terms.size());
        for (std::uint32_t k = 0; k < N; ++k) {
            term.particle[k] = static_cast<std::uint32_t>(ids[k]);
            terms_of[term.particle[k]].push_back(number + k);
        }
        terms.push_back(term);
    }
}

ForceDesign::ForceDesign(std::span<const std::int32_t> types, std::size_t n_types,
                         std::span<const Pair> exclusions)
    : parts_(std::make_unique<Parts>(types, n_types, exclusions)) {}
ForceDesign::~ForceDesign() = default;

void ForceDesign::add_pairs(const UniformSpline& spline, std::array<std::int32_t, 2> types) {
    for (const std::int32_t type : types) parts_->check_type(type);
    const auto a = static_cast<std::size_t>(types[0]), b = static_cast<std::size_t>(types[1]);
    const int number = static_cast<int>(parts_->add(spline, spline.high));
    parts_->pair_of_types[a * parts_->n_types + b] = number;
    parts_->pair_of_types[b * parts_->n_types + a] = number;
    parts_->pair_reach = std::max(parts_->pair_reach, spline.high);
}

void ForceDesign::add_bonds(const UniformSpline& spline,
                            std::span<const std::array<std::int32_t, 2>> bonds) {
    parts_->add_terms(spline, bonds);
}
void ForceDesign::add_angles(const UniformSpline& spline,
                             std::span<const std::array<std::int32_t, 3>> angles) {
    parts_->add_terms(spline, angles);
}
void ForceDesign::add_dihedrals(const UniformSpline& spline,
                                std::span<const std::array<std::int32_t, 4>> dihedrals) {
    parts_->add_terms(spline, dihedrals);
}

void ForceDesign::add_triples(const UniformSpline& spline, std::array<std::int32_t, 3> types,
                              std::array<double, 2> r_max, std::array<double, 2> decay) {
    for (const std::int32_t type : types) parts_->check_type(type);
    for (const double number : {r_max[0], r_max[1], decay[0], decay[1]}) {
        if (number > 0.0 && std::isfinite(number)) continue;
        throw Error("the arms of a triple need a positive r_max and decay, got " +
                    std::to_string(number));
    }
    const std::size_t n = parts_->n_types;
    const auto a = static_cast<std::size_t>(types[0]), c = static_cast<std::size_t>(types[1]),
               b = static_cast<std::size_t>(types[2]);
    const std::uint32_t number = parts_->add(spline, 0.0);
    Parts::Interaction& interaction = parts_->interactions[number];
    interaction.triple = true;
    parts_->moments -= interaction.pieces.moments();
    interaction.first_moment = parts_->arm_moments;
    parts_->arm_moments += interaction.pieces.moments();
    interaction.first_end = types[0];
    interaction.r_max = r_max;
    interaction.decay = decay;
    parts_->triple_of_types[(a * n + c) * n + b] = static_cast<int>(number);
    parts_->triple_of_types[(b * n + c) * n + a] = static_cast<int>(number);
    parts_->triple_reach = std::max({parts_->triple_reach, r_max[0], r_max[1]});
}

std::size_t ForceDesign::particles() const { return parts_->types.size(); }
std::size_t ForceDesign::columns() const { return parts_->columns; }
std::size_t ForceDesign::intervals() const { return parts_->intervals; }

// ---------------------------------------------------------------------- one frame

ForceDesign::Parts::Workspace::Workspace(const Parts& parts)
    : cells(std::max({parts.pair_reach, parts.triple_reach, 1e-300})),
      block((parts.columns + 1) * block_stride, 0.0),
      moments(parts.moments, 0.0),
      near(parts.interactions.size()),
      touched(parts.interactions.size(), false),
      placed(parts.terms.size()),
      twice(parts.intervals, 0),
      written(block_particles) {}

std::unique_ptr<ForceDesign::Parts::Workspace> ForceDesign::Parts::take() const {
    {
        const std::lock_guard lock(idle_mutex);
        if (!idle.empty()) {
            auto work = std::move(idle.back());
            idle.pop_back();
            return work;
        }
    }
    return std::make_unique<Workspace>(*this);
}

void ForceDesign::Parts::give_back(std::unique_ptr<Workspace> work) const {
    const std::lock_guard lock(idle_mutex);
    idle.push_back(std::move(work));
}

void ForceDesign::Parts::place_terms(const Frame& frame, Workspace& work,
                                     std::span<std::uint64_t> counts) const {
    const double safe = 0.5 * frame.box.min_height();
    const Places at{frame.positions, frame.box, safe * safe};
    for (std::size_t t = 0; t < terms.size(); ++t) {
        const Term& term = terms[t];
        const Geometry found = geometry(at, term.particle, term.width);
        const Interaction& interaction = interactions[term.interaction];
        work.placed[t] = {interaction.pieces.place(found.x), found.gradient};
        ++counts[interaction.first_interval + work.placed[t].place.piece];
    }
}

// -d/dr of f(theta) phi(r1) phi(r2) at the three particles, for all functions f at once.
void ForceDesign::Parts::add_triples(Workspace& work, std::span<std::uint64_t> counts) const {
    const Cells& cells = work.cells;
    const auto particle = cells.particle();
    struct Arm {
        std::uint32_t id;
        Vec3 d;
        double r;
    };
    std::vector<Arm> arms;
    work.arms.assign(arm_moments * types.size(), 0.0);
    const auto moments_at = [&](const Interaction& i, std::uint32_t id) {
        return work.arms.data() + id * arm_moments + i.first_moment;
    };
    cells.for_neighborhoods(
        0, cells.size(), triple_reach, [&](std::uint32_t p, const Cells::Neighbors& near) {
            const std::uint32_t centre = particle[p];
            arms.clear();
            for (std::size_t k = 0; k < near.count; ++k) {
                const std::uint32_t q = near.point[k];
                if (excludes(centre) && is_excluded(centre, particle[q])) continue;
                arms.push_back(
                    {particle[q], cells.point(q) - cells.point(p), std::sqrt(near.r2[k])});
            }
            const auto type = static_cast<std::size_t>(types[centre]);
            for (std::size_t k = 0; k < arms.size(); ++k) {
                const Arm& a = arms[k];
                for (std::size_t l = k + 1; l < arms.size(); ++l) {
                    const Arm& b = arms[l];
                    const auto ta = static_cast<std::size_t>(types[a.id]);
                    const auto tb = static_cast<std::size_t>(types[b.id]);
                    const int which = triple_of_types[(ta * n_types + type) * n_types + tb];
                    if (which < 0) continue;
                    const Interaction& i = interactions[static_cast<std::size_t>(which)];
                    const std::size_t m = types[a.id] == i.first_end ? 0 : 1;
                    const std::size_t n = types[b.id] == i.first_end && m == 1 ? 0 : 1;
                    if (a.r >= i.r_max[m] || b.r >= i.r_max[n]) continue;
                    const double ga = 1.0 / (a.r - i.r_max[m]), gb = 1.0 / (b.r - i.r_max[n]);
                    const double phi = std::exp(i.decay[m] * ga + i.decay[n] * gb);
                    const AngleGeometry angle = angle_between(a.d, b.d);
                    const Pieces::Place at = i.pieces.place(angle.theta());
                    ++counts[i.first_interval + at.piece];
                    const Vec3 va = a.d * (i.decay[m] * ga * ga * phi / a.r);
                    const Vec3 vb = b.d * (i.decay[n] * gb * gb * phi / b.r);
                    const Vec3 wa = angle.by_a * -phi, wb = angle.by_c * -phi;
                    add_moment(i.pieces, at, va, wa, moments_at(i, a.id));
                    add_moment(i.pieces, at, vb, wb, moments_at(i, b.id));
                    add_moment(i.pieces, at, -(va + vb), -(wa + wb), moments_at(i, centre));
                }
            }
        });
}

double* ForceDesign::Parts::moments_of(std::size_t interaction, Workspace& work) const {
    double* to = work.moments.data() + interactions[interaction].first_moment;
    if (!work.touched[interaction]) {
        work.touched[interaction] = true;
        std::fill_n(to, interactions[interaction].pieces.moments(), 0.0);
    }
    return to;
}

void ForceDesign::Parts::add_pairs(std::uint32_t point, const Cells::Neighbors& near,
                                   Workspace& work) const {
    const Cells& cells = work.cells;
    const auto particle = cells.particle();
    const std::uint32_t id = particle[point];
    const auto job = [&](std::size_t number, const std::uint32_t* points, const double* r2,
                         std::size_t count) {
        if (work.piece.size() < count + overread) {
            work.piece.resize(2 * count + overread);
            work.inverse.resize(2 * count + overread);
            work.t.resize(2 * count + overread);
        }
        const Interaction& interaction = interactions[number];
        add_pair_moments({interaction.pieces, cells.x().data(), cells.y().data(), cells.z().data(),
                          cells.point(point), points, r2, count, work.inverse.data(), work.t.data(),
                          work.piece.data(), moments_of(number, work)});
        std::uint64_t* met = work.twice.data() + interaction.first_interval;
        for (std::size_t k = 0; k < count; ++k) ++met[work.piece[k]];
    };
    if (n_types == 1 && !excludes(id)) {
        if (pair_of_types[0] >= 0) {
            job(static_cast<std::size_t>(pair_of_types[0]), near.point.data(), near.r2.data(),
                near.count);
        }
        return;
    }
    for (Near& list : work.near) list.point.clear(), list.r2.clear();
    const int* of_type = pair_of_types.data() + static_cast<std::size_t>(types[id]) * n_types;
    for (std::size_t k = 0; k < near.count; ++k) {
        const std::uint32_t other = particle[near.point[k]];
        const int number = of_type[types[other]];
        if (number < 0 || (excludes(id) && is_excluded(id, other))) continue;
        const double reach = interactions[static_cast<std::size_t>(number)].reach;
        if (near.r2[k] >= reach * reach) continue;
        Near& list = work.near[static_cast<std::size_t>(number)];
        list.point.push_back(near.point[k]);
        list.r2.push_back(near.r2[k]);
    }
    for (std::size_t number = 0; number < work.near.size(); ++number) {
        Near& list = work.near[number];
        const std::size_t count = list.point.size();
        if (count == 0) continue;
        list.r2.resize(count + overread, 0.0);
        job(number, list.point.data(), list.r2.data(), count);
    }
}

void ForceDesign::Parts::write_particle(std::uint32_t id, const Vec3& force,
                                        Workspace& work) const {
    for (const std::uint32_t k : terms_of[id]) {
        const std::uint32_t t = k / 4, slot = k % 4;
        const std::uint32_t number = terms[t].interaction;
        add_moment(interactions[number].pieces, work.placed[t].place, work.placed[t].gradient[slot],
                   moments_of(number, work));
    }
    work.written[work.in_block] = id;
    double* row = work.block.data() + 3 * work.in_block++;
    for (std::size_t number = 0; number < interactions.size(); ++number) {
        const Interaction& i = interactions[number];
        if (!i.triple && !work.touched[number]) continue;
        work.touched[number] = false;
        const double* of = i.triple ? work.arms.data() + id * arm_moments : work.moments.data();
        write_splines(i.pieces, of + i.first_moment, row + i.first_column * block_stride,
                      block_stride);
    }
    double* side = row + columns * block_stride;
    side[0] = force.x;
    side[1] = force.y;
    side[2] = force.z;
}

template <class Flush>
void ForceDesign::Parts::all_rows(const Frame& frame, Workspace& work,
                                  std::span<std::uint64_t> counts, Flush&& flush) const {
    if (frame.positions.size() != types.size() || frame.forces.size() != types.size()) {
        throw Error("got " + std::to_string(frame.positions.size()) + " positions and " +
                    std::to_string(frame.forces.size()) + " forces for " +
                    std::to_string(types.size()) + " particles");
    }
    if (counts.size() != intervals) {
        throw Error("there are " + std::to_string(intervals) + " intervals to count in, got " +
                    std::to_string(counts.size()));
    }
    std::fill(counts.begin(), counts.end(), 0);
    std::fill(work.block.begin(), work.block.end(), 0.0);
    std::fill(work.twice.begin(), work.twice.end(), 0);
    std::fill(work.touched.begin(), work.touched.end(), false);
    work.in_block = 0;
    place_terms(frame, work, counts);
    const auto full = [&](std::size_t least) {
        if (work.in_block < least) return;
        flush(work.in_block);
        std::fill(work.block.begin(), work.block.end(), 0.0);
        work.in_block = 0;
    };
    const auto particle = [&](std::uint32_t id) {
        if (!finite(frame.forces[id])) {
            throw Error("the force on particle " + std::to_string(id) + " is not finite");
        }
        write_particle(id, frame.forces[id], work);
        full(block_particles);
    };
    if (pair_reach > 0.0 || triple_reach > 0.0) {
        work.cells.assign(frame.positions, frame.box);
        if (triple_reach > 0.0) add_triples(work, counts);
        const auto id = work.cells.particle();
        work.cells.for_neighborhoods(0, work.cells.size(), pair_reach,
                                     [&](std::uint32_t p, const Cells::Neighbors& near) {
                                         add_pairs(p, near, work);
                                         particle(id[p]);
                                     });
    } else {
        for (std::uint32_t id = 0; id < types.size(); ++id) particle(id);
    }
    full(1);
    for (std::size_t k = 0; k < intervals; ++k) counts[k] += work.twice[k] / 2;
}

void ForceDesign::factor(const Frame& frame, QrFactor& factor,
                         std::span<std::uint64_t> counts) const {
    if (factor.columns() != columns() + 1) {
        throw Error("a factor of " + std::to_string(factor.columns()) + " columns was given for " +
                    std::to_string(columns()) + " and the forces");
    }
    factor.clear();
    auto work = parts_->take();
    parts_->all_rows(frame, *work, counts, [&](std::size_t count) {
        factor.add_columns(work->block, 3 * count, block_stride);
    });
    parts_->give_back(std::move(work));
}

std::vector<QrFactor> ForceDesign::factors(std::span<const Frame> frames,
                                           std::span<std::uint64_t> counts) const {
    std::vector<QrFactor> found(frames.size(), QrFactor(columns() + 1));
    std::vector<std::vector<std::uint64_t>> met(frames.size(),
                                                std::vector<std::uint64_t>(intervals()));
    parallel_chunks(frames.size(), 1, [&](std::size_t k, std::size_t, std::size_t) {
        factor(frames[k], found[k], met[k]);
    });
    std::fill(counts.begin(), counts.end(), 0);
    for (const auto& own : met) {
        for (std::size_t c = 0; c < own.size(); ++c) counts[c] += own[c];
    }
    return found;
}

std::vector<double> ForceDesign::rows(const Frame& frame) const {
    const std::size_t width = columns() + 1;
    std::vector<double> rows(3 * particles() * width, 0.0);
    std::vector<std::uint64_t> counts(intervals());
    auto work = parts_->take();
    parts_->all_rows(frame, *work, counts, [&](std::size_t count) {
        for (std::size_t k = 0; k < count; ++k) {
            const std::size_t id = work->written[k];
            for (std::size_t c = 0; c < 3 * width; ++c) {
                rows[3 * id * width + c] =
                    work->block[(c % width) * block_stride + 3 * k + c / width];
            }
        }
    });
    parts_->give_back(std::move(work));
    return rows;
}

}  // namespace regrain::particles
