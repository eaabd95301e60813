#include "regrain/base/simd.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace regrain {

namespace {

Simd best() noexcept {
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
    __builtin_cpu_init();
    // What x86-64-v3 and v4 are made of, as far as the kernels can tell.
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    if (v4) return Simd::x86_64_v4;
    if (v3) return Simd::x86_64_v3;
#endif
    return Simd::baseline;
}

Simd wanted() noexcept {
    const char* text = std::getenv("REGRAIN_SIMD");
    const std::string_view name = text != nullptr ? text : "";
    if (name == "baseline") return Simd::baseline;
    if (name == "v3") return Simd::x86_64_v3;
    return Simd::x86_64_v4;
}

}  // namespace

Simd simd() noexcept {
    static const Simd chosen = std::max(best(), wanted());
    return chosen;
}

const char* simd_level() noexcept {
    switch (simd()) {
        case Simd::x86_64_v4:
            return "x86-64-v4 (AVX-512)";
        case Simd::x86_64_v3:
            return "x86-64-v3 (AVX2)";
        case Simd::baseline:
            break;
    }
#if defined(__x86_64__)
    return "x86-64 (SSE2)";
#elif defined(__aarch64__)
    return "aarch64 (NEON)";
#else
    return "baseline";
#endif
}

}  // namespace regrain
