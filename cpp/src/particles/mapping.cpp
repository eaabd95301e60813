#include "regrain/particles/mapping.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain::particles {

namespace {

constexpr std::size_t none = static_cast<std::size_t>(-1);

void check_rows(std::size_t n_atoms, const BeadRows& rows) {
    const std::size_t n = rows.atoms.size();
    if (rows.offsets.empty() || rows.offsets.front() != 0 || rows.offsets.back() != n ||
        rows.weights.size() != n || rows.force_weights.size() != n) {
        throw Error("the rows of the mapping disagree: offsets must go from 0 to the " +
                    std::to_string(n) + " entries, each with a weight and a force weight");
    }
    for (std::size_t bead = 0; bead + 1 < rows.offsets.size(); ++bead) {
        if (rows.offsets[bead + 1] <= rows.offsets[bead]) {
            throw Error("bead " + std::to_string(bead) + " has no atoms; give it at least one");
        }
    }
    for (const std::int32_t atom : rows.atoms) {
        if (atom < 0 || static_cast<std::size_t>(atom) >= n_atoms) {
            throw Error("the mapping names atom " + std::to_string(atom) + ", but there are " +
                        std::to_string(n_atoms) + ", counted from 0");
        }
    }
}

/// Neighbours of every atom in compressed rows.
class Graph {
public:
    Graph(std::size_t n, std::span<const std::array<std::int32_t, 2>> bonds) : offsets_(n + 1, 0) {
        for (const auto& bond : bonds) {
            for (const std::int32_t i : bond) {
                if (i < 0 || static_cast<std::size_t>(i) >= n) {
                    throw Error("a bond names atom " + std::to_string(i) + ", but there are " +
                                std::to_string(n) + ", counted from 0");
                }
                ++offsets_[static_cast<std::size_t>(i) + 1];
            }
        }
        for (std::size_t i = 0; i < n; ++i) offsets_[i + 1] += offsets_[i];
        neighbors_.resize(offsets_.back());
        std::vector<std::size_t> next(offsets_.begin(), offsets_.end() - 1);
        for (const auto& [i, j] : bonds) {
            neighbors_[next[static_cast<std::size_t>(i)]++] = j;
            neighbors_[next[static_cast<std::size_t>(j)]++] = i;
        }
    }

    [[nodiscard]] std::span<const std::int32_t> of(std::int32_t atom) const {
        const auto i = static_cast<std::size_t>(atom);
        return std::span(neighbors_).subspan(offsets_[i], offsets_[i + 1] - offsets_[i]);
    }

private:
    std::vector<std::size_t> offsets_;
    std::vector<std::int32_t> neighbors_;
};

/// Orders the atoms of beads so that each follows one it is bonded to. The arrays over all atoms
/// are kept from bead to bead and only touched where a bead is.
class Walker {
public:
    Walker(std::size_t n_atoms, const Graph& graph)
        : graph_(graph), member_(n_atoms, false), entry_(n_atoms, none), from_(n_atoms, -1) {}

    struct Step {
        std::int32_t atom;
        std::size_t parent;  ///< position in the walk
    };

    /// The walk over the atoms of one bead; `loose` if not all of it follows bonds.
    const std::vector<Step>& walk(std::span<const std::int32_t> atoms, bool& loose) {
        steps_.clear();
        loose = false;
        for (const std::int32_t atom : atoms) member_[at(atom)] = true;
        follow(atoms[0], 0);
        for (const std::int32_t atom : atoms) {
            while (entry_[at(atom)] == none) {
                if (bridge()) continue;
                loose = true;
                follow(atom, 0);
            }
        }
        for (const std::int32_t atom : atoms) member_[at(atom)] = false;
        for (const Step& step : steps_) entry_[at(step.atom)] = none;
        return steps_;
    }

private:
    static std::size_t at(std::int32_t atom) { return static_cast<std::size_t>(atom); }

    void add(std::int32_t atom, std::size_t parent) {
        entry_[at(atom)] = steps_.size();
        steps_.push_back({atom, parent});
    }

    /// Adds an atom and all of the bead that bonds inside the bead lead to.
    void follow(std::int32_t start, std::size_t parent) {
        add(start, parent);
        for (std::size_t done = steps_.size() - 1; done < steps_.size(); ++done) {
            for (const std::int32_t next : graph_.of(steps_[done].atom)) {
                if (member_[at(next)] && entry_[at(next)] == none) add(next, done);
            }
        }
    }

