// The particles of a solvent: in slabs of cells, streamed and collided.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "srd_cells.hpp"
#include "srd_stress.hpp"

namespace regrain::particles {

/// What beads bring into a collision, and the velocities that they take out.
struct BeadView {
    std::span<const Vec3> positions;
    std::span<Vec3> velocities;
    std::span<const double> masses;
};

struct Solvent {
    CollisionSettings settings;
    CollisionKind kind;
    CellGrid grid;
    Slabs slabs;
    std::vector<SolventPlace> places;
    std::vector<SolventMotion> motion;
    std::vector<Image> images;
    std::vector<std::uint64_t> borders;   ///< slab s has those from borders[s] to borders[s + 1]
    double filling{0.0}, mean_mass{0.0};  ///< particles per cell
    std::uint64_t collisions{0}, sorts{0};

    explicit Solvent(const CollisionSettings& s);

    void assign(std::vector<SolventPlace> new_places, std::vector<SolventMotion> new_motion,
                std::vector<Image> new_images, const Box& box);
    /// The same without sorting.
    void restore(std::vector<SolventPlace> new_places, std::vector<SolventMotion> new_motion,
                 std::vector<Image> new_images, std::vector<std::uint64_t> new_borders,
                 const Box& box);

    /// Streams to the next collision and makes it. The solvent's velocities are those after it
    /// only when `settle` has been called: until then the new ones are made while streaming to the
    /// next collision. Sums what it carries, if asked to: that costs another pass or two.
    void collide(const BeadView& beads, CollisionStress* stress);
    void settle();

    [[nodiscard]] std::size_t size() const { return places.size(); }
    [[nodiscard]] double interval() const { return settings.dt * settings.every; }
    /// Where a particle is, so long after the last collision.
    void stream(double time, Vec3& r, Vec3& v, Image& image, std::uint32_t id) const;

private:
    std::vector<SolventPlace> old_places_;
    std::vector<SolventMotion> old_motion_;
    std::vector<Image> old_images_;
    std::vector<std::uint32_t> keys_, order_;
    std::vector<std::vector<Four>> windows_;
    std::vector<std::vector<Exception>> exceptions_;
    std::vector<Four> maps_;
    bool pending_{false};  ///< there are maps that the velocities have not seen
    std::array<double, 3> shift_{};

    void set_box(const Box& box);
    void sort();
    void pass_over(const SolventPass& pass);
    [[nodiscard]] CollisionStress stress_of(const SolventPass& pass) const;
    void add_exceptions();
    void add_beads(const SolventPass& pass, const BeadView& beads, std::span<Vec3> random);
    [[nodiscard]] Four* sums_of(std::uint32_t cell);
    [[nodiscard]] std::array<double, 3> draw_shift() const;
    [[nodiscard]] SolventPass make_pass();
};

}  // namespace regrain::particles
