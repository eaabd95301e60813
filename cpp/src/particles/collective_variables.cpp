#include "collective_variables.hpp"

#include <cmath>
#include <numbers>
#include <string>

#include "internal_coordinates.hpp"
#include "regrain/base/error.hpp"

namespace regrain::particles {

namespace {

using Kind = CollectiveVariable::Kind;

std::array<double, 3> components(const Vec3& r) { return {r.x, r.y, r.z}; }

Vec3 unit(int axis) {
    return {axis == 0 ? 1.0 : 0.0, axis == 1 ? 1.0 : 0.0, axis == 2 ? 1.0 : 0.0};
}

// Reads one variable; groups are whole, each followed from its first particle.
class Reader {
public:
    Reader(const CollectiveVariable& variable, const PairEngine& engine)
        : v_(variable), engine_(engine), reach_(0.5 * engine.box().min_height()) {
        for (const auto& group : v_.groups) {
            reading_.gradient.emplace_back(group.size());
            places_.push_back(v_.kind == Kind::coordination ? as_they_are(group) : whole(group));
        }
    }

    Reading read() {
        switch (v_.kind) {
            case Kind::position:
                position();
                break;
            case Kind::distance:
                distance();
                break;
            case Kind::angle:
                angle();
                break;
            case Kind::dihedral:
                dihedral();
                break;
            case Kind::radius_of_gyration:
                radius_of_gyration();
                break;
            case Kind::end_to_end:
                end_to_end();
                break;
            case Kind::coordination:
                coordination();
                break;
        }
        return std::move(reading_);
    }

private:
    const CollectiveVariable& v_;
    const PairEngine& engine_;
    double reach_;
    Reading reading_;
    std::vector<std::vector<Vec3>> places_;

    [[nodiscard]] Vec3 place(std::uint32_t id) const {
        const Row& r = engine_.rows()[engine_.row_of()[id]];
        return {r.x, r.y, r.z};
    }

    [[nodiscard]] std::vector<Vec3> as_they_are(const std::vector<std::uint32_t>& group) const {
        std::vector<Vec3> places;
        for (const std::uint32_t id : group) places.push_back(place(id));
        return places;
    }

    [[nodiscard]] std::vector<Vec3> whole(const std::vector<std::uint32_t>& group) const {
        std::vector<Vec3> places = as_they_are(group);
        for (std::size_t k = 1; k < group.size(); ++k) {
            const Vec3 step = engine_.box().minimum_image(places[k] - places[k - 1]);
            // From here on another image may be the nearest in the next step, and the value jump.
            if (!(norm(step) < reach_)) {
                throw Error(v_.name + ": the particles " + std::to_string(group[k - 1]) + " and " +
                            std::to_string(group[k]) + ", next to each other in a group, are " +
                            std::to_string(norm(step)) +
                            " apart, which is not less than half the " + "box (" +
                            std::to_string(reach_) +
                            "): it is not defined which images "
                            "belong together; name neighbours one after the other, or take a "
                            "larger box");
            }
            places[k] = places[k - 1] + step;
        }
        return places;
    }

    [[nodiscard]] Vec3 centre(std::size_t g) const {
        Vec3 sum;
        for (std::size_t k = 0; k < places_[g].size(); ++k) sum += v_.weights[g][k] * places_[g][k];
        return sum;
    }

    void by_centre(std::size_t g, const Vec3& gradient) {
        for (std::size_t k = 0; k < places_[g].size(); ++k) {
            reading_.gradient[g][k] += v_.weights[g][k] * gradient;
        }
    }

    // Of what pulls with `gradient` at the end of d.
    void add_strain(const Vec3& d, const Vec3& g) {
        reading_.strain[0] += d.x * g.x;
        reading_.strain[1] += d.y * g.y;
        reading_.strain[2] += d.z * g.z;
        reading_.strain[3] += 0.5 * (d.x * g.y + d.y * g.x);
        reading_.strain[4] += 0.5 * (d.x * g.z + d.z * g.x);
        reading_.strain[5] += 0.5 * (d.y * g.z + d.z * g.y);
    }

    [[nodiscard]] Vec3 between(std::size_t from, std::size_t to) const {
        return engine_.box().minimum_image(centre(to) - centre(from));
    }

    // Along x and y a skewed box does not repeat by one length.
    [[nodiscard]] double period() const {
        const Box& box = engine_.box();
        const bool skewed = (v_.axis == 0 && (box.b().x != 0.0 || box.c().x != 0.0)) ||
                            (v_.axis == 1 && box.c().y != 0.0);
        if (skewed) {
            throw Error(v_.name +
                        ": along this axis the skewed box has no period; take z, a "
                        "distance, or a box with right angles");
        }
        return components({box.a().x, box.b().y, box.c().z})[static_cast<std::size_t>(v_.axis)];
    }

    void position() {
        reading_.period = period();
        const auto axis = static_cast<std::size_t>(v_.axis);
        if (v_.groups.size() == 1) {
            reading_.value = components(engine_.box().wrap(centre(0)))[axis];
        } else {
            const Vec3 d = between(1, 0);
            reading_.value = components(d)[axis];
            by_centre(1, -unit(v_.axis));
            add_strain(unit(v_.axis) * reading_.value, unit(v_.axis));
        }
        by_centre(0, unit(v_.axis));
    }

