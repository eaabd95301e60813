// The kinetic tensor, whatever the particles are kept in.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "regrain/base/parallel.hpp"
#include "regrain/base/vec3.hpp"

namespace regrain::particles {

/// Six components of a symmetric tensor, xx yy zz xy xz yz, as parallel sums add them.
struct SymmetricSum {
    std::array<double, 6> t{};
    SymmetricSum& operator+=(const SymmetricSum& o) {
        for (std::size_t k = 0; k < 6; ++k) t[k] += o.t[k];
        return *this;
    }
};

inline double trace(const std::array<double, 6>& t) { return t[0] + t[1] + t[2]; }

/// The sum of m v_a v_b over so many particles, of which moving(k) gives mass and velocity.
template <class F>
std::array<double, 6> sum_kinetic_tensor(std::size_t particles, F&& moving) {
    const auto sum_of = [&moving](std::size_t begin, std::size_t end) {
        SymmetricSum sum;
        for (std::size_t k = begin; k < end; ++k) {
            const std::pair<double, Vec3> particle = moving(k);
            const auto& [m, v] = particle;
            sum += {{m * v.x * v.x, m * v.y * v.y, m * v.z * v.z, m * v.x * v.y, m * v.x * v.z,
                     m * v.y * v.z}};
        }
        return sum;
    };
    return parallel_sum<SymmetricSum>(particles, sum_of).t;
}

}  // namespace regrain::particles
