#include <pybind11/complex.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/base/error.hpp"
#include "regrain/particles/angles.hpp"
#include "regrain/particles/rdf.hpp"
#include "regrain/particles/structure_factor.hpp"
#include "regrain/particles/unwrap.hpp"

namespace regrain::bindings {

using Counts = py::array_t<std::uint64_t, py::array::c_style>;

static particles::PairHistogram pair_histogram(const Ints& types, std::size_t n_types, double r_max,
                                               std::size_t bins, const Ints& exclusions) {
    std::vector<particles::PairHistogram::Exclusion> excluded;
    for (py::ssize_t k = 0; k < exclusions.size() / 2; ++k) {
        excluded.emplace_back(static_cast<std::uint32_t>(exclusions.data()[2 * k]),
                              static_cast<std::uint32_t>(exclusions.data()[2 * k + 1]));
    }
    return {{types.data(), static_cast<std::size_t>(types.size())}, n_types, r_max, bins, excluded};
}

static Counts pair_counts(particles::PairHistogram& histogram, const Doubles& positions,
                          const Doubles& vectors_of_box) {
    Counts counts({histogram.n_types(), histogram.n_types(), histogram.bins()});
    const std::span<std::uint64_t> out{counts.mutable_data(),
                                       static_cast<std::size_t>(counts.size())};
    const std::span<const Vec3> r = rows_of<Vec3>(positions, "positions");
    const Box box = box_of(vectors_of_box);
    const py::gil_scoped_release release;
    histogram.count(r, box, out);
    return counts;
}

static Counts angle_counts(particles::AngleHistogram& histogram, const Doubles& positions,
                           const Doubles& box_vectors) {
    Counts counts(static_cast<py::ssize_t>(histogram.bins()));
    const std::span<std::uint64_t> out{counts.mutable_data(), histogram.bins()};
    const std::span<const Vec3> r = rows_of<Vec3>(positions, "positions");
    const Box box = box_of(box_vectors);
    const py::gil_scoped_release release;
    histogram.count(r, box, out);
    return counts;
}

// A function of positions, box and particles by index -> one number per term.
template <std::size_t N, auto f>
static Doubles per_term(const Doubles& positions, const Doubles& box_vectors, const Ints& terms) {
    const auto r = rows_of<Vec3>(positions, "positions");
    const auto ids = rows_of<std::array<std::int32_t, N>>(terms, "terms");
    const Box box = box_of(box_vectors);
    std::vector<double> values;
    {
        const py::gil_scoped_release release;
        values = f(r, box, ids);
    }
    return Doubles(static_cast<py::ssize_t>(values.size()), values.data());
}

static Ints reciprocal_indices_of(const Doubles& box_vectors, double q_max) {
    const auto found = particles::reciprocal_indices(box_of(box_vectors), q_max);
    Ints array({static_cast<py::ssize_t>(found.size()), py::ssize_t{3}});
    std::copy_n(found.empty() ? nullptr : found.front().data(), 3 * found.size(),
                array.mutable_data());
    return array;
}

static Doubles wave_vectors(const Doubles& box_vectors, const Ints& indices) {
    const Box box = box_of(box_vectors);
    const auto ids = rows_of<std::array<std::int32_t, 3>>(indices, "indices");
    Doubles array({static_cast<py::ssize_t>(ids.size()), py::ssize_t{3}});
    double* out = array.mutable_data();
    for (const auto& index : ids) {
        const Vec3 q = particles::wave_vector(box, index);
        *out++ = q.x;
        *out++ = q.y;
        *out++ = q.z;
    }
    return array;
}

static py::array_t<std::complex<double>> modes_of(const Doubles& positions,
                                                  const Doubles& box_vectors, const Ints& indices) {
    const auto r = rows_of<Vec3>(positions, "positions");
    const auto ids = rows_of<std::array<std::int32_t, 3>>(indices, "indices");
    const Box box = box_of(box_vectors);
    std::vector<std::complex<double>> modes;
    {
        const py::gil_scoped_release release;
        modes = particles::density_modes(r, box, ids);
    }
    return py::array_t<std::complex<double>>(static_cast<py::ssize_t>(modes.size()), modes.data());
}

static double follow_step(Doubles unwrapped, const Doubles& previous, const Doubles& positions,
                          const Doubles& box_vectors) {
    const std::span<const Vec3> to = rows_of<Vec3>(unwrapped, "unwrapped");
    const std::span<Vec3> moved{reinterpret_cast<Vec3*>(unwrapped.mutable_data()), to.size()};
    const Box box = box_of(box_vectors);
    const auto from = rows_of<Vec3>(previous, "previous");
    const auto now = rows_of<Vec3>(positions, "positions");
    const py::gil_scoped_release release;
    return particles::follow(moved, from, now, box);
}

void bind_particles_analysis(py::module_& m) {
    py::class_<particles::PairHistogram>(m, "PairHistogram",
                                         "Counts distances by pair of types, frame after frame.")
        .def(py::init(&pair_histogram), py::arg("types"), py::arg("n_types"), py::arg("r_max"),
             py::arg("bins"), py::arg("exclusions"))
        .def("count", &pair_counts, py::arg("positions"), py::arg("box"),
             "Ordered pairs of a frame, shape (n_types, n_types, bins).");
    py::class_<particles::AngleHistogram>(m, "AngleHistogram",
                                          "Counts the angles between neighbours.")
        .def(py::init([](const Ints& types, const std::array<std::int32_t, 3>& triplet,
                         double r_max, std::size_t bins) {
                 return particles::AngleHistogram(
                     {types.data(), static_cast<std::size_t>(types.size())}, triplet, r_max, bins);
             }),
             py::arg("types"), py::arg("triplet"), py::arg("r_max"), py::arg("bins"))
        .def("count", &angle_counts, py::arg("positions"), py::arg("box"),
             "Angles of a frame, shape (bins,).");
    m.def("bond_lengths", &per_term<2, particles::bond_lengths>, py::arg("positions"),
          py::arg("box"), py::arg("bonds"), "Length of each bond.");
    m.def("bond_angles", &per_term<3, particles::bond_angles>, py::arg("positions"), py::arg("box"),
          py::arg("angles"), "Each bond angle, in [0, pi].");
    m.def("dihedral_angles", &per_term<4, particles::dihedral_angles>, py::arg("positions"),
          py::arg("box"), py::arg("dihedrals"), "Each torsion, in [-pi, pi].");
    m.def("reciprocal_indices", &reciprocal_indices_of, py::arg("box"), py::arg("q_max"),
          "Half of the reciprocal vectors up to q_max, shape (k, 3).");
    m.def("wave_vectors", &wave_vectors, py::arg("box"), py::arg("indices"),
          "Wave vectors of indices, shape (k, 3).");
    m.def("density_modes", &modes_of, py::arg("positions"), py::arg("box"), py::arg("indices"),
          "Sum of exp(i q r) over particles, shape (k,).");
    m.def("follow", &follow_step, py::arg("unwrapped").noconvert(), py::arg("previous"),
          py::arg("positions"), py::arg("box"),
          "Moves unwrapped positions along, in place; returns the longest step.");
}

}  // namespace regrain::bindings
