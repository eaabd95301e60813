#include "bindings.hpp"

namespace regrain::bindings {

void bind_particles_mapping(py::module_&) {}

}  // namespace regrain::bindings
