#include "brownian.hpp"

#include <algorithm>
#include <cmath>

#include "simd.hpp"

namespace regrain::particles {

namespace {

using noise::block;

REGRAIN_INLINE void draw_twice(const BrownianPass& pass, std::size_t first, std::size_t count,
                               noise::Normals& sum) {
    noise::Words words;
    noise::Normals next;
    const std::uint32_t* ids = pass.ids + first;
    const auto id = [ids](std::size_t k) { return ids[k]; };
    noise::Source source = pass.source;
    noise::draw(source, 0, count, id, words);
    noise::normals(words, count, sum);
    ++source.step;
    noise::draw(source, 0, count, id, words);
    noise::normals(words, count, next);
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
        sum.x[k] += next.x[k];
        sum.y[k] += next.y[k];
        sum.z[k] += next.z[k];
    }
}

double mobility(const Brownian& law, const Row& row, const Motion& motion) {
    if (motion.inverse_mass == 0.0) return 0.0;
    const auto type = static_cast<std::size_t>(row.tag);
    if (!law.diffusion.values.empty()) return law.diffusion[type] / law.kt;
    return motion.inverse_mass / law.friction[type];
}

REGRAIN_INLINE PassOutcome displace(const BrownianPass& pass, std::size_t begin, std::size_t end) {
    PassOutcome outcome;
    noise::Normals g;
    for (std::size_t first = begin; first < end; first += block) {
        const std::size_t count = std::min(block, end - first);
        draw_twice(pass, first, count, g);
        for (std::size_t k = 0; k < count; ++k) {
            Row& row = pass.rows[first + k];
            Motion& motion = pass.motion[first + k];
            const double m = mobility(*pass.law, row, motion);
            const double size = std::sqrt(0.5 * pass.law->kt * m / pass.dt);
            motion.v = m * pass.force[first + k] + Vec3{g.x[k], g.y[k], g.z[k]} * size;
            const Vec3 move = pass.dt * motion.v;
            row.x += move.x;
            row.y += move.y;
            row.z += move.z;
            const auto far = [&pass](double v) { return !(std::abs(v) <= pass.fastest); };
            outcome.wild |= far(motion.v.x) || far(motion.v.y) || far(motion.v.z);
        }
    }
    return outcome;
}

#if REGRAIN_X86
REGRAIN_TARGET_V4 PassOutcome displace_v4(const BrownianPass& p, std::size_t b, std::size_t e) {
    return displace(p, b, e);
}
REGRAIN_TARGET_V3 PassOutcome displace_v3(const BrownianPass& p, std::size_t b, std::size_t e) {
    return displace(p, b, e);
}
#endif
PassOutcome displace_any(const BrownianPass& p, std::size_t b, std::size_t e) {
    return displace(p, b, e);
}

}  // namespace

PassOutcome brownian_kernel(const BrownianPass& pass, std::size_t begin, std::size_t end) {
    return simd::dispatch(REGRAIN_LEVELS(displace), pass, begin, end);
}

}  // namespace regrain::particles
