#include "bindings.hpp"

namespace regrain::bindings {

void bind_particles(py::module_&) {}

}  // namespace regrain::bindings
