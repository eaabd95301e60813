#include "regrain/particles/triples.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "triple_kernel.hpp"

namespace regrain::particles {

namespace {

constexpr std::size_t chunk_rows = 256;  // centres that one task works on
constexpr std::size_t padding = 8;       // a list is a multiple of this long
constexpr auto nowhere = static_cast<std::uint32_t>(-1);

// The number of the kind of arms in `kinds`, which is added if it is new.
std::uint32_t kind_of(std::vector<ArmKind>& kinds, std::uint32_t type,
                      const TriplePotential::Arm& arm) {
    const auto same = [&](const ArmKind& k) {
        return k.type == type && k.r_max == arm.r_max && k.decay == arm.decay;
    };
    const auto at = std::find_if(kinds.begin(), kinds.end(), same);
    const auto number = static_cast<std::uint32_t>(at - kinds.begin());
    if (at == kinds.end()) kinds.push_back({type, arm.r_max, arm.decay});
    return number;
}

void check_once(const std::vector<TripleTerm>& terms) {
    for (std::size_t i = 0; i < terms.size(); ++i) {
        auto other_way = terms[i].types;
        std::swap(other_way[0], other_way[2]);
        for (std::size_t j = 0; j < i; ++j) {
            if (terms[j].types != terms[i].types && terms[j].types != other_way) continue;
            throw Error("the triple of types " + std::to_string(other_way[2]) + ", " +
                        std::to_string(other_way[1]) + " and " + std::to_string(other_way[0]) +
                        " is given twice");
        }
    }
}

}  // namespace

TripleParameters::TripleParameters(const ForceField& field)
    : types(field.types), centres(field.types), reach(field.types * field.types, 0.0) {
    check_once(field.triples);
    for (const auto& [term_types, potential] : field.triples) {
        TripleHalf half{};
        if (const auto* cosine = std::get_if<CosineSquared>(&potential.angle)) {
            half.epsilon = 0.5 * cosine->k;
            half.cosine0 = std::cos(cosine->theta0);
        } else {
            const CubicTable& table = std::get<TabulatedBonded>(potential.angle).table;
            half.tabulated = true;
            const auto row0 = static_cast<double>(rows.size() + 1);
            half.grid = {{1.0 / table.spacing(), table.x_min() / table.spacing() + 0.5,
                          row0 + integer_in_bits<double>, 0.0}};
            append_centred(table, rows);
        }
        const auto [first, middle, second] = term_types;
        TripleCentre& centre = centres[middle];
        half.on = kind_of(centre.kinds, first, potential.arms[0]);
        half.from = kind_of(centre.kinds, second, potential.arms[1]);
        centre.halves.push_back(half);
        if (half.on != half.from) {
            std::swap(half.on, half.from);
            centre.halves.push_back(half);
        }
        for (const ArmKind& kind : centre.kinds) {
            double& longest = reach[middle * types + kind.type];
            longest = std::max(longest, kind.r_max);
        }
    }
}

struct TripleForces::Impl {
    TripleParameters parameters;
    double skin;
    std::vector<TripleChunk> chunks;
    // Where other chunks add to a row: chunk and place, by row from first_slot.
    struct Slot {
        std::uint32_t chunk, place;
    };
    std::vector<Slot> slots;
    std::vector<std::uint32_t> first_slot;
    std::uint64_t version{0};  // of the engine's list that the chunks were made from

    // ------------------------------------------------------------------ lists

    void build(const PairEngine& engine) {
        const std::size_t n = engine.size();
        chunks.resize((n + chunk_rows - 1) / chunk_rows);
        parallel_chunks(n, chunk_rows, [&](std::size_t c, std::size_t begin, std::size_t end) {
            fill(chunks[c], engine, begin, end);
        });
        connect(n);
        version = engine.version();
    }

    void fill(TripleChunk& out, const PairEngine& engine, std::size_t begin,
              std::size_t end) const {
        // By row, where it is among the touched; left as it was found. (The name of something local
        // to a thread is looked up at each use, hence the reference.)
        thread_local std::vector<std::uint32_t> of_this_thread;
        std::vector<std::uint32_t>& place_of = of_this_thread;
        if (place_of.size() < engine.size()) place_of.resize(engine.size(), nowhere);
        out.row.clear();
        out.place.clear();
        out.first.clear();
        out.touched.clear();
        const auto touch = [&](std::uint32_t row) {
            if (place_of[row] == nowhere) {
                place_of[row] = static_cast<std::uint32_t>(out.touched.size());
                out.touched.push_back(row);
            }
            return place_of[row];
        };
        for (std::size_t i = begin; i < end; ++i) touch(static_cast<std::uint32_t>(i));
        std::size_t longest = 0;
        for (std::size_t i = begin; i < end; ++i) {
            for (std::size_t type = 0; type < parameters.types; ++type) {
                out.first.push_back(static_cast<std::uint32_t>(out.row.size()));
                select(out, engine, i, type, touch);
                longest = std::max(longest, out.row.size() - out.first.back());
            }
        }
        out.first.push_back(static_cast<std::uint32_t>(out.row.size()));
        for (const std::uint32_t row : out.touched) place_of[row] = nowhere;
        out.forces.resize(out.touched.size());
        make_room(out, longest);
    }

