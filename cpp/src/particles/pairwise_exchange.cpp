#include "pairwise_exchange.hpp"

#include <algorithm>
#include <utility>

#include "interactions.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

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

// The colour along one direction, of columns `apart` of which touch nothing in common: the rest at
// the end of a period has colours of its own.
std::size_t colour_along(std::size_t at, std::size_t count, std::size_t apart) {
    const std::size_t whole = count - count % apart;
    return at < whole ? at % apart : apart + at - whole;
}

}  // namespace

PairwiseExchange::PairwiseExchange(const Dpd& law, std::size_t types, std::vector<double> repulsion,
                                   double dt, std::uint64_t seed)
    : repulsion_(frictionless(law.cutoff, types, repulsion)),
      friction_{types, law.cutoff, law.exponent, {}},
      repels_(any(repulsion)),
      law_{law.kt, dt, false, 1.0},
      cells_(law.cutoff),
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
      cells_(law.cutoff),
      seed_(seed) {}

PairwiseSums PairwiseExchange::repel(const Present& now, std::span<Vec3> forces, bool with_sums) {
    const PairNoise noise(seed_, pair_noise, now.step);
    cells_.assign(now.engine, now.motion, {});
    return parallel_sum<PairwiseSums>(
        cells_.columns(),
        [&](std::size_t begin, std::size_t end) {
            PairwiseTask task{&repulsion_, &cells_, now.motion.data(), &noise,   {},
                              begin,       end,     forces.data(),     with_sums};
            pairwise_kernel(task);
            if (task.suspicious) cells_.name_the_close(begin, end);
            return task.sums;
        },
        cells_.columns_per_task());
}

void PairwiseExchange::forces(const Present& now, std::span<Vec3> forces, Totals* totals) {
    cells_.check(now.engine.box());
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

// Pairs belong to the lower of two particles, so that a column touches the three around it in its
// own layer along z and in the next; one more where layers that are next to each other across the
// border of a skewed box are out of step.
void PairwiseExchange::choose_colours(const Box& box) {
    const std::size_t apart = box.c().y == 0.0 ? 3 : 4;
    const std::size_t ny = cells_.columns_y();
    const std::size_t nz = cells_.columns() / ny;
    const std::array<std::size_t, 3> grid{ny, nz, apart};
    if (grid == coloured_) return;
    coloured_ = grid;
    const std::size_t most_y = apart + ny % apart;
    const std::size_t most_z = 2 + nz % 2;
    colours_.assign(most_y * most_z, {});
    for (std::size_t z = 0; z < nz; ++z) {
        for (std::size_t y = 0; y < ny; ++y) {
            const std::size_t colour = colour_along(z, nz, 2) * most_y + colour_along(y, ny, apart);
            colours_[colour].push_back(static_cast<std::uint32_t>(z * ny + y));
        }
    }
}

double PairwiseExchange::exchange(const Present& now, std::span<Motion> motion) {
    if (!repels_) cells_.assign(now.engine, now.motion, {});
    choose_colours(now.engine.box());
    const PairNoise noise(seed_, pair_noise, now.step);
    SweepSums total;
    for (const std::vector<std::uint32_t>& columns : colours_) {
        total += parallel_sum<SweepSums>(
            columns.size(),
            [&](std::size_t begin, std::size_t end) {
                SweepSums sums;
                for (std::size_t k = begin; k < end; ++k) {
                    SweepTask task{&friction_, &law_,      &cells_,      &noise,
                                   now.flow,   columns[k], motion.data()};
                    sweep_kernel(task);
                    sums += task.sums;
                }
                return sums;
            },
            cells_.columns_per_task());
    }
    for (std::size_t k = 0; k < 6; ++k) virial_[k] = total.virial[k] / law_.dt;
    return total.heat;
}

std::vector<double> PairwiseExchange::state() const { return {virial_.begin(), virial_.end()}; }

void PairwiseExchange::set_state(std::span<const double> state) {
    if (state.size() != virial_.size()) {
        throw Error("the snapshot is one of other dynamics: pairwise exchange has another state");
    }
    std::copy(state.begin(), state.end(), virial_.begin());
}

}  // namespace regrain::particles
