#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "bit_models.hpp"
#include "flat_sampler.hpp"
#include "replica_bits.hpp"

namespace regrain::lattice {

namespace {

constexpr std::size_t most_groups = replica_vector;  // of 64 replicas
constexpr std::size_t chunk_words = 2048;

/// Sites of even and of odd numbers are kept apart, row by row; each is as many words as there are
/// groups of 64 replicas.
class ReplicaSampler final : public Sampler {
public:
    ReplicaSampler(const Model& model, double strength, std::uint64_t seed, std::size_t replicas)
        : replicas_(replicas),
          groups_(std::bit_ceil((replicas + 63) / 64)),
          length_(static_cast<std::size_t>(model.shape.back())),
          random_(seed, 0) {
        for (std::size_t a = 0; a + 1 < model.shape.size(); ++a) {
            axes_.push_back(static_cast<std::size_t>(model.shape[a]));
            rows_ *= axes_.back();
        }
        law_.neighbours = 2 * model.shape.size();
        law_.turned = strength < 0;
        law_.chance = fraction(std::exp(-4 * std::abs(strength)));
        law_.words = length_ / 2 * groups_;
        stride_ = (law_.words + replica_vector - 1) / replica_vector * replica_vector +
                  2 * replica_vector;
        for (auto& colour : data_) colour.resize(rows_ * stride_);
    }

    void assign(std::span<const std::int8_t> values, std::uint64_t sweep) override {
        expect_spins(values.size(), rows_ * length_, replicas_);
        for (auto& colour : data_) std::fill(colour.begin(), colour.end(), 0);
        const std::int8_t* next = values.data();
        for (std::size_t r = 0; r < replicas_; ++r) {
            each_site(r, [&](std::size_t colour, std::size_t word, int bit) {
                data_[colour][word] |= static_cast<std::uint64_t>(*next++ > 0) << bit;
            });
        }
        for (auto& colour : data_) {
            for (std::size_t row = 0; row < rows_; ++row) close(colour, row);
        }
        sweep_ = sweep;
    }

    void values(std::span<std::int8_t> out) const override {
        std::int8_t* next = out.data();
        for (std::size_t r = 0; r < replicas_; ++r) {
            each_site(r, [&](std::size_t colour, std::size_t word, int bit) {
                *next++ = ((data_[colour][word] >> bit) & 1U) != 0 ? 1 : -1;
            });
        }
    }

    void bits(std::span<std::uint8_t> out) const override {
        std::fill(out.begin(), out.end(), std::uint8_t{0});
        std::size_t n = 0;
        for (std::size_t r = 0; r < replicas_; ++r) {
            each_site(r, [&](std::size_t colour, std::size_t word, int bit) {
                const auto one = static_cast<unsigned>((data_[colour][word] >> bit) & 1U);
                out[n / 8] = static_cast<std::uint8_t>(out[n / 8] | (one << (n % 8)));
                ++n;
            });
        }
    }

    void run(std::uint64_t sweeps) override {
        for (std::uint64_t s = 0; s < sweeps; ++s, ++sweep_) {
            for (std::size_t colour = 0; colour < 2; ++colour) update(colour, sweep_ + 1);
        }
    }

private:
    /// The number of the colour that the first site of a row has.
    [[nodiscard]] std::size_t parity(std::size_t row) const {
        std::size_t sum = 0;
        for (std::size_t a = axes_.size(); a-- > 0;) {
            sum += row % axes_[a];
            row /= axes_[a];
        }
        return sum % 2;
    }
    [[nodiscard]] std::size_t begin(std::size_t row) const {
        return row * stride_ + replica_vector;
    }

    /// Calls f(colour, word, bit) for the sites of a replica in the order of C.
    template <class F>
    void each_site(std::size_t replica, F&& f) const {
        const int bit = static_cast<int>(replica % 64);
        for (std::size_t row = 0; row < rows_; ++row) {
            const std::size_t odd = parity(row), first = begin(row) + replica / 64;
            for (std::size_t x = 0; x < length_; ++x) {
                f((odd + x) % 2, first + x / 2 * groups_, bit);
            }
        }
    }

    // The first and the last site behind the ends of a row.
    void close(std::vector<std::uint64_t>& colour, std::size_t row) const {
        std::uint64_t* first = colour.data() + begin(row);
        std::copy_n(first + law_.words - groups_, groups_, first - groups_);
        std::copy_n(first, groups_, first + law_.words);
    }

    void update(std::size_t colour, std::uint64_t sweep) {
        const std::size_t slots = replica_slots(law_.words, law_.neighbours);
        parallel_for(
            rows_,
            [&](std::size_t from, std::size_t to) {
                std::vector<std::uint64_t> pool(slots * replica_vector);
                for (std::size_t row = from; row < to; ++row) {
                    ReplicaRow job = law_;
                    job.spins = data_[colour].data() + begin(row);
                    const auto& other = data_[1 - colour];
                    job.others[0] = other.data() + begin(row);
                    std::size_t n = 1, below = 1;
                    for (std::size_t a = axes_.size(); a-- > 0; below *= axes_[a]) {
                        const std::size_t at = row / below % axes_[a], base = row - at * below;
                        const std::size_t up = (at + 1) % axes_[a];
                        const std::size_t down = (at + axes_[a] - 1) % axes_[a];
                        job.others[n++] = other.data() + begin(base + up * below);
                        job.others[n++] = other.data() + begin(base + down * below);
                    }
                    const auto step = static_cast<std::ptrdiff_t>(groups_);
                    job.side = parity(row) == colour ? -step : step;
                    job.slot = (colour * rows_ + row) * slots;
                    update_replicas(job, random_, sweep, pool.data());
                    close(data_[colour], row);
                }
            },
            std::max<std::size_t>(1, chunk_words / law_.words));
    }

    std::size_t replicas_, groups_, length_, rows_ = 1, stride_ = 0;
    std::vector<std::size_t> axes_;  // but the last
    ReplicaRow law_;
    RandomBlocks random_;
    std::array<std::vector<std::uint64_t>, 2> data_;
};

}  // namespace

std::unique_ptr<Sampler> replica_sampler(const Model& model, std::uint64_t seed,
                                         std::size_t replicas) {
    const std::optional<double> strength = nearest_neighbours(model);
    const bool even = std::all_of(model.shape.begin(), model.shape.end(),
                                  [](int length) { return length % 2 == 0; });
    if (!strength || !even || model.shape.size() < 2 || model.shape.size() > 3) {
        throw Error(
            "replicas share draws in periodic square and cubic Ising models of nearest "
            "neighbours with even lengths only; use another method");
    }
    if (replicas > 64 * most_groups) {
        throw Error("replicas: got " + std::to_string(replicas) + ", expected at most " +
                    std::to_string(64 * most_groups) + " that share draws");
    }
    return std::make_unique<ReplicaSampler>(model, *strength, seed, replicas);
}

}  // namespace regrain::lattice
