#include "bit_sampler.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "bit_models.hpp"
#include "bits.hpp"
#include "flat_sampler.hpp"
#include "regrain/base/random_blocks.hpp"

namespace regrain::lattice {

namespace {

// Vectors of one colour that one thread takes at a time.
constexpr std::size_t chunk_vectors = 256;

BitLaw law_of(double strength, std::size_t neighbours, bool heat_bath) {
    BitLaw law;
    law.heat_bath = heat_bath;
    law.turned.fill(strength < 0 ? ~0U : 0U);
    law.neighbours = neighbours;
    for (std::size_t n = 0; n <= neighbours; ++n) {
        const double pull =
            2 * std::abs(strength) * (2 * static_cast<double>(n) - static_cast<double>(neighbours));
        law.chances[n] = fraction(heat_bath ? 1 / (1 + std::exp(-pull)) : std::exp(-pull));
    }
    law.set_planes();
    return law;
}

// Bits to the even places of a word.
std::uint64_t spread(std::uint32_t bits) {
    std::uint64_t x = bits;
    x = (x | (x << 16)) & 0x0000FFFF0000FFFFULL;
    x = (x | (x << 8)) & 0x00FF00FF00FF00FFULL;
    x = (x | (x << 4)) & 0x0F0F0F0F0F0F0F0FULL;
    x = (x | (x << 2)) & 0x3333333333333333ULL;
    return (x | (x << 1)) & 0x5555555555555555ULL;
}

std::uint32_t gathered(std::uint64_t x) {
    x &= 0x5555555555555555ULL;
    x = (x | (x >> 1)) & 0x3333333333333333ULL;
    x = (x | (x >> 2)) & 0x0F0F0F0F0F0F0F0FULL;
    x = (x | (x >> 4)) & 0x00FF00FF00FF00FFULL;
    x = (x | (x >> 8)) & 0x0000FFFF0000FFFFULL;
    return static_cast<std::uint32_t>(x | (x >> 16));
}

/// Sites of even and of odd numbers (the colours) are kept apart; the two have the same rows, of
/// half the length. The words of a vector are of rows that are a sixteenth of the first axis apart,
/// so that neighbours along it are whole vectors, but at the ends, where words move on by one.
class BitSampler final : public Sampler {
public:
    BitSampler(const Model& model, double strength, bool heat_bath, std::uint64_t seed,
               std::size_t replicas)
        : law_(law_of(strength, 2 * model.shape.size(), heat_bath)),
          segment_(static_cast<std::size_t>(model.shape[0]) / vector_words),
          middle_(model.shape.size() == 3 ? static_cast<std::size_t>(model.shape[1]) : 1),
          vectors_(static_cast<std::size_t>(model.shape.back()) / 64) {
        const std::size_t words = (segment_ + 2) * middle_ * vectors_ * vector_words;
        for (std::size_t r = 0; r < replicas; ++r) {
            data_.push_back({std::vector<std::uint32_t>(words), std::vector<std::uint32_t>(words)});
            random_.emplace_back(seed, r);
        }
    }

    void assign(std::span<const std::int8_t> values, std::uint64_t sweep) override {
        expect_spins(values.size(), vector_words * rows() * vectors_ * 64, data_.size());
        const std::int8_t* next = values.data();
        for (Colours& data : data_) {
            each_row([&](std::size_t odd, std::size_t word) {
                for (std::size_t v = 0; v < vectors_; ++v, next += 64) {
                    std::uint64_t bits = 0;
                    for (std::size_t k = 0; k < 64; ++k) {
                        bits |= static_cast<std::uint64_t>(next[k] > 0) << k;
                    }
                    data[odd][word + v * vector_words] = gathered(bits);
                    data[1 - odd][word + v * vector_words] = gathered(bits >> 1);
                }
            });
            for (auto& colour : data) close(colour);
        }
        sweep_ = sweep;
    }

    void bits(std::span<std::uint8_t> out) const override {
        std::uint8_t* next = out.data();
        for (const Colours& data : data_) {
            each_row([&](std::size_t odd, std::size_t word) {
                for (std::size_t v = 0; v < vectors_; ++v, next += 8) {
                    const std::uint64_t together =
                        spread(data[odd][word + v * vector_words]) |
                        (spread(data[1 - odd][word + v * vector_words]) << 1);
                    for (std::size_t k = 0; k < 8; ++k) {
                        next[k] = static_cast<std::uint8_t>(together >> (8 * k));
                    }
                }
            });
        }
    }

