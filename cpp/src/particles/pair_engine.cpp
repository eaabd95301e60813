#include "regrain/particles/pair_engine.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "images.hpp"
#include "pair_kernel.hpp"
#include "pair_list.hpp"
#include "pair_parameters.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"

namespace regrain::particles {

namespace {

std::vector<double> numbers(const Box& box) {
    const Vec3 &a = box.a(), &b = box.b(), &c = box.c();
    return {a.x, a.y, a.z, b.x, b.y, b.z, c.x, c.y, c.z};
}

Box box_of(const std::vector<double>& v) {
    if (v.size() != 9) {
        throw Error("a snapshot has a box of " + std::to_string(v.size()) +
                    " numbers, expected 9; it is not one of this engine");
    }
    return Box({{{v[0], v[1], v[2]}, {v[3], v[4], v[5]}, {v[6], v[7], v[8]}}});
}

std::string shown(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", x);
    return text;
}

Vec3 position(const Row& row) { return {row.x, row.y, row.z}; }

// The linear map that carries the lattice vectors of one box to those of another, lower triangular
// acting on rows: r' = r A.
struct Deformation {
    double xx, yx, yy, zx, zy, zz;
    double least_stretch;  ///< a lower bound of |r A| / |r|

    Deformation(const Box& from, const Box& to) {
        const auto image = [&](const Vec3& r) { return to.cartesian(from.fractional(r)); };
        const Vec3 x = image({1.0, 0.0, 0.0});
        const Vec3 y = image({0.0, 1.0, 0.0});
        const Vec3 z = image({0.0, 0.0, 1.0});
        xx = x.x, yx = y.x, yy = y.y, zx = z.x, zy = z.y, zz = z.z;
        if (from == to) {
            xx = yy = zz = least_stretch = 1.0;
            yx = zx = zy = 0.0;
            return;
        }
        least_stretch = smallest_singular_value();
    }
    // The root of the lowest eigenvalue of A A^T - 1, with a margin for rounding, plus 1. Near the
    // identity the differences have to be taken first: eigenvalues q + 2 p cos(phi) of a symmetric
    // matrix with mean q and spread p (O. K. Smith, Comm. ACM 4, 168 (1961)).
    [[nodiscard]] double smallest_singular_value() const {
        const double d0 = (xx - 1.0) * (xx + 1.0);
        const double d1 = (yy - 1.0) * (yy + 1.0) + yx * yx;
        const double d2 = (zz - 1.0) * (zz + 1.0) + zx * zx + zy * zy;
        const double e0 = xx * yx, e1 = xx * zx, e2 = yx * zx + yy * zy;
        const double q = (d0 + d1 + d2) / 3.0;
        const double a = d0 - q, b = d1 - q, c = d2 - q;
        const double off = e0 * e0 + e1 * e1 + e2 * e2;
        const double p = std::sqrt((a * a + b * b + c * c + 2.0 * off) / 6.0);
        if (p == 0.0) return std::sqrt(std::max(0.0, 1.0 + q));
        const double determinant =
            a * (b * c - e2 * e2) - e0 * (e0 * c - e2 * e1) + e1 * (e0 * e2 - b * e1);
        const double cosine = std::clamp(determinant / (2.0 * p * p * p), -1.0, 1.0);
        const double third = 2.0943951023931953;  // of a turn
        const double lowest = q + 2.0 * p * std::cos(std::acos(cosine) / 3.0 + third);
        return std::sqrt(std::max(0.0, 1.0 + lowest - 1e-6 * p));
    }
    [[nodiscard]] Vec3 operator()(const Row& r) const {
        return {r.x * xx + r.y * yx + r.z * zx, r.y * yy + r.z * zy, r.z * zz};
    }
};

// No two lists of a program have the same.
std::uint64_t next_version() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

}  // namespace

struct PairEngine::Impl {
    PairParameters parameters;
    std::vector<std::int32_t> types;
    double skin;
    bool mixed;
    std::optional<PairList> list;  ///< none when nothing interacts in space
    std::optional<Box> box, built_box;
    std::vector<Row> rows, built, old_rows;  ///< rows: the particles, then the halo
    std::vector<Row> charged;                ///< the rows with charges in place of types
    std::optional<Places> places;            ///< of the rows, in mixed precision
    std::vector<std::uint32_t> ids, row_of, order, keys, old_ids;
    std::vector<Image> images, old_images;
    std::size_t builds{0};
    std::uint64_t version{0};
    bool renamed{false};  ///< the lattice vectors, since the last build

