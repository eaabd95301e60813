#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "nose_hoover.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/random.hpp"
#include "regrain/particles/bonded.hpp"
#include "regrain/particles/coulomb.hpp"
#include "regrain/particles/simulation.hpp"
#include "regrain/particles/triples.hpp"
#include "step_kernel.hpp"

namespace regrain::particles {

using Image = std::array<std::int32_t, 3>;

// Who draws from the generator of a seed.
enum Stream : std::uint32_t { initial_velocities = 1, langevin_noise = 2, barostat_noise = 3 };

struct Tensor {
    std::array<double, 6> t{};
    Tensor& operator+=(const Tensor& o) {
        for (std::size_t k = 0; k < 6; ++k) t[k] += o.t[k];
        return *this;
    }
};

inline std::string place(const Vec3& r) {
    return "(" + std::to_string(r.x) + ", " + std::to_string(r.y) + ", " + std::to_string(r.z) +
           ")";
}

struct Simulation::Impl {
    SimulationSettings settings;
    double cutoff;
    bool excludes;
    PairEngine engine;
    TripleForces triples;
    BondedForces bonded;
    CoulombForces coulomb;
    std::vector<double> mass_of_id, mass;  // by id, by row
    std::vector<Motion> motion, old_motion;
    std::vector<Vec3> force;          // by row, and one more that vector loads may touch
    std::vector<Image> image_offset;  // by id
    std::uint64_t step{0};
    Philox cell;
    std::optional<NoseHooverChain> chain;
    double exchanged{0.0};          // heat and work that the particles were given
    double virial_trace{0.0};       // of the last evaluation that the barostat asked for
    double pending_log_ratio{0.0};  // of the volume, until the virial after the scaling is known
    double max_move{0.0};

    Impl(const ForceField& field, std::span<const std::int32_t> types,
         std::span<const double> masses, const SimulationSettings& s)
        : settings(s),
          cutoff(field.cutoff()),
          excludes(!field.exclusions.empty()),
          engine(field, types, s.skin),
          triples(field, s.skin),
          bonded(field, types.size()),
          coulomb(field, types.size()),
          mass_of_id(masses.begin(), masses.end()),
          mass(types.size()),
          motion(types.size()),
          force(types.size() + 1),
          image_offset(types.size()),
          cell(s.seed, barostat_noise) {
        for (std::size_t i = 0; i < mass_of_id.size(); ++i) {
            if (!(std::isfinite(mass_of_id[i]) && mass_of_id[i] > 0.0)) {
                throw Error("particle " + std::to_string(i) + " has mass " +
                            std::to_string(mass_of_id[i]) + "; dynamics needs positive masses");
            }
        }
        if (const auto* d = std::get_if<NoseHoover>(&s.dynamics)) {
            chain.emplace(d->kt, d->time, d->chain, degrees());
        }
    }

    [[nodiscard]] std::size_t size() const { return mass_of_id.size(); }
    [[nodiscard]] bool conserves_momentum() const {
        return !std::holds_alternative<Langevin>(settings.dynamics) && size() > 1;
    }
    [[nodiscard]] std::size_t degrees() const {
        return 3 * size() - (conserves_momentum() ? 3 : 0);
    }
    [[nodiscard]] bool barostat_acts(std::uint64_t at) const {
        return settings.barostat && at % static_cast<std::uint64_t>(settings.barostat->every) == 0;
    }

    // ------------------------------------------------------------------ the start

    void check_box() const {
        if (excludes && engine.box().min_height() < 2.0 * cutoff) {
            throw Error("the box is " + std::to_string(engine.box().min_height()) +
                        " high, less than two cutoffs of " + std::to_string(cutoff) +
                        ", so that a particle sees several images of another, and it is not "
                        "defined which of them a bond excludes; use a larger box or exclude=0");
        }
    }

    void draw_velocities(double kt, std::vector<Vec3>& by_id) const {
        const Philox generator(settings.seed, initial_velocities);
        for (std::size_t i = 0; i < by_id.size(); ++i) {
            const auto g = generator.normal4(0, static_cast<std::uint32_t>(i));
            by_id[i] = Vec3{g[0], g[1], g[2]} * std::sqrt(kt / mass_of_id[i]);
        }
    }

    void stop_drift(std::vector<Vec3>& by_id) const {
        Vec3 momentum;
        double total = 0.0;
        for (std::size_t i = 0; i < by_id.size(); ++i) {
            momentum += mass_of_id[i] * by_id[i];
            total += mass_of_id[i];
        }
        for (Vec3& v : by_id) v -= momentum * (1.0 / total);
    }

