
#include <cstdint>
#include <span>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "regrain/base/blocks.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/base/random.hpp"
#include "regrain/base/simd.hpp"

namespace regrain::bindings {

static py::typing::Tuple<Doubles, Doubles, Doubles, Doubles> mean_errors_of(
    const Doubles& rows, const Doubles& weights) {
    if (rows.ndim() != 2) throw Error("mean_errors: expected an array (samples, columns)");
    const auto width = static_cast<std::size_t>(rows.shape(1));
    std::vector<MeanError> found;
    {
        const py::gil_scoped_release release;
        found = mean_errors(flat(rows), width, flat(weights));
    }
    Doubles mean(rows.shape(1));
    Doubles error(rows.shape(1));
    Doubles tau(rows.shape(1));
    Doubles dof(rows.shape(1));
    for (std::size_t c = 0; c < width; ++c) {
        mean.mutable_data()[c] = found[c].mean;
        error.mutable_data()[c] = found[c].error;
        tau.mutable_data()[c] = found[c].tau;
        dof.mutable_data()[c] = found[c].dof;
    }
    return py::make_tuple(mean, error, tau, dof);
}

static Doubles block_rows(const Blocks& blocks) {
    const std::vector<double> rows = blocks.rows();
    Doubles array({blocks.size(), blocks.width()});
    std::copy(rows.begin(), rows.end(), array.mutable_data());
    return array;
}

static Doubles copied(std::span<const double> values) {
    return Doubles(static_cast<py::ssize_t>(values.size()), values.data());
}

static Doubles random_normals(std::uint64_t seed, std::uint32_t stream, std::uint64_t step,
                              std::uint32_t count) {
    const Philox random(seed, stream);
    Doubles array(count);
    double* out = array.mutable_data();
    for (std::uint32_t i = 0; i < count; ++i) out[i] = random.normal4(step, i / 4)[i % 4];
    return array;
}

static Doubles random_uniforms(std::uint64_t seed, std::uint32_t stream, std::uint64_t step,
                               std::uint32_t count) {
    const Philox random(seed, stream);
    Doubles array(count);
    double* out = array.mutable_data();
    for (std::uint32_t i = 0; i < count; ++i) out[i] = random.uniform2(step, i / 2)[i % 2];
    return array;
}

void bind_base(py::module_& m) {
    m.def("threads", &threads, "Threads that the next parallel region of the core uses.");
    m.def("set_threads", &set_threads, py::arg("count"), "Sets the number of threads.");
    m.def("simd_level", &simd_level, "The vector instructions that the kernels use.");
    m.def("normals", &random_normals, py::arg("seed"), py::arg("stream"), py::arg("step"),
          py::arg("count"), "Standard normal numbers, a function of (seed, stream, step).");
    m.def("uniforms", &random_uniforms, py::arg("seed"), py::arg("stream"), py::arg("step"),
          py::arg("count"), "Numbers in (0, 1), a function of (seed, stream, step).");
    m.def("mean_errors", &mean_errors_of, py::arg("rows"), py::arg("weights"),
          "Mean, standard error, autocorrelation time and degrees of freedom of each column of "
          "correlated samples.");
    py::class_<Blocks>(m, "Blocks", "Averages of a stream of vectors in a bounded number of rows.")
        .def(py::init<std::size_t, std::size_t>(), py::arg("width"), py::arg("capacity") = 2048)
        .def(
            "add",
            [](Blocks& blocks, const Doubles& sample, double weight) {
                blocks.add(flat(sample), weight);
            },
            py::arg("sample"), py::arg("weight") = 1.0)
        .def_property_readonly("samples", &Blocks::samples)
        .def_property_readonly("span", &Blocks::span)
        .def_property_readonly("rows", &block_rows)
        .def_property_readonly("weights",
                               [](const Blocks& blocks) { return copied(blocks.weights()); })
        .def_property_readonly("variance",
                               [](const Blocks& blocks) { return copied(blocks.variance()); });
}

}  // namespace regrain::bindings
