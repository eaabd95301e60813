#include "regrain/particles/barostat.hpp"

#include <cmath>
#include <functional>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"

using namespace regrain;
using namespace regrain::particles;

namespace {

// A cell with an energy of its own: n free particles and springs that hold the edges,
// U = sum k (L - l)^2 / 2. No particle is needed, as only pressures are.
constexpr double n = 3.0, kt = 0.8, stiffness = 2.0;
constexpr std::array<double, 3> rest{3.0, 4.0, 5.0};

double energy(const std::array<double, 3>& edges) {
    double sum = 0.0;
    for (std::size_t k = 0; k < 3; ++k) {
        sum += 0.5 * stiffness * (edges[k] - rest[k]) * (edges[k] - rest[k]);
    }
    return sum;
}

CellState state_of(const std::array<double, 3>& edges) {
    CellState state{};
    for (std::size_t k = 0; k < 3; ++k) {
        state.kinetic[k] = (n - 1.0) * kt;  // with the momentum taken out
        state.missing[k] = 1.0;
        state.virial[k] = -stiffness * (edges[k] - rest[k]) * edges[k];
    }
    return state;
}

struct Means {
    std::array<double, 3> edges{}, squares{};
    double volume{0.0};
    void add(const std::array<double, 3>& e, double weight) {
        for (std::size_t k = 0; k < 3; ++k) {
            edges[k] += weight * e[k];
            squares[k] += weight * e[k] * e[k];
        }
        volume += weight * e[0] * e[1] * e[2];
    }
};

// Averages over V^n exp(-(U + P V - tension A) / kT) by the midpoint rule, over the edges that are
// free: `edges` of up to three coordinates, with the measure of those.
Means quadrature(
    const CellRescale& b, double measure_of(const std::array<double, 3>&),
    const std::function<void(const std::function<void(std::array<double, 3>)>&)>& all) {
    Means means;
    double total = 0.0;
    all([&](const std::array<double, 3>& e) {
        const double volume = e[0] * e[1] * e[2];
        const double exponent = energy(e) + b.pressure * volume - b.tension * e[0] * e[1];
        const double weight = std::pow(volume, n) * std::exp(-exponent / b.kt) * measure_of(e);
        total += weight;
        means.add(e, weight);
    });
    for (std::size_t k = 0; k < 3; ++k) {
        means.edges[k] /= total;
        means.squares[k] /= total;
    }
    means.volume /= total;
    return means;
}

Means simulated(const CellRescale& b, std::array<double, 3> edges) {
    const Philox noise(11, 3);
    Means means;
    constexpr std::uint64_t steps = 400'000, first = 1000;
    for (std::uint64_t step = 0; step < steps + first; ++step) {
        const Box box(Vec3{edges[0], edges[1], edges[2]});
        const CellChange change = rescale(b, 1.0, box, state_of(edges), noise, step);
        for (std::size_t k = 0; k < 3; ++k) edges[k] *= std::exp(change.log_stretch[k]);
        if (step >= first) means.add(edges, 1.0 / steps);
    }
    return means;
}

constexpr std::size_t points = 80;
double at(std::size_t i, double low, double high) {
    return low + (high - low) * (static_cast<double>(i) + 0.5) / points;
}

// With a compressibility of about that of the cell edges lose their memory over 100 steps, so that
// 400 000 steps are 2 000 samples: tolerances are four standard deviations of means and variances.
void check_same(const Means& found, const Means& exact) {
    for (std::size_t k = 0; k < 3; ++k) {
        const double variance = exact.squares[k] - exact.edges[k] * exact.edges[k];
        if (variance < 1e-9) {  // a height that is fixed
            CHECK_NEAR(found.edges[k], rest[k], 1e-9);
            continue;
        }
        CHECK_NEAR(found.edges[k], exact.edges[k], 0.12 * std::sqrt(variance));
        const double of_run = found.squares[k] - found.edges[k] * found.edges[k];
        CHECK_NEAR(of_run / variance, 1.0, 0.12);
    }
    CHECK_NEAR(found.volume / exact.volume, 1.0, 0.02);
}

}  // namespace

TEST("the barostat samples the cell's density of states, whichever edges are free") {
    CellRescale b{kt, 0.1, 100.0, 4.5, 1};
    // V alone: dV at a fixed shape.
    check_same(simulated(b, rest), quadrature(
                                       b, [](const auto& e) { return e[0] * e[0]; },
                                       [](const auto& visit) {
                                           for (std::size_t i = 0; i < points; ++i) {
                                               const double s = at(i, 0.3, 2.0);
                                               visit({s * rest[0], s * rest[1], s * rest[2]});
                                           }
                                       }));
    // dA at a fixed ratio of x and y and a fixed height.
    b.coupling = Coupling::lateral;
    check_same(simulated(b, rest), quadrature(
                                       b, [](const auto& e) { return e[0]; },
                                       [](const auto& visit) {
                                           for (std::size_t i = 0; i < points; ++i) {
                                               const double s = at(i, 0.2, 2.5);
                                               visit({s * rest[0], s * rest[1], rest[2]});
                                           }
                                       }));
    // dA dL_z at a fixed ratio of x and y.
    b.coupling = Coupling::semiisotropic;
    b.tension = 0.5;
    check_same(simulated(b, rest), quadrature(
                                       b, [](const auto& e) { return e[0]; },
                                       [](const auto& visit) {
                                           for (std::size_t i = 0; i < points; ++i) {
                                               const double s = at(i, 0.2, 2.5);
                                               for (std::size_t k = 0; k < points; ++k) {
                                                   visit({s * rest[0], s * rest[1], at(k, 1, 10)});
                                               }
                                           }
                                       }));
    b.coupling = Coupling::anisotropic;
    check_same(simulated(b, rest),
               quadrature(
                   b, [](const auto&) { return 1.0; },
                   [](const auto& visit) {
                       for (std::size_t i = 0; i < points; ++i) {
                           for (std::size_t j = 0; j < points; ++j) {
                               for (std::size_t k = 0; k < points; ++k) {
                                   visit({at(i, 0.5, 8), at(j, 0.5, 9), at(k, 1, 10)});
                               }
                           }
                       }
                   }));
}

TEST("a cell that changes by a half at once is an error") {
    const CellRescale b{kt, 1000.0, 1.0, 1.0, 1};
    const Philox noise(1, 3);
    CHECK_THROWS(Error, rescale(b, 1.0, Box(Vec3{3, 3, 3}), state_of(rest), noise, 0));
}

TEST("maps of cells keep boxes triangular, and undo themselves") {
    CellMap map{1.1, 0.9, 1.3};
    map.yx = 0.2;
    map.zx = -0.1;
    map.zy = 0.3;
    const Vec3 r{0.3, -1.7, 2.2};
    const Vec3 back = map.inverse()(map(r));
    CHECK_NEAR(norm(back - r), 0.0, 1e-14);
    const Box box(std::array{std::array{5.0, 0.0, 0.0}, std::array{2.0, 4.0, 0.0},
                             std::array{-1.0, 1.5, 6.0}});
    const Box moved = map(box);
    const Vec3 s{0.2, 0.7, 0.4};
    CHECK_NEAR(norm(moved.cartesian(s) - map(box.cartesian(s))), 0.0, 1e-13);
}
