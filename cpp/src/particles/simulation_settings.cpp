// What is wrong with settings.
#include <algorithm>
#include <cmath>
#include <string>

#include "../base/messages.hpp"
#include "simulation_impl.hpp"

namespace regrain::particles {

namespace {

void check_rates(const PerType& rates, std::size_t types, const std::string& name) {
    const std::size_t n = rates.values.size();
    if (n != 1 && n != types) {
        throw Error(name + ": got " + std::to_string(n) +
                    " numbers, expected one or one for each " + "of " + std::to_string(types) +
                    " types");
    }
}

void check_law(const Nve&, std::size_t) {}

void check_law(const Langevin& d, std::size_t types) {
    require(zero_or_more(d.kt), "temperature must be zero or more", d.kt);
    check_rates(d.friction, types, "friction");
    bool any = false;
    for (const double f : d.friction.values) {
        require(zero_or_more(f), "friction must be a positive number, or zero for some types", f);
        any = any || f > 0.0;
    }
    require(any, "friction must be positive for at least one type", 0.0);
}

void check_law(const NoseHoover& d, std::size_t) {
    require(positive(d.kt), "temperature must be a positive number", d.kt);
    require(positive(d.time), "the thermostat's time must be a positive number", d.time);
    require(d.chain >= 1, "a Nose-Hoover chain has at least one link", d.chain);
}

void check_law(const Brownian& d, std::size_t types) {
    const bool by_friction = !d.friction.values.empty();
    if (by_friction != d.diffusion.values.empty()) {
        throw Error(
            "Brownian dynamics needs frictions or diffusion coefficients; give one of both");
    }
    const PerType& rates = by_friction ? d.friction : d.diffusion;
    const std::string name = by_friction ? "friction" : "diffusion";
    require(by_friction ? zero_or_more(d.kt) : positive(d.kt), "temperature must be positive",
            d.kt);
    check_rates(rates, types, name);
    for (const double x : rates.values)
        require(positive(x), name + " must be a positive number", x);
}

void check_law(const GeneralizedLangevin& d, std::size_t) {
    require(zero_or_more(d.kt), "temperature must be zero or more", d.kt);
    if (d.strengths.empty() || d.strengths.size() != d.times.size()) {
        throw Error("the kernel of generalised Langevin dynamics has " +
                    std::to_string(d.strengths.size()) + " strengths and " +
                    std::to_string(d.times.size()) + " times; give one of each per term");
    }
    for (const double c : d.strengths) require(positive(c), "a strength must be positive", c);
    for (const double t : d.times) require(positive(t), "a memory's time must be positive", t);
}

void check_law(const Dpd& d, std::size_t types) {
    require(positive(d.kt), "DPD noise with a zero temperature: temperature must be positive",
            d.kt);
    require(positive(d.cutoff), "the cutoff of a thermostat must be a positive number", d.cutoff);
    require(positive(d.exponent), "the exponent of the weight must be a positive number",
            d.exponent);
    require(d.predictor >= 0.0 && d.predictor <= 1.0, "the predictor must be from 0 to 1",
            d.predictor);
    if (d.friction.size() != types * types) {
        throw Error("got " + std::to_string(d.friction.size()) + " frictions for " +
                    std::to_string(types) + " types; give one of each pair of types");
    }
    for (const double f : d.friction) require(zero_or_more(f), "friction must be zero or more", f);
}

void check_law(const LoweAndersen& d, std::size_t) {
    require(positive(d.kt), "temperature must be a positive number", d.kt);
    require(positive(d.cutoff), "the cutoff of a thermostat must be a positive number", d.cutoff);
    require(positive(d.rate), "the rate of collisions must be a positive number", d.rate);
}

void check_barostat(const CellRescale& b, const Dynamics& dynamics) {
    require(std::isfinite(b.pressure), "pressure must be a number", b.pressure);
    require(positive(b.kt), "temperature must be a positive number", b.kt);
    require(positive(b.time), "the barostat's time must be a positive number", b.time);
    require(positive(b.compressibility), "compressibility must be a positive number",
            b.compressibility);
    require(b.every >= 1, "a barostat acts every 1 or more steps", b.every);
    require(std::isfinite(b.tension), "tension must be a number", b.tension);
    require(b.tension == 0.0 || b.coupling != Coupling::isotropic,
            "a surface tension needs a cell whose height changes apart from its area", b.tension);
    if (std::holds_alternative<Nve>(dynamics)) {
        throw Error("a barostat needs a thermostat; use Langevin or NoseHoover dynamics");
    }
}

}  // namespace

void check(const SimulationSettings& s, std::size_t types) {
    require(positive(s.dt), "dt must be a positive number", s.dt);
    require(zero_or_more(s.skin), "skin must be zero or more", s.skin);
    std::visit([types](const auto& law) { check_law(law, types); }, s.dynamics);
    if (const auto* d = std::get_if<LoweAndersen>(&s.dynamics)) {
        require(d->rate * s.dt <= 1.0,
                "rate * dt, the probability of a collision in a step, must be at most 1",
                d->rate * s.dt);
    }
    if (const auto* d = std::get_if<NoseHoover>(&s.dynamics)) {
        require(d->time >= s.dt,
                "the thermostat's time must be no less than the time step, and "
                "is best ten of them or more",
                d->time);
    }
    if (s.barostat) check_barostat(*s.barostat, s.dynamics);
}

}  // namespace regrain::particles
