// One bind function per file of this directory; module.cpp calls them all.
#pragma once

#include <pybind11/pybind11.h>

namespace regrain::bindings {

namespace py = pybind11;

void bind_base(py::module_& m);
void bind_base_bspline(py::module_& m);
void bind_base_fft(py::module_& m);
void bind_base_expression(py::module_& m);
void bind_base_qr(py::module_& m);
void bind_lattice(py::module_& m);
void bind_particles(py::module_& m);
void bind_particles_analysis(py::module_& m);
void bind_particles_external(py::module_& m);
void bind_particles_fitting(py::module_& m);
void bind_particles_mapping(py::module_& m);
void bind_particles_engine(py::module_& m);
void bind_particles_srd(py::module_& m);
void bind_particles_dynamics(py::module_& m);

}  // namespace regrain::bindings
