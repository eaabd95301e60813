#include "regrain/particles/bonded.hpp"

#include <cmath>
#include <string>

#include "internal_coordinates.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/potentials.hpp"

namespace regrain::particles {

namespace {

constexpr std::size_t terms_per_chunk = 512;

// W_ab += r_a f_b, stored xx yy zz xy xz yz. A single outer product is not symmetric, the sum over
// a term is: any one triangle of it will do.
void add_virial(std::array<double, 6>& w, const Vec3& r, const Vec3& f) {
    w[0] += r.x * f.x;
    w[1] += r.y * f.y;
    w[2] += r.z * f.z;
    w[3] += r.x * f.y;
    w[4] += r.x * f.z;
    w[5] += r.y * f.z;
}

template <std::size_t N>
std::string names(const std::uint32_t (&particle)[N]) {
    std::string text;
    for (std::size_t k = 0; k < N; ++k) {
        text += (k == 0 ? "" : k + 1 == N ? " and " : ", ") + std::to_string(particle[k]);
    }
    return text;
}

// Where the particles of a term are; vectors between them are those of nearest images.
struct Places {
    std::span<const Row> rows;
    std::span<const std::uint32_t> row_of;
    const Box& box;
    double safe2;  ///< no image of a vector shorter than this (squared) is shorter

    [[nodiscard]] Vec3 from_to(std::uint32_t i, std::uint32_t j) const {
        const Row& a = rows[row_of[i]];
        const Row& b = rows[row_of[j]];
        const Vec3 d{b.x - a.x, b.y - a.y, b.z - a.z};
        return norm2(d) <= safe2 ? d : box.minimum_image(d);
    }
};

double bond(const Places& at, const BondPotential& potential, const std::uint32_t (&p)[2],
            Vec3* force, std::array<double, 6>& virial) {
    const Vec3 d = at.from_to(p[0], p[1]);
    const double r = norm(d);
    EnergySlope value{};
    try {
        value = evaluate_bond(potential, r);
    } catch (const Error& error) {
        throw Error("particles " + names(p) + ": " + error.what());
    }
    const Vec3 f = r > 0.0 ? d * (-value.slope / r) : Vec3{};
    force[0] = -f;
    force[1] = f;
    add_virial(virial, d, f);
    return value.energy;
}

double angle(const Places& at, const AnglePotential& potential, const std::uint32_t (&p)[3],
             Vec3* force, std::array<double, 6>& virial) {
    const Vec3 a = at.from_to(p[1], p[0]);
    const Vec3 c = at.from_to(p[1], p[2]);
    const AngleGeometry found = angle_between(a, c);
    const EnergySlope value = evaluate_angle(potential, found.cosine, found.sine);
    force[0] = found.by_a * -value.slope;
    force[2] = found.by_c * -value.slope;
    force[1] = -(force[0] + force[2]);
    add_virial(virial, a, force[0]);
    add_virial(virial, c, force[2]);
    return value.energy;
}

double dihedral(const Places& at, const DihedralPotential& potential, const std::uint32_t (&p)[4],
                Vec3* force, std::array<double, 6>& virial) {
    const Vec3 f = at.from_to(p[1], p[0]);
    const Vec3 g = at.from_to(p[2], p[1]);
    const Vec3 h = at.from_to(p[2], p[3]);
    const DihedralGeometry found = dihedral_of(f, g, h);
    const EnergySlope value = evaluate_dihedral(potential, found.phi);
    for (std::size_t k = 0; k < 4; ++k) force[k] = found.gradient[k] * -value.slope;
    add_virial(virial, f, force[0]);
    add_virial(virial, -g, force[2]);
    add_virial(virial, h - g, force[3]);
    return value.energy;
}

template <std::size_t N, class Potential, class Function>
Sums all_terms(const BondedTerms<N, Potential>& kind, std::span<Vec3> slots, const Places& at,
               const Function& function) {
    return parallel_sum<Sums>(
        kind.terms.size(),
        [&](std::size_t begin, std::size_t end) {
            Sums sums;
            for (std::size_t t = begin; t < end; ++t) {
                const auto& term = kind.terms[t];
                sums.energy += function(at, kind.potentials[term.potential], term.particle,
                                        &slots[t * N], sums.virial);
            }
            return sums;
        },
        terms_per_chunk);
}

template <std::size_t N, class Potential>
void check(const BondedTerms<N, Potential>& kind, std::size_t particles, const char* what) {
    for (const auto& term : kind.terms) {
        for (const std::uint32_t id : term.particle) {
            if (id >= particles) {
                throw Error(std::string(what) + " " + names(term.particle) + " names a particle " +
                            "that is not there: there are " + std::to_string(particles));
            }
        }
        if (term.potential >= kind.potentials.size()) {
            throw Error(std::string(what) + " " + names(term.particle) + " has no potential");
        }
    }
}

}  // namespace

BondedForces::BondedForces(const ForceField& field, std::size_t particles)
    : bonds_(field.bonds), angles_(field.angles), dihedrals_(field.dihedrals) {
    check(bonds_, particles, "bond");
    check(angles_, particles, "angle");
    check(dihedrals_, particles, "dihedral");
    std::vector<std::uint32_t> owner;
    const auto add = [&owner](const auto& kind) {
        for (const auto& term : kind.terms) {
            owner.insert(owner.end(), std::begin(term.particle), std::end(term.particle));
        }
    };
    add(bonds_);
    add(angles_);
    add(dihedrals_);
    slot_force_.resize(owner.size());
    // A counting sort of the slots by their particle.
    first_slot_.assign(particles + 1, 0);
    for (const std::uint32_t id : owner) ++first_slot_[id + 1];
    for (std::size_t i = 0; i < particles; ++i) first_slot_[i + 1] += first_slot_[i];
    std::vector<std::uint32_t> next(first_slot_.begin(), first_slot_.end() - 1);
    slot_of_particle_.resize(owner.size());
    for (std::size_t slot = 0; slot < owner.size(); ++slot) {
        slot_of_particle_[next[owner[slot]]++] = static_cast<std::uint32_t>(slot);
    }
}

BondedSums BondedForces::compute(std::span<const Row> rows, std::span<const std::uint32_t> row_of,
                                 std::span<const std::uint32_t> ids, const Box& box,
                                 std::span<Vec3> forces) {
    if (empty()) return {};
    const double safe = 0.5 * box.min_height();
    const Places at{rows, row_of, box, safe * safe};
    const std::span<Vec3> slots(slot_force_);
    const std::size_t angle_slots = 2 * bonds_.terms.size();
    const std::size_t dihedral_slots = angle_slots + 3 * angles_.terms.size();
    const Sums b = all_terms(bonds_, slots, at, bond);
    const Sums a = all_terms(angles_, slots.subspan(angle_slots), at, angle);
    const Sums d = all_terms(dihedrals_, slots.subspan(dihedral_slots), at, dihedral);
    parallel_for(rows.size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            const std::uint32_t id = ids[row];
            for (std::uint32_t k = first_slot_[id]; k < first_slot_[id + 1]; ++k) {
                forces[row] += slots[slot_of_particle_[k]];
            }
        }
    });
    BondedSums sums{b.energy, a.energy, d.energy, b.virial};
    for (std::size_t k = 0; k < 6; ++k) sums.virial[k] += a.virial[k] + d.virial[k];
    return sums;
}

}  // namespace regrain::particles
