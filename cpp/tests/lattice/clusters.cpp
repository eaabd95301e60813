// Threads that join sets of sites in any order.
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/lattice/sampler.hpp"

namespace {

using regrain::lattice::cluster_sampler;
using regrain::lattice::Model;

Model square(int edge, double strength, double field) {
    Model model;
    model.shape = {edge, edge};
    model.periodic = {true, true};
    model.terms = {{strength, {{{0, 0}, {0, 1}}, {{0, 0}, {1, 0}}}}, {field, {{{0, 0}}}}};
    return model;
}

}  // namespace

TEST("moves of all clusters do not depend on threads") {
    const int before = regrain::threads();
    for (const double field : {0.0, 0.02}) {
        std::vector<std::vector<std::int8_t>> found;
        for (const int threads : {1, 2, 3}) {
            regrain::set_threads(threads);
            const auto sampler = cluster_sampler(square(160, 0.44, field), true, 1, 1);
            std::vector<std::int8_t> spins(160 * 160, 1);
            sampler->assign(spins, 0);
            sampler->run(4);
            sampler->values(spins);
            found.push_back(spins);
        }
        CHECK(found[0] == found[1]);
        CHECK(found[0] == found[2]);
        CHECK(found[0] != std::vector<std::int8_t>(160 * 160, 1));
    }
    regrain::set_threads(before);
}

TEST("without couplings all spins are free, with strong ones none") {
    const auto magnetisation = [](double strength) {
        const auto sampler = cluster_sampler(square(64, strength, 0.0), true, 7, 1);
        std::vector<std::int8_t> spins(64 * 64, 1);
        sampler->assign(spins, 0);
        sampler->run(1);
        sampler->values(spins);
        double sum = 0;
        for (const auto spin : spins) sum += spin;
        return sum / static_cast<double>(spins.size());
    };
    CHECK_NEAR(magnetisation(0.0), 0.0, 5.0 / 64);  // five standard errors
    CHECK_NEAR(magnetisation(100.0) * magnetisation(100.0), 1.0, 0.0);
}

TEST("couplings of more than two sites tie no clusters") {
    Model model = square(8, 0.4, 0.0);
    model.terms.push_back({0.1, {{{0, 0}, {0, 1}, {1, 0}, {1, 1}}}});
    CHECK_THROWS(regrain::Error, cluster_sampler(model, true, 1, 1));
    CHECK_THROWS(regrain::Error, cluster_sampler(model, false, 1, 1));
}
