#include <pybind11/pybind11.h>

#include <regrain/base/error.hpp>
#include <regrain/base/version.hpp>

PYBIND11_MODULE(regrain_consumer, m) {
    m.def("version", &regrain::version);
    m.def("fail", [] { throw regrain::Error("from a foreign extension"); });
}
