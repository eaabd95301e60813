#pragma once

#include <stdexcept>

#include "regrain/base/export.hpp"

namespace regrain {

/// The one exception of the core. The message says what was given, what was expected and what to
/// do; Python sees it as regrain.errors.RegrainError.
class REGRAIN_EXPORT Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace regrain
