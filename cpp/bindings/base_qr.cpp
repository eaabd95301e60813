#include "regrain/base/qr.hpp"

#include "arrays.hpp"
#include "bindings.hpp"

namespace regrain::bindings {

static void add(QrFactor& factor, const Doubles& rows) {
    if (rows.ndim() != 2 || static_cast<std::size_t>(rows.shape(1)) != factor.columns()) {
        throw Error("rows must have shape (n, " + std::to_string(factor.columns()) + ")");
    }
    const py::gil_scoped_release release;
    factor.add(flat(rows));
}

static Doubles triangle(const QrFactor& factor) {
    const auto n = static_cast<py::ssize_t>(factor.columns());
    Doubles array({n, n});
    const std::vector<double> r = factor.r();
    std::copy(r.begin(), r.end(), array.mutable_data());
    return array;
}

void bind_base_qr(py::module_& m) {
    py::class_<QrFactor>(m, "QrFactor", "The triangular factor of a matrix that comes in blocks.")
        .def(py::init<std::size_t>(), py::arg("columns"))
        .def_static(
            "from_r",
            [](const Doubles& r) {
                return QrFactor::from_r(r.ndim() == 2 ? static_cast<std::size_t>(r.shape(1)) : 1,
                                        flat(r));
            },
            py::arg("r"), "The factor with this triangle, shape (columns, columns).")
        .def_property_readonly("columns", &QrFactor::columns)
        .def_property_readonly("r", &triangle, "R, shape (columns, columns).")
        .def("add", &add, py::arg("rows"), "Adds rows, shape (n, columns).")
        .def("combine", &QrFactor::combine, py::arg("other"), py::arg("scale") = 1.0,
             "Adds the rows of another factor, times a number.");
}

}  // namespace regrain::bindings
