// Sums over clusters against loops over sites.
#include "regrain/lattice/sums.hpp"

#include <cmath>
#include <vector>

#include "check.hpp"

namespace {

using regrain::lattice::Cluster;
using regrain::lattice::Model;
using regrain::lattice::Spin;

// Over a lattice of two axes, site by site.
double plain(const Model& model, const Cluster& cluster, const std::vector<std::int8_t>& spins) {
    const int rows = model.shape[0], columns = model.shape[1];
    double total = 0;
    for (int y = 0; y < rows; ++y) {
        for (int x = 0; x < columns; ++x) {
            double product = 1;
            for (const auto& site : cluster) {
                const int a = y + site[0], b = x + site[1];
                if ((a >= rows && !model.periodic[0]) || (b >= columns && !model.periodic[1])) {
                    product = 0;
                    break;
                }
                product *= spins[static_cast<std::size_t>((a % rows) * columns + b % columns)];
            }
            total += product;
        }
    }
    return total;
}

}  // namespace

TEST("sums over clusters are those of loops over sites") {
    const Cluster pair = {{0, 0}, {1, 2}}, plaquette = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    for (const bool first : {true, false}) {
        for (const bool second : {true, false}) {
            Model model;
            model.shape = {5, 7};
            model.periodic = {first, second};
            model.terms = {{1.0, {pair, plaquette}}, {0.5, {plaquette}}, {0.1, {{{0, 0}}}}};
            std::vector<std::int8_t> spins(2 * 35);
            for (std::size_t k = 0; k < spins.size(); ++k) spins[k] = (k * k / 3) % 2 == 0 ? 1 : -1;
            std::vector<double> found(6);
            regrain::lattice::cluster_sums(model, spins, found);
            for (std::size_t s = 0; s < 2; ++s) {
                const std::vector<std::int8_t> one(spins.begin() + static_cast<long>(35 * s),
                                                   spins.begin() + static_cast<long>(35 * (s + 1)));
                CHECK(found[3 * s] == plain(model, pair, one) + plain(model, plaquette, one));
                CHECK(found[3 * s + 1] == plain(model, plaquette, one));
                CHECK(found[3 * s + 2] == plain(model, {{0, 0}}, one));
            }
        }
    }
}

TEST("clocks and angles have the same sums") {
    Model model;
    model.spin = Spin::clock;
    model.states = 5;
    model.shape = {4, 6};
    model.periodic = {true, false};
    model.terms = {{1.0, {{{0, 0}, {0, 1}}, {{0, 0}, {1, 0}}}}, {0.5, {{{0, 0}}}}};
    std::vector<std::int8_t> states(24);
    std::vector<double> angles(24);
    for (std::size_t k = 0; k < 24; ++k) {
        states[k] = static_cast<std::int8_t>(k * k % 5);
        angles[k] = 2 * 3.141592653589793 * states[k] / 5;
    }
    std::vector<double> clock(2), xy(2);
    regrain::lattice::cluster_sums(model, states, clock);
    model.spin = Spin::xy;
    regrain::lattice::cluster_sums(model, angles, xy);
    CHECK_NEAR(clock[0], xy[0], 1e-12);
    CHECK_NEAR(clock[1], xy[1], 1e-12);
}
