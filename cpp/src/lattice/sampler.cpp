#include "regrain/lattice/sampler.hpp"

#include "regrain/base/error.hpp"

namespace regrain::lattice {

namespace {

[[noreturn]] void other_values() {
    throw Error(
        "the sampler keeps values of another type; give whole numbers or angles, as its "
        "model has");
}

}  // namespace

void Sampler::assign(std::span<const std::int8_t>, std::uint64_t) { other_values(); }
void Sampler::assign(std::span<const double>, std::uint64_t) { other_values(); }
void Sampler::values(std::span<std::int8_t>) const { other_values(); }
void Sampler::bits(std::span<std::uint8_t>) const { other_values(); }
void Sampler::values(std::span<double>) const { other_values(); }

}  // namespace regrain::lattice
