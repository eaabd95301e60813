// How bad numbers are told and shown.
#pragma once

#include <cmath>
#include <string>

#include "regrain/base/error.hpp"
#include "regrain/base/vec3.hpp"

namespace regrain {

inline bool positive(double x) { return std::isfinite(x) && x > 0.0; }
inline bool zero_or_more(double x) { return std::isfinite(x) && x >= 0.0; }

/// Throws Error, which says what was expected and what was given, unless it is good.
inline void require(bool good, const std::string& what, double given) {
    if (!good) throw Error(what + ": got " + std::to_string(given));
}

inline std::string shown(const Vec3& r) {
    return "(" + std::to_string(r.x) + ", " + std::to_string(r.y) + ", " + std::to_string(r.z) +
           ")";
}

}  // namespace regrain