    /// Follows the shortest way over atoms outside the bead to one of its atoms that the walk has
    /// not reached, and goes on inside the bead from there. False if no bonds lead to any.
    bool bridge() {
        std::vector<std::int32_t> way = way_to_lost();
        if (way.empty()) return false;
        std::size_t parent = entry_[at(way.back())];
        for (std::size_t k = way.size() - 1; k-- > 1;) {
            add(way[k], parent);
            parent = steps_.size() - 1;
        }
        follow(way.front(), parent);
        return true;
    }

    /// From the nearest member that is not in the walk back to the walk; empty if there is none.
    std::vector<std::int32_t> way_to_lost() {
        std::vector<std::int32_t> queue;
        for (const Step& step : steps_) queue.push_back(step.atom);
        for (const std::int32_t atom : queue) from_[at(atom)] = atom;
        std::vector<std::int32_t> way;
        for (std::size_t head = 0; head < queue.size() && way.empty(); ++head) {
            for (const std::int32_t next : graph_.of(queue[head])) {
                if (from_[at(next)] >= 0) continue;
                from_[at(next)] = queue[head];
                queue.push_back(next);
                if (!member_[at(next)]) continue;
                way.push_back(next);
                while (entry_[at(way.back())] == none) way.push_back(from_[at(way.back())]);
                break;
            }
        }
        for (const std::int32_t atom : queue) from_[at(atom)] = -1;
        return way;
    }

    const Graph& graph_;
    std::vector<bool> member_;        ///< atom -> is in the bead
    std::vector<std::size_t> entry_;  ///< atom -> position in the walk, or none
    std::vector<std::int32_t> from_;  ///< atom -> atom a search came from, or -1
    std::vector<Step> steps_;
};

[[noreturn]] void too_wide(std::size_t bead, std::int32_t atom, std::int32_t other, double distance,
                           const Box& box) {
    throw Error("bead " + std::to_string(bead) + ": atom " + std::to_string(atom) + " is " +
                std::to_string(distance) + " away from the nearest image of atom " +
                std::to_string(other) + ", not within half the smallest height of the box (" +
                std::to_string(0.5 * box.min_height()) +
                "), so the images that belong together are not known; give the topology its bonds, "
                "smaller beads or a larger box");
}

/// Most beads need no wrapping, and comparing is cheaper than rounding.
bool inside(const Box& box, const Vec3& r) {
    const Vec3 s = box.fractional(r);
    return s.x >= 0.0 && s.x < 1.0 && s.y >= 0.0 && s.y < 1.0 && s.z >= 0.0 && s.z < 1.0;
}

}  // namespace

BeadMapping::BeadMapping(std::size_t n_atoms, const BeadRows& rows,
                         std::span<const std::array<std::int32_t, 2>> bonds)
    : n_atoms_(n_atoms) {
    check_rows(n_atoms, rows);
    const Graph graph(n_atoms, bonds);
    Walker walker(n_atoms, graph);
    std::vector<std::size_t> given(n_atoms, none);
    walk_.offsets.push_back(0);
    for (std::size_t bead = 0; bead + 1 < rows.offsets.size(); ++bead) {
        const std::size_t begin = rows.offsets[bead];
        const auto atoms = std::span(rows.atoms).subspan(begin, rows.offsets[bead + 1] - begin);
        for (std::size_t k = 0; k < atoms.size(); ++k) {
            std::size_t& entry = given[static_cast<std::size_t>(atoms[k])];
            if (entry != none) {
                throw Error("bead " + std::to_string(bead) + " names atom " +
                            std::to_string(atoms[k]) + " twice; name each atom once");
            }
            entry = begin + k;
        }
        bool loose = false;
        for (const Walker::Step& step : walker.walk(atoms, loose)) {
            const std::size_t entry = given[static_cast<std::size_t>(step.atom)];
            walk_.atoms.push_back(step.atom);
            walk_.weights.push_back(entry == none ? 0.0 : rows.weights[entry]);
            walk_.force_weights.push_back(entry == none ? 0.0 : rows.force_weights[entry]);
            parents_.push_back(step.parent);
        }
        loose_.push_back(loose);
        walk_.offsets.push_back(walk_.atoms.size());
        for (const std::int32_t atom : atoms) given[static_cast<std::size_t>(atom)] = none;
    }
}

std::size_t BeadMapping::chunk() const {
    // About as many atoms in every chunk, whatever the size of the beads.
    constexpr std::size_t atoms_per_chunk = 16384;
    return std::max<std::size_t>(
        1, atoms_per_chunk * beads() / std::max<std::size_t>(1, walk_.atoms.size()));
}

