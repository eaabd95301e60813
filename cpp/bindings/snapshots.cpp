#include "snapshots.hpp"

#include <pybind11/stl.h>

#include <string>

#include "arrays.hpp"
#include "regrain/base/error.hpp"

namespace regrain::bindings {

using namespace regrain::particles;
using Image = std::array<std::int32_t, 3>;

static const std::string state_key = "state.";  // and the name of what remembers

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

}  // namespace regrain::bindings
