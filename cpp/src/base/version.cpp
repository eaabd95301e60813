#include "regrain/base/version.hpp"

namespace regrain {

const char* version() noexcept { return REGRAIN_VERSION; }

}  // namespace regrain
