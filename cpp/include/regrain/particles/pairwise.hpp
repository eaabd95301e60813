#pragma once

#include <cstdint>
#include <vector>

#include "regrain/base/random.hpp"

/// Thermostats that act between pairs of near particles, along the line that joins them: they
/// conserve momentum and angular momentum, so that a thermostatted fluid flows as a fluid does.
namespace regrain::particles {

/// Dissipative particle dynamics: beside the forces of the force field each pair that is closer
/// than the cutoff feels, along e = (r_i - r_j) / r,
///
///   -friction w(r) (e . v_ij) + sqrt(2 friction kT w(r)) noise,   w(r) = (1 - r / cutoff)^exponent
///
/// (Espanol and Warren, Europhys. Lett. 30, 191 (1995)).
struct Dpd {
    double kt, cutoff;
    std::vector<double> friction;  ///< types x types, symmetric; 0 where a pair feels nothing
    double exponent{2.0};
    /// Each pair's relative velocity is carried through the step by itself, one pair after the
    /// other (Shardlow, SIAM J. Sci. Comput. 24, 1267 (2003)); else these are forces like others,
    /// from velocities that are predicted (Groot and Warren, J. Chem. Phys. 107, 4423 (1997)).
    bool splitting{false};
    double predictor{0.65};  ///< lambda of Groot and Warren
};

/// A pair that is closer than the cutoff gets, at this rate, a new relative velocity along the line
/// that joins it from the distribution of kT (Lowe, Europhys. Lett. 47, 145 (1999)).
struct LoweAndersen {
    double kt, cutoff, rate;
};

/// Random numbers of the pairs of one step, as functions of two particles in either order.
///
/// A pair needs one number per step and there are many pairs, so this is a hash rather than a
/// Philox of ten rounds; that makes its keys from seed, stream and step. Each particle gets a word,
/// a pair the hash of the difference of two, so that there is one round per pair. A round is a
/// bijection of 32 bits that changes each bit of its result with probability 1/2, to a part in
/// 500, when any bit of its argument changes (two multiplications and three shifts, after
/// C. Wellons, "Prospecting for hash functions" (2018)). In a step two pairs that have nothing to
/// do with each other share their number with a probability of 2^-32 or so.
class PairNoise {
public:
    PairNoise(std::uint64_t seed, std::uint32_t stream, std::uint64_t step) {
        const Philox::Word word = Philox(seed, stream).bits(step, 0);
        key_[0] = word[0];
        key_[1] = word[1];
        key_[2] = word[2];
    }

    [[nodiscard]] std::uint32_t of_particle(std::uint32_t id) const { return mixed(id ^ key_[0]); }
    [[nodiscard]] std::uint32_t bits(std::uint32_t i, std::uint32_t j) const {
        const std::uint32_t a = of_particle(i), b = of_particle(j);
        return mixed((a < b ? b - a : a - b) ^ key_[1]);
    }
    /// A second word, for numbers that need two.
    [[nodiscard]] std::uint32_t more(std::uint32_t bits) const { return mixed(bits ^ key_[2]); }
    [[nodiscard]] std::uint32_t key(int k) const { return key_[k]; }

    /// Uniform with mean 0 and variance 1, from such a word.
    [[nodiscard]] static double uniform(std::uint32_t word) {
        return (static_cast<double>(word) - middle) * scale;
    }
    static constexpr double middle = 0x7FFFFFFF.8p0;
    static constexpr double scale = 0x1p-32 * 3.4641016151377546;  // sqrt(12)

    /// One round, of an unsigned number or a vector of them.
    template <class Word>
    [[nodiscard, gnu::always_inline]] static inline Word mixed(Word x) {
        x ^= x >> 16;
        x *= 0x7FEB352DU;
        x ^= x >> 15;
        x *= 0x846CA68BU;
        x ^= x >> 16;
        return x;
    }

private:
    std::uint32_t key_[3];
};

}  // namespace regrain::particles
