#include "hard_walls.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <variant>

#include "../base/messages.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain::particles {

namespace {

using Components = std::array<double, 3>;

// Of the edge of the box: what rounding moves a particle by. Nobody gets closer to a wall, so that
// at a face of the box nobody is folded to the other side.
constexpr double rounding = 8e-16;
// Nobody means walls between which a particle goes to and fro more often in a step.
constexpr int most_bounces = 100;

}  // namespace

// One particle, at the end of a drift, and how much of this is still to be looked at.
struct HardWalls::Flight {
    Components place, velocity;
    double left;
    std::size_t type;
    double mass;
    std::uint32_t id;
    Components edge;

    // How far behind the plane, and how fast it got there.
    [[nodiscard]] double depth(const HardWall& wall) const {
        const auto axis = static_cast<std::size_t>(wall.axis);
        return wall.upper ? place[axis] - wall.at : wall.at - place[axis];
    }
    [[nodiscard]] double speed(const HardWall& wall) const {
        const double v = velocity[static_cast<std::size_t>(wall.axis)];
        return wall.upper ? v : -v;
    }
    [[nodiscard]] double margin(const HardWall& wall) const {
        return rounding * edge[static_cast<std::size_t>(wall.axis)];
    }
    // From the plane to the face of the box that it looks at.
    [[nodiscard]] double reach(const HardWall& wall) const {
        return wall.upper ? wall.at : edge[static_cast<std::size_t>(wall.axis)] - wall.at;
    }
    [[noreturn]] void fail(const Plane& plane, const std::string& what) const {
        const Vec3 r{place[0], place[1], place[2]};
        throw Error("particle " + std::to_string(id) + " at " + shown(r) + " " + what + " " +
                    plane.name + "; " + plane.remedy);
    }
};

// Where no wall has anything to say to a type: in front of all planes, and in the box along their
// axes.
struct HardWalls::Region {
    Components low, high;
    [[nodiscard]] bool holds(const Row& r) const {
        return low[0] < r.x && r.x < high[0] && low[1] < r.y && r.y < high[1] && low[2] < r.z &&
               r.z < high[2];
    }
};

// What the walls gave to the particles of a chunk.
struct HardWalls::Given {
    double work{0.0};
    std::vector<Vec3> impulses;
    Given& operator+=(const Given& o) {
        work += o.work;
        if (impulses.empty()) impulses.resize(o.impulses.size());
        for (std::size_t k = 0; k < o.impulses.size(); ++k) impulses[k] += o.impulses[k];
        return *this;
    }
};

HardWalls::HardWalls(const External& law) : impulses_(law.terms.size()) {
    for (std::size_t k = 0; k < law.terms.size(); ++k) {
        const ExternalTerm& term = law.terms[k];
        if (const auto* wall = std::get_if<HardWall>(&term.field)) {
            planes_.push_back({*wall, term.acts_on, k, term.name, term.remedy});
        }
    }
}

bool HardWalls::any(const External& law) {
    return std::any_of(law.terms.begin(), law.terms.end(), [](const ExternalTerm& term) {
        return std::holds_alternative<HardWall>(term.field);
    });
}

std::vector<HardWalls::Region> HardWalls::regions(const std::array<double, 3>& edge) const {
    constexpr double far = std::numeric_limits<double>::infinity();
    std::vector<Region> found(planes_.front().acts_on.size(),
                              {{-far, -far, -far}, {far, far, far}});
    for (const Plane& plane : planes_) {
        const auto axis = static_cast<std::size_t>(plane.wall.axis);
        const double at = plane.wall.at, margin = rounding * edge[axis];
        for (std::size_t type = 0; type < found.size(); ++type) {
            if (plane.acts_on[type] == 0) continue;
            double &low = found[type].low[axis], &high = found[type].high[axis];
            low = std::max(low, plane.wall.upper ? 0.0 : at + margin);
            high = std::min(high, plane.wall.upper ? at - margin : edge[axis]);
        }
    }
    return found;
}

void HardWalls::start(PairEngine& engine, std::span<Motion> motion, std::span<const double> mass) {
    bounce(engine, motion, mass, 0.0);  // who is on a plane is on its way from it
    std::fill(impulses_.begin(), impulses_.end(), Vec3{});
}

