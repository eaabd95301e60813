#include "srd_solvent.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/random.hpp"

namespace regrain::particles {

namespace {

// The solvent is sorted again after so many collisions, or when one in so many particles has left
// the window of its slab.
constexpr std::uint64_t collisions_per_sort = 32;
constexpr std::size_t exceptional = 256;
constexpr std::size_t sort_chunk = 16384;

CollisionKind kind_of(const CollisionSettings& s) {
    const bool rotates = s.rule == CollisionRule::rotation;
    return {rotates, rotates && (s.thermostat || s.angular_momentum), s.angular_momentum};
}

}  // namespace

Solvent::Solvent(const CollisionSettings& s) : settings(s), kind(kind_of(s)) {}

// ------------------------------------------------------------------ the start

void Solvent::set_box(const Box& box) {
    grid = CellGrid(box, settings.cell, settings.walls);
    slabs = Slabs(grid, size());
    const std::size_t cells = std::size_t{grid.fits[0]} * grid.fits[1] * std::size_t{grid.fits[2]};
    filling = static_cast<double>(size()) / static_cast<double>(cells);
    if (settings.thermostat && filling < 3.0) {
        throw Error("there are " + std::to_string(filling) +
                    " particles of the solvent per cell, and a thermostat that acts within cells "
                    "needs 3 or more; use more solvent or larger cells");
    }
    if (filling > 250.0) {
        throw Error("there are " + std::to_string(filling) +
                    " particles of the solvent per cell; use smaller cells");
    }
    mean_mass = 0.0;
    for (const SolventMotion& m : motion) mean_mass += m.mass / static_cast<double>(size());
    windows_.assign(slabs.count, std::vector<Four>(slabs.window_cells() * kind.sums()));
    exceptions_.assign(slabs.count, {});
    maps_.assign(std::size_t{grid.total} * kind.columns(), Four{});
}

void Solvent::assign(std::vector<SolventPlace> new_places, std::vector<SolventMotion> new_motion,
                     std::vector<Image> new_images, const Box& box) {
    places = std::move(new_places);
    motion = std::move(new_motion);
    images = std::move(new_images);
    set_box(box);
    pending_ = false;
    collisions = 0;
    sort();
}

void Solvent::restore(std::vector<SolventPlace> new_places, std::vector<SolventMotion> new_motion,
                      std::vector<Image> new_images, std::vector<std::uint64_t> new_borders,
                      const Box& box) {
    places = std::move(new_places);
    motion = std::move(new_motion);
    images = std::move(new_images);
    set_box(box);
    pending_ = false;
    if (new_borders.size() != slabs.count + 1 || new_borders.back() != size() ||
        !std::is_sorted(new_borders.begin(), new_borders.end())) {
        throw Error("the snapshot is damaged: its slabs are not those of this solvent");
    }
    borders = std::move(new_borders);
}

// First by slab and then, within each, by cell: both keep the order of those that are alike, and
// neither needs more counters than there are cells.
void Solvent::sort() {
    ++sorts;
    const std::size_t n = size();
    const std::size_t chunks = (n + sort_chunk - 1) / sort_chunk;
    keys_.resize(n);
    order_.resize(n);
    std::vector<std::uint64_t> start(chunks * slabs.count);
    parallel_chunks(n, sort_chunk, [&](std::size_t c, std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            keys_[i] = grid.home(places[i].r);
            ++start[c * slabs.count + slabs.slab_of_home(keys_[i])];
        }
    });
    borders.assign(slabs.count + 1, 0);
    std::uint64_t before = 0;
    for (std::size_t s = 0; s < slabs.count; ++s) {
        for (std::size_t c = 0; c < chunks; ++c) {
            before += std::exchange(start[c * slabs.count + s], before);
        }
        borders[s + 1] = before;
    }
    parallel_chunks(n, sort_chunk, [&](std::size_t c, std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const std::uint32_t slab = slabs.slab_of_home(keys_[i]);
            order_[start[c * slabs.count + slab]++] = static_cast<std::uint32_t>(i);
        }
    });
    old_places_.swap(places);
    old_motion_.swap(motion);
    old_images_.swap(images);
    places.resize(n);
    motion.resize(n);
    images.resize(n);
    const std::uint32_t cells = slabs.thickness * slabs.cells_per_layer;
    parallel_for(
        slabs.count,
        [&](std::size_t begin, std::size_t end) {
            std::vector<std::uint64_t> next(cells + 1);
            for (std::size_t s = begin; s < end; ++s) {
                const std::size_t first_cell = s * cells;
                std::fill(next.begin(), next.end(), 0);
                for (std::uint64_t k = borders[s]; k < borders[s + 1]; ++k) {
                    ++next[keys_[order_[k]] - first_cell + 1];
                }
                next[0] = borders[s];
                for (std::size_t c = 1; c < next.size(); ++c) next[c] += next[c - 1];
                for (std::uint64_t k = borders[s]; k < borders[s + 1]; ++k) {
                    const std::uint32_t from = order_[k];
                    const std::uint64_t to = next[keys_[from] - first_cell]++;
                    places[to] = old_places_[from];
                    motion[to] = old_motion_[from];
                    images[to] = old_images_[from];
                }
            }
        },
        1);
}

// ------------------------------------------------------------------ collisions