    Impl(const ForceField& field, std::span<const std::int32_t> t, double s, Precision p)
        : parameters(field, t), types(t.begin(), t.end()), skin(s), mixed(p == Precision::mixed) {
        if (!(skin >= 0.0) || !std::isfinite(skin)) {
            throw Error("the skin of the neighbour list is " + std::to_string(skin) +
                        "; it must be zero or a positive length");
        }
        Exclusions exclusions(field.exclusions, types.size());
        if (mixed) parameters.make_single();
        if (parameters.largest_reach > 0.0) {
            const bool of_rows = !mixed || !field.triples.empty();
            list.emplace(parameters, skin, std::move(exclusions), of_rows, mixed);
            if (mixed) places.emplace(list->reach());
        }
    }

    [[nodiscard]] std::size_t size() const { return types.size(); }

    /// Of a row of a particle or of the halo.
    [[nodiscard]] std::uint32_t id_of(std::size_t row) const {
        return ids[row < size() ? row : list->halo().source[row - size()]];
    }

    void check_assigned() const {
        if (!box) throw Error("the pair engine has no particles yet: call assign first");
    }

    void check_finite(const Row& row, std::uint32_t id) const {
        if (finite(position(row))) return;
        throw Error("particle " + std::to_string(id) + " is at " + shown(position(row)) +
                    "; the run has exploded: check overlaps and the time step");
    }

    // Folds every row into the brick and brings the rows into the order of space.
    void sort() {
        const std::size_t n = size();
        list->cut(n, *box);
        keys.resize(n);
        fold([this](std::size_t i) { keys[i] = list->key(position(rows[i])); });
        list->order(keys, order);
        permute();
    }

    // Calls f with each row, in parallel, after it was folded.
    template <class F>
    void fold(F&& f) {
        parallel_for(size(), [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                check_finite(rows[i], ids[i]);
                Image by;
                const Vec3 r = fold_into_brick(*box, position(rows[i]), by);
                for (std::size_t k = 0; k < 3; ++k) images[i][k] -= by[k];
                rows[i] = {r.x, r.y, r.z, rows[i].tag};
                f(i);
            }
        });
    }

