#include <algorithm>
#include <cmath>
#include <limits>

#include "bit_sampler.hpp"
#include "environment.hpp"
#include "flat_sampler.hpp"
#include "kernels.hpp"
#include "planar.hpp"
#include "regrain/base/random_blocks.hpp"
#include "tiles.hpp"

namespace regrain::lattice {

namespace {

// Beyond it, what a spin feels is evaluated instead of looked up.
constexpr double largest_table = 1 << 20;
// Sites of one kind of update that one thread takes at a time.
constexpr std::size_t chunk_sites = 8192;

/// Sweeps over tiles: what a row of one replica does is left to `Rows`.
template <class Rows>
class TiledSampler final : public Sampler {
public:
    using Value = typename Rows::Value;

    TiledSampler(const Model& model, const Environment& environment, bool heat_bath,
                 std::uint64_t seed, std::size_t replicas)
        : tiles_(model, environment), rows_(model, environment, tiles_, heat_bath) {
        for (std::size_t r = 0; r < replicas; ++r) {
            data_.emplace_back(rows_.empty());
            random_.emplace_back(seed, r);
        }
    }

    void assign(std::span<const Value> values, std::uint64_t sweep) override {
        const std::size_t n = tiles_.sites();
        expect_spins(values.size(), n, data_.size());
        for (std::size_t r = 0; r < data_.size(); ++r) {
            rows_.assign(values.subspan(r * n, n), data_[r]);
        }
        sweep_ = sweep;
    }

    void values(std::span<Value> out) const override {
        const std::size_t n = tiles_.sites();
        for (std::size_t r = 0; r < data_.size(); ++r) {
            rows_.values(data_[r], out.subspan(r * n, n));
        }
    }

    void bits(std::span<std::uint8_t> out) const override {
        std::vector<Value> all(tiles_.sites() * data_.size());
        values(all);
        if constexpr (std::is_same_v<Value, std::int8_t>) pack_signs(all, out);
    }

    void run(std::uint64_t sweeps) override {
        each_replica(data_.size(), [&](std::size_t r, bool with_threads) {
            for (std::uint64_t s = 1; s <= sweeps; ++s) one_sweep(r, sweep_ + s, with_threads);
        });
        sweep_ += sweeps;
    }

private:
    void one_sweep(std::size_t replica, std::uint64_t sweep, bool with_threads) {
        for (const auto& colour : tiles_.colours()) {
            const auto some = [&](std::size_t begin, std::size_t end) {
                for (std::size_t k = begin; k < end; ++k) {
                    rows_.update(data_[replica], colour[k], random_[replica], sweep);
                }
            };
            if (with_threads) {
                parallel_for(colour.size(), some,
                             std::max<std::size_t>(1, chunk_sites / tiles_.row_sites()));
            } else {
                some(0, colour.size());
            }
        }
    }

    Tiles tiles_;
    Rows rows_;
    std::vector<typename Rows::Data> data_;
    std::vector<RandomBlocks> random_;
};

// ------------------------------------------------------------------------- whole numbers

ProductLaw law_of(const Model& model, const Environment& environment, bool heat_bath, ProductLaw*) {
    ProductLaw law;
    law.heat_bath = heat_bath;
    law.values = model.spin == Spin::ising ? 2 : 3;
    law.channels = products_of(environment);
    // Sums are whole numbers from -n to n; without zeros and ends, every other one.
    const bool all_there =
        law.values == 2 &&
        std::all_of(model.periodic.begin(), model.periodic.end(), [](bool on) { return on; });
    double size = 1;
    std::vector<std::int32_t> counts;
    for (Products& channel : law.channels) {
        const auto n = static_cast<std::int32_t>(channel.ends.size());
        counts.push_back(all_there ? n + 1 : 2 * n + 1);
        if (size < largest_table) {
            channel.stride = static_cast<std::int32_t>(size);
            law.start += n * channel.stride;
        }
        size *= counts.back();
    }
    law.shift = all_there ? 1 : 0;
    const double entries = size * law.values * (law.values - 1);
    if (entries > largest_table) return law;
    law.table.resize(static_cast<std::size_t>(entries));
    auto entry = law.table.begin();
    for (std::int32_t index = 0; index < static_cast<std::int32_t>(size); ++index) {
        double felt[2] = {0.0, 0.0};
        std::int32_t rest = index;
        for (std::size_t c = 0; c < law.channels.size(); ++c) {
            const std::int32_t n = static_cast<std::int32_t>(law.channels[c].ends.size());
            const std::int32_t level = rest % counts[c];
            rest /= counts[c];
            felt[law.channels[c].power - 1] +=
                law.channels[c].strength * ((all_there ? 2 * level : level) - n);
        }
        for (int present = 0; present < law.values; ++present) {
            const auto chances = law.chances(felt[0], felt[1], present);
            for (int v = 0; v + 1 < law.values; ++v) {
                *entry++ = threshold(chances[static_cast<std::size_t>(v)]);
            }
        }
    }
    return law;
}

PottsLaw law_of(const Model& model, const Environment& environment, bool heat_bath, PottsLaw*) {
    PottsLaw law;
    law.heat_bath = heat_bath;
    law.states = model.states;
    law.channels = products_of(environment);
    return law;
}

void update(const ProductLaw& law, const Block& block) { update_products(law, block); }
void update(const PottsLaw& law, const Block& block) { update_potts(law, block); }

template <class Law, std::size_t Words, std::int8_t Absent>
class WholeRows {
public:
    using Value = std::int8_t;
    using Data = std::vector<std::int8_t>;

