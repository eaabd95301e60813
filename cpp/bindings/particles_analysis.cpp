#include <pybind11/numpy.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "bindings.hpp"
#include "regrain/base/error.hpp"
#include "regrain/particles/rdf.hpp"

namespace regrain::bindings {

using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;
using Ints = py::array_t<std::int32_t, py::array::c_style | py::array::forcecast>;
using Counts = py::array_t<std::uint64_t, py::array::c_style>;

static std::span<const Vec3> vectors(const Doubles& array) {
    if (array.ndim() != 2 || array.shape(1) != 3) throw Error("expected an array (n, 3)");
    return {reinterpret_cast<const Vec3*>(array.data()), static_cast<std::size_t>(array.shape(0))};
}

static Box box_of(const Doubles& array) {
    if (array.ndim() != 2 || array.shape(0) != 3 || array.shape(1) != 3) {
        throw Error("expected lattice vectors (3, 3)");
    }
    std::array<std::array<double, 3>, 3> rows{};
    for (py::ssize_t i = 0; i < 3; ++i) {
        for (py::ssize_t j = 0; j < 3; ++j) {
            rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = array.at(i, j);
        }
    }
    return Box(rows);
}

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
    const std::span<const Vec3> r = vectors(positions);
    const Box box = box_of(vectors_of_box);
    const py::gil_scoped_release release;
    histogram.count(r, box, out);
    return counts;
}

void bind_particles_analysis(py::module_& m) {
    py::class_<particles::PairHistogram>(m, "PairHistogram",
                                         "Counts distances by pair of types, frame after frame.")
        .def(py::init(&pair_histogram), py::arg("types"), py::arg("n_types"), py::arg("r_max"),
             py::arg("bins"), py::arg("exclusions"))
        .def("count", &pair_counts, py::arg("positions"), py::arg("box"),
             "Ordered pairs of a frame, shape (n_types, n_types, bins).");
}

}  // namespace regrain::bindings
