#include "regrain/particles/bonded.hpp"

#include <optional>
#include <string>
#include <vector>

#include "bonded_parameters.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/potentials.hpp"

namespace regrain::particles {

namespace {

constexpr std::size_t blocks_per_chunk = 64;

template <std::size_t N>
std::string names(const std::uint32_t (&particle)[N]) {
    std::string text;
    for (std::size_t k = 0; k < N; ++k) {
        text += (k == 0 ? "" : k + 1 == N ? " and " : ", ") + std::to_string(particle[k]);
    }
    return text;
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

struct BondedForces::Impl {
    BondedTerms<2, BondPotential> bonds;  // for messages
    std::vector<BondedTermsOfGroup> groups;
    std::vector<Slot> slots;                 // of one group after the other
    std::vector<std::uint32_t> slot_of_row;  // slots grouped by row ...
    std::vector<std::uint32_t> first_slot;   // ... from first_slot[row]
    std::optional<std::uint64_t> version;    // of the list whose order the terms follow

    explicit Impl(const ForceField& field) : bonds(field.bonds) {
        const auto add = [this](std::vector<BondedTermsOfGroup> more) {
            for (BondedTermsOfGroup& group : more) groups.push_back(std::move(group));
        };
        add(grouped(field.bonds));
        add(grouped(field.angles));
        add(grouped(field.dihedrals));
    }

    void follow(const PairEngine& engine) {
        if (version == engine.version()) return;
        version = engine.version();
        for (BondedTermsOfGroup& terms : groups) terms.sort(engine.row_of());
        // A counting sort of the slots by their row.
        first_slot.assign(engine.size() + 1, 0);
        std::size_t all = 0, used = 0;
        for (const BondedTermsOfGroup& terms : groups) {
            const BondedGroup& group = terms.group;
            all += group.slots();
            used += group.count * group.width;
            for (std::size_t k = 0; k < group.width; ++k) {
                for (std::size_t t = 0; t < group.count; ++t) ++first_slot[group.row[k][t] + 1];
            }
        }
        slots.resize(all);
        slot_of_row.resize(used);
        for (std::size_t i = 0; i < engine.size(); ++i) first_slot[i + 1] += first_slot[i];
        std::vector<std::uint32_t> next(first_slot.begin(), first_slot.end() - 1);
        std::size_t first = 0;
        for (const BondedTermsOfGroup& terms : groups) {
            const BondedGroup& group = terms.group;
            for (std::size_t t = 0; t < group.count; ++t) {
                for (std::size_t k = 0; k < group.width; ++k) {
                    slot_of_row[next[group.row[k][t]]++] =
                        static_cast<std::uint32_t>(first + group.slot(t, k));
                }
            }
            first += group.slots();
        }
    }

    Sums run(const BondedTermsOfGroup& terms, Slot* to, const PairEngine& engine, const Cell& cell,
             bool with_sums) const {
        return parallel_sum<Sums>(
            terms.group.blocks(),
            [&](std::size_t begin, std::size_t end) {
                Sums sums;
                BondedTask task{&terms.group, engine.rows().data(),       &cell, begin, end,
                                to,           with_sums ? &sums : nullptr};
                bonded_kernel(task);
                if (task.suspicious) name_broken(terms, task, engine);
                return sums;
            },
            blocks_per_chunk);
    }

    // The slow look after the fast kernel saw something odd.
    void name_broken(const BondedTermsOfGroup& terms, const BondedTask& task,
                     const PairEngine& engine) const {
        const std::size_t end = std::min(task.end * BondedGroup::block, terms.group.count);
        for (std::size_t t = task.begin * BondedGroup::block; t < end; ++t) {
            const auto& bond = bonds.terms[terms.given[terms.order[t]]];
            const Row& a = engine.rows()[terms.group.row[0][t]];
            const Row& b = engine.rows()[terms.group.row[1][t]];
            const Vec3 d = engine.box().minimum_image({b.x - a.x, b.y - a.y, b.z - a.z});
            try {
                static_cast<void>(evaluate_bond(bonds.potentials[bond.potential], norm(d)));
            } catch (const Error& error) {
                throw Error("particles " + names(bond.particle) + ": " + error.what());
            }
        }
    }

    void add_up(std::span<Vec3> forces) const {
        parallel_for(forces.size(), [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) {
                Vec3 sum = forces[row];
                for (std::uint32_t k = first_slot[row]; k < first_slot[row + 1]; ++k) {
                    const Slot& slot = slots[slot_of_row[k]];
                    sum += {slot.x, slot.y, slot.z};
                }
                forces[row] = sum;
            }
        });
    }
};

BondedForces::BondedForces(const ForceField& field, std::size_t particles) {
    check(field.bonds, particles, "bond");
    check(field.angles, particles, "angle");
    check(field.dihedrals, particles, "dihedral");
    auto impl = std::make_unique<Impl>(field);
    if (!impl->groups.empty()) impl_ = std::move(impl);
}
BondedForces::~BondedForces() = default;
BondedForces::BondedForces(BondedForces&&) noexcept = default;
BondedForces& BondedForces::operator=(BondedForces&&) noexcept = default;

BondedSums BondedForces::compute(const PairEngine& engine, std::span<Vec3> forces, bool with_sums) {
    if (empty()) return {};
    impl_->follow(engine);
    const Cell cell(engine.box());
    BondedSums sums;
    Slot* to = impl_->slots.data();
    for (const BondedTermsOfGroup& terms : impl_->groups) {
        const Sums of_group = impl_->run(terms, to, engine, cell, with_sums);
        to += terms.group.slots();
        (terms.group.width == 2   ? sums.bonds
         : terms.group.width == 3 ? sums.angles
                                  : sums.dihedrals) += of_group.energy;
        for (std::size_t k = 0; k < 6; ++k) sums.virial[k] += of_group.virial[k];
    }
    impl_->add_up(forces);
    return sums;
}

}  // namespace regrain::particles
