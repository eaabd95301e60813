#pragma once

#include "regrain/base/export.hpp"

namespace regrain {

/// The vector instructions that the kernels of this process use, best first.
enum class Simd { x86_64_v4, x86_64_v3, baseline };

/// Chosen once by what the processor can do; REGRAIN_SIMD=v4, v3 or baseline in the environment
/// asks for less (to compare, or to reproduce the bits of a smaller machine).
REGRAIN_EXPORT Simd simd() noexcept;

/// The same in words, e.g. "x86-64-v4 (AVX-512)".
REGRAIN_EXPORT const char* simd_level() noexcept;

}  // namespace regrain
