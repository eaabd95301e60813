// The images around the particles, and where single precision finds both.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/particles/cells.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// Rows beyond the particles: images, kept at source row + shift, and one row far away from
/// everything that fills up lists to whole vectors.
struct Halo {
    std::vector<std::uint32_t> source, shift;
    std::vector<Image> shifts;  ///< the distinct ones

    void renew(std::vector<Row>& rows, std::size_t n, const Box& box) const;
};

/// A row in 16 bytes. Coordinates are counted in units of a small part of the reach, and begin anew
/// where 32 bits end: differences are exact up to half of that, which is many times the reach.
struct alignas(16) Place {
    std::uint32_t x, y, z;
    std::int32_t type;
};

/// The places of the particles and of their images.
struct Places {
    explicit Places(double reach) : unit(std::ldexp(1.0, std::ilogb(reach) - 25)) {}

    void renew(const std::vector<Row>& rows, std::size_t n, const Halo& halo, const Box& box);

    /// Differences may be this many times the reach.
    static constexpr double most = 30.0;
    std::vector<Place> all;
    double unit;  ///< a power of two: its square is exact in single precision, too
};

}  // namespace regrain::particles
