#include "rigid_bonds.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain::particles {

namespace {

constexpr std::size_t blocks_per_chunk = 16;
constexpr std::size_t clusters_per_chunk = blocks_per_chunk * RigidGroup::block;
// Off by more than this, relative, a bond is not what was meant rather than a little off.
constexpr double most_off = 0.25;

std::string ends(const RigidBond& bond) {
    return std::to_string(bond.i) + " and " + std::to_string(bond.j);
}

void check(std::span<const RigidBond> bonds, std::size_t particles) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> known;
    for (const RigidBond& bond : bonds) {
        if (bond.i >= particles || bond.j >= particles || bond.i == bond.j) {
            throw Error("a rigid bond names the particles " + ends(bond) + " of " +
                        std::to_string(particles) + "; expected two of them");
        }
        if (!(bond.length > 0.0) || !std::isfinite(bond.length)) {
            throw Error("the rigid bond of particles " + ends(bond) + " has the length " +
                        std::to_string(bond.length) + "; it must be positive");
        }
        if (!known.insert(std::minmax(bond.i, bond.j)).second) {
            throw Error("particles " + ends(bond) +
                        " are joined by two rigid bonds; constraints cannot be counted twice, "
                        "leave one out");
        }
    }
}

// For each particle the least that it is joined to.
std::vector<std::uint32_t> clusters_of(std::span<const RigidBond> bonds, std::size_t particles) {
    std::vector<std::uint32_t> root(particles);
    std::iota(root.begin(), root.end(), 0U);
    const auto find = [&root](std::uint32_t i) {
        while (root[i] != i) i = root[i] = root[root[i]];
        return i;
    };
    for (const RigidBond& bond : bonds) {
        const auto [low, high] = std::minmax({find(bond.i), find(bond.j)});
        root[high] = low;
    }
    for (std::uint32_t i = 0; i < particles; ++i) root[i] = find(i);
    return root;
}

Vec3 place(const Row& row) { return {row.x, row.y, row.z}; }

void add(std::array<double, 6>& sum, const Vec3& r, const Vec3& f) {
    const double more[]{r.x * f.x, r.y * f.y, r.z * f.z, r.x * f.y, r.x * f.z, r.y * f.z};
    for (std::size_t k = 0; k < 6; ++k) sum[k] += more[k];
}

}  // namespace

RigidBonds::RigidBonds(const ForceField& field, std::span<const double> inverse_mass)
    : bonds_(field.rigid_bonds) {
    check(field.rigid_bonds, inverse_mass.size());
    for (const double inverse : inverse_mass) mass_.push_back(inverse > 0.0 ? 1.0 / inverse : 0.0);
    std::vector<RigidBond> acting;
    for (const RigidBond& bond : field.rigid_bonds) {
        const bool moves = inverse_mass[bond.i] > 0.0 || inverse_mass[bond.j] > 0.0;
        if (moves) acting.push_back(bond);
    }
    degrees_ = acting.size();
    gather(acting, inverse_mass.size());
}

// Clusters whose particles, in the order of their ids, are joined alike are of one kind.
void RigidBonds::gather(std::span<const RigidBond> bonds, std::size_t particles) {
    const std::vector<std::uint32_t> root = clusters_of(bonds, particles);
    std::map<std::uint32_t, std::vector<RigidBond>> of_root;
    for (const RigidBond& bond : bonds) of_root[root[bond.i]].push_back(bond);
    std::map<std::vector<RigidShape::Bond>, std::size_t> known;
    std::vector<std::vector<std::size_t>> orders;
    for (auto& [first, mine] : of_root) {
        std::vector<std::uint32_t> ids;
        for (const RigidBond& bond : mine) ids.insert(ids.end(), {bond.i, bond.j});
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        const auto local = [&ids](std::uint32_t id) {
            const auto at = std::lower_bound(ids.begin(), ids.end(), id);
            return static_cast<std::uint32_t>(at - ids.begin());
        };
        for (RigidBond& bond : mine) std::tie(bond.i, bond.j) = std::minmax({bond.i, bond.j});
        std::sort(mine.begin(), mine.end(), [](const RigidBond& a, const RigidBond& b) {
            return std::pair(a.i, a.j) < std::pair(b.i, b.j);
        });
        std::vector<RigidShape::Bond> joined;
        for (const RigidBond& bond : mine) joined.push_back({local(bond.i), local(bond.j)});
        const auto [at, fresh] = known.try_emplace(joined, kinds_.size());
        if (fresh) {
            kinds_.emplace_back();
            orders.emplace_back();
            kinds_.back().group.shape = RigidShape(ids.size(), joined, orders.back());
        }
        Clusters& kind = kinds_[at->second];
        ++kind.group.count;
        kind.particle.insert(kind.particle.end(), ids.begin(), ids.end());
        for (const std::size_t k : orders[at->second]) kind.length.push_back(mine[k].length);
    }
    for (Clusters& kind : kinds_) {
        RigidGroup& group = kind.group;
        const std::size_t lanes = group.blocks() * RigidGroup::block;
        group.row.resize(lanes * group.shape.particles);
        group.length.resize(lanes * group.shape.bonds.size());
        group.direction.resize(3 * lanes * group.shape.bonds.size());
    }
}

