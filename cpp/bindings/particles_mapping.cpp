#include "regrain/particles/mapping.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <optional>

#include "bindings.hpp"
#include "regrain/base/error.hpp"

namespace regrain::bindings {

namespace {

using particles::BeadMapping;
using particles::BeadRows;
using particles::Image;

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

/// A C-contiguous (n, width) array as a span of its rows.
template <class Row, class T>
std::span<const Row> rows_of(const Array<T>& array, const char* name) {
    constexpr auto width = static_cast<py::ssize_t>(sizeof(Row) / sizeof(T));
    if (array.ndim() != 2 || array.shape(1) != width) {
        throw Error(std::string(name) + " must have shape (n, " + std::to_string(width) + ")");
    }
    return {reinterpret_cast<const Row*>(array.data()), static_cast<std::size_t>(array.shape(0))};
}

template <class Row, class T>
std::span<Row> new_rows(Array<T>& array, std::size_t n) {
    array = Array<T>({n, sizeof(Row) / sizeof(T)});
    return {reinterpret_cast<Row*>(array.mutable_data()), n};
}

Box box_of(const Array<double>& vectors) {
    if (vectors.ndim() != 2 || vectors.shape(0) != 3 || vectors.shape(1) != 3) {
        throw Error("box must have shape (3, 3)");
    }
    std::array<std::array<double, 3>, 3> rows{};
    for (py::ssize_t i = 0; i < 3; ++i) {
        for (py::ssize_t j = 0; j < 3; ++j) {
            rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = vectors.at(i, j);
        }
    }
    return Box(rows);
}

template <class T, class U>
std::vector<T> copy_of(const Array<U>& array) {
    return std::vector<T>(array.data(), array.data() + array.size());
}

BeadMapping make(std::size_t n_atoms, const Array<std::int64_t>& offsets,
                 const Array<std::int32_t>& atoms, const Array<double>& weights,
                 const Array<double>& force_weights, const Array<std::int32_t>& bonds) {
    const BeadRows rows{copy_of<std::size_t>(offsets), copy_of<std::int32_t>(atoms),
                        copy_of<double>(weights), copy_of<double>(force_weights)};
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
    Array<double> centres;
    Array<std::int32_t> centre_images;
    const auto to = new_rows<Vec3>(centres, mapping.beads());
    const auto to_images = new_rows<Image>(centre_images, mapping.beads());
    {
        const py::gil_scoped_release release;
        mapping.positions(cell, from, from_images, to, to_images);
    }
    return {std::move(centres), std::move(centre_images)};
}

template <void (BeadMapping::*sum)(std::span<const Vec3>, std::span<Vec3>) const>
Array<double> vectors(const BeadMapping& mapping, const Array<double>& fine) {
    const auto from = rows_of<Vec3>(fine, "vectors");
    Array<double> coarse;
    const auto to = new_rows<Vec3>(coarse, mapping.beads());
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
