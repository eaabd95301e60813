// Functions of vectors that no instruction gives, without branches; see simd.hpp.
#pragma once

#include "../base/vector_math.hpp"
#include "simd.hpp"

namespace regrain::particles::simd {

/// exp(x) for x <= 0 to a rounding error; what would be below exp(-700) is kept there, at 1e-304.
template <int W>
REGRAIN_INLINE Double<W> exp(const Double<W>& argument) {
    return normal_exp<W>(argument > -700.0 ? argument : broadcast<W>(-700.0));
}

/// The same in single precision; what would be below exp(-80) is kept there.
template <int W>
REGRAIN_INLINE Float<W> exp(const Float<W>& argument) {
    const Float<W> x = argument > -80.0F ? argument : broadcast<W>(-80.0F);
    constexpr float integer = 0x1.8p23F;
    const Float<W> numbered = x * 0x1.715476p0F + integer;
    const Float<W> n = numbered - integer;
    const Float<W> t = (x - n * 0x1.62e4p-1F) - n * 0x1.7f7d1cp-20F;
    Float<W> p = t * (1.0F / 5040.0F) + 1.0F / 720.0F;
    p = p * t + 1.0F / 120.0F;
    p = p * t + 1.0F / 24.0F;
    p = p * t + 1.0F / 6.0F;
    p = p * t + 0.5F;
    p = p * t + 1.0F;
    p = p * t + 1.0F;
    return (Float<W>)((Whole<W>)p + ((Whole<W>)numbered << 23));
}

/// arcsin(sqrt(m)) / sqrt(m) for m in [0, 1/2] to a rounding error: a Chebyshev series, computed
/// with 50 digits and written in powers of m.
template <int W>
REGRAIN_INLINE Double<W> arcsine_ratio(const Double<W>& m) {
    Double<W> p = m * 0.9122685423103436 - 3.381875550432578;
    p = p * m + 5.969264553297122;
    p = p * m - 6.492677009095027;
    p = p * m + 4.864663033133322;
    p = p * m - 2.625836630562523;
    p = p * m + 1.0687592847067535;
    p = p * m - 0.31732472211780144;
    p = p * m + 0.08395409008334327;
    p = p * m - 0.0036180835046319454;
    p = p * m + 0.013339403959817461;
    p = p * m + 0.013787390100814647;
    p = p * m + 0.01736553848144176;
    p = p * m + 0.022371516075198987;
    p = p * m + 0.030381965880212688;
    p = p * m + 0.04464285670804862;
    p = p * m + 0.07500000000464976;
    p = p * m + 0.16666666666664698;
    return p * m + 1.0;
}

/// The angle in [-pi, pi] of a point on the unit circle, to a rounding error.
template <int W>
REGRAIN_INLINE Double<W> angle_of(const Double<W>& cosine, const Double<W>& sine) {
    constexpr double pi = 3.14159265358979323846;
    // From the sine of half of the smaller angle between the point and the x axis.
    const Double<W> size = cosine > 0.0 ? cosine : -cosine;
    const Double<W> m = sine * sine / (2.0 * (1.0 + size));
    const Double<W> rest = 2.0 * sqrt<W>(m) * arcsine_ratio<W>(m);
    const Double<W> angle = cosine > 0.0 ? rest : pi - rest;
    return sine < 0.0 ? -angle : angle;
}

}  // namespace regrain::particles::simd
