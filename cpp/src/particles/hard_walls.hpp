// Planes that particles bounce off. Between two forces a particle flies straight, so that what a
// wall does to it is exact: it is looked for behind the wall after each drift.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "regrain/particles/external_laws.hpp"
#include "regrain/particles/motion.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

class HardWalls {
public:
    explicit HardWalls(const External& law);
    [[nodiscard]] static bool any(const External& law);

    /// Throws Error for a particle that is behind a wall.
    void start(PairEngine& engine, std::span<Motion> motion, std::span<const double> mass);

    /// Takes those back that went through a wall in a drift of this time, and returns the work that
    /// moving walls did on them. Rows must be in the cell along the axes of walls. Throws Error
    /// naming a particle that is behind a wall and did not come through it, or that left the cell
    /// on its other side.
    double bounce(PairEngine& engine, std::span<Motion> motion, std::span<const double> mass,
                  double time);

    /// Momentum that each term of the law has given to particles since the start.
    [[nodiscard]] std::span<const Vec3> impulses() const { return impulses_; }
    [[nodiscard]] std::vector<double> state() const;
    void set_state(std::span<const double> state);

private:
    struct Plane {
        HardWall wall;
        std::vector<std::uint8_t> acts_on;
        std::size_t term;
        std::string name, remedy;
    };
    struct Flight;
    struct Given;
    struct Region;

    std::vector<Plane> planes_;
    std::vector<Vec3> impulses_;

    [[nodiscard]] std::vector<Region> regions(const std::array<double, 3>& edge) const;
    void fly(Flight& flight, Given& given) const;
    [[nodiscard]] const Plane* crossed(Flight& flight) const;
};

}  // namespace regrain::particles