    void assign(std::span<const Vec3> positions, std::span<const Image> images,
                std::span<const Vec3> velocities, double kt, const Box& box) {
        std::vector<Vec3> by_id(velocities.begin(), velocities.end());
        if (velocities.empty()) {
            by_id.resize(size());
            draw_velocities(kt, by_id);
        }
        if (size() > 1 && (velocities.empty() || conserves_momentum())) stop_drift(by_id);
        engine.assign(positions, box);
        check_box();
        image_offset.assign(size(), Image{});
        std::copy(images.begin(), images.end(), image_offset.begin());
        for (std::size_t row = 0; row < size(); ++row) {
            motion[row].v = by_id[engine.ids()[row]];
        }
        gather_masses();
        limit_moves();
        step = 0;
        exchanged = 0.0;
        evaluate(barostat_acts(step + 1));
    }

    void gather_masses() {
        const auto ids = engine.ids();
        for (std::size_t row = 0; row < size(); ++row) {
            mass[row] = mass_of_id[ids[row]];
            motion[row].inverse_mass = 1.0 / mass[row];
        }
    }

    void limit_moves() { max_move = cutoff > 0.0 ? 0.2 * cutoff : 0.5 * engine.box().min_height(); }

    // ------------------------------------------------------------------ forces

    [[nodiscard]] std::span<Vec3> forces() { return std::span(force).first(size()); }

    void evaluate(bool with_sums) {
        Sums space = engine.compute(forces(), with_sums);
        space += triples.compute(engine, forces());
        space += coulomb.compute(engine, forces());
        const BondedSums b =
            bonded.compute(engine.rows(), engine.row_of(), engine.ids(), engine.box(), forces());
        if (!with_sums) return;
        virial_trace = space.virial[0] + space.virial[1] + space.virial[2] + b.virial[0] +
                       b.virial[1] + b.virial[2];
    }

    void follow_particles() {
        const std::span<const std::uint32_t> old_row = engine.refresh();
        if (old_row.empty()) return;
        old_motion.swap(motion);
        motion.resize(size());
        parallel_for(size(), [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) motion[row] = old_motion[old_row[row]];
        });
        gather_masses();
    }

    // ------------------------------------------------------------------ pieces of a step

    [[nodiscard]] Tensor kinetic_tensor() const {
        return parallel_sum<Tensor>(size(), [&](std::size_t begin, std::size_t end) {
            Tensor sum;
            for (std::size_t row = begin; row < end; ++row) {
                const Vec3& v = motion[row].v;
                const double m = mass[row];
                sum += {{m * v.x * v.x, m * v.y * v.y, m * v.z * v.z, m * v.x * v.y, m * v.x * v.z,
                         m * v.y * v.z}};
            }
            return sum;
        });
    }
    [[nodiscard]] double kinetic() const {
        const Tensor t = kinetic_tensor();
        return 0.5 * (t.t[0] + t.t[1] + t.t[2]);
    }

