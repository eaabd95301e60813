#include "regrain/particles/coulomb.hpp"

#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "mesh.hpp"
#include "pair_list.hpp"
#include "pair_parameters.hpp"
#include "reciprocal.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain::particles {

namespace {

// Charges are sums of rounded ones; what is left of them is no charge.
constexpr double roundings = 1e-7;

double total(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

void check_neutral(const Charges& charges) {
    const auto* ewald = std::get_if<Ewald>(&charges.method);
    if (ewald == nullptr || ewald->background) return;
    const double sum = total(charges.values);
    double size = 0.0;
    for (const double q : charges.values) size += std::abs(q);
    if (std::abs(sum) <= roundings * size) return;
    throw Error("the charges add up to " + std::to_string(sum) +
                ", and the energy of a periodic system that is not neutral is infinite; add "
                "counter-ions, check the charges of the topology, or ask for a uniform charge that "
                "makes it neutral (background=True)");
}

}  // namespace

struct CoulombForces::Impl {
    ChargeParameters parameters;
    Exclusions exclusions;
    std::optional<ReciprocalSum> waves;
    std::optional<MeshSum> mesh;
    std::optional<bool> on_mesh;   // if it was said
    double square{0.0}, sum{0.0};  // of all charges
    std::vector<Charge> charges;   // those that are not zero, by row ...
    std::vector<std::uint32_t> row;
    std::vector<Vec3> force;
    Vec3 push;  // all of them together

    Impl(const ForceField& field, std::size_t n)
        : parameters(*field.charges, n), exclusions(field.exclusions, n) {
        check_neutral(*field.charges);
        if (const auto* ewald = std::get_if<Ewald>(&field.charges->method)) {
            waves.emplace(parameters.screen.alpha(), ewald->accuracy);
            mesh.emplace(parameters.screen.alpha(), ewald->accuracy);
            on_mesh = ewald->mesh;
        }
        sum = total(parameters.of_id);
        for (const double q : parameters.of_id) square += q * q;
    }

    // Each charge feels its own cloud, and the background a cloud of all.
    [[nodiscard]] Sums constants(const Box& box) const {
        Sums sums;
        sums.charge = -0.5 * parameters.screen(0.0).energy * square;
        if (!waves) return sums;
        const double alpha = parameters.screen.alpha();
        const double background =
            -0.5 * std::numbers::pi * sum * sum / (alpha * alpha * box.volume());
        sums.charge += background;
        for (std::size_t k = 0; k < 3; ++k) sums.virial[k] += background;
        return sums;
    }

    [[nodiscard]] bool takes_mesh(const Box& box, std::size_t n) const {
        if (on_mesh) return *on_mesh;
        return n > 0 && mesh->plan(box, n).cost < waves->expected_cost(box, n);
    }

    Sums add_beyond(const PairEngine& engine, std::span<Vec3> forces, bool with_sums) {
        const std::span<const Row> rows = engine.rows();
        charges.clear();
        row.clear();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const double q = parameters.of_id[engine.ids()[i]];
            if (q == 0.0) continue;
            charges.push_back({{rows[i].x, rows[i].y, rows[i].z}, q});
            row.push_back(static_cast<std::uint32_t>(i));
        }
        force.resize(charges.size());
        push = {};
        Sums sums;
        if (takes_mesh(engine.box(), charges.size())) {
            sums = mesh->compute(charges, engine.box(), force, with_sums);
            push = parallel_sum<Vec3>(force.size(), [&](std::size_t begin, std::size_t end) {
                Vec3 total;
                for (std::size_t k = begin; k < end; ++k) total += force[k];
                return total;
            });
        } else {
            sums = waves->compute(charges, engine.box(), force);
        }
        parallel_for(charges.size(), [&](std::size_t begin, std::size_t end) {
            for (std::size_t k = begin; k < end; ++k) forces[row[k]] += force[k];
        });
        return sums;
    }

    // Each pair from both sides, so that every row is written by one.
    Sums add_excluded(const PairEngine& engine, std::span<Vec3> forces) const {
        const std::span<const Row> rows = engine.rows();
        const std::span<const std::uint32_t> ids = engine.ids();
        return parallel_sum<Sums>(rows.size(), [&](std::size_t begin, std::size_t end) {
            Sums sums;
            for (std::size_t i = begin; i < end; ++i) {
                const Row& mine = rows[i];
                for (const std::uint32_t id : exclusions.of(ids[i])) {
                    const double product = parameters.of_id[ids[i]] * parameters.of_id[id];
                    if (product == 0.0) continue;
                    const Row& other = rows[engine.row_of()[id]];
                    const Vec3 d = engine.box().minimum_image(
                        {mine.x - other.x, mine.y - other.y, mine.z - other.z});
                    const Screen::Value s = parameters.screen(norm2(d));
                    Vec3 f = d * (product * s.slope);
                    forces[i] += f;
                    f *= 0.5;
                    sums += {0.0,
                             {d.x * f.x, d.y * f.y, d.z * f.z, d.x * f.y, d.x * f.z, d.y * f.z},
                             -0.5 * product * s.energy};
                }
            }
            return sums;
        });
    }
};

CoulombForces::CoulombForces(const ForceField& field, std::size_t particles)
    : impl_(field.charges ? std::make_unique<Impl>(field, particles) : nullptr) {}
CoulombForces::~CoulombForces() = default;
CoulombForces::CoulombForces(CoulombForces&&) noexcept = default;
CoulombForces& CoulombForces::operator=(CoulombForces&&) noexcept = default;

Sums CoulombForces::compute(const PairEngine& engine, std::span<Vec3> forces, bool with_sums) {
    if (empty()) return {};
    Sums sums = impl_->constants(engine.box());
    if (impl_->waves) sums += impl_->add_beyond(engine, forces, with_sums);
    if (!impl_->exclusions.empty()) sums += impl_->add_excluded(engine, forces);
    return sums;
}

Vec3 CoulombForces::push() const { return empty() ? Vec3{} : impl_->push; }

CoulombForces::Resolution CoulombForces::resolution(const Box& box) const {
    if (empty() || !impl_->waves) return {};
    ReciprocalSum waves = *impl_->waves;
    std::size_t charged = 0;
    for (const double q : impl_->parameters.of_id) charged += q != 0.0 ? 1 : 0;
    if (impl_->takes_mesh(box, charged)) {
        const MeshPlan plan = impl_->mesh->plan(box, charged);
        return {impl_->parameters.screen.alpha(), 0.0, 0, plan.order, plan.points};
    }
    waves.prepare(box, charged);
    return {impl_->parameters.screen.alpha(), waves.q_max(), waves.wave_vectors(), 0, {}};
}

}  // namespace regrain::particles
