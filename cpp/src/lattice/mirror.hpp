// Cluster moves: a mirror is a map of spins onto spins that undoes itself and leaves every pair of
// spins as content as it was when both are mapped. Spins are tied to each other with the chance
// 1 - exp(-(what their pair would lose if only one were mapped)), and what is tied is mapped
// together: Swendsen and Wang, Phys. Rev. Lett. 58, 86 (1987), and Wolff, Phys. Rev. Lett. 62, 361
// (1989), for all spins at once.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels.hpp"
#include "regrain/base/random_blocks.hpp"

namespace regrain::lattice {

struct Pairs {
    std::vector<std::vector<int>> offsets;
    std::vector<double> strengths;
    double field = 0.0;
};

/// The pairs and the field of a model; an error if it has other couplings.
Pairs pairs_of(const Model& model);

/// Spins of whole numbers.
class WholeMirror {
public:
    using Value = std::int8_t;

    WholeMirror(const Model& model, const Pairs& pairs);

    /// Another mirror: all spins of Ising have one only.
    void turn(const RandomBlocks::Block& words);

    [[nodiscard]] Value image(Value v) const { return image_[index(v)]; }
    /// As in `threshold`: whether a draw ties two spins.
    [[nodiscard]] bool ties(std::size_t pair, Value a, Value b, std::uint32_t draw) const {
        return draw < limits_[(pair * count_ + index(a)) * count_ + index(b)];
    }
    [[nodiscard]] bool has_field() const { return field_ != 0.0; }
    /// What the field gains when a spin is mapped, in units that `gain` knows.
    [[nodiscard]] std::int32_t steps(Value v) const { return along(image(v)) - along(v); }
    [[nodiscard]] double gain(std::int64_t steps) const {
        return field_ * static_cast<double>(steps);
    }

private:
    [[nodiscard]] std::size_t index(Value v) const {
        return static_cast<std::size_t>(ising_ ? (v + 1) / 2 : v);
    }
    [[nodiscard]] std::int32_t along(Value v) const { return ising_ ? v : (v == 0 ? 1 : 0); }
    [[nodiscard]] double pair(std::size_t a, std::size_t b) const;
    void set_limits();

    Spin spin_;
    bool ising_;
    std::size_t count_;
    std::vector<double> strengths_;
    double field_;
    std::vector<Value> image_;
    std::vector<std::uint32_t> limits_;
};

/// Angles.
class AngleMirror {
public:
    using Value = double;

    AngleMirror(const Model&, const Pairs& pairs) : strengths_(pairs.strengths) {}

    void turn(const RandomBlocks::Block& words) {
        const std::uint64_t bits = (static_cast<std::uint64_t>(words[0]) << 32) | words[1];
        sum_ = static_cast<double>(bits >> 11) * 0x1p-53 * 6.283185307179586;
    }
    [[nodiscard]] Value image(Value v) const {
        const double to = sum_ - v;
        return to - 6.283185307179586 * std::round(to / 6.283185307179586);
    }
    [[nodiscard]] bool ties(std::size_t pair, Value a, Value b, std::uint32_t draw) const {
        const double loss = strengths_[pair] * (std::cos(a - b) - std::cos(image(a) - b));
        return loss > 0 && (draw + 0.5) * 0x1p-32 < -std::expm1(-loss);
    }
    [[nodiscard]] bool has_field() const { return false; }
    [[nodiscard]] std::int32_t steps(Value) const { return 0; }
    [[nodiscard]] double gain(std::int64_t) const { return 0.0; }

private:
    std::vector<double> strengths_;
    double sum_ = 0.0;
};

}  // namespace regrain::lattice