    void distance() {
        const Vec3 d = between(0, 1);
        reading_.value = norm(d);
        along(0, 1, d);
    }

    // A length along d that pulls two centres; where it is zero there is no direction.
    void along(std::size_t from, std::size_t to, const Vec3& d) {
        if (reading_.value == 0.0) return;
        const Vec3 direction = d * (1.0 / reading_.value);
        by_centre(from, -direction);
        by_centre(to, direction);
        add_strain(d, direction);
    }

    void angle() {
        const Vec3 a = between(1, 0), c = between(1, 2);
        const AngleGeometry found = angle_between(a, c);
        reading_.value = found.theta();
        by_centre(0, found.by_a);
        by_centre(2, found.by_c);
        by_centre(1, -(found.by_a + found.by_c));
        add_strain(a, found.by_a);
        add_strain(c, found.by_c);
    }

    void dihedral() {
        const Vec3 f = between(1, 0), g = between(2, 1), h = between(2, 3);
        const DihedralGeometry found = dihedral_of(f, g, h);
        reading_.value = found.phi;
        reading_.period = 2.0 * std::numbers::pi;
        for (std::size_t k = 0; k < 4; ++k) by_centre(k, found.gradient[k]);
        add_strain(f, found.gradient[0]);
        add_strain(-g, found.gradient[2]);
        add_strain(h - g, found.gradient[3]);
    }

    void radius_of_gyration() {
        const Vec3 c = centre(0);
        double sum = 0.0;
        for (std::size_t k = 0; k < places_[0].size(); ++k) {
            sum += v_.weights[0][k] * norm2(places_[0][k] - c);
        }
        reading_.value = std::sqrt(sum);
        if (reading_.value == 0.0) return;
        for (std::size_t k = 0; k < places_[0].size(); ++k) {
            const Vec3 d = places_[0][k] - c;
            const Vec3 gradient = d * (v_.weights[0][k] / reading_.value);
            reading_.gradient[0][k] = gradient;
            add_strain(d, gradient);
        }
    }

    void end_to_end() {
        const Vec3 d = places_[0].back() - places_[0].front();
        reading_.value = norm(d);
        if (reading_.value == 0.0) return;
        const Vec3 direction = d * (1.0 / reading_.value);
        reading_.gradient[0].front() -= direction;
        reading_.gradient[0].back() += direction;
        add_strain(d, direction);
    }

    void coordination() {
        for (std::size_t i = 0; i < places_[0].size(); ++i) {
            for (std::size_t j = 0; j < places_[1].size(); ++j) {
                if (v_.groups[0][i] == v_.groups[1][j]) continue;
                const Vec3 d = engine_.box().minimum_image(places_[1][j] - places_[0][i]);
                const double r2 = norm2(d);
                const double power = std::pow(r2 / (v_.r0 * v_.r0), 0.5 * v_.n);
                const double s = 1.0 / (1.0 + power);
                reading_.value += s;
                if (r2 == 0.0) continue;
                const Vec3 gradient = d * (-s * s * power * v_.n / r2);
                reading_.gradient[0][i] -= gradient;
                reading_.gradient[1][j] += gradient;
                add_strain(d, gradient);
            }
        }
    }
};

std::size_t fewest_groups(Kind kind) {
    switch (kind) {
        case Kind::distance:
        case Kind::coordination:
            return 2;
        case Kind::angle:
            return 3;
        case Kind::dihedral:
            return 4;
        default:
            return 1;
    }
}

}  // namespace

Reading read(const CollectiveVariable& variable, const PairEngine& engine) {
    return Reader(variable, engine).read();
}

std::array<bool, 3> moves_with_all(const CollectiveVariable& variable) {
    std::array<bool, 3> moves{};
    if (variable.kind == Kind::position && variable.groups.size() == 1) {
        moves[static_cast<std::size_t>(variable.axis)] = true;
    }
    return moves;
}

void check(const CollectiveVariable& v, std::size_t particles) {
    const std::size_t fewest = fewest_groups(v.kind);
    const std::size_t most = v.kind == Kind::position ? 2 : fewest;
    if (v.groups.size() < fewest || v.groups.size() > most || v.weights.size() != v.groups.size() ||
        v.axis < 0 || v.axis > 2) {
        throw Error(v.name + ": groups, weights or axis do not make a collective variable");
    }
    for (std::size_t g = 0; g < v.groups.size(); ++g) {
        if (v.groups[g].empty() || v.weights[g].size() != v.groups[g].size()) {
            throw Error(v.name + ": a group has no particles, or not a weight for each");
        }
        for (const std::uint32_t id : v.groups[g]) {
            if (id < particles) continue;
            throw Error(v.name + " names particle " + std::to_string(id) + ", but there are " +
                        std::to_string(particles) + ", counted from 0");
        }
    }
}

}  // namespace regrain::particles
