#include "pairwise_exchange.hpp"

#include <algorithm>

#include "flow.hpp"
#include "interactions.hpp"
#include "regrain/base/error.hpp"

namespace regrain::particles {

namespace {

PairwiseParameters frictionless(double cutoff, std::size_t types,
                                const std::vector<double>& repulsion) {
    PairwiseParameters p{types, cutoff, 2.0, {}};
    for (const double a : repulsion) p.of_pair.push_back({{a, 0.0, 0.0, 0.0}});
    return p;
}

bool any(const std::vector<double>& values) {
    return std::any_of(values.begin(), values.end(), [](double x) { return x != 0.0; });
}

}  // namespace

PairwiseExchange::PairwiseExchange(const Dpd& law, std::size_t types, std::vector<double> repulsion,
                                   double dt, std::uint64_t seed)
    : repulsion_(frictionless(law.cutoff, types, repulsion)),
      friction_{types, law.cutoff, law.exponent, {}},
      repels_(any(repulsion)),
      law_{law.kt, dt, false, 1.0},
      pass_(law.cutoff),
      seed_(seed) {
    for (const double friction : law.friction)
        friction_.of_pair.push_back({{0.0, friction, 0.0, 0.0}});
}

PairwiseExchange::PairwiseExchange(const LoweAndersen& law, std::size_t types,
                                   std::vector<double> repulsion, double dt, std::uint64_t seed)
    : repulsion_(frictionless(law.cutoff, types, repulsion)),
      friction_(frictionless(law.cutoff, types, std::vector<double>(types * types, 0.0))),
      repels_(any(repulsion)),
      law_{law.kt, dt, true, law.rate * dt},
      pass_(law.cutoff),
      seed_(seed) {}

PairwiseSums PairwiseExchange::repel(const Present& now, std::span<Vec3> forces, bool with_sums) {
    return pass_.add(repulsion_, now, {}, PairNoise(seed_, pair_noise, now.step), forces,
                     with_sums);
}

void PairwiseExchange::forces(const Present& now, std::span<Vec3> forces, Totals* totals) {
    pass_.cells().check(now.engine.box());
    if (!repels_) return;
    const PairwiseSums sums = repel(now, forces, totals != nullptr);
    if (totals == nullptr) return;
    totals->add("pair", sums.energy);
    totals->add(sums.virial);
}

void PairwiseExchange::measure(const Present& now, Totals& totals) {
    if (repels_) {
        std::vector<Vec3> scratch(now.motion.size());
        const PairwiseSums sums = repel(now, scratch, true);
        totals.add("pair", sums.energy);
        totals.add(sums.virial);
    }
    totals.add(virial_);
}

double PairwiseExchange::exchange(const Present& now, std::span<Motion> motion) {
    const PairNoise noise(seed_, pair_noise, now.step);
    PairwiseCells& cells = pass_.cells();
    if (!repels_) cells.assign(now.engine, now.motion, {}, noise);
    const auto sums = cells.sum_over_tiles<SweepSums>([&](const PairwiseCells::Tile& tile) {
        SweepSums of_tile;
        sweep_kernel({&friction_, &law_, &cells, &noise, now.flow, tile, motion.data(), &of_tile});
        return of_tile;
    });
    for (std::size_t k = 0; k < 6; ++k) virial_[k] = sums.virial[k] / law_.dt;
    // That of the velocities beside the flow: the sweep knows those in the laboratory.
    return sums.heat + power(now.flow, sums.virial);
}

std::vector<double> PairwiseExchange::state() const { return {virial_.begin(), virial_.end()}; }

void PairwiseExchange::set_state(std::span<const double> state) {
    if (state.size() != virial_.size()) {
        throw Error("the snapshot is one of other dynamics: pairwise exchange has another state");
    }
    std::copy(state.begin(), state.end(), virial_.begin());
}

}  // namespace regrain::particles
