#include <pybind11/stl.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/neighbors.hpp"

namespace regrain::bindings {

using particles::NeighborOptions;
using particles::NeighborSearch;

static std::vector<std::pair<std::uint32_t, std::uint32_t>> sorted_pairs(const Ints& array) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> out;
    for (const auto& p : rows_of<std::array<std::int32_t, 2>>(array, "exclusions"))
        out.emplace_back(static_cast<std::uint32_t>(p[0]), static_cast<std::uint32_t>(p[1]));
    return out;
}

// Arrays of numbers of particles are handed out as int32: there are fewer than 2^31, and NumPy
// mixes unsigned with signed into int64.
static py::typing::Tuple<Ints, Ints, Ints, Doubles> neighbor_list(const Doubles& positions,
                                                                  const Doubles& box, double cutoff,
                                                                  bool half,
                                                                  const Ints& exclusions) {
    const auto r = rows_of<Vec3>(positions, "positions");
    const Box cell = box_of(box);
    const auto excluded = sorted_pairs(exclusions);
    std::optional<NeighborSearch> found;
    {
        const py::gil_scoped_release release;
        found.emplace(r, cell, NeighborOptions{cutoff, half, excluded});
    }
    const auto pairs = static_cast<py::ssize_t>(found->pairs());
    Ints i(pairs), j(pairs), shift({pairs, py::ssize_t{3}});
    Doubles d({pairs, py::ssize_t{3}});
    const NeighborSearch::Arrays to{reinterpret_cast<std::uint32_t*>(i.mutable_data()),
                                    reinterpret_cast<std::uint32_t*>(j.mutable_data()),
                                    reinterpret_cast<particles::Image*>(shift.mutable_data()),
                                    reinterpret_cast<Vec3*>(d.mutable_data())};
    {
        const py::gil_scoped_release release;
        found->write(to);
        found.reset();
    }
    return py::make_tuple(i, j, shift, d);
}

void bind_particles(py::module_& m) {
    m.def("neighbor_list", &neighbor_list, py::arg("positions"), py::arg("box"), py::arg("cutoff"),
          py::arg("half"), py::arg("exclusions"),
          "Pairs closer than the cutoff: i, j, lattice vectors added to j, r_j - r_i.");
}

}  // namespace regrain::bindings
