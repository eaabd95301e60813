#include "barostat.hpp"

#include <cmath>
#include <string>

#include "regrain/base/error.hpp"

namespace regrain::particles {

// Ito's d lambda = (beta lambda / 2 tau) (P - P0 + kT / 2V) dt + sqrt(kT beta / 2 tau) dW for
// lambda = sqrt(V) (Bernetti and Bussi, section II); where the momentum is conserved the centre of
// mass is missing from the kinetic pressure.
CellChange rescale(const CellRescale& b, double time_step, const Box& box, const CellState& state,
                   const Philox& noise, std::uint64_t step) {
    const double dt = b.every * time_step;
    const double volume = box.volume();
    const double lambda = std::sqrt(volume);
    const double kinetic = 0.5 * (state.kinetic[0] + state.kinetic[1] + state.kinetic[2]);
    const double virial = state.virial[0] + state.virial[1] + state.virial[2];
    const double missing = (state.missing[0] + state.missing[1] + state.missing[2]) / 3.0;
    const double excess =
        (2.0 / 3.0 * kinetic + virial / 3.0 + (missing + 0.5) * b.kt) / volume - b.pressure;
    const double change =
        0.5 * b.compressibility * lambda / b.time * excess * dt +
        std::sqrt(0.5 * b.kt * b.compressibility / b.time * dt) * noise.normal4(step, 0)[0];
    const double ratio = (lambda + change) / lambda;
    if (!(std::abs(ratio - 1.0) < 0.25)) {
        throw Error("step " + std::to_string(step + 1) + ": the barostat would change the " +
                    "volume by " + std::to_string(100.0 * (ratio * ratio - 1.0)) +
                    " percent at once; give it a longer time, a smaller compressibility, or "
                    "a start closer to the pressure");
    }
    const double log_stretch = 2.0 * std::log(ratio) / 3.0;
    const double s = std::exp(log_stretch);
    return {CellMap{s, s, s}, {log_stretch, log_stretch, log_stretch}};
}

}  // namespace regrain::particles