    void values(std::span<std::int8_t> out) const override {
        std::vector<std::uint8_t> packed(out.size() / 8);
        bits(packed);
        for (std::size_t n = 0; n < out.size(); ++n) {
            out[n] = static_cast<std::int8_t>(2 * ((packed[n / 8] >> (n % 8)) & 1) - 1);
        }
    }

    void run(std::uint64_t sweeps) override {
        each_replica(data_.size(), [&](std::size_t r, bool with_threads) {
            for (std::uint64_t s = 1; s <= sweeps; ++s) one_sweep(r, sweep_ + s, with_threads);
        });
        sweep_ += sweeps;
    }

private:
    using Colours = std::array<std::vector<std::uint32_t>, 2>;

    [[nodiscard]] std::size_t rows() const { return segment_ * middle_; }
    /// The first word of a row; the first and the last rows of all stand for those beyond the ends.
    [[nodiscard]] std::size_t row_word(std::size_t row) const {
        return (row + middle_) * vectors_ * vector_words;
    }

    /// Calls f(colour of the first site, first word) for all rows of the lattice in order.
    template <class F>
    void each_row(F&& f) const {
        for (std::size_t lane = 0; lane < vector_words; ++lane) {
            for (std::size_t i = 0; i < segment_; ++i) {
                for (std::size_t y = 0; y < middle_; ++y) {
                    f((i + y) & 1U, row_word(i * middle_ + y) + lane);
                }
            }
        }
    }

    // Rows beyond the ends of the segments: those of the next ones.
    void close(std::vector<std::uint32_t>& colour) const {
        const std::size_t words = middle_ * vectors_ * vector_words;
        for (std::size_t w = 0; w < words; w += vector_words) {
            std::uint32_t* before = colour.data() + w;
            std::uint32_t* behind = before + (segment_ + 1) * words;
            const std::uint32_t* first = before + words;
            const std::uint32_t* last = before + segment_ * words;
            for (std::size_t lane = 0; lane < vector_words; ++lane) {
                before[lane] = last[(lane + vector_words - 1) % vector_words];
                behind[lane] = first[(lane + 1) % vector_words];
            }
        }
    }

    void one_sweep(std::size_t replica, std::uint64_t sweep, bool with_threads) {
        for (std::size_t colour = 0; colour < 2; ++colour) {
            auto& mine = data_[replica][colour];
            const auto& other = data_[replica][1 - colour];
            const auto some = [&](std::size_t begin, std::size_t end) {
                for (std::size_t row = begin; row < end; ++row) {
                    update_bits(law_, row_of(mine, other, row, colour), random_[replica], sweep);
                }
            };
            if (with_threads) {
                parallel_for(rows(), some, std::max<std::size_t>(1, chunk_vectors / vectors_));
            } else {
                some(0, rows());
            }
            close(mine);
        }
    }

    BitRow row_of(std::vector<std::uint32_t>& mine, const std::vector<std::uint32_t>& other,
                  std::size_t row, std::size_t colour) const {
        const std::size_t i = row / middle_, y = row % middle_;
        const auto at = [&](std::size_t r) { return other.data() + row_word(r); };
        BitRow found;
        found.spins = mine.data() + row_word(row);
        found.others[0] = at(row);
        found.others[1] = at(row) - middle_ * vectors_ * vector_words;
        found.others[2] = at(row + middle_);
        if (law_.neighbours == 6) {
            found.others[3] = at(i * middle_ + (y + 1) % middle_);
            found.others[4] = at(i * middle_ + (y + middle_ - 1) % middle_);
        }
        // Sites of this colour are the even ones of the row, or the odd ones.
        found.left = ((i + y) & 1U) == colour;
        found.vectors = vectors_;
        found.slot = (colour * rows() + row) * vectors_;
        return found;
    }

    BitLaw law_;
    std::size_t segment_, middle_, vectors_;
    std::vector<Colours> data_;
    std::vector<RandomBlocks> random_;
};

}  // namespace

std::unique_ptr<Sampler> bit_sampler(const Model& model, Method method, std::uint64_t seed,
                                     std::size_t replicas) {
    const auto& shape = model.shape;
    const bool whole =
        std::all_of(model.periodic.begin(), model.periodic.end(), [](bool on) { return on; });
    if (model.spin != Spin::ising || !whole || shape.size() < 2 || shape.size() > 3) return nullptr;
    if (shape[0] % 32 != 0 || shape.back() % 64 != 0 || shape[1] % 2 != 0) return nullptr;
    const std::optional<double> strength = nearest_neighbours(model);
    if (!strength) return nullptr;
    return std::make_unique<BitSampler>(model, *strength, method == Method::heat_bath, seed,
                                        replicas);
}

}  // namespace regrain::lattice
