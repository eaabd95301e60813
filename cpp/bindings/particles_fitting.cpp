#include <pybind11/stl.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/particles/force_matching.hpp"

namespace regrain::bindings {

namespace {

using particles::ForceDesign;
using particles::UniformSpline;
using Counts = py::array_t<std::uint64_t, py::array::c_style>;

std::unique_ptr<ForceDesign> make(const Ints& types, std::size_t n_types, const Ints& exclusions) {
    std::vector<ForceDesign::Pair> excluded;
    for (const auto& p : rows_of<std::array<std::int32_t, 2>>(exclusions, "exclusions")) {
        excluded.emplace_back(static_cast<std::uint32_t>(p[0]), static_cast<std::uint32_t>(p[1]));
    }
    return std::make_unique<ForceDesign>(flat(types), n_types, excluded);
}

template <std::size_t N, auto add>
void add_terms(ForceDesign& design, const UniformSpline& spline, const Ints& particles) {
    (design.*add)(spline, rows_of<std::array<std::int32_t, N>>(particles, "particles"));
}

std::pair<std::vector<QrFactor>, Counts> factors(const ForceDesign& design,
                                                 const std::vector<Doubles>& positions,
                                                 const std::vector<Doubles>& boxes,
                                                 const std::vector<Doubles>& forces) {
    const std::size_t count = positions.size();
    if (boxes.size() != count || forces.size() != count) {
        throw Error("factors: give one box and one array of forces per array of positions");
    }
    std::vector<ForceDesign::Frame> frames;
    for (std::size_t k = 0; k < count; ++k) {
        frames.push_back({rows_of<Vec3>(positions[k], "positions"),
                          rows_of<Vec3>(forces[k], "forces"), box_of(boxes[k])});
    }
    Counts counts(static_cast<py::ssize_t>(design.intervals()));
    const std::span<std::uint64_t> met(counts.mutable_data(), design.intervals());
    std::vector<QrFactor> found;
    {
        const py::gil_scoped_release release;
        found = design.factors(frames, met);
    }
    return {std::move(found), std::move(counts)};
}

Doubles rows(const ForceDesign& design, const Doubles& positions, const Doubles& box,
             const Doubles& forces) {
    const std::vector<double> all = design.rows(
        {rows_of<Vec3>(positions, "positions"), rows_of<Vec3>(forces, "forces"), box_of(box)});
    Doubles array({3 * design.particles(), design.columns() + 1});
    std::copy(all.begin(), all.end(), array.mutable_data());
    return array;
}

}  // namespace

void bind_particles_fitting(py::module_& m) {
    py::class_<UniformSpline>(m, "UniformSpline", "Clamped B-splines over equal intervals.")
        .def(py::init([](double low, double high, std::size_t intervals, std::size_t degree) {
                 return UniformSpline{low, high, intervals, degree};
             }),
             py::kw_only(), py::arg("low"), py::arg("high"), py::arg("intervals"),
             py::arg("degree"));
    py::class_<ForceDesign>(m, "ForceDesign", "Forces that are linear in coefficients, as rows.")
        .def(py::init(&make), py::kw_only(), py::arg("types"), py::arg("n_types"),
             py::arg("exclusions"))
        .def("add_pairs", &ForceDesign::add_pairs, py::arg("spline"), py::arg("types"))
        .def("add_bonds", &add_terms<2, &ForceDesign::add_bonds>, py::arg("spline"),
             py::arg("particles"))
        .def("add_angles", &add_terms<3, &ForceDesign::add_angles>, py::arg("spline"),
             py::arg("particles"))
        .def("add_dihedrals", &add_terms<4, &ForceDesign::add_dihedrals>, py::arg("spline"),
             py::arg("particles"))
        .def("add_triples", &ForceDesign::add_triples, py::arg("spline"), py::arg("types"),
             py::kw_only(), py::arg("r_max"), py::arg("decay"))
        .def_property_readonly("columns", &ForceDesign::columns)
        .def_property_readonly("intervals", &ForceDesign::intervals)
        .def("factors", &factors, py::arg("positions"), py::arg("boxes"), py::arg("forces"),
             "Triangular factors of the rows of frames, the forces as last column, and how often "
             "each interval was met in all of them.")
        .def("rows", &rows, py::arg("positions"), py::arg("box"), py::arg("forces"),
             "The rows of a frame, shape (3 n, columns + 1).");
}

}  // namespace regrain::bindings
