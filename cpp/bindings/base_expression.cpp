#include "regrain/base/expression.hpp"

#include <pybind11/stl.h>

#include <map>

#include "arrays.hpp"
#include "bindings.hpp"

namespace regrain::bindings {

// Blocks of points, in and out.
static Doubles evaluate(const Expression& expression, const Doubles& points) {
    const auto inputs = static_cast<py::ssize_t>(expression.inputs());
    if (points.ndim() != 2 || points.shape(1) != inputs) {
        throw Error("points must have shape (n, " + std::to_string(inputs) + ")");
    }
    const auto n = static_cast<std::size_t>(points.shape(0));
    const std::size_t in = expression.inputs(), out = expression.outputs();
    Doubles results({static_cast<py::ssize_t>(n), static_cast<py::ssize_t>(out)});
    Expression::Workspace work(expression);
    for (std::size_t first = 0; first < n; first += Expression::block) {
        const std::size_t count = std::min(Expression::block, n - first);
        for (std::size_t v = 0; v < in; ++v) {
            for (std::size_t k = 0; k < count; ++k) {
                work.input(v)[k] = points.data()[(first + k) * in + v];
            }
        }
        expression.run(work, count);
        for (std::size_t o = 0; o < out; ++o) {
            for (std::size_t k = 0; k < count; ++k) {
                results.mutable_data()[(first + k) * out + o] = expression.output(work, o)[k];
            }
        }
    }
    return results;
}

void bind_base_expression(py::module_& m) {
    py::class_<Expression>(m, "Expression", "Formulas and their derivatives, compiled.")
        .def(py::init([](const std::vector<std::string>& texts,
                         const std::vector<std::string>& variables,
                         const std::map<std::string, double>& constants,
                         const std::vector<std::size_t>& by) {
                 for (const std::size_t variable : by) {
                     if (variable >= variables.size()) throw Error("by: there is no such variable");
                 }
                 return Expression({texts, variables, {constants.begin(), constants.end()}, by});
             }),
             py::arg("texts"), py::kw_only(), py::arg("variables"), py::arg("constants"),
             py::arg("by"))
        .def(
            "uses", [](const Expression& e, std::size_t v) { return v < e.inputs() && e.uses(v); },
            py::arg("variable"), "Whether anything depends on the variable of this number.")
        .def("evaluate", &evaluate, py::arg("points"),
             "Of points, shape (n, variables): each formula and its derivatives, shape (n, …).");
}

}  // namespace regrain::bindings
