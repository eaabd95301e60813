#include "regrain/base/fft.hpp"

#include <pybind11/complex.h>
#include <pybind11/stl.h>

#include <complex>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"

namespace regrain::bindings {

template <class T>
using Complexes = Array<std::complex<T>>;

template <class T>
static void bind_complex(py::module_& m, const char* name) {
    using Transform = ComplexTransform<T>;
    const auto transformed = [](const Transform& plan, const Complexes<T>& in, bool backward) {
        Complexes<T> out(std::vector<py::ssize_t>(in.shape(), in.shape() + in.ndim()));
        const std::span<std::complex<T>> places{out.mutable_data(),
                                                static_cast<std::size_t>(out.size())};
        const std::span<const std::complex<T>> numbers = flat(in);
        const py::gil_scoped_release release;
        backward ? plan.backward(numbers, places) : plan.forward(numbers, places);
        return out;
    };
    py::class_<Transform>(m, name, "Fourier transforms of complex arrays of one shape.")
        .def(py::init<std::vector<std::size_t>, std::size_t>(), py::arg("shape"), py::kw_only(),
             py::arg("batch") = 1)
        .def(
            "forward",
            [=](const Transform& plan, const Complexes<T>& in) {
                return transformed(plan, in, false);
            },
            py::arg("values"))
        .def(
            "backward",
            [=](const Transform& plan, const Complexes<T>& in) {
                return transformed(plan, in, true);
            },
            py::arg("spectrum"));
}

// Arrays are flat or of any shape with so many numbers; they are given, so that none is made anew.
template <class T>
static void bind_real(py::module_& m, const char* name) {
    using Transform = RealTransform<T>;
    using Values = py::array_t<T, py::array::c_style>;
    using Spectrum = py::array_t<std::complex<T>, py::array::c_style>;
    const auto places = [](auto& array) {
        return std::span{array.mutable_data(), static_cast<std::size_t>(array.size())};
    };
    py::class_<Transform>(m, name, "Fourier transforms of real arrays of one shape.")
        .def(py::init<std::vector<std::size_t>, std::size_t>(), py::arg("shape"), py::kw_only(),
             py::arg("batch") = 1)
        .def_property_readonly("size", &Transform::size)
        .def_property_readonly("spectrum_size", &Transform::spectrum_size)
        .def(
            "forward",
            [=](const Transform& plan, const Values& values, Spectrum& spectrum) {
                const std::span<const T> in{values.data(), static_cast<std::size_t>(values.size())};
                const auto out = places(spectrum);
                const py::gil_scoped_release release;
                plan.forward(in, out);
            },
            py::arg("values").noconvert(), py::arg("spectrum").noconvert(),
            "Writes the spectrum of the values.")
        .def(
            "backward",
            [=](const Transform& plan, Spectrum& spectrum, Values& values) {
                const auto in = places(spectrum);
                const auto out = places(values);
                const py::gil_scoped_release release;
                plan.backward(in, out);
            },
            py::arg("spectrum").noconvert(), py::arg("values").noconvert(),
            "Writes the values of a spectrum, which is used up.")
        .def(
            "filtered",
            [=](const Transform& plan, Values& values, Spectrum& factors) {
                const auto data = places(values);
                const auto given = places(factors);
                const py::gil_scoped_release release;
                std::vector<std::complex<T>> spectrum(plan.spectrum_size());
                if (given.size() != spectrum.size()) throw Error("factors of another size");
                plan.through(data, spectrum, [&](const SpectrumBlock<T>& block) {
                    for (std::size_t row = 0; row < block.rows; ++row) {
                        for (std::size_t k = 0; k < block.count; ++k) {
                            block.data[row * block.stride + k] *=
                                given[row * block.stride + block.first + k];
                        }
                    }
                });
            },
            py::arg("values").noconvert(), py::arg("factors").noconvert(),
            "Multiplies the spectrum of the values by factors, in one go.");
}

void bind_base_fft(py::module_& m) {
    m.def("good_length", &good_length, py::arg("n"),
          "The smallest length of at least n with factors 2, 3, 5 and 7 only.");
    bind_complex<double>(m, "ComplexTransform");
    bind_complex<float>(m, "ComplexTransformSingle");
    bind_real<double>(m, "RealTransform");
    bind_real<float>(m, "RealTransformSingle");
}

}  // namespace regrain::bindings