void BeadMapping::positions(const Box& box, std::span<const Vec3> fine,
                            std::span<const Image> fine_images, std::span<Vec3> centres,
                            std::span<Image> images) const {
    if (fine.size() != n_atoms_ || (!fine_images.empty() && fine_images.size() != n_atoms_) ||
        centres.size() != beads() || images.size() != beads()) {
        throw Error("the mapping takes " + std::to_string(n_atoms_) + " atoms to " +
                    std::to_string(beads()) + " beads, but was given " +
                    std::to_string(fine.size()) + " and " + std::to_string(centres.size()));
    }
    const double half_height = 0.5 * box.min_height();
    const auto map_beads = [&](std::size_t begin, std::size_t end) {
        std::vector<Vec3> place;
        for (std::size_t bead = begin; bead < end; ++bead) {
            const auto first = static_cast<std::size_t>(walk_.atoms[walk_.offsets[bead]]);
            images[bead] = fine_images.empty() ? Image{} : fine_images[first];
            const Vec3 whole =
                fine[first] + centre(bead, box, half_height * half_height, fine, place);
            centres[bead] = inside(box, whole) ? whole : box.wrap(whole, &images[bead]);
        }
    };
    parallel_for(beads(), map_beads, chunk());
}

/// The centre of a bead relative to its first atom.
Vec3 BeadMapping::centre(std::size_t bead, const Box& box, double half_height2,
                         std::span<const Vec3> fine, std::vector<Vec3>& place) const {
    const std::size_t begin = walk_.offsets[bead];
    const std::size_t end = walk_.offsets[bead + 1];
    const auto position = [&](std::size_t entry) {
        return fine[static_cast<std::size_t>(walk_.atoms[entry])];
    };
    place.resize(end - begin);
    place[0] = Vec3{};
    Vec3 sum;
    double widest2 = 0.0;
    for (std::size_t k = 1; k < place.size(); ++k) {
        const std::size_t parent = parents_[begin + k];
        Vec3 step = position(begin + k) - position(begin + parent);
        if (norm2(step) >= half_height2) {  // else nothing shorter can exist
            step = box.minimum_image(step);
            if (norm2(step) >= half_height2) {
                too_wide(bead, walk_.atoms[begin + k], walk_.atoms[begin + parent],
                         std::sqrt(norm2(step)), box);
            }
        }
        place[k] = place[parent] + step;
        widest2 = std::max(widest2, norm2(place[k]));
        sum += walk_.weights[begin + k] * place[k];
    }
    // Atoms that are all within a quarter of the height from the first cannot be too far apart.
    if (loose_[bead] && widest2 >= 0.25 * half_height2) check_width(bead, box, place);
    return sum;
}

void BeadMapping::check_width(std::size_t bead, const Box& box, std::span<const Vec3> place) const {
    constexpr std::array<double Vec3::*, 3> axes{&Vec3::x, &Vec3::y, &Vec3::z};
    for (const auto axis : axes) {
        const auto along = [&](const Vec3& l, const Vec3& r) {
            return box.fractional(l).*axis < box.fractional(r).*axis;
        };
        const auto [low, high] = std::minmax_element(place.begin(), place.end(), along);
        if (box.fractional(*high - *low).*axis >= 0.5) {
            const std::size_t begin = walk_.offsets[bead];
            too_wide(bead, walk_.atoms[begin + static_cast<std::size_t>(high - place.begin())],
                     walk_.atoms[begin + static_cast<std::size_t>(low - place.begin())],
                     norm(*high - *low), box);
        }
    }
}

void BeadMapping::average(std::span<const Vec3> fine, std::span<Vec3> coarse) const {
    weighted(fine, walk_.weights, coarse);
}

void BeadMapping::forces(std::span<const Vec3> fine, std::span<Vec3> coarse) const {
    weighted(fine, walk_.force_weights, coarse);
}

void BeadMapping::weighted(std::span<const Vec3> fine, const std::vector<double>& weights,
                           std::span<Vec3> coarse) const {
    if (fine.size() != n_atoms_ || coarse.size() != beads()) {
        throw Error("the mapping takes vectors of " + std::to_string(n_atoms_) + " atoms to " +
                    std::to_string(beads()) + " beads, but was given " +
                    std::to_string(fine.size()) + " and " + std::to_string(coarse.size()));
    }
    const auto sum_beads = [&](std::size_t begin, std::size_t end) {
        for (std::size_t bead = begin; bead < end; ++bead) {
            Vec3 sum;
            for (std::size_t k = walk_.offsets[bead]; k < walk_.offsets[bead + 1]; ++k) {
                sum += weights[k] * fine[static_cast<std::size_t>(walk_.atoms[k])];
            }
            coarse[bead] = sum;
        }
    };
    parallel_for(beads(), sum_beads, chunk());
}

}  // namespace regrain::particles
