#include "bindings.hpp"

namespace regrain::bindings {

void bind_base(py::module_&) {}

}  // namespace regrain::bindings
