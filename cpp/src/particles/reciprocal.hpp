// Ewald's reciprocal sum, done directly: structure factors of the charges, and the forces of the
// waves on them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/vec3.hpp"
#include "regrain/particles/pair_engine.hpp"
#include "waves.hpp"

namespace regrain::particles {

/// Charges are in units in which the energy of two is q q' / r.
class ReciprocalSum {
public:
    /// `accuracy` is that of Ewald.
    ReciprocalSum(double alpha, double accuracy) : alpha_(alpha), accuracy_(accuracy) {}

    /// Energy (`charge`) and virial; forces are written to one place per charge.
    Sums compute(std::span<const Charge> charges, const Box& box, std::span<Vec3> forces);

    /// Chooses the waves for so many charges in a box, if it has not done so.
    void prepare(const Box& box, std::size_t charges);
    /// Of a step, estimated: seconds of one core.
    [[nodiscard]] double expected_cost(const Box& box, std::size_t charges) const;
    [[nodiscard]] double q_max() const { return q_max_; }
    [[nodiscard]] std::size_t wave_vectors() const { return wave_vectors_; }

private:
    [[nodiscard]] double needed(const Box& box, std::size_t charges) const;
    void add_line(const Box& box, std::int32_t k, std::int32_t l);
    Sums couple(const Box& box, std::size_t begin, std::size_t end);

    double alpha_, accuracy_, q_max_{0.0};
    std::optional<Box> box_;  ///< that the waves were chosen for
    std::size_t charges_{0}, wave_vectors_{0};
    std::array<std::int32_t, 3> last_{};  ///< the largest h, k and l
    std::vector<Lines> lines_;
    std::vector<std::array<double, 4>> weights_;  ///< of h and -h in a line, and in its twin
    std::vector<Overlap> overlaps_;
    std::vector<Coupling> couplings_;
    std::vector<std::optional<Phases>> batches_;
};

}  // namespace regrain::particles
