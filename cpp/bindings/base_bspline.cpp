
#include <span>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/base/bspline.hpp"

namespace regrain::bindings {

using Indices = py::array_t<std::int64_t>;

static py::typing::Tuple<Indices, Doubles> evaluate(const BSplineBasis& basis, const Doubles& x,
                                                    std::size_t order) {
    const auto width = static_cast<py::ssize_t>(basis.degree() + 1);
    Indices first(x.size());
    Doubles values({x.size(), width});
    {
        const std::span<const double> points{x.data(), static_cast<std::size_t>(x.size())};
        std::int64_t* index = first.mutable_data();
        double* row = values.mutable_data();
        const py::gil_scoped_release release;
        for (const double point : points) {
            const std::span<double> out{row, static_cast<std::size_t>(width)};
            *index++ = static_cast<std::int64_t>(basis.evaluate(point, out, order));
            row += width;
        }
    }
    return py::make_tuple(first, values);
}

void bind_base_bspline(py::module_& m) {
    py::class_<BSplineBasis>(m, "BSplineBasis", "The B-splines of a degree over a knot vector.")
        .def(py::init([](const Doubles& knots, std::size_t degree) {
                 return BSplineBasis({knots.data(), knots.data() + knots.size()}, degree);
             }),
             py::arg("knots"), py::kw_only(), py::arg("degree"))
        .def_static("uniform", &BSplineBasis::uniform, py::arg("x_min"), py::arg("x_max"),
                    py::kw_only(), py::arg("intervals"), py::arg("degree"))
        .def_property_readonly("degree", &BSplineBasis::degree)
        .def_property_readonly("knots",
                               [](const BSplineBasis& basis) {
                                   const auto knots = basis.knots();
                                   return Doubles(static_cast<py::ssize_t>(knots.size()),
                                                  knots.data());
                               })
        .def("__len__", &BSplineBasis::size)
        .def("evaluate", &evaluate, py::arg("x"), py::kw_only(), py::arg("order") = 0,
             "Index of the first function that is not zero at each point, and the values (or "
             "derivatives) of the degree + 1 of them.");
}

}  // namespace regrain::bindings
