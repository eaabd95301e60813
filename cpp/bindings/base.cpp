#include "regrain/base/parallel.hpp"

#include "bindings.hpp"

namespace regrain::bindings {

void bind_base(py::module_& m) {
    m.def("threads", &threads, "Threads that the next parallel region of the core uses.");
    m.def("set_threads", &set_threads, py::arg("count"), "Sets the number of threads.");
}

}  // namespace regrain::bindings
