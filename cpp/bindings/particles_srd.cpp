#include "regrain/particles/srd.hpp"

#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <string>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/base/error.hpp"
#include "simulation_face.hpp"

namespace regrain::bindings {

namespace {

using namespace regrain::particles;
using Image = std::array<std::int32_t, 3>;
using Triple = std::array<double, 3>;

const std::string bead_key = "beads.";  // and the name of an array of theirs

Vec3 vector(const Triple& t) { return {t[0], t[1], t[2]}; }

Dict solvent_dict(const SolventSimulation::Snapshot& s) {
    Dict d;
    d["positions"] = copy_of<double>(s.positions);
    d["velocities"] = copy_of<double>(s.velocities);
    d["ids"] = copy_of<std::uint32_t>(s.ids);
    d["images"] = copy_of<std::int32_t>(s.images);
    d["borders"] = copy_of<std::uint64_t>(s.borders);
    d["lengths"] = copy_of<double>(std::vector<double>(s.lengths.begin(), s.lengths.end()));
    d["step"] = s.step;
    d["numbers"] = copy_of<double>(s.numbers);
    for (const Simulation::Snapshot& beads : s.beads) {
        for (const auto& [key, value] : to_dict(beads)) {
            d[(bead_key + key.cast<std::string>()).c_str()] = value;
        }
    }
    return d;
}

SolventSimulation::Snapshot to_solvent_snapshot(const Dict& d) {
    const auto vectors = [&d](const char* name) {
        return vector_of(rows_of<Vec3>(d[name].cast<Doubles>(), name));
    };
    SolventSimulation::Snapshot s;
    s.positions = vectors("positions");
    s.velocities = vectors("velocities");
    s.ids = vector_of(flat(d["ids"].cast<Array<std::uint32_t>>()));
    s.images = vector_of(rows_of<Image>(d["images"].cast<Ints>(), "images"));
    s.borders = vector_of(flat(d["borders"].cast<Array<std::uint64_t>>()));
    s.lengths = d["lengths"].cast<Triple>();
    s.step = d["step"].cast<std::uint64_t>();
    s.numbers = vector_of(flat(d["numbers"].cast<Doubles>()));
    Dict beads;
    for (const auto& [key, value] : d) {
        const auto name = key.cast<std::string>();
        if (name.starts_with(bead_key)) beads[name.substr(bead_key.size()).c_str()] = value;
    }
    if (!beads.empty()) s.beads.push_back(to_snapshot(beads));
    return s;
}

SolventSimulation make(const ForceField& beads, const Ints& types, const Doubles& masses,
                       const Array<bool>& solvent, double dt, int every, const Triple& cell,
                       CollisionRule rule, double angle, bool angular_momentum, bool thermostat,
                       bool shift, double kt, const std::array<bool, 3>& walls,
                       const Triple& wall_velocity, const Triple& acceleration, int reverse,
                       std::uint64_t measured_every, std::uint64_t seed, double skin,
                       Precision precision) {
    const auto marks = flat(solvent);
    return {beads, flat(types), flat(masses), std::vector<std::uint8_t>(marks.begin(), marks.end()),
            CollisionSettings{dt, every, vector(cell), rule, angle, angular_momentum, thermostat,
                              shift, kt, walls, vector(wall_velocity), vector(acceleration),
                              reverse, measured_every, seed, skin, precision}};
}

}  // namespace

void bind_particles_srd(py::module_& m) {
    py::native_enum<CollisionRule>(m, "CollisionRule", "enum.Enum")
        .value("rotation", CollisionRule::rotation)
        .value("andersen", CollisionRule::andersen)
        .finalize();
    py::class_<SolventSimulation> type(
        m, "SolventSimulation",
        "A solvent that collides in cells, and beads in it; the same "
        "face as Simulation.");
    type.def(py::init(&make), py::arg("beads"), py::kw_only(), py::arg("types"), py::arg("masses"),
             py::arg("solvent"), py::arg("dt"), py::arg("every"), py::arg("cell"), py::arg("rule"),
             py::arg("angle"), py::arg("angular_momentum"), py::arg("thermostat"), py::arg("shift"),
             py::arg("kt"), py::arg("walls"), py::arg("wall_velocity"), py::arg("acceleration"),
             py::arg("reverse"), py::arg("measured_every"), py::arg("seed"), py::arg("skin"),
             py::arg("precision"));
    bind_simulation_face(type, solvent_dict, to_solvent_snapshot);
    type.def_property_readonly("sorts", &SolventSimulation::sorts);
}

}  // namespace regrain::bindings
