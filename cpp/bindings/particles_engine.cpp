#include "bindings.hpp"

namespace regrain::bindings {

void bind_particles_engine(py::module_&) {}

}  // namespace regrain::bindings