    void permute() {
        const std::size_t n = size();
        old_rows.resize(n);
        std::swap(old_rows, rows);
        std::swap(old_ids, ids);
        std::swap(old_images, images);
        rows.resize(std::max(rows.size(), n));
        ids.resize(n);
        images.resize(n);
        parallel_for(n, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                const std::uint32_t old = order[i];
                rows[i] = old_rows[old];
                ids[i] = old_ids[old];
                images[i] = old_images[old];
                row_of[ids[i]] = static_cast<std::uint32_t>(i);
            }
        });
    }

    void build() {
        built_box = box;
        built.assign(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(size()));
        list->build(rows, size(), ids, *box);
        if (parameters.charges) {
            charged = rows;
            for (std::size_t k = 0; k < rows.size(); ++k) {
                // The last row is nobody.
                const double q = k + 1 < rows.size() ? parameters.charges->of_id[id_of(k)] : 0.0;
                charged[k].tag = std::bit_cast<std::int64_t>(q);
            }
        }
        renew_places();
        ++builds;
        version = next_version();
        renamed = false;
    }

    /// Brings the images to where the rows are now.
    void renew_halo() {
        list->halo().renew(rows, size(), *box);
        renew_places();
    }
    void renew_places() {
        if (places) places->renew(rows, size(), list->halo(), *box);
    }

    // No pair comes within its cutoff that is not listed while nobody went further, relative to the
    // deforming box, than half of what the deformed reach leaves.
    [[nodiscard]] bool list_holds() const {
        if (renamed) return false;
        const Deformation deform(*built_box, *box);
        const double reach = deform.least_stretch * list->reach();
        const double allowed = 0.5 * (reach - parameters.largest_reach);
        const double limit = allowed * allowed * (1.0 - 1e-12);
        if (!(allowed >= 0.0)) return false;
        const auto stray = parallel_sum<std::size_t>(size(), [&](std::size_t b, std::size_t e) {
            std::size_t count = 0;
            for (std::size_t i = b; i < e; ++i) {
                const double moved = norm2(position(rows[i]) - deform(built[i]));
                count += moved <= limit ? 0 : 1;
            }
            return count;
        });
        return stray == 0;
    }

    // A charge comes with its place, so that the kernel need not look it up.
    Sums run_charges(std::span<Vec3> forces, bool with_sums) {
        parallel_for(rows.size(), [&](std::size_t begin, std::size_t end) {
            for (std::size_t k = begin; k < end; ++k)
                charged[k] = {rows[k].x, rows[k].y, rows[k].z, charged[k].tag};
        });
        Sums sums = run(charge_kernels, nullptr, charged, forces, with_sums);
        std::swap(sums.charge, sums.energy);
        return sums;
    }

    Sums run(const PairKernels& kernels, const KindParameters* kind, const std::vector<Row>& of,
             std::span<Vec3> forces, bool with_sums) {
        return parallel_sum<Sums>(
            size(),
            [&](std::size_t begin, std::size_t end) {
                Sums sums;
                const PairList::Chunk& chunk = list->chunks()[begin / PairList::chunk];
                PairTask task{&parameters, kind, of.data(),     places ? &*places : nullptr, &chunk,
                              begin,       end,  forces.data(), with_sums ? &sums : nullptr};
                (mixed ? kernels.mixed : kernels.full)(task);
                if (task.suspicious) name_overlaps(task);
                return sums;
            },
            PairList::chunk);
    }

    // The slow look after the fast kernel saw something odd.
    void name_overlaps(const PairTask& task) const {
        for (std::size_t i = task.begin; i < task.end; ++i) {
            check_finite(rows[i], ids[i]);
            for (const std::uint32_t j : list->listed(i)) {
                if (j + 1 == rows.size()) continue;
                const double r = norm(position(rows[i]) - position(rows[j]));
                const std::size_t pair = parameters.pair(rows[i].tag, rows[j].tag);
                const bool charges =
                    parameters.charges &&
                    parameters.charges->of_id[ids[i]] * parameters.charges->of_id[id_of(j)] != 0.0;
                if (parameters.cutoff[pair] == 0.0 && !charges) continue;
                if (r >= parameters.overlap[pair] && r > 0.0) continue;
                const std::uint32_t other = id_of(j);
                const bool tabulated = parameters.tabulated[pair];
                const std::string both = "particles " + std::to_string(std::min(ids[i], other)) +
                                         " and " + std::to_string(std::max(ids[i], other));
                if (r == 0.0) {
                    throw Error(both +
                                " are at the same place (distance 0), where no force has a "
                                "direction; check the configuration");
                }
                throw Error(both + " are " + shown(r) + " apart, closer than " +
                            shown(parameters.overlap[pair]) +
                            (tabulated ? ", where their table begins; extend the table to smaller "
                                         "distances or check the configuration"
                                       : ", a tenth of their sigma; check the configuration and "
                                         "the time step"));
            }
        }
    }
};

PairEngine::PairEngine(const ForceField& field, std::span<const std::int32_t> types, double skin,
                       Precision precision)
    : impl_(std::make_unique<Impl>(field, types, skin, precision)) {}
PairEngine::~PairEngine() = default;
PairEngine::PairEngine(PairEngine&&) noexcept = default;
PairEngine& PairEngine::operator=(PairEngine&&) noexcept = default;

void PairEngine::assign(std::span<const Vec3> positions, const Box& box) {
    Impl& self = *impl_;
    const std::size_t n = self.size();
    if (positions.size() != n) {
        throw Error("got positions of " + std::to_string(positions.size()) + " particles for " +
                    std::to_string(n) + " types; give one each");
    }
    self.box = box;
    self.rows.resize(n);
    self.ids.resize(n);
    self.row_of.resize(n);
    self.images.assign(n, {0, 0, 0});
    for (std::size_t i = 0; i < n; ++i) {
        const Vec3& r = positions[i];
        self.rows[i] = {r.x, r.y, r.z, self.types[i]};
        self.ids[i] = self.row_of[i] = static_cast<std::uint32_t>(i);
        check_position(r, box, i);
    }
    if (self.list) {
        self.sort();
        self.build();
    }
}

const Box& PairEngine::box() const {
    impl_->check_assigned();
    return *impl_->box;
}
std::size_t PairEngine::size() const { return impl_->size(); }
std::span<Row> PairEngine::rows() { return {impl_->rows.data(), impl_->ids.size()}; }
std::span<const Row> PairEngine::rows() const { return {impl_->rows.data(), impl_->ids.size()}; }
std::span<const std::uint32_t> PairEngine::ids() const { return impl_->ids; }
std::span<const std::uint32_t> PairEngine::row_of() const { return impl_->row_of; }
std::span<const std::array<std::int32_t, 3>> PairEngine::images() const { return impl_->images; }
std::size_t PairEngine::builds() const { return impl_->builds; }
double PairEngine::mean_neighbors() const {
    return impl_->list ? impl_->list->mean_neighbors() : 0.0;
}