void RigidBonds::follow(const PairEngine& engine) {
    if (version_ == engine.version()) return;
    version_ = engine.version();
    const std::span<const std::uint32_t> row_of = engine.row_of();
    for (Clusters& kind : kinds_) {
        RigidGroup& group = kind.group;
        const std::size_t n = group.shape.particles, m = group.shape.bonds.size();
        const auto first_row = [&](std::uint32_t c) { return row_of[kind.particle[c * n]]; };
        kind.order.resize(group.count);
        std::iota(kind.order.begin(), kind.order.end(), 0U);
        std::sort(kind.order.begin(), kind.order.end(),
                  [&](std::uint32_t a, std::uint32_t b) { return first_row(a) < first_row(b); });
        constexpr std::size_t w = RigidGroup::block;
        for (std::size_t s = 0; s < group.blocks() * w; ++s) {
            const std::size_t c = kind.order[std::min(s, group.count - 1)];
            for (std::size_t a = 0; a < n; ++a) {
                group.row[(s / w * n + a) * w + s % w] = row_of[kind.particle[c * n + a]];
            }
            for (std::size_t k = 0; k < m; ++k) {
                group.length[(s / w * m + k) * w + s % w] = kind.length[c * m + k];
            }
        }
    }
}

// ------------------------------------------------------------------ the kernel's work

RigidBonds::Outcome& RigidBonds::Outcome::operator+=(const Outcome& o) {
    for (std::size_t k = 0; k < 6; ++k) virial[k] += o.virial[k];
    energy += o.energy;
    failed = failed || o.failed;
    redundant = redundant || o.redundant;
    return *this;
}

RigidBonds::Outcome RigidBonds::work(const RigidTask& what, const PairEngine& engine) {
    follow(engine);
    const Cell cell(engine.box());
    Outcome all;
    for (Clusters& kind : kinds_) {
        all += parallel_sum<Outcome>(
            kind.group.blocks(),
            [&](std::size_t begin, std::size_t end) {
                RigidTask task = what;
                task.group = &kind.group;
                task.cell = &cell;
                task.rows = engine.rows().data();
                task.begin = begin;
                task.end = end;
                rigid_kernel(task);
                return Outcome{task.virial, task.energy, task.failed, task.redundant};
            },
            blocks_per_chunk);
    }
    if (!all.failed && !all.redundant) return all;
    const Found found = worst(engine);
    const std::string where = "the rigid bond of particles " + ends(found.bond) + " is " +
                              std::to_string(found.length) + " long and should be " +
                              std::to_string(found.bond.length);
    if (all.redundant && found.off() < 0.01) {
        throw Error(
            "constraints cannot be satisfied: some rigid bonds follow from others, as in a "
            "line or a flat ring that more bonds hold together than it can move; leave "
            "some out (the one that is most off: " +
            where + ")");
    }
    throw Error("constraints cannot be satisfied: " + where +
                "; check the start, or use a smaller time step");
}

void RigidBonds::remember(const PairEngine& engine) {
    RigidTask task{};
    task.work = RigidWork::remember;
    work(task, engine);
}

void RigidBonds::places(PairEngine& engine, std::span<Motion> motion, double time) {
    RigidTask task{};
    task.work = RigidWork::places;
    task.to_rows = engine.rows().data();
    task.motion = task.to_motion = motion.data();
    task.rate = 1.0 / time;
    work(task, engine);
}

double RigidBonds::velocities(const PairEngine& engine, std::span<Motion> motion) {
    RigidTask task{};
    task.work = RigidWork::velocities;
    task.motion = task.to_motion = motion.data();
    return work(task, engine).energy;
}

std::array<double, 6> RigidBonds::virial(const Present& now, std::span<const Vec3> force) {
    RigidTask task{};
    task.work = RigidWork::virial;
    task.motion = now.motion.data();
    task.force = force.data();
    return work(task, now.engine).virial;
}

// ------------------------------------------------------------------ the start

double RigidBonds::Found::off() const { return std::abs(length / bond.length - 1.0); }

RigidBonds::Found RigidBonds::worst(const PairEngine& engine) const {
    Found worst{bonds_.front(), bonds_.front().length};
    for (const RigidBond& bond : bonds_) {
        const Vec3 a = place(engine.rows()[engine.row_of()[bond.i]]);
        const Vec3 b = place(engine.rows()[engine.row_of()[bond.j]]);
        const Found found{bond, norm(engine.box().minimum_image(a - b))};
        if (!(found.off() <= worst.off())) worst = found;
    }
    return worst;
}

