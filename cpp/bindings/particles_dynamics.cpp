#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/particles/simulation.hpp"
#include "snapshots.hpp"

namespace regrain::bindings {

namespace {

using namespace regrain::particles;
using Image = std::array<std::int32_t, 3>;

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

auto by_id(void (Simulation::*get)(std::span<Vec3>) const) {
    return [get](const Simulation& s) {
        auto [array, rows] = new_rows<Vec3>(s.size());
        (s.*get)(rows);
        return array;
    };
}

void bind_simulation(py::module_& m) {
    py::class_<Measurement>(m, "Measurement")
        .def_readonly("energies", &Measurement::energies)
        .def_readonly("virial", &Measurement::virial)
        .def_readonly("kinetic_tensor", &Measurement::kinetic_tensor)
        .def_property_readonly("external",
                               [](const Measurement& m) { return copy_of<double>(m.external); })
        .def_readonly("variables", &Measurement::variables)
        .def_readonly("work", &Measurement::work)
        .def_readonly("conserved", &Measurement::conserved)
        .def_property_readonly("potential", &Measurement::potential)
        .def_property_readonly("kinetic", &Measurement::kinetic);
    const py::call_guard<py::gil_scoped_release> no_gil;
    py::class_<Simulation>(m, "Simulation", "Particles in time; arrays are by particle id.")
        .def(py::init([](const ForceField& field, const Array<std::int32_t>& types,
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
             py::arg("flow") = py::none())
        .def(
            "assign",
            [](Simulation& s, const Array<double>& positions,
               const std::optional<Array<std::int32_t>>& images,
               const std::optional<Array<double>>& velocities, double kt,
               const Array<double>& box) {
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
        .def("run", &Simulation::run, py::arg("steps"), no_gil)
        .def("measure", &Simulation::measure, no_gil)
        .def_property_readonly("step", &Simulation::step)
        .def_property_readonly("size", &Simulation::size)
        .def_property_readonly("degrees_of_freedom", &Simulation::degrees_of_freedom)
        .def_property_readonly("max_move", &Simulation::max_move)
        .def_property_readonly("box", [](const Simulation& s) { return vectors_of(s.box()); })
        .def_property_readonly("list_builds",
                               [](const Simulation& s) { return s.engine().builds(); })
        .def_property_readonly("mean_neighbors",
                               [](const Simulation& s) { return s.engine().mean_neighbors(); })
        .def("places",
             [](const Simulation& s) {
                 auto [positions, r] = new_rows<Vec3>(s.size());
                 auto [images, i] = new_rows<Image, std::int32_t>(s.size());
                 s.places(r, i);
                 return py::make_tuple(positions, images);
             })
        .def("velocities", by_id(&Simulation::velocities))
        .def("forces", by_id(&Simulation::forces))
        .def("snapshot", [](const Simulation& s) { return to_dict(s.snapshot()); })
        .def("restore",
             [](Simulation& s, const Dict& snapshot) { s.restore(to_snapshot(snapshot)); });
}

}  // namespace

void bind_particles_dynamics(py::module_& m) {
    bind_dynamics(m);
    bind_simulation(m);
}

}  // namespace regrain::bindings
