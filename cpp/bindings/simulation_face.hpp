// What all simulations of particles look like from Python.
#pragma once

#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "snapshots.hpp"

namespace regrain::bindings {

/// Binds what S shares with Simulation: arrays go in and out by particle id, snapshots through
/// the two functions.
template <class S>
void bind_simulation_face(py::class_<S>& type, Dict (*to_dict)(const typename S::Snapshot&),
                          typename S::Snapshot (*to_snapshot)(const Dict&)) {
    using Image = std::array<std::int32_t, 3>;
    const py::call_guard<py::gil_scoped_release> no_gil;
    const auto by_id = [](void (S::*get)(std::span<Vec3>) const) {
        return [get](const S& s) {
            auto [array, rows] = new_rows<Vec3>(s.size());
            (s.*get)(rows);
            return array;
        };
    };
    type.def(
            "assign",
            [](S& s, const Doubles& positions, const std::optional<Ints>& images,
               const std::optional<Doubles>& velocities, double kt, const Doubles& box) {
                const auto r = rows_of<Vec3>(positions, "positions");
                const auto i =
                    images ? rows_of<Image>(*images, "images") : std::span<const Image>{};
                const auto v =
                    velocities ? rows_of<Vec3>(*velocities, "velocities") : std::span<const Vec3>{};
                const Box cell = box_of(box);
                const py::gil_scoped_release release;
                s.assign(r, i, v, kt, cell);
            },
            py::kw_only(), py::arg("positions"), py::arg("images"), py::arg("velocities"),
            py::arg("kt"), py::arg("box"))
        .def("run", &S::run, py::arg("steps"), no_gil)
        .def("measure", &S::measure, no_gil)
        .def_property_readonly("step", &S::step)
        .def_property_readonly("size", &S::size)
        .def_property_readonly("degrees_of_freedom", &S::degrees_of_freedom)
        .def_property_readonly("box", [](const S& s) { return vectors_of(s.box()); })
        .def("places",
             [](const S& s) {
                 auto [positions, r] = new_rows<Vec3>(s.size());
                 auto [images, i] = new_rows<Image, std::int32_t>(s.size());
                 s.places(r, i);
                 return py::make_tuple(positions, images);
             })
        .def("velocities", by_id(&S::velocities))
        .def("forces", by_id(&S::forces))
        .def("snapshot", [to_dict](const S& s) { return to_dict(s.snapshot()); })
        .def("restore",
             [to_snapshot](S& s, const Dict& snapshot) { s.restore(to_snapshot(snapshot)); });
}

}  // namespace regrain::bindings
