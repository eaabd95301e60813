#include "flow.hpp"

#include <algorithm>
#include <cmath>

namespace regrain::particles {

namespace {

Box box_of(const Vec3& a, const Vec3& b, const Vec3& c) {
    return Box({{{a.x, a.y, a.z}, {b.x, b.y, b.z}, {c.x, c.y, c.z}}});
}

// How often the edge goes into a tilt, beyond what may stay.
std::int32_t turns(double tilt, double edge) {
    const double t = tilt / edge;
    return std::abs(t) > 0.5 ? static_cast<std::int32_t>(std::lround(t)) : 0;
}

}  // namespace

// The matrix exponential, whose series ends with the square.
CellMap carry(const FlowGradient& g, double time) {
    CellMap map;
    map.yx = g.yx * time;
    map.zy = g.zy * time;
    map.zx = g.zx * time + 0.5 * g.zy * g.yx * time * time;
    return map;
}

double power(const FlowGradient& g, const std::array<double, 6>& w) {
    return -(g.yx * w[3] + g.zx * w[4] + g.zy * w[5]);
}

LatticeNames::LatticeNames(const Box& old) : box(old) {
    const Vec3& a = old.a();
    Vec3 b = old.b(), c = old.c();
    ba = turns(b.x, a.x);
    b -= static_cast<double>(ba) * a;
    cb = turns(c.y, b.y);
    c -= static_cast<double>(cb) * b;
    ca = turns(c.x, a.x);
    c -= static_cast<double>(ca) * a;
    if (changed()) box = box_of(a, b, c);
}

// n_a a + n_b b + n_c c with b = b' + ba a and c = c' + ca a + cb b'.
std::array<std::int32_t, 3> LatticeNames::operator()(const std::array<std::int32_t, 3>& n) const {
    return {n[0] + ba * n[1] + ca * n[2], n[1] + cb * n[2], n[2]};
}

double lowest_height(const FlowGradient& g, const Box& box) {
    const LatticeNames upright(box);
    const Vec3& a = upright.box.a();
    Vec3 b = upright.box.b(), c = upright.box.c();
    // Tilts that the flow changes get as far as a half; which sign is lower depends on the others.
    double lowest = box.min_height();
    for (const double first : {-0.5, 0.5}) {
        for (const double second : {-0.5, 0.5}) {
            if (g.yx != 0.0) b.x = first * a.x;
            if (g.zy != 0.0) c.y = first * b.y;
            if (g.zx != 0.0 || g.zy != 0.0 || (g.yx != 0.0 && c.y != 0.0)) c.x = second * a.x;
            lowest = std::min(lowest, box_of(a, b, c).min_height());
        }
    }
    return lowest;
}

}  // namespace regrain::particles
