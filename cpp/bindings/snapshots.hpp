// Snapshots of a simulation as dictionaries of arrays.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/typing.h>

#include "regrain/particles/simulation.hpp"

namespace regrain::bindings {

namespace py = pybind11;
using Dict = py::typing::Dict<py::str, py::object>;

Dict to_dict(const particles::Simulation::Snapshot& snapshot);
particles::Simulation::Snapshot to_snapshot(const Dict& dictionary);

}  // namespace regrain::bindings
