// Dissipative particle dynamics as forces: what Groot and Warren's velocity Verlet adds to a step.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "hooks.hpp"
#include "pairwise_pass.hpp"

namespace regrain::particles {

class PairwiseForces : public Pairwise {
public:
    /// `repulsion` holds, per pair of types, the a of soft potentials with the cutoff of the law,
    /// which come in the same pass.
    PairwiseForces(const Dpd& law, std::size_t types, std::vector<double> repulsion, double dt,
                   std::uint64_t seed);

    [[nodiscard]] bool exchanges() const override { return false; }
    void forces(const Present& now, std::span<Vec3> forces, Totals* totals) override;
    void measure(const Present& now, Totals& totals) override;
    [[nodiscard]] std::span<const std::uint32_t> order(const Present& now) override {
        return pass_.cells().order(now.engine, now.motion);
    }
    [[nodiscard]] double heat() const override { return heat_; }

    [[nodiscard]] std::vector<double> state() const override;
    void set_state(std::span<const double> state) override;

private:
    void follow_heat(const PairwiseSums& sums, bool first);
    void follow_rows(const PairEngine& engine);
    [[nodiscard]] std::vector<Vec3> lead_by_id() const;

    static constexpr std::uint64_t no_version = ~std::uint64_t{0};

    PairwiseParameters parameters_;
    PairwisePass pass_;
    double dt_;
    double ahead_;  ///< (lambda - 1/2) dt
    std::uint64_t seed_;
    std::vector<Vec3> lead_;          ///< by row, of predicted velocities; empty if lambda is 1/2
    std::vector<std::uint32_t> ids_;  ///< of the rows of these
    std::uint64_t version_{no_version};  ///< of their order
    double heat_{0.0};                   ///< given to the particles until the end of the step
    double pending_{0.0};                ///< what the next half kick gives
};

}  // namespace regrain::particles
