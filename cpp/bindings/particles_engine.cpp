#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <string>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/base/error.hpp"
#include "regrain/particles/coulomb.hpp"
#include "regrain/particles/potentials.hpp"
#include "regrain/particles/simulation.hpp"

namespace regrain::bindings {

namespace {

using namespace regrain::particles;
using Image = std::array<std::int32_t, 3>;
using Dict = py::typing::Dict<py::str, py::object>;

template <class T>
std::vector<T> vector_of(std::span<const T> values) {
    return {values.begin(), values.end()};
}

// ------------------------------------------------------------------ potentials

CubicTable table_of(double x_min, double x_max, const Array<double>& values,
                    const std::optional<Array<double>>& slopes) {
    return slopes ? CubicTable::hermite(x_min, x_max, flat(values), flat(*slopes))
                  : CubicTable::spline(x_min, x_max, flat(values));
}

// (energy, force) of a potential at many points.
template <class Potential>
void bind_evaluate(py::module_& m, const char* name,
                   EnergySlope (*function)(const Potential&, double)) {
    m.def(
        name,
        [function](const Potential& potential, const Array<double>& x) {
            Array<double> energy(x.size());
            Array<double> force(x.size());
            double* u = energy.mutable_data();
            double* f = force.mutable_data();
            for (py::ssize_t i = 0; i < x.size(); ++i) {
                const EnergySlope value = function(potential, x.data()[i]);
                u[i] = value.energy;
                f[i] = -value.slope;
            }
            return py::make_tuple(energy, force);
        },
        py::arg("potential"), py::arg("x"), "Energies and forces -du/dx at the points x.");
}

void bind_potentials(py::module_& m) {
    py::native_enum<Cutoff>(m, "Cutoff", "enum.Enum")
        .value("cut", Cutoff::cut)
        .value("shifted", Cutoff::shifted)
        .value("force_shifted", Cutoff::force_shifted)
        .finalize();
    py::class_<LennardJones>(m, "LennardJones")
        .def(py::init<double, double, double, Cutoff>(), py::kw_only(), py::arg("epsilon"),
             py::arg("sigma"), py::arg("cutoff"), py::arg("mode"));
    py::class_<Yukawa>(m, "Yukawa")
        .def(py::init<double, double, double, Cutoff>(), py::kw_only(), py::arg("epsilon"),
             py::arg("kappa"), py::arg("cutoff"), py::arg("mode"));
    py::class_<Gaussian>(m, "Gaussian")
        .def(py::init<double, double, double, Cutoff>(), py::kw_only(), py::arg("epsilon"),
             py::arg("sigma"), py::arg("cutoff"), py::arg("mode"));
    py::class_<Soft>(m, "Soft").def(py::init<double, double>(), py::kw_only(), py::arg("a"),
                                    py::arg("cutoff"));
    py::class_<Harmonic>(m, "Harmonic")
        .def(py::init<double, double>(), py::kw_only(), py::arg("k"), py::arg("x0"));
    py::class_<Fene>(m, "Fene").def(py::init<double, double>(), py::kw_only(), py::arg("k"),
                                    py::arg("r_max"));
    py::class_<CosineSquared>(m, "CosineSquared")
        .def(py::init<double, double>(), py::kw_only(), py::arg("k"), py::arg("theta0"));
    py::class_<Periodic>(m, "Periodic")
        .def(py::init<double, double, int>(), py::kw_only(), py::arg("k"), py::arg("phi0"),
             py::arg("n"));
    py::class_<Fourier>(m, "Fourier")
        .def(py::init([](const std::vector<double>& k, const std::vector<double>& phi0) {
                 if (k.size() != phi0.size()) throw Error("Fourier: give one phase per k");
                 return Fourier{k, phi0};
             }),
             py::kw_only(), py::arg("k"), py::arg("phi0"));
    py::class_<TabulatedPair>(m, "TabulatedPair")
        .def(py::init([](double x_min, double x_max, const Array<double>& values,
                         const std::optional<Array<double>>& slopes) {
                 return TabulatedPair{table_of(x_min, x_max, values, slopes)};
             }),
             py::kw_only(), py::arg("x_min"), py::arg("x_max"), py::arg("values"),
             py::arg("slopes") = py::none());
    py::class_<TabulatedBonded>(m, "TabulatedBonded")
        .def(py::init([](double x_min, double x_max, const Array<double>& values,
                         const std::optional<Array<double>>& slopes) {
                 return TabulatedBonded{table_of(x_min, x_max, values, slopes)};
             }),
             py::kw_only(), py::arg("x_min"), py::arg("x_max"), py::arg("values"),
             py::arg("slopes") = py::none())
        .def_static(
            "periodic",
            [](const Array<double>& values) {
                return TabulatedBonded{periodic_table(flat(values))};
            },
            py::arg("values"), "Values from -pi to pi, both included.");
    py::class_<Ewald>(m, "Ewald")
        .def(py::init<double, double, bool>(), py::kw_only(), py::arg("cutoff"),
             py::arg("accuracy"), py::arg("background"));
    py::class_<ReactionField>(m, "ReactionField")
        .def(py::init<double, double>(), py::kw_only(), py::arg("cutoff"), py::arg("permittivity"));
    py::class_<TriplePotential>(m, "TriplePotential")
        .def(py::init([](const std::variant<CosineSquared, TabulatedBonded>& angle,
                         const std::array<double, 2>& r_max, const std::array<double, 2>& decay) {
                 return TriplePotential{angle, {{{r_max[0], decay[0]}, {r_max[1], decay[1]}}}};
             }),
             py::kw_only(), py::arg("angle"), py::arg("r_max"), py::arg("decay"))
        .def(
            "evaluate",
            [](const TriplePotential& potential, const Array<double>& coordinates) {
                Array<double> out({coordinates.shape(0), py::ssize_t{4}});
                const auto rows = rows_of<std::array<double, 3>>(coordinates, "coordinates");
                double* o = out.mutable_data();
                for (std::size_t i = 0; i < rows.size(); ++i) {
                    const auto& [r1, r2, theta] = rows[i];
                    const TripleValue value = evaluate(potential, r1, r2, theta);
                    *o++ = value.energy;
                    for (const double slope : value.slope) *o++ = slope;
                }
                return out;
            },
            py::arg("coordinates"),
            "Energy and its derivatives by r1, r2 and theta, for rows of these.");
    bind_evaluate<PairPotential>(m, "evaluate_pair", &evaluate);
    bind_evaluate(m, "evaluate_bond", &evaluate_bond);
    bind_evaluate(m, "evaluate_angle", &evaluate_angle);
    bind_evaluate(m, "evaluate_dihedral", &evaluate_dihedral);
}

// ------------------------------------------------------------------ force field

template <std::size_t N, class Potential>
BondedTerms<N, Potential> terms_of(const std::vector<Potential>& potentials,
                                   const Array<std::uint32_t>& particles,
                                   const Array<std::uint32_t>& which) {
    BondedTerms<N, Potential> kind{potentials, {}};
    const auto rows = rows_of<std::array<std::uint32_t, N>>(particles, "bonded particles");
    if (rows.size() != static_cast<std::size_t>(which.size())) {
        throw Error("bonded terms: give one potential per term");
    }
    kind.terms.resize(rows.size());
    for (std::size_t t = 0; t < rows.size(); ++t) {
        std::copy(rows[t].begin(), rows[t].end(), std::begin(kind.terms[t].particle));
        kind.terms[t].potential = which.data()[t];
    }
    return kind;
}

void bind_force_field(py::module_& m) {
    py::class_<ForceField>(m, "ForceField", "The law for a given list of particles.")
        .def(py::init([](std::size_t types, const Array<int>& pair_of_types,
                         const std::vector<PairPotential>& pair_potentials) {
                 if (static_cast<std::size_t>(pair_of_types.size()) != types * types) {
                     throw Error("pair_of_types must have shape (types, types)");
                 }
                 ForceField field;
                 field.types = types;
                 field.pair_of_types = vector_of(flat(pair_of_types));
                 field.pair_potentials = pair_potentials;
                 return field;
             }),
             py::kw_only(), py::arg("types"), py::arg("pair_of_types"), py::arg("pair_potentials"))
        .def(
            "set_bonds",
            [](ForceField& f, const std::vector<BondPotential>& potentials,
               const Array<std::uint32_t>& particles, const Array<std::uint32_t>& which) {
                f.bonds = terms_of<2>(potentials, particles, which);
            },
            py::kw_only(), py::arg("potentials"), py::arg("particles"), py::arg("which"))
        .def(
            "set_angles",
            [](ForceField& f, const std::vector<AnglePotential>& potentials,
               const Array<std::uint32_t>& particles, const Array<std::uint32_t>& which) {
                f.angles = terms_of<3>(potentials, particles, which);
            },
            py::kw_only(), py::arg("potentials"), py::arg("particles"), py::arg("which"))
        .def(
            "set_dihedrals",
            [](ForceField& f, const std::vector<DihedralPotential>& potentials,
               const Array<std::uint32_t>& particles, const Array<std::uint32_t>& which) {
                f.dihedrals = terms_of<4>(potentials, particles, which);
            },
            py::kw_only(), py::arg("potentials"), py::arg("particles"), py::arg("which"))
        .def(
            "set_triples",
            [](ForceField& f, const std::vector<TriplePotential>& potentials,
               const Array<std::uint32_t>& types) {
                const auto keys = rows_of<std::array<std::uint32_t, 3>>(types, "types of triples");
                if (keys.size() != potentials.size()) {
                    throw Error("triples: give one potential per three types");
                }
                f.triples.clear();
                for (std::size_t t = 0; t < keys.size(); ++t) {
                    f.triples.push_back({keys[t], potentials[t]});
                }
            },
            py::kw_only(), py::arg("potentials"), py::arg("types"))
        .def(
            "set_charges",
            [](ForceField& f, const std::variant<Ewald, ReactionField>& method,
               const Array<double>& values, double factor) {
                f.charges = Charges{method, vector_of(flat(values)), factor};
            },
            py::kw_only(), py::arg("method"), py::arg("values"), py::arg("factor"))
        .def(
            "set_exclusions",
            [](ForceField& f, const Array<std::uint32_t>& pairs) {
                f.exclusions.clear();
                for (const auto& p : rows_of<std::array<std::uint32_t, 2>>(pairs, "exclusions")) {
                    f.exclusions.emplace_back(std::min(p[0], p[1]), std::max(p[0], p[1]));
                }
                std::sort(f.exclusions.begin(), f.exclusions.end());
            },
            py::arg("pairs"))
        .def(
            "ewald_resolution",
            [](const ForceField& f, const Array<double>& box) {
                const std::size_t n = f.charges ? f.charges->values.size() : 0;
                const auto r = CoulombForces(f, n).resolution(box_of(box));
                return py::make_tuple(r.alpha, r.q_max, r.wave_vectors);
            },
            py::arg("box"), "Decay of clouds, longest wave number, number of wave vectors.")
        .def_property_readonly("cutoff", &ForceField::cutoff);
}

// ------------------------------------------------------------------ simulation

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
    d["numbers"] = copy_of<double>(s.numbers);
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
    s.numbers = vector_of(flat(doubles("numbers")));
    return s;
}

auto by_id(void (Simulation::*get)(std::span<Vec3>) const) {
    return [get](const Simulation& s) {
        auto [array, rows] = new_rows<Vec3>(s.size());
        (s.*get)(rows);
        return array;
    };
}

void bind_simulation(py::module_& m) {
    py::class_<Nve>(m, "Nve").def(py::init<>());
    py::class_<Langevin>(m, "Langevin")
        .def(py::init<double, double>(), py::kw_only(), py::arg("kt"), py::arg("friction"));
    py::class_<NoseHoover>(m, "NoseHoover")
        .def(py::init<double, double, int>(), py::kw_only(), py::arg("kt"), py::arg("time"),
             py::arg("chain"));
    py::class_<CellRescale>(m, "CellRescale")
        .def(py::init<double, double, double, double, int>(), py::kw_only(), py::arg("kt"),
             py::arg("pressure"), py::arg("time"), py::arg("compressibility"), py::arg("every"));
    py::class_<Measurement>(m, "Measurement")
        .def_readonly("pair", &Measurement::pair)
        .def_readonly("triples", &Measurement::triples)
        .def_readonly("bonds", &Measurement::bonds)
        .def_readonly("angles", &Measurement::angles)
        .def_readonly("dihedrals", &Measurement::dihedrals)
        .def_readonly("charge", &Measurement::charge)
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
                         double skin) {
                 return Simulation(field, flat(types), flat(masses),
                                   {dt, dynamics, barostat, seed, skin});
             }),
             py::arg("field"), py::kw_only(), py::arg("types"), py::arg("masses"), py::arg("dt"),
             py::arg("dynamics"), py::arg("barostat"), py::arg("seed"), py::arg("skin"))
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

void bind_particles_engine(py::module_& m) {
    bind_potentials(m);
    bind_force_field(m);
    bind_simulation(m);
}

}  // namespace regrain::bindings