std::span<const Row> PairEngine::all_rows() const { return impl_->rows; }
std::span<const std::uint32_t> PairEngine::image_source() const {
    return impl_->list ? impl_->list->halo().source : std::span<const std::uint32_t>{};
}
std::span<const std::uint32_t> PairEngine::neighbors(std::size_t row) const {
    if (!impl_->list) return {};
    return impl_->list->of_row(row);
}
void PairEngine::list_rows() {
    if (impl_->list) impl_->list->list_rows();
}
std::uint64_t PairEngine::version() const { return impl_->version; }

void PairEngine::set_box(const Box& box) {
    impl_->check_assigned();
    impl_->box = box;
}

void PairEngine::rename_box(const Box& box) {
    set_box(box);
    impl_->renamed = true;
}

std::span<const std::uint32_t> PairEngine::refresh() {
    Impl& self = *impl_;
    self.check_assigned();
    if (!self.list) {
        parallel_for(size(), [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) self.check_finite(self.rows[i], self.ids[i]);
        });
        return {};
    }
    if (self.list_holds()) {
        self.renew_halo();
        return {};
    }
    self.sort();
    self.build();
    return self.order;
}

bool PairEngine::lists() const { return impl_->list.has_value(); }

std::span<const std::uint32_t> PairEngine::reorder(std::span<const std::uint32_t> order) {
    Impl& self = *impl_;
    self.check_assigned();
    if (self.list || order.size() != size()) {
        throw Error("internal: only rows that are not listed can be put into another order");
    }
    self.order.assign(order.begin(), order.end());
    self.fold([](std::size_t) {});
    self.permute();
    self.version = next_version();
    return self.order;
}

Sums PairEngine::compute(std::span<Vec3> forces, bool with_sums) {
    Impl& self = *impl_;
    self.check_assigned();
    if (forces.size() != size()) {
        throw Error("got room for " + std::to_string(forces.size()) + " forces of " +
                    std::to_string(size()) + " particles");
    }
    std::fill(forces.begin(), forces.end(), Vec3{});
    Sums sums;
    for (std::size_t k = 0; k < PairParameters::kinds; ++k) {
        const KindParameters& kind = self.parameters.kind[k];
        if (kind.any) sums += self.run(*pair_kernels[k], &kind, self.rows, forces, with_sums);
    }
    if (self.parameters.charges && self.list) sums += self.run_charges(forces, with_sums);
    return sums;
}

PairEngine::Snapshot PairEngine::snapshot() const {
    impl_->check_assigned();
    const auto mine = rows();
    return {{mine.begin(), mine.end()},
            impl_->built,
            impl_->ids,
            impl_->images,
            numbers(box()),
            numbers(impl_->list ? *impl_->built_box : box())};
}

void PairEngine::restore(const Snapshot& snapshot) {
    Impl& self = *impl_;
    const std::size_t n = size();
    if (snapshot.rows.size() != n || snapshot.ids.size() != n || snapshot.images.size() != n ||
        (self.list && snapshot.built_rows.size() != n)) {
        throw Error("a snapshot of " + std::to_string(snapshot.rows.size()) +
                    " particles does not fit an engine of " + std::to_string(n));
    }
    const Box now = box_of(snapshot.box);
    std::vector<std::uint32_t> row_of(n, static_cast<std::uint32_t>(n));
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t id = snapshot.ids[i];
        if (id >= n || row_of[id] != n || snapshot.rows[i].tag != self.types[id]) {
            throw Error("the snapshot's row " + std::to_string(i) + " has id " +
                        std::to_string(id) + " of type " + std::to_string(snapshot.rows[i].tag) +
                        ", which is not a particle of this engine");
        }
        row_of[id] = static_cast<std::uint32_t>(i);
        if (self.list) check_position(position(snapshot.built_rows[i]), now, id);
    }
    self.ids = snapshot.ids;
    self.row_of = std::move(row_of);
    self.images = snapshot.images;
    self.box = now;
    self.rows = snapshot.rows;
    self.version = next_version();
    if (!self.list) return;
    // The list of then, from the rows of then.
    const std::size_t builds = self.builds;
    self.box = box_of(snapshot.built_box);
    self.rows = snapshot.built_rows;
    self.build();
    self.builds = builds;
    self.box = now;
    std::copy(snapshot.rows.begin(), snapshot.rows.end(), self.rows.begin());
    self.renew_halo();
}

}  // namespace regrain::particles
