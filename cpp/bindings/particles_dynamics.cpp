#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/particles/simulation.hpp"
#include "simulation_face.hpp"

namespace regrain::bindings {

namespace {

using namespace regrain::particles;

// ------------------------------------------------------------------ dynamics

void bind_dynamics(py::module_& m) {
    py::class_<Nve>(m, "Nve").def(py::init<>());
    py::class_<Langevin>(m, "Langevin")
        .def(
            py::init([](double kt, const std::variant<double, std::vector<double>>& friction) {
                return Langevin{kt, std::visit([](const auto& f) { return PerType(f); }, friction)};
            }),
            py::kw_only(), py::arg("kt"), py::arg("friction"), "One rate, or one per type.");
    py::class_<Brownian>(m, "Brownian")
        .def(py::init([](double kt, const std::vector<double>& friction,
                         const std::vector<double>& diffusion) {
                 return Brownian{kt, friction, diffusion};
             }),
             py::kw_only(), py::arg("kt"), py::arg("friction"), py::arg("diffusion"),
             "One of both, a number or one per type; the other is empty.");
    py::class_<GeneralizedLangevin>(m, "GeneralizedLangevin")
        .def(py::init<double, std::vector<double>, std::vector<double>>(), py::kw_only(),
             py::arg("kt"), py::arg("strengths"), py::arg("times"));
    py::class_<NoseHoover>(m, "NoseHoover")
        .def(py::init<double, double, int>(), py::kw_only(), py::arg("kt"), py::arg("time"),
             py::arg("chain"));
    py::class_<Dpd>(m, "Dpd").def(
        py::init([](double kt, double cutoff, std::vector<double> friction, double exponent,
                    bool splitting, double predictor) {
            return Dpd{kt, cutoff, std::move(friction), exponent, splitting, predictor};
        }),
        py::kw_only(), py::arg("kt"), py::arg("cutoff"), py::arg("friction"), py::arg("exponent"),
        py::arg("splitting"), py::arg("predictor"));
    py::class_<LoweAndersen>(m, "LoweAndersen")
        .def(py::init<double, double, double>(), py::kw_only(), py::arg("kt"), py::arg("cutoff"),
             py::arg("rate"));
    py::native_enum<Coupling>(m, "Coupling", "enum.Enum")
        .value("isotropic", Coupling::isotropic)
        .value("semiisotropic", Coupling::semiisotropic)
        .value("anisotropic", Coupling::anisotropic)
        .value("lateral", Coupling::lateral)
        .finalize();
    py::class_<CellRescale>(m, "CellRescale")
        .def(py::init<double, double, double, double, int, Coupling, double>(), py::kw_only(),
             py::arg("kt"), py::arg("pressure"), py::arg("time"), py::arg("compressibility"),
             py::arg("every"), py::arg("coupling"), py::arg("tension"));
    py::class_<FlowGradient>(m, "FlowGradient")
        .def(py::init<double, double, double>(), py::kw_only(), py::arg("yx"), py::arg("zx"),
             py::arg("zy"));
    py::native_enum<Precision>(m, "Precision", "enum.Enum")
        .value("full", Precision::full)
        .value("mixed", Precision::mixed)
        .finalize();
}

// ------------------------------------------------------------------ simulation

void bind_simulation(py::module_& m) {
    py::class_<Measurement>(m, "Measurement")
        .def_readonly("energies", &Measurement::energies)
        .def_readonly("virial", &Measurement::virial)
        .def_readonly("kinetic_tensor", &Measurement::kinetic_tensor)
        .def_property_readonly("external",
                               [](const Measurement& m) { return copy_of<double>(m.external); })
        .def_property_readonly("impulses",
                               [](const Measurement& m) { return copy_of<double>(m.impulses); })
        .def_readonly("variables", &Measurement::variables)
        .def_readonly("collisional", &Measurement::collisional)
        .def_readonly("work", &Measurement::work)
        .def_readonly("conserved", &Measurement::conserved)
        .def_property_readonly("potential", &Measurement::potential)
        .def_property_readonly("kinetic", &Measurement::kinetic);
    py::class_<Simulation> type(m, "Simulation", "Particles in time; arrays are by particle id.");
    type.def(py::init([](const ForceField& field, const Array<std::int32_t>& types,
                         const Array<double>& masses, double dt, const Dynamics& dynamics,
                         const std::optional<CellRescale>& barostat, std::uint64_t seed,
                         double skin, const std::optional<Array<std::uint32_t>>& frozen,
                         Precision precision, const std::optional<FlowGradient>& flow) {
                 return Simulation(
                     field, flat(types), flat(masses),
                     {.dt = dt,
                      .dynamics = dynamics,
                      .barostat = barostat,
                      .seed = seed,
                      .skin = skin,
                      .frozen = frozen ? vector_of(flat(*frozen)) : std::vector<std::uint32_t>{},
                      .precision = precision,
                      .flow = flow});
             }),
             py::arg("field"), py::kw_only(), py::arg("types"), py::arg("masses"), py::arg("dt"),
             py::arg("dynamics"), py::arg("barostat"), py::arg("seed"), py::arg("skin"),
             py::arg("frozen") = py::none(), py::arg("precision") = Precision::full,
             py::arg("flow") = py::none());
    bind_simulation_face(type, to_dict, to_snapshot);
    type.def_property_readonly("max_move", &Simulation::max_move)
        .def_property_readonly("list_builds",
                               [](const Simulation& s) { return s.engine().builds(); })
        .def_property_readonly("mean_neighbors",
                               [](const Simulation& s) { return s.engine().mean_neighbors(); });
}

}  // namespace

void bind_particles_dynamics(py::module_& m) {
    bind_dynamics(m);
    bind_simulation(m);
}

}  // namespace regrain::bindings
