// Thermostats that exchange momentum pair after pair at the end of a step.
//
// The order of the pairs decides the result; it depends on the particles alone.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "hooks.hpp"
#include "pairwise_pass.hpp"
#include "pairwise_sweep.hpp"

namespace regrain::particles {

class PairwiseExchange : public Pairwise {
public:
    PairwiseExchange(const Dpd& law, std::size_t types, std::vector<double> repulsion, double dt,
                     std::uint64_t seed);
    PairwiseExchange(const LoweAndersen& law, std::size_t types, std::vector<double> repulsion,
                     double dt, std::uint64_t seed);

    [[nodiscard]] bool exchanges() const override { return true; }
    [[nodiscard]] double kt() const override { return law_.kt; }
    void forces(const Present& now, std::span<Vec3> forces, Totals* totals) override;
    double exchange(const Present& now, std::span<Motion> motion) override;
    void measure(const Present& now, Totals& totals) override;
    [[nodiscard]] std::span<const std::uint32_t> order(const Present& now) override {
        return pass_.cells().order(now.engine, now.motion);
    }

    [[nodiscard]] std::vector<double> state() const override;
    void set_state(std::span<const double> state) override;

private:
    [[nodiscard]] PairwiseSums repel(const Present& now, std::span<Vec3> forces, bool with_sums);

    PairwiseParameters repulsion_, friction_;
    bool repels_;
    SweepLaw law_;
    PairwisePass pass_;
    std::uint64_t seed_;
    std::array<double, 6> virial_{};  ///< of the last exchange
};

}  // namespace regrain::particles
