#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <string>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/base/error.hpp"
#include "regrain/particles/coulomb.hpp"
#include "regrain/particles/potentials.hpp"

namespace regrain::bindings {

namespace {

using namespace regrain::particles;

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
        .def(py::init<double, double, bool, std::optional<bool>>(), py::kw_only(),
             py::arg("cutoff"), py::arg("accuracy"), py::arg("background"),
             py::arg("mesh") = py::none());
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

std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs_of(const Array<std::uint32_t>& given,
                                                              const char* name) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (const auto& p : rows_of<std::array<std::uint32_t, 2>>(given, name)) {
        pairs.emplace_back(std::min(p[0], p[1]), std::max(p[0], p[1]));
    }
    std::sort(pairs.begin(), pairs.end());
    return pairs;
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
            "set_rigid_bonds",
            [](ForceField& f, const Array<std::uint32_t>& particles, const Array<double>& lengths) {
                const auto ends = rows_of<std::array<std::uint32_t, 2>>(particles, "rigid bonds");
                if (ends.size() != static_cast<std::size_t>(lengths.size())) {
                    throw Error("rigid bonds: give one length per bond");
                }
                f.rigid_bonds.clear();
                for (std::size_t k = 0; k < ends.size(); ++k) {
                    f.rigid_bonds.push_back({ends[k][0], ends[k][1], lengths.data()[k]});
                }
            },
            py::kw_only(), py::arg("particles"), py::arg("lengths"))
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
            "set_external",
            [](ForceField& f, const std::vector<ExternalTerm>& terms, const Array<double>& charges,
               const Array<double>& masses) {
                f.external = {terms, vector_of(flat(charges)), vector_of(flat(masses))};
            },
            py::arg("terms"), py::kw_only(), py::arg("charges"), py::arg("masses"))
        .def(
            "set_bias",
            [](ForceField& f, const std::vector<CollectiveVariable>& variables,
               const std::vector<BiasTerm>& terms) {
                f.bias = {variables, terms};
            },
            py::kw_only(), py::arg("variables"), py::arg("terms"))
        .def(
            "set_exclusions",
            [](ForceField& f, const Array<std::uint32_t>& pairs) {
                f.exclusions = pairs_of(pairs, "exclusions");
            },
            py::arg("pairs"))
        .def(
            "set_scaled_pairs",
            [](ForceField& f, const Array<std::uint32_t>& pairs, double pair_factor,
               double charge_factor) {
                f.scaled_pairs = {pairs_of(pairs, "scaled pairs"), pair_factor, charge_factor};
            },
            py::kw_only(), py::arg("pairs"), py::arg("pair_factor"), py::arg("charge_factor"))
        .def(
            "ewald_resolution",
            [](const ForceField& f, const Array<double>& box) {
                const std::size_t n = f.charges ? f.charges->values.size() : 0;
                const auto r = CoulombForces(f, n).resolution(box_of(box));
                return py::make_tuple(r.alpha, r.q_max, r.wave_vectors, r.order, r.points);
            },
            py::arg("box"),
            "Decay of clouds; longest wave number and number of wave vectors, or order and points "
            "of "
            "a mesh.")
        .def_property_readonly("cutoff", &ForceField::cutoff);
}

}  // namespace

void bind_particles_engine(py::module_& m) {
    bind_potentials(m);
    bind_force_field(m);
}

}  // namespace regrain::bindings
