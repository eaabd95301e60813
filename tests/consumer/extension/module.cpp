#include <pybind11/pybind11.h>

#include <regrain/base/box.hpp>
#include <regrain/base/version.hpp>

PYBIND11_MODULE(regrain_consumer, m) {
    m.def("version", &regrain::version);
    m.def("volume", [](double edge) {
        return regrain::Box(regrain::Vec3{edge, edge, edge}).volume();
    });
}