void RigidBonds::settle(PairEngine& engine, std::span<Motion> motion) {
    const double most = 0.5 * engine.box().min_height();
    for (const RigidBond& bond : bonds_) {
        if (bond.length < most) continue;
        throw Error("the rigid bond of particles " + ends(bond) + " is to be " +
                    std::to_string(bond.length) +
                    " long, and nearest images are no further apart "
                    "than half the height of the box, " +
                    std::to_string(most) + "; use a larger box");
    }
    const Found before = worst(engine);
    if (!(before.off() <= most_off)) {
        throw Error("constraints cannot be satisfied: the rigid bond of particles " +
                    ends(before.bond) + " is " + std::to_string(before.length) +
                    " long at the start and should be " + std::to_string(before.bond.length) +
                    "; give a start whose rigid bonds have about their length");
    }
    remember(engine);
    RigidTask task{};
    task.work = RigidWork::places;
    task.to_rows = engine.rows().data();
    task.motion = task.to_motion = motion.data();
    work(task, engine);
    const Found after = worst(engine);
    if (after.off() <= 1e-6) return;
    throw Error("constraints cannot be satisfied: the rigid bond of particles " + ends(after.bond) +
                " is " + std::to_string(after.length) + " long, should be " +
                std::to_string(after.bond.length) +
                ", and both particles are frozen; freeze them where they belong");
}

// ------------------------------------------------------------------ bodies in a cell that changes

template <class F>
void RigidBonds::visit(const Clusters& kind, std::size_t begin, std::size_t end,
                       const PairEngine& engine, F&& f) const {
    const RigidShape& shape = kind.group.shape;
    std::vector<std::uint32_t> rows(shape.particles);
    std::vector<Vec3> at(shape.particles);
    for (std::size_t c = begin; c < end; ++c) {
        const std::uint32_t* ids = &kind.particle[c * rows.size()];
        for (std::size_t a = 0; a < rows.size(); ++a) rows[a] = engine.row_of()[ids[a]];
        at[0] = {};
        for (const auto& [from, to] : shape.tree) {
            const Vec3 d = place(engine.rows()[rows[to]]) - place(engine.rows()[rows[from]]);
            at[to] = at[from] + engine.box().minimum_image(d);
        }
        const Vec3 centre = mean(ids, at);
        for (Vec3& r : at) r -= centre;
        f(ids, rows, at);
    }
}

Vec3 RigidBonds::mean(const std::uint32_t* ids, std::span<const Vec3> of) const {
    Vec3 sum;
    double total = 0.0;
    for (std::size_t a = 0; a < of.size(); ++a) {
        sum += mass_[ids[a]] * of[a];
        total += mass_[ids[a]];
    }
    return sum * (1.0 / total);
}

Constraints::Inner RigidBonds::inner(const Present& now, std::span<const Vec3> force) const {
    struct Sum : Inner {
        Sum& operator+=(const Sum& o) {
            for (std::size_t k = 0; k < 6; ++k) {
                virial[k] += o.virial[k];
                kinetic[k] += o.kinetic[k];
            }
            return *this;
        }
    };
    Sum all;
    for (const Clusters& kind : kinds_) {
        all += parallel_sum<Sum>(
            kind.group.count,
            [&](std::size_t begin, std::size_t end) {
                Sum sum;
                std::vector<Vec3> v(kind.group.shape.particles);
                visit(kind, begin, end, now.engine,
                      [&](const std::uint32_t* ids, const auto& rows, const auto& at) {
                          for (std::size_t a = 0; a < v.size(); ++a) v[a] = now.motion[rows[a]].v;
                          const Vec3 centre = mean(ids, v);
                          for (std::size_t a = 0; a < v.size(); ++a) {
                              const Vec3 w = v[a] - centre;
                              add(sum.virial, at[a], force[rows[a]]);
                              add(sum.kinetic, mass_[ids[a]] * w, w);
                          }
                      });
                return sum;
            },
            clusters_per_chunk);
    }
    return all;
}

void RigidBonds::keep_shape(const CellMap& map, PairEngine& engine,
                            std::span<Motion> motion) const {
    const CellMap inverse = map.inverse();
    const std::span<Row> all_rows = engine.rows();
    for (const Clusters& kind : kinds_) {
        parallel_for(
            kind.group.count,
            [&](std::size_t begin, std::size_t end) {
                std::vector<Vec3> v(kind.group.shape.particles);
                visit(kind, begin, end, engine,
                      [&](const std::uint32_t* ids, const auto& rows, const auto& at) {
                          for (std::size_t a = 0; a < v.size(); ++a) v[a] = motion[rows[a]].v;
                          const Vec3 centre = mean(ids, v);
                          for (std::size_t a = 0; a < v.size(); ++a) {
                              const Vec3 r = inverse(at[a]) - at[a];
                              const Vec3 w = v[a] - centre;
                              Row& row = all_rows[rows[a]];
                              row = {row.x + r.x, row.y + r.y, row.z + r.z, row.tag};
                              motion[rows[a]].v += map(w) - w;
                          }
                      });
            },
            clusters_per_chunk);
    }
}

}  // namespace regrain::particles
