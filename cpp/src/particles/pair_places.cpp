#include "pair_places.hpp"

#include <cmath>

#include "regrain/base/parallel.hpp"
#include "simd.hpp"

namespace regrain::particles {

void Halo::renew(std::vector<Row>& rows, std::size_t n, const Box& box) const {
    std::vector<Vec3> by(shifts.size());
    for (std::size_t s = 0; s < shifts.size(); ++s) by[s] = lattice_vector(box, shifts[s]);
    parallel_for(source.size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t h = begin; h < end; ++h) {
            const Row& from = rows[source[h]];
            const Vec3& d = by[shift[h]];
            rows[n + h] = {from.x + d.x, from.y + d.y, from.z + d.z, from.tag};
        }
    });
}

namespace {

struct Conversion {
    const Row* rows;
    Place* places;
    double inverse_unit;
};

// One particle is one vector.
REGRAIN_INLINE void convert(const Conversion& c, std::size_t begin, std::size_t end) {
    using V = simd::Double<4>;
    using I = simd::Int<4>;
    const I xyz{-1, -1, -1, 0};
    // Added to a number that is not too large, leaves it in the low bits as the nearest integer.
    const V rounding = simd::broadcast<4>(0x1.8p52);
    for (std::size_t row = begin; row < end; ++row) {
        const I record = simd::load<I>(c.rows + row);
        const V counted = (V)(record & xyz) * c.inverse_unit + rounding;
        const I all = ((I)counted & xyz) | (record & ~xyz);
        simd::store(c.places + row, __builtin_convertvector(all, simd::Whole<4>));
    }
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 void convert_v4(const Conversion& c, std::size_t begin, std::size_t end) {
    convert(c, begin, end);
}
REGRAIN_TARGET_V3 void convert_v3(const Conversion& c, std::size_t begin, std::size_t end) {
    convert(c, begin, end);
}
#endif
void convert_any(const Conversion& c, std::size_t begin, std::size_t end) {
    convert(c, begin, end);
}

}  // namespace

void Places::renew(const std::vector<Row>& rows, std::size_t n, const Halo& halo, const Box& box) {
    const double inverse = 1.0 / unit;
    all.resize(n + halo.source.size());
    const Conversion work{rows.data(), all.data(), inverse};
    parallel_for(n, [&](std::size_t begin, std::size_t end) {
        simd::dispatch(REGRAIN_LEVELS(convert), work, begin, end);
    });
    std::vector<Place> by;
    for (const Image& shift : halo.shifts) {
        const Vec3 d = inverse * lattice_vector(box, shift);
        const auto counted = [](double x) { return static_cast<std::uint32_t>(std::llround(x)); };
        by.push_back({counted(d.x), counted(d.y), counted(d.z), 0});
    }
    parallel_for(halo.source.size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t h = begin; h < end; ++h) {
            const Place& from = all[halo.source[h]];
            const Place& d = by[halo.shift[h]];
            all[n + h] = {from.x + d.x, from.y + d.y, from.z + d.z, from.type};
        }
    });
}

}  // namespace regrain::particles