    void scale_velocities(double factor) {
        parallel_for(size(), [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) motion[row].v *= factor;
        });
    }

    // Every kick is made by the same kernel, so that its bits are the same wherever it is made.
    void pass(int kicks, double drift, const Bath* bath = nullptr, bool drift_again = false) {
        const double fastest = max_move / settings.dt;
        const Pass work{engine.rows().data(),
                        motion.data(),
                        force.data(),
                        mass.data(),
                        engine.ids().data(),
                        kicks,
                        0.5 * settings.dt,
                        drift,
                        bath,
                        drift_again,
                        fastest};
        const auto outcome = parallel_sum<PassOutcome>(
            size(),
            [&](std::size_t begin, std::size_t end) { return step_kernel(work, begin, end); });
        exchanged += outcome.heat;
        if (outcome.wild) name_the_wild(fastest);
    }

    [[noreturn]] void name_the_wild(double fastest) const {
        for (std::size_t id = 0; id < size(); ++id) {
            const std::size_t row = engine.row_of()[id];
            const Vec3& v = motion[row].v;
            const double speed = std::max({std::abs(v.x), std::abs(v.y), std::abs(v.z)});
            if (finite(v) && speed <= fastest) continue;
            const Row& r = engine.rows()[row];
            const std::string what = "step " + std::to_string(step + 1) + ": particle " +
                                     std::to_string(id) + " at " + place({r.x, r.y, r.z});
            if (!finite(v)) {
                throw Error(what + " has a velocity that is not a number; it feels a force of " +
                            place(force[row]));
            }
            throw Error(what + " moves by " + std::to_string(norm(v) * settings.dt) +
                        " in one step, and no more than " + std::to_string(max_move) +
                        " is trusted; use a smaller time step or a start with fewer overlaps");
        }
        throw Error("step " + std::to_string(step + 1) + ": a particle moves too far");
    }

    // ------------------------------------------------------------------ the barostat

    // Ito's d lambda = (beta lambda / 2 tau) (P - P0 + kT / 2V) dt + sqrt(kT beta / 2 tau) dW for
    // lambda = sqrt(V) (Bernetti and Bussi, section II); where the momentum is conserved the
    // centre of mass is missing from the kinetic pressure.
    void rescale_cell() {
        const CellRescale& b = *settings.barostat;
        const double dt = b.every * settings.dt;
        const double kinetic_energy = kinetic();
        const double volume = engine.box().volume();
        const double lambda = std::sqrt(volume);
        const double ideal = (conserves_momentum() ? 1.5 : 0.5) * b.kt;
        const double excess =
            (2.0 / 3.0 * kinetic_energy + virial_trace / 3.0 + ideal) / volume - b.pressure;
        const double noise = cell.normal4(step, 0)[0];
        const double change = 0.5 * b.compressibility * lambda / b.time * excess * dt +
                              std::sqrt(0.5 * b.kt * b.compressibility / b.time * dt) * noise;
        const double ratio = (lambda + change) / lambda;
        if (!(std::abs(ratio - 1.0) < 0.25)) {
            throw Error("step " + std::to_string(step + 1) + ": the barostat would change the " +
                        "volume by " + std::to_string(100.0 * (ratio * ratio - 1.0)) +
                        " percent at once; give it a longer time, a smaller compressibility, or "
                        "a start closer to the pressure");
        }
        const double log_ratio = 2.0 * std::log(ratio);
        exchanged += kinetic_energy * (std::exp(-2.0 / 3.0 * log_ratio) - 1.0);
        exchanged -= 0.5 * virial_trace / 3.0 * log_ratio;
        scale_cell(std::exp(log_ratio / 3.0));
        pending_log_ratio = log_ratio;
    }

    void scale_cell(double s) {
        const Box& old = engine.box();
        const auto vector = [s](const Vec3& v) {
            return std::array<double, 3>{v.x * s, v.y * s, v.z * s};
        };
        const Box box(std::array{vector(old.a()), vector(old.b()), vector(old.c())});
        const std::span<Row> rows = engine.rows();
        parallel_for(size(), [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) {
                rows[row].x *= s;
                rows[row].y *= s;
                rows[row].z *= s;
                motion[row].v *= 1.0 / s;
            }
        });
        engine.set_box(box);
        check_box();
        limit_moves();
    }

    // ------------------------------------------------------------------ time

    // All dynamics are: chain, half kick, half drift, middle, half drift, forces, half kick, chain,
    // where heat (Langevin) and the cell (barostat) change in the middle.
    void advance(int kicks) {
        const double dt = settings.dt;
        const bool scales = barostat_acts(step + 1);
        if (chain) scale_velocities(chain->advance(kinetic(), 0.5 * dt));
        if (const auto* d = std::get_if<Langevin>(&settings.dynamics)) {
            const double keep = std::exp(-d->friction * dt);
            const Bath bath{settings.seed, langevin_noise, step, keep,
                            std::sqrt(d->kt * (1.0 - keep * keep))};
            pass(kicks, 0.5 * dt, &bath, !scales);
        } else {
            pass(kicks, scales ? 0.5 * dt : dt);
        }
        if (scales) {
            rescale_cell();
            pass(0, 0.5 * dt);
        }
        follow_particles();
        evaluate(scales || barostat_acts(step + 2));
        if (scales) exchanged -= 0.5 * virial_trace / 3.0 * pending_log_ratio;
        if (chain) {
            pass(1, 0.0);
            scale_velocities(chain->advance(kinetic(), 0.5 * dt));
        }
        ++step;
    }

    void run(std::uint64_t steps) {
        for (std::uint64_t k = 0; k < steps; ++k) advance(k == 0 || chain ? 1 : 2);
        if (steps > 0 && !chain) pass(1, 0.0);
    }
};

}  // namespace regrain::particles
