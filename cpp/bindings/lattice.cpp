#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/random_blocks.hpp"
#include "regrain/lattice/sampler.hpp"
#include "regrain/lattice/sums.hpp"

namespace regrain::bindings {

using lattice::Method;
using lattice::Model;
using lattice::Sampler;
using lattice::Spin;
using Terms = std::vector<std::pair<double, std::vector<lattice::Cluster>>>;

static Spin spin_of(const std::string& name) {
    if (name == "ising") return Spin::ising;
    if (name == "blume-capel") return Spin::blume_capel;
    if (name == "potts") return Spin::potts;
    if (name == "clock") return Spin::clock;
    if (name == "xy") return Spin::xy;
    throw Error("there are no spins called " + name);
}

static Model model_of(const std::string& spin, int states, std::vector<int> shape,
                      std::vector<bool> periodic, const Terms& terms) {
    Model model;
    model.spin = spin_of(spin);
    model.states = states;
    model.shape = std::move(shape);
    model.periodic = std::move(periodic);
    for (const auto& [strength, clusters] : terms) model.terms.push_back({strength, clusters});
    return model;
}

template <class T>
static void bind_values(py::class_<Sampler>& sampler, const char* name) {
    sampler.def(
        "assign",
        [](Sampler& s, const py::array_t<T, py::array::c_style>& values, std::uint64_t sweep) {
            const std::span<const T> all{values.data(), static_cast<std::size_t>(values.size())};
            const py::gil_scoped_release release;
            s.assign(all, sweep);
        },
        py::arg("values").noconvert(), py::kw_only(), py::arg("sweep") = 0);
    sampler.def(
        name,
        [](const Sampler& s, const std::vector<py::ssize_t>& shape) {
            py::array_t<T> out(shape);
            const std::span<T> all{out.mutable_data(), static_cast<std::size_t>(out.size())};
            const py::gil_scoped_release release;
            s.values(all);
            return out;
        },
        py::arg("shape"));
}

template <class T>
static void bind_sums(py::module_& m) {
    m.def(
        "cluster_sums",
        [](const Model& model, const py::array_t<T, py::array::c_style>& values,
           std::size_t states) {
            Doubles out(
                {static_cast<py::ssize_t>(states), static_cast<py::ssize_t>(model.terms.size())});
            const std::span<const T> all{values.data(), static_cast<std::size_t>(values.size())};
            const std::span<double> places{out.mutable_data(),
                                           static_cast<std::size_t>(out.size())};
            const py::gil_scoped_release release;
            lattice::cluster_sums(model, all, places);
            return out;
        },
        py::arg("model"), py::arg("values").noconvert(), py::kw_only(), py::arg("states"));
}

void bind_lattice(py::module_& m) {
    py::class_<Model>(m, "LatticeModel", "Spins, geometry and couplings as the core has them.")
        .def(py::init(&model_of), py::kw_only(), py::arg("spin"), py::arg("states"),
             py::arg("shape"), py::arg("periodic"), py::arg("terms"));
    py::class_<Sampler> sampler(m, "LatticeSampler", "Markov chains on the spins of a model.");
    bind_values<std::int8_t>(sampler, "values");
    bind_values<double>(sampler, "angles");
    sampler.def(
        "bits",
        [](const Sampler& s, std::size_t spins) {
            py::array_t<std::uint8_t> out(static_cast<py::ssize_t>((spins + 7) / 8));
            const std::span<std::uint8_t> all{out.mutable_data(),
                                              static_cast<std::size_t>(out.size())};
            const py::gil_scoped_release release;
            s.bits(all);
            return out;
        },
        py::arg("spins"));
    sampler.def("run", &Sampler::run, py::arg("sweeps"), py::call_guard<py::gil_scoped_release>())
        .def_property_readonly("sweep", &Sampler::sweep);
    m.def(
        "single_spin_sampler",
        [](const Model& model, bool heat_bath, std::uint64_t seed, std::size_t replicas) {
            return lattice::single_spin_sampler(
                model, heat_bath ? Method::heat_bath : Method::metropolis, seed, replicas);
        },
        py::arg("model"), py::kw_only(), py::arg("heat_bath"), py::arg("seed"),
        py::arg("replicas"));
    bind_sums<std::int8_t>(m);
    bind_sums<double>(m);
    m.def("replica_sampler", &lattice::replica_sampler, py::arg("model"), py::kw_only(),
          py::arg("seed"), py::arg("replicas"));
    m.def("cluster_sampler", &lattice::cluster_sampler, py::arg("model"), py::kw_only(),
          py::arg("all"), py::arg("seed"), py::arg("replicas"));
    m.def("exchange_sampler", &lattice::exchange_sampler, py::arg("model"), py::kw_only(),
          py::arg("exchanges"), py::arg("seed"), py::arg("replicas"));
}

}  // namespace regrain::bindings
