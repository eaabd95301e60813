#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <string>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/base/error.hpp"
#include "regrain/particles/simulation.hpp"

namespace regrain::bindings {

namespace {

using namespace regrain::particles;
using Image = std::array<std::int32_t, 3>;
using Dict = py::typing::Dict<py::str, py::object>;

// ------------------------------------------------------------------ snapshots

const std::string state_key = "state.";  // and the name of what remembers

Dict to_dict(const Simulation::Snapshot& s) {
    Dict d;
    const auto split = [&d](const std::string& name, const std::vector<Row>& rows) {
        auto [places, r] = new_rows<Vec3>(rows.size());
        Array<std::int64_t> tags(static_cast<py::ssize_t>(rows.size()));
        for (std::size_t i = 0; i < rows.size(); ++i) {
            r[i] = {rows[i].x, rows[i].y, rows[i].z};
            tags.mutable_data()[i] = rows[i].tag;
        }
        d[(name + "_positions").c_str()] = places;
        d[(name + "_tags").c_str()] = tags;
    };
    split("rows", s.engine.rows);
    split("built", s.engine.built_rows);
    d["ids"] = copy_of<std::uint32_t>(s.engine.ids);
    d["images"] = copy_of<std::int32_t>(s.engine.images);
    d["box"] = copy_of<double>(s.engine.box);
    d["built_box"] = copy_of<double>(s.engine.built_box);
    d["velocities"] = copy_of<double>(s.velocities);
    d["forces"] = copy_of<double>(s.forces);
    d["image_offsets"] = copy_of<std::int32_t>(s.image_offsets);
    d["step"] = s.step;
    for (const auto& [name, values] : s.states) {
        d[(state_key + name).c_str()] = copy_of<double>(values);
    }
    return d;
}

Simulation::Snapshot to_snapshot(const Dict& d) {
    const auto doubles = [&d](const std::string& name) {
        return d[name.c_str()].cast<Array<double>>();
    };
    const auto vectors = [&](const char* name) {
        return vector_of(rows_of<Vec3>(doubles(name), name));
    };
    const auto images = [&d](const char* name) {
        return vector_of(rows_of<Image>(d[name].cast<Array<std::int32_t>>(), name));
    };
    const auto join = [&](const std::string& name) {
        const Array<double> held = doubles(name + "_positions");
        const auto places = rows_of<Vec3>(held, "rows");
        const auto tags = d[(name + "_tags").c_str()].cast<Array<std::int64_t>>();
        if (static_cast<std::size_t>(tags.size()) != places.size()) {
            throw Error("the snapshot is damaged: positions and tags differ in number");
        }
        std::vector<Row> rows(places.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            rows[i] = {places[i].x, places[i].y, places[i].z, tags.data()[i]};
        }
        return rows;
    };
    Simulation::Snapshot s;
    s.engine.rows = join("rows");
    s.engine.built_rows = join("built");
    s.engine.ids = vector_of(flat(d["ids"].cast<Array<std::uint32_t>>()));
    s.engine.images = images("images");
    s.engine.box = vector_of(flat(doubles("box")));
    s.engine.built_box = vector_of(flat(doubles("built_box")));
    s.velocities = vectors("velocities");
    s.forces = vectors("forces");
    s.image_offsets = images("image_offsets");
    s.step = d["step"].cast<std::uint64_t>();
    for (const auto& [key, value] : d) {
        const auto name = key.cast<std::string>();
        if (!name.starts_with(state_key)) continue;
        s.states[name.substr(state_key.size())] = vector_of(flat(value.cast<Array<double>>()));
    }
    return s;
}

// ------------------------------------------------------------------ dynamics

void bind_dynamics(py::module_& m) {
    py::class_<Nve>(m, "Nve").def(py::init<>());
    py::class_<Langevin>(m, "Langevin")
        .def(py::init<double, double>(), py::kw_only(), py::arg("kt"), py::arg("friction"));
    py::class_<NoseHoover>(m, "NoseHoover")
        .def(py::init<double, double, int>(), py::kw_only(), py::arg("kt"), py::arg("time"),
             py::arg("chain"));
    py::class_<CellRescale>(m, "CellRescale")
        .def(py::init<double, double, double, double, int>(), py::kw_only(), py::arg("kt"),
             py::arg("pressure"), py::arg("time"), py::arg("compressibility"), py::arg("every"));
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
        .def_readonly("conserved", &Measurement::conserved)
        .def_property_readonly("potential", &Measurement::potential)
        .def_property_readonly("kinetic", &Measurement::kinetic);
    const py::call_guard<py::gil_scoped_release> no_gil;
    py::class_<Simulation>(m, "Simulation", "Particles in time; arrays are by particle id.")
        .def(py::init([](const ForceField& field, const Array<std::int32_t>& types,
                         const Array<double>& masses, double dt, const Dynamics& dynamics,
                         const std::optional<CellRescale>& barostat, std::uint64_t seed,
                         double skin, const Array<std::uint32_t>& frozen, Precision precision,
                         const std::optional<FlowGradient>& flow) {
                 return Simulation(field, flat(types), flat(masses),
                                   {.dt = dt,
                                    .dynamics = dynamics,
                                    .barostat = barostat,
                                    .seed = seed,
                                    .skin = skin,
                                    .frozen = vector_of(flat(frozen)),
                                    .precision = precision,
                                    .flow = flow});
             }),
             py::arg("field"), py::kw_only(), py::arg("types"), py::arg("masses"), py::arg("dt"),
             py::arg("dynamics"), py::arg("barostat"), py::arg("seed"), py::arg("skin"),
             py::arg("frozen"), py::arg("precision"), py::arg("flow") = py::none())
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
