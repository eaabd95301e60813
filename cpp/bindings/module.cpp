// The extension module regrain._core.
#include <pybind11/gil_safe_call_once.h>

#include <exception>

#include "bindings.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/version.hpp"

namespace regrain::bindings {

// The Python class is looked up at the first error, not at import: regrain.errors must stay
// importable without _core, and _core without the rest of the package.
static void translate(std::exception_ptr thrown) {
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> regrain_error;
    try {
        if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& error) {
        const py::object& type =
            regrain_error
                .call_once_and_store_result(
                    [] { return py::module_::import("regrain.errors").attr("RegrainError"); })
                .get_stored();
        py::set_error(type, error.what());
    }
}

}  // namespace regrain::bindings

PYBIND11_MODULE(_core, m) {
    using namespace regrain::bindings;
    m.doc() = "The compiled core of regrain; its public faces are the modules of the package.";
    m.attr("__version__") = regrain::version();
    py::register_exception_translator(&translate);
    bind_base(m);
    bind_base_bspline(m);
    bind_base_fft(m);
    bind_base_expression(m);
    bind_base_qr(m);
    bind_lattice(m);
    bind_particles(m);
    bind_particles_analysis(m);
    bind_particles_fitting(m);
    bind_particles_mapping(m);
    bind_particles_external(m);
    bind_particles_engine(m);
    bind_particles_dynamics(m);
    bind_particles_srd(m);
}