    WholeRows(const Model& model, const Environment& environment, const Tiles& tiles,
              bool heat_bath)
        : tiles_(tiles), law_(law_of(model, environment, heat_bath, static_cast<Law*>(nullptr))) {}

    [[nodiscard]] Data empty() const { return Data(tiles_.values(), Absent); }

    void assign(std::span<const Value> flat, Data& data) const {
        tiles_.spread(flat, data.data(), [](Value v) { return v; });
    }
    void values(const Data& data, std::span<Value> flat) const { tiles_.gather(data.data(), flat); }

    void update(Data& data, std::size_t row, const RandomBlocks& random,
                std::uint64_t sweep) const {
        constexpr std::size_t most = 8 * Tiles::group;
        std::uint32_t words[Words * most];
        std::vector<const Value*> neighbours(tiles_.neighbours());
        for (std::size_t b = 0; b < tiles_.blocks(); ++b) {
            const std::size_t size = tiles_.block_size(b);
            Block block;
            for (std::size_t at = 0; at < size; at += most) {
                block.size = std::min(most, size - at);
                block.spins = data.data() + tiles_.begin(row, b) + at;
                for (std::size_t n = 0; n < neighbours.size(); ++n) {
                    neighbours[n] = data.data() + tiles_.neighbour(row, b, n) + at;
                }
                block.neighbours = neighbours.data();
                const std::uint64_t slot = Words * (tiles_.slot(row, b) + at);
                random.fill(sweep, slot / 4, (Words * block.size + 3) / 4, words);
                block.random = words;
                lattice::update(law_, block);
            }
            tiles_.close(data.data(), row, b);
        }
    }

private:
    const Tiles& tiles_;
    Law law_;
};

// -------------------------------------------------------------------------------- angles

/// Angles or numbers of states, with their cosines and sines.
template <class V>
class PlanarRows {
public:
    using Value = V;
    struct Data {
        std::vector<double> spins, cosines, sines;
    };

    PlanarRows(const Model& model, const Environment& environment, const Tiles& tiles,
               bool heat_bath)
        : tiles_(tiles), law_(model, environment, heat_bath) {}

    [[nodiscard]] Data empty() const {
        const std::vector<double> none(tiles_.values(), 0.0);
        return {none, none, none};
    }

    void assign(std::span<const Value> flat, Data& data) const {
        const auto state = [](Value v) { return static_cast<std::size_t>(v); };
        tiles_.spread(flat, data.spins.data(), [](Value v) { return static_cast<double>(v); });
        tiles_.spread(flat, data.cosines.data(), [&](Value v) {
            return law_.states == 0 ? std::cos(v) : law_.cosines[state(v)];
        });
        tiles_.spread(flat, data.sines.data(), [&](Value v) {
            return law_.states == 0 ? std::sin(v) : law_.sines[state(v)];
        });
    }
    void values(const Data& data, std::span<Value> flat) const {
        tiles_.gather(data.spins.data(), flat);
    }

    void update(Data& data, std::size_t row, const RandomBlocks& random,
                std::uint64_t sweep) const {
        std::vector<const double*> cosines(tiles_.neighbours()), sines(tiles_.neighbours());
        for (std::size_t b = 0; b < tiles_.blocks(); ++b) {
            for (std::size_t n = 0; n < cosines.size(); ++n) {
                cosines[n] = data.cosines.data() + tiles_.neighbour(row, b, n);
                sines[n] = data.sines.data() + tiles_.neighbour(row, b, n);
            }
            const std::size_t begin = tiles_.begin(row, b);
            PlanarBlock block;
            block.spins = data.spins.data() + begin;
            block.cosines = data.cosines.data() + begin;
            block.sines = data.sines.data() + begin;
            block.neighbour_cosines = cosines.data();
            block.neighbour_sines = sines.data();
            block.size = tiles_.block_size(b);
            block.slot = tiles_.slot(row, b);
            update_planar(law_, block, random, sweep);
            tiles_.close(data.cosines.data(), row, b);
            tiles_.close(data.sines.data(), row, b);
        }
    }

private:
    const Tiles& tiles_;
    PlanarLaw law_;
};

}  // namespace

std::unique_ptr<Sampler> single_spin_sampler(const Model& model, Method method, std::uint64_t seed,
                                             std::size_t replicas) {
    if (auto by_bits = bit_sampler(model, method, seed, replicas)) return by_bits;
    const Environment environment = environment_of(model);
    const bool bath = method == Method::heat_bath;
    const auto make = [&]<class Rows>(Rows*) -> std::unique_ptr<Sampler> {
        return std::make_unique<TiledSampler<Rows>>(model, environment, bath, seed, replicas);
    };
    switch (model.spin) {
        case Spin::ising:
        case Spin::blume_capel:
            return make(static_cast<WholeRows<ProductLaw, 1, 0>*>(nullptr));
        case Spin::potts:
            return make(static_cast<WholeRows<PottsLaw, 2, -1>*>(nullptr));
        case Spin::clock:
            return make(static_cast<PlanarRows<std::int8_t>*>(nullptr));
        case Spin::xy:
            break;
    }
    return make(static_cast<PlanarRows<double>*>(nullptr));
}

}  // namespace regrain::lattice
