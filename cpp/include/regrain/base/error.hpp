#pragma once

#include <stdexcept>

#include "regrain/base/export.hpp"

namespace regrain {

/// What every function of the core throws; Python sees it as regrain.errors.RegrainError.
class REGRAIN_EXPORT Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace regrain
