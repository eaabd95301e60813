#include "regrain/particles/mapping.hpp"

#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/base/error.hpp"

namespace regrain::bindings {

namespace {

using particles::BeadMapping;
using particles::BeadRows;
using particles::Image;

template <class T, class U>
std::vector<T> vector_of(const Array<U>& array) {
    return std::vector<T>(array.data(), array.data() + array.size());
}

BeadMapping make(std::size_t n_atoms, const Array<std::int64_t>& offsets,
                 const Array<std::int32_t>& atoms, const Array<double>& weights,
                 const Array<double>& force_weights, const Array<std::int32_t>& bonds) {
    const BeadRows rows{vector_of<std::size_t>(offsets), vector_of<std::int32_t>(atoms),
                        vector_of<double>(weights), vector_of<double>(force_weights)};
    const auto pairs = rows_of<std::array<std::int32_t, 2>>(bonds, "bonds");
    const py::gil_scoped_release release;
    return BeadMapping(n_atoms, rows, pairs);
}

std::pair<Array<double>, Array<std::int32_t>> positions(
    const BeadMapping& mapping, const Array<double>& box, const Array<double>& fine,
    const std::optional<Array<std::int32_t>>& images) {
    const Box cell = box_of(box);
    const auto from = rows_of<Vec3>(fine, "positions");
    const auto from_images = images ? rows_of<Image>(*images, "images") : std::span<const Image>{};
    auto [centres, to] = new_rows<Vec3>(mapping.beads());
    auto [centre_images, to_images] = new_rows<Image, std::int32_t>(mapping.beads());
    {
        const py::gil_scoped_release release;
        mapping.positions(cell, from, from_images, to, to_images);
    }
    return {std::move(centres), std::move(centre_images)};
}

template <void (BeadMapping::*sum)(std::span<const Vec3>, std::span<Vec3>) const>
Array<double> vectors(const BeadMapping& mapping, const Array<double>& fine) {
    const auto from = rows_of<Vec3>(fine, "vectors");
    auto [coarse, to] = new_rows<Vec3>(mapping.beads());
    {
        const py::gil_scoped_release release;
        (mapping.*sum)(from, to);
    }
    return coarse;
}

}  // namespace

void bind_particles_mapping(py::module_& m) {
    py::class_<BeadMapping>(m, "BeadMapping", "Beads at weighted centres of atoms.")
        .def(py::init(&make), py::arg("n_atoms"), py::kw_only(), py::arg("offsets"),
             py::arg("atoms"), py::arg("weights"), py::arg("force_weights"), py::arg("bonds"))
        .def("positions", &positions, py::arg("box"), py::arg("positions"),
             py::arg("images") = py::none(), "Wrapped centres and their images.")
        .def("average", &vectors<&BeadMapping::average>, py::arg("vectors"),
             "Sums with the weights of the positions.")
        .def("forces", &vectors<&BeadMapping::forces>, py::arg("forces"),
             "Sums with the force weights.");
}

}  // namespace regrain::bindings