std::array<double, 3> Solvent::draw_shift() const {
    if (!settings.shift) return {};
    const auto bits = Philox(settings.seed, grid_shift).bits(collisions, 0);
    return {bits[0] * 0x1p-32, bits[1] * 0x1p-32, bits[2] * 0x1p-32};
}

SolventPass Solvent::make_pass() {
    return {kind,
            &grid,
            places.data(),
            motion.data(),
            images.data(),
            pending_ ? maps_.data() : nullptr,
            shift_,
            false,
            shift_,
            interval(),
            settings.acceleration,
            settings.reverse,
            settings.wall_velocity,
            {settings.seed, solvent_noise, collisions},
            std::sqrt(settings.kt)};
}

void Solvent::pass_over(const SolventPass& pass) {
    parallel_for(
        slabs.count,
        [&](std::size_t begin, std::size_t end) {
            for (std::size_t s = begin; s < end; ++s) {
                const auto slab = static_cast<std::uint32_t>(s);
                exceptions_[s].clear();
                const Window window{windows_[s].data(),
                                    slabs.first_layer(slab) * slabs.cells_per_layer,
                                    slabs.window_cells(), &exceptions_[s]};
                solvent_kernel(pass, window, borders[s], borders[s + 1]);
            }
        },
        1);
}

Four* Solvent::sums_of(std::uint32_t cell) {
    const std::uint32_t slab = slabs.covering[slabs.first[cell / slabs.cells_per_layer]];
    return windows_[slab].data() + slabs.place(slab, cell) * kind.sums();
}

void Solvent::add_exceptions() {
    for (const auto& list : exceptions_) {
        for (const Exception& e : list) {
            Four* sums = sums_of(e.cell);
            for (std::size_t k = 0; k < kind.sums(); ++k) sums[k] += e.sums[k];
        }
    }
}

void Solvent::add_beads(const SolventPass& pass, const BeadView& beads, std::span<Vec3> random) {
    const Philox generator(settings.seed, bead_noise);
    for (std::size_t i = 0; i < beads.masses.size(); ++i) {
        if (!kind.rotates) {
            const auto g = generator.normal4(collisions, static_cast<std::uint32_t>(i));
            random[i] = Vec3{g[0], g[1], g[2]} * std::sqrt(settings.kt / beads.masses[i]);
        }
        const std::uint32_t cell = cell_of(grid, pass.shift, beads.positions[i]);
        add_particle(pass, beads.positions[i], beads.velocities[i], beads.masses[i], random[i],
                     sums_of(cell));
    }
}

// Of the particles of the solvent. The pass may have put random velocities in the place of those
// before the collision, so these are made again from what was before the pass.
CollisionStress Solvent::stress_of(const SolventPass& pass) const {
    return parallel_sum<CollisionStress>(size(), [&](std::size_t begin, std::size_t end) {
        CollisionStress sum;
        for (std::size_t k = begin; k < end; ++k) {
            Vec3 start = old_places_[k].r, before = old_motion_[k].v;
            Image image{};
            stream_particle(pass, pass.interval, start, before, image, places[k].id);
            const Vec3& r = places[k].r;
            const std::uint32_t cell = places[k].cell;
            const Vec3 after = collided(pass, maps_.data() + cell * kind.columns(), r, motion[k].v);
            sum.add(arm_in_cell(grid, pass.shift, cell, r), before, after, motion[k].mass);
        }
        return sum;
    });
}

void Solvent::collide(const BeadView& beads, CollisionStress* stress) {
    if (stress != nullptr) {
        settle();
        old_places_ = places;
        old_motion_ = motion;
    }
    SolventPass pass = make_pass();
    pass.moves = true;
    pass.shift = draw_shift();
    pass_over(pass);
    add_exceptions();
    std::vector<Vec3> random(beads.masses.size());
    add_beads(pass, beads, random);
    const CellCollision collision{kind,        settings.angle, settings.thermostat,
                                  settings.kt, settings.seed,  collisions,
                                  filling,     mean_mass};
    make_maps(pass, collision, slabs, windows_, maps_);
    if (stress != nullptr) *stress = stress_of(pass);
    for (std::size_t i = 0; i < beads.masses.size(); ++i) {
        const Vec3& r = beads.positions[i];
        const std::uint32_t cell = cell_of(grid, pass.shift, r);
        const Vec3 before = beads.velocities[i];
        beads.velocities[i] = collided(pass, maps_.data() + cell * kind.columns(), r,
                                       kind.rotates ? before : random[i]);
        if (stress != nullptr) {
            stress->add(arm_in_cell(grid, pass.shift, cell, r), before, beads.velocities[i],
                        beads.masses[i]);
        }
    }
    shift_ = pass.shift;
    pending_ = true;
    ++collisions;
    std::size_t strayed = 0;
    for (const auto& list : exceptions_) strayed += list.size();
    if (strayed > size() / exceptional || collisions % collisions_per_sort == 0) sort();
}

void Solvent::settle() {
    if (!pending_) return;
    pass_over(make_pass());
    pending_ = false;
}

void Solvent::stream(double time, Vec3& r, Vec3& v, Image& image, std::uint32_t id) const {
    SolventPass pass{};
    pass.grid = &grid;
    pass.acceleration = settings.acceleration;
    pass.reverse = settings.reverse;
    pass.wall_velocity = settings.wall_velocity;
    stream_particle(pass, time, r, v, image, id);
}

}  // namespace regrain::particles
