#include "bindings.hpp"

namespace regrain::bindings {

void bind_particles_analysis(py::module_&) {}

}  // namespace regrain::bindings