    // The listed neighbours of one type that may become an arm of row i.
    template <class Touch>
    void select(TripleChunk& out, const PairEngine& engine, std::size_t i, std::size_t type,
                const Touch& touch) const {
        const std::span<const Row> rows = engine.all_rows();
        const std::span<const std::uint32_t> source = engine.image_source();
        const std::size_t n = engine.size();
        const Row& centre = rows[i];
        const double arm =
            parameters.reach[static_cast<std::size_t>(centre.tag) * parameters.types + type];
        if (arm == 0.0) return;
        const double reach2 = (arm + skin) * (arm + skin);
        const auto far_row = static_cast<std::uint32_t>(rows.size() - 1);
        for (const std::uint32_t j : engine.neighbors(i)) {
            const Vec3 d{rows[j].x - centre.x, rows[j].y - centre.y, rows[j].z - centre.z};
            if (static_cast<std::size_t>(rows[j].tag) != type || !(norm2(d) < reach2)) continue;
            out.row.push_back(j);
            out.place.push_back(touch(j < n ? j : source[j - n]));
        }
        while (out.row.size() % padding != 0) {
            out.row.push_back(far_row);
            out.place.push_back(0);
        }
    }

    // Each array has room for a list and what a vector may write beyond it.
    void make_room(TripleChunk& out, std::size_t longest) const {
        constexpr std::size_t arrays = 10;
        const std::size_t lanes = longest / padding + 1;
        std::size_t kinds = 0;
        for (const TripleCentre& centre : parameters.centres)
            kinds = std::max(kinds, centre.kinds.size());
        out.room.resize(kinds * arrays * lanes);
        out.room_for_rows.resize(2 * kinds * lanes * padding);
        out.arms.resize(kinds);
        TripleChunk::Lane* at = out.room.data();
        std::uint32_t* rows = out.room_for_rows.data();
        for (Arms& arms : out.arms) {
            for (double** array : {&arms.x, &arms.y, &arms.z, &arms.r, &arms.inverse_r, &arms.phi,
                                   &arms.slope, &arms.fx, &arms.fy, &arms.fz}) {
                *array = &at->v[0];
                at += lanes;
            }
            for (std::uint32_t** array : {&arms.row, &arms.place}) {
                *array = rows;
                rows += lanes * padding;
            }
        }
    }

    // The touched of all chunks but a row's own, by row and in the order of the chunks.
    void connect(std::size_t n) {
        first_slot.assign(n + 1, 0);
        const auto others = [&](const auto& use) {
            for (std::size_t c = 0; c < chunks.size(); ++c) {
                const std::vector<std::uint32_t>& touched = chunks[c].touched;
                for (std::size_t p = std::min(chunk_rows, n - c * chunk_rows); p < touched.size();
                     ++p)
                    use(touched[p],
                        Slot{static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(p)});
            }
        };
        others([&](std::uint32_t row, const Slot&) { ++first_slot[row + 1]; });
        for (std::size_t i = 0; i < n; ++i) first_slot[i + 1] += first_slot[i];
        slots.resize(first_slot[n]);
        std::vector<std::uint32_t> next(first_slot.begin(), first_slot.end() - 1);
        others([&](std::uint32_t row, const Slot& slot) { slots[next[row]++] = slot; });
    }

    // ------------------------------------------------------------------ forces

    Sums run(const PairEngine& engine) {
        return parallel_sum<Sums>(
            engine.size(),
            [&](std::size_t begin, std::size_t end) {
                TripleChunk& chunk = chunks[begin / chunk_rows];
                std::fill(chunk.forces.begin(), chunk.forces.end(), Vec3{});
                const std::span<const Row> rows = engine.all_rows();
                TripleTask task{&parameters, rows.data(),
                                &chunk,      begin,
                                end,         static_cast<std::uint32_t>(rows.size() - 1)};
                triple_kernel(task);
                if (task.suspicious) name_overlaps(engine, begin, end);
                return task.sums;
            },
            chunk_rows);
    }

    void collect(std::span<Vec3> forces) const {
        parallel_for(forces.size(), [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) {
                Vec3 sum = chunks[row / chunk_rows].forces[row % chunk_rows];
                for (std::uint32_t k = first_slot[row]; k < first_slot[row + 1]; ++k)
                    sum += chunks[slots[k].chunk].forces[slots[k].place];
                forces[row] += sum;
            }
        });
    }

    // The slow look after the fast kernel saw two particles at one place.
    void name_overlaps(const PairEngine& engine, std::size_t begin, std::size_t end) const {
        const std::span<const Row> rows = engine.all_rows();
        const std::span<const std::uint32_t> ids = engine.ids();
        for (std::size_t i = begin; i < end; ++i) {
            for (const std::uint32_t j : engine.neighbors(i)) {
                const Row &a = rows[i], &b = rows[j];
                if (a.x != b.x || a.y != b.y || a.z != b.z) continue;
                const std::uint32_t other =
                    ids[j < engine.size() ? j : engine.image_source()[j - engine.size()]];
                throw Error("particles " + std::to_string(std::min(ids[i], other)) + " and " +
                            std::to_string(std::max(ids[i], other)) +
                            " are at the same place (distance 0), where no force has a "
                            "direction; check the configuration");
            }
        }
    }
};

TripleForces::TripleForces(const ForceField& field, double skin)
    : impl_(std::make_unique<Impl>(Impl{TripleParameters(field), skin, {}, {}, {}})) {}
TripleForces::~TripleForces() = default;
TripleForces::TripleForces(TripleForces&&) noexcept = default;
TripleForces& TripleForces::operator=(TripleForces&&) noexcept = default;

bool TripleForces::empty() const {
    return std::all_of(impl_->parameters.centres.begin(), impl_->parameters.centres.end(),
                       [](const TripleCentre& centre) { return centre.kinds.empty(); });
}

Sums TripleForces::compute(const PairEngine& engine, std::span<Vec3> forces) {
    if (empty()) return {};
    if (impl_->version != engine.version()) impl_->build(engine);
    const Sums sums = impl_->run(engine);
    impl_->collect(forces);
    return sums;
}

}  // namespace regrain::particles
