#include "regrain/lattice/sums.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "flat_sampler.hpp"
#include "graph.hpp"

namespace regrain::lattice {

namespace {

/// Sums over the clusters that begin in a row: rows of all sites are turned so that the sites of a
/// cluster are at the same place, then it is one loop.
template <class V>
class RowSums {
public:
    explicit RowSums(const Model& model) : spin_(model.spin), length_(row_length(model)) {
        for (const Term& term : model.terms) {
            terms_.emplace_back();
            for (const Cluster& cluster : term.clusters) {
                Kind kind{Graph(model, cluster), length_};
                // Where a lattice ends, so do the clusters that begin in a row.
                for (const auto& site : cluster) {
                    if (!model.periodic.back()) {
                        const auto reach = static_cast<std::size_t>(site.back());
                        kind.places = std::min(kind.places, length_ - std::min(reach, length_));
                    }
                }
                terms_.back().push_back(std::move(kind));
            }
        }
        if (spin_ == Spin::clock) {
            for (int s = 0; s < 2 * model.states; ++s) {
                cosines_.push_back(
                    std::cos(2 * std::numbers::pi * (s - model.states) / model.states));
            }
            states_ = model.states;
        }
    }

    [[nodiscard]] std::size_t terms() const { return terms_.size(); }

    /// Adds what row `row` of a state has to the sums of all terms.
    void add(const V* state, std::size_t row, std::vector<V>& moved, double* sums) const {
        for (std::size_t t = 0; t < terms_.size(); ++t) {
            for (const Kind& kind : terms_[t]) sums[t] += of_kind(kind, state, row, moved);
        }
    }

private:
    struct Kind {
        Graph sites;
        std::size_t places;
    };

    static std::size_t row_length(const Model& model) {
        return static_cast<std::size_t>(model.shape.back());
    }

    double of_kind(const Kind& kind, const V* state, std::size_t row, std::vector<V>& moved) const {
        const std::size_t count = kind.sites.offsets(), n = kind.places;
        if (n == 0) return 0.0;
        moved.resize(count * length_);
        for (std::size_t k = 0; k < count; ++k) {
            const std::uint32_t from = kind.sites.row(k, row);
            if (from == Graph::none) return 0.0;
            const V* values = state + from * length_;
            const std::size_t shift = static_cast<std::size_t>(kind.sites.along(k)) % length_;
            V* to = moved.data() + k * length_;
            std::copy(values + shift, values + length_, to);
            std::copy(values, values + shift, to + (length_ - shift));
        }
        return of_places(moved.data(), count, n);
    }

    // (The first of the rows is written over.)
    double of_places(V* first, std::size_t count, std::size_t n) const {
        if constexpr (std::is_same_v<V, double>) {
            return cosine_sum(n, [&](std::size_t x) {
                return std::cos(count == 2 ? first[x] - first[length_ + x] : first[x]);
            });
        } else {
            if (spin_ == Spin::clock) {
                return cosine_sum(n, [&](std::size_t x) {
                    const int other = count == 2 ? first[length_ + x] : 0;
                    return cosines_[static_cast<std::size_t>(first[x] - other + states_)];
                });
            }
            std::int64_t sum = 0;
            if (spin_ == Spin::potts) {
                const bool alone = count == 1;
                for (std::size_t x = 0; x < n; ++x) {
                    bool alike = !alone || first[x] == 0;
                    for (std::size_t k = 1; k < count; ++k) {
                        alike = alike && first[x] == first[k * length_ + x];
                    }
                    sum += alike ? 1 : 0;
                }
                return static_cast<double>(sum);
            }
            for (std::size_t k = 1; k < count; ++k) {
                const V* other = first + k * length_;
                for (std::size_t x = 0; x < n; ++x) first[x] = static_cast<V>(first[x] * other[x]);
            }
            std::int32_t part = 0;
            for (std::size_t x = 0; x < n; ++x) part += first[x];
            return static_cast<double>(part);
        }
    }

    template <class F>
    static double cosine_sum(std::size_t n, F&& f) {
        double sum = 0.0;
        for (std::size_t x = 0; x < n; ++x) sum += f(x);
        return sum;
    }

    Spin spin_;
    std::size_t length_;
    int states_ = 0;
    std::vector<std::vector<Kind>> terms_;
    std::vector<double> cosines_;  // of differences of states, from the lowest on
};

template <class V>
void sums_of(const Model& model, std::span<const V> values, std::span<double> out) {
    const RowSums<V> rows(model);
    const std::size_t sites = sites_of(model), terms = rows.terms();
    const std::size_t length = static_cast<std::size_t>(model.shape.back());
    const std::size_t per_state = sites / length, states = values.size() / sites;
    expect_spins(values.size(), sites, states);
    // Rows of all states in chunks, added up in order.
    const std::size_t chunk = std::max<std::size_t>(1, 16384 / length);
    const std::size_t total = states * per_state;
    std::vector<double> row_sums(total * terms, 0.0);
    parallel_for(
        total,
        [&](std::size_t begin, std::size_t end) {
            std::vector<V> moved;
            for (std::size_t r = begin; r < end; ++r) {
                rows.add(values.data() + r / per_state * sites, r % per_state, moved,
                         row_sums.data() + r * terms);
            }
        },
        chunk);
    std::fill(out.begin(), out.end(), 0.0);
    for (std::size_t r = 0; r < total; ++r) {
        for (std::size_t t = 0; t < terms; ++t) {
            out[r / per_state * terms + t] += row_sums[r * terms + t];
        }
    }
}

}  // namespace

void cluster_sums(const Model& model, std::span<const std::int8_t> values, std::span<double> out) {
    sums_of(model, values, out);
}

void cluster_sums(const Model& model, std::span<const double> angles, std::span<double> out) {
    sums_of(model, angles, out);
}

}  // namespace regrain::lattice