double HardWalls::bounce(PairEngine& engine, std::span<Motion> motion, std::span<const double> mass,
                         double time) {
    const Box& box = engine.box();
    const Components edge{box.a().x, box.b().y, box.c().z};
    const std::vector<Region> free = regions(edge);
    const std::span<Row> rows = engine.rows();
    const auto total = parallel_sum<Given>(rows.size(), [&](std::size_t begin, std::size_t end) {
        Given given;
        for (std::size_t row = begin; row < end; ++row) {
            Row& r = rows[row];
            const auto type = static_cast<std::size_t>(r.tag);
            if (free[type].holds(r) || motion[row].inverse_mass == 0.0) continue;
            const Vec3& v = motion[row].v;
            Flight flight{{r.x, r.y, r.z}, {v.x, v.y, v.z},   time, type,
                          mass[row],       engine.ids()[row], edge};
            fly(flight, given);
            r = {flight.place[0], flight.place[1], flight.place[2], r.tag};
            motion[row].v = {flight.velocity[0], flight.velocity[1], flight.velocity[2]};
        }
        return given;
    });
    for (std::size_t k = 0; k < total.impulses.size(); ++k) impulses_[k] += total.impulses[k];
    return total.work;
}

// The plane that it went through first, with the time since then left; or none.
const HardWalls::Plane* HardWalls::crossed(Flight& flight) const {
    const Plane* first = nullptr;
    double longest = -1.0;
    for (const Plane& plane : planes_) {
        if (plane.acts_on[flight.type] == 0) continue;
        const HardWall& wall = plane.wall;
        const double depth = flight.depth(wall), speed = flight.speed(wall);
        const double margin = flight.margin(wall);
        if (depth < 0.0) continue;
        if (depth > std::max(speed, 0.0) * flight.left + margin) {
            flight.fail(plane, "is behind, and did not come through,");
        }
        if (speed <= 0.0) continue;  // at the wall, by rounding, and on its way from it
        const double since = std::min(depth / speed, flight.left);
        if (since > longest) {
            longest = since;
            first = &plane;
        }
    }
    if (first != nullptr) flight.left = longest;
    return first;
}

void HardWalls::fly(Flight& f, Given& given) const {
    int bounces = 0;
    while (const Plane* plane = crossed(f)) {
        const HardWall& wall = plane->wall;
        if (++bounces > most_bounces) f.fail(*plane, "bounces to and fro without end at");
        const auto axis = static_cast<std::size_t>(wall.axis);
        const Components moves{wall.velocity.x, wall.velocity.y, wall.velocity.z};
        const Components before = f.velocity;
        const double depth = f.depth(wall);
        Components change{};
        for (std::size_t k = 0; k < 3; ++k) {
            if (k != axis && !wall.turns_round) continue;
            // Twice the velocity of the wall, less what it was.
            f.velocity[k] = 2.0 * moves[k] - before[k];
            change[k] = f.mass * (f.velocity[k] - before[k]);
            if (k != axis) f.place[k] += (f.velocity[k] - before[k]) * f.left;
            // The force on it acts while it moves as the mean of before and after: with the wall.
            given.work += moves[k] * change[k];
        }
        f.place[axis] += wall.upper ? -2.0 * depth : 2.0 * depth;
        if (given.impulses.empty()) given.impulses.resize(impulses_.size());
        given.impulses[plane->term] += {change[0], change[1], change[2]};
    }
    for (const Plane& plane : planes_) {
        const auto axis = static_cast<std::size_t>(plane.wall.axis);
        const double margin = f.margin(plane.wall);
        if (plane.acts_on[f.type] == 0) continue;
        if (-f.depth(plane.wall) > f.reach(plane.wall)) {
            f.fail(plane, "has left the box by the face that is opposite to");
        }
        if (f.depth(plane.wall) >= -margin) {
            f.place[axis] = plane.wall.at + (plane.wall.upper ? -margin : margin);
        }
    }
}

std::vector<double> HardWalls::state() const {
    std::vector<double> out;
    for (const Vec3& p : impulses_) out.insert(out.end(), {p.x, p.y, p.z});
    return out;
}

void HardWalls::set_state(std::span<const double> state) {
    if (state.size() != 3 * impulses_.size()) {
        throw Error("the snapshot is one of another system or of other dynamics");
    }
    for (std::size_t k = 0; k < impulses_.size(); ++k) {
        impulses_[k] = {state[3 * k], state[3 * k + 1], state[3 * k + 2]};
    }
}

}  // namespace regrain::particles
