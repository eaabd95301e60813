#include "regrain/particles/barostat.hpp"

#include <cmath>
#include <numbers>
#include <string>

#include "regrain/base/error.hpp"

namespace regrain::particles {

namespace {

// Shapes change along these: x with y against z, and x against y.
constexpr double third = 0.57735026918962576;  // 1 / sqrt(3)
constexpr std::array<double, 3> flat{third / std::numbers::sqrt2, third / std::numbers::sqrt2,
                                     -third* std::numbers::sqrt2};
constexpr std::array<double, 3> skew{0.5 * std::numbers::sqrt2, -0.5 * std::numbers::sqrt2, 0.0};

double along(const std::array<double, 3>& x, const std::array<double, 3>& direction) {
    return x[0] * direction[0] + x[1] * direction[1] + x[2] * direction[2];
}

// Ito's d lambda = (beta lambda / 2 tau) (P - P0 + kT / 2V) dt + sqrt(kT beta / 2 tau) dW for
// lambda = sqrt(V) (Bernetti and Bussi, section II).
double volume_ratio(const CellRescale& b, double dt, double volume, double excess, double noise) {
    const double lambda = std::sqrt(volume);
    const double change =
        0.5 * b.compressibility * lambda / b.time * (excess + 0.5 * b.kt / volume) * dt +
        std::sqrt(0.5 * b.kt * b.compressibility / b.time * dt) * noise;
    const double ratio = (lambda + change) / lambda;
    return ratio * std::abs(ratio);
}

void require_small(double ratio, const char* what, std::uint64_t step) {
    if (std::abs(ratio - 1.0) < 0.5) return;
    throw Error("step " + std::to_string(step + 1) + ": the barostat would change the " + what +
                " by " + std::to_string(100.0 * (ratio - 1.0)) +
                " percent at once; give it a longer time, a smaller compressibility, or a start "
                "closer to the pressure");
}

}  // namespace

// In the logarithms x of the edges the density of states is V^(N + 1) exp(...), and with a mobility
// of beta / (3 tau V) for each, Ito's equation is dx = (beta / 3 tau) (P_xx + tension / L_z - P0)
// dt
// + sqrt(2 kT beta / (3 tau V)) dW. Their sum is the volume; what is left are shapes, whose
// mobility does not change with themselves.
CellChange rescale(const CellRescale& b, double time_step, const Box& box, const CellState& state,
                   const Philox& noise, std::uint64_t step) {
    const double dt = b.every * time_step;
    const double volume = box.volume();
    const double tension = b.tension / box.c().z;
    // Where the momentum is conserved the centre of mass is missing from the kinetic pressure.
    std::array<double, 3> pressure;
    for (std::size_t k = 0; k < 3; ++k) {
        const double kinetic = state.kinetic[k] + state.missing[k] * b.kt;
        pressure[k] = (kinetic + state.virial[k]) / volume + (k < 2 ? tension : 0.0);
    }
    const bool lateral = b.coupling == Coupling::lateral;
    const std::array<double, 3> share =
        lateral ? std::array{0.5, 0.5, 0.0} : std::array{1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0};
    const double mean = along(pressure, share);
    const std::array<double, 4> g = noise.normal4(step, 0);

    const double ratio = volume_ratio(b, dt, volume, mean - b.pressure, g[0]);
    require_small(ratio, "volume", step);
    CellChange change;
    for (std::size_t k = 0; k < 3; ++k) change.log_stretch[k] = std::log(ratio) * share[k];
    const double rate = b.compressibility / (3.0 * b.time) * dt;
    const double spread = std::sqrt(2.0 * b.kt * rate / volume);
    const auto reshape = [&](const std::array<double, 3>& direction, double random) {
        const double by = rate * along(pressure, direction) + spread * random;
        for (std::size_t k = 0; k < 3; ++k) change.log_stretch[k] += by * direction[k];
    };
    const bool all_apart = b.coupling == Coupling::anisotropic;
    if (all_apart || b.coupling == Coupling::semiisotropic) reshape(flat, g[1]);
    if (all_apart) reshape(skew, g[2]);
    for (const double x : change.log_stretch) require_small(std::exp(x), "shape", step);
    const auto& x = change.log_stretch;
    change.map = {std::exp(x[0]), std::exp(x[1]), std::exp(x[2])};
    return change;
}

}  // namespace regrain::particles
