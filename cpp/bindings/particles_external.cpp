// What acts from outside, and on collective variables: data of a force field.
#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <map>
#include <string>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/particles/external_laws.hpp"

namespace regrain::bindings {

using namespace regrain::particles;
using ConstantsByName = std::map<std::string, double>;

static Constants listed(const ConstantsByName& constants) {
    return {constants.begin(), constants.end()};
}

static TableField table_field(const std::array<double, 3>& normal, double offset, double x_min,
                              double x_max, const Doubles& values,
                              const std::optional<Doubles>& slopes, bool ends) {
    const CubicTable table = slopes ? CubicTable::hermite(x_min, x_max, flat(values), flat(*slopes))
                                    : CubicTable::spline(x_min, x_max, flat(values));
    return {{normal[0], normal[1], normal[2]}, offset, table, ends};
}

static void bind_fields(py::module_& m) {
    py::class_<FormulaField>(m, "FormulaField")
        .def(py::init([](const std::vector<std::string>& texts, const ConstantsByName& constants) {
                 if (texts.size() != 1 && texts.size() != 3) {
                     throw Error("texts: give one of an energy or three of a force");
                 }
                 return FormulaField{texts, listed(constants)};
             }),
             py::kw_only(), py::arg("texts"), py::arg("constants"));
    py::class_<TableField>(m, "TableField")
        .def(py::init(&table_field), py::kw_only(), py::arg("normal"), py::arg("offset"),
             py::arg("x_min"), py::arg("x_max"), py::arg("values"), py::arg("slopes") = py::none(),
             py::arg("ends") = false);
    py::class_<HardWall>(m, "HardWall")
        .def(py::init([](int axis, bool upper, double at, bool turns_round,
                         const std::array<double, 3>& velocity) {
                 return HardWall{
                     axis, upper, at, turns_round, {velocity[0], velocity[1], velocity[2]}};
             }),
             py::kw_only(), py::arg("axis"), py::arg("upper"), py::arg("at"),
             py::arg("turns_round"), py::arg("velocity"));
    py::class_<ExternalTerm>(m, "ExternalTerm")
        .def(py::init([](const std::variant<FormulaField, TableField, HardWall>& field,
                         const std::vector<std::uint8_t>& acts_on, const std::string& name,
                         const std::string& remedy) {
                 return ExternalTerm{field, acts_on, name, remedy};
             }),
             py::kw_only(), py::arg("field"), py::arg("acts_on"), py::arg("name"),
             py::arg("remedy"));
}

static void bind_biases(py::module_& m) {
    using Kind = CollectiveVariable::Kind;
    py::native_enum<Kind>(m, "CollectiveVariableKind", "enum.Enum")
        .value("position", Kind::position)
        .value("distance", Kind::distance)
        .value("angle", Kind::angle)
        .value("dihedral", Kind::dihedral)
        .value("radius_of_gyration", Kind::radius_of_gyration)
        .value("end_to_end", Kind::end_to_end)
        .value("coordination", Kind::coordination)
        .finalize();
    py::class_<CollectiveVariable>(m, "CollectiveVariable")
        .def(py::init([](Kind kind, const std::vector<std::vector<std::uint32_t>>& groups,
                         const std::vector<std::vector<double>>& weights, int axis, double r0,
                         int n, const std::string& name) {
                 return CollectiveVariable{kind, groups, weights, axis, r0, n, name};
             }),
             py::kw_only(), py::arg("kind"), py::arg("groups"), py::arg("weights"),
             py::arg("axis") = 2, py::arg("r0") = 1.0, py::arg("n") = 6, py::arg("name"));
    py::class_<Restraint>(m, "Restraint")
        .def(py::init<double, double, double>(), py::kw_only(), py::arg("k"), py::arg("center"),
             py::arg("speed"));
    py::class_<FormulaBias>(m, "FormulaBias")
        .def(py::init([](const std::string& text, const std::vector<std::string>& names,
                         const ConstantsByName& constants) {
                 return FormulaBias{text, names, listed(constants)};
             }),
             py::kw_only(), py::arg("text"), py::arg("names"), py::arg("constants"));
    py::class_<BiasTerm>(m, "BiasTerm")
        .def(py::init([](const std::variant<Restraint, FormulaBias>& law,
                         const std::vector<std::uint32_t>& variables, const std::string& name) {
                 return BiasTerm{law, variables, name};
             }),
             py::kw_only(), py::arg("law"), py::arg("variables"), py::arg("name"));
}

void bind_particles_external(py::module_& m) {
    bind_fields(m);
    bind_biases(m);
}

}  // namespace regrain::bindings
