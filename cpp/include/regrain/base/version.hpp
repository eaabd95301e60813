#pragma once

#include "regrain/base/export.hpp"

namespace regrain {

/// The version of the library that is loaded, e.g. "0.1.0"; the one of project() in CMake.
REGRAIN_EXPORT const char* version() noexcept;

}  // namespace regrain
