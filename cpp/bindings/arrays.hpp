// NumPy arrays in and out.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/typing.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regrain/base/box.hpp"
#include "regrain/base/error.hpp"
#include "regrain/base/vec3.hpp"

namespace regrain::bindings {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;
using Doubles = Array<double>;
using Ints = Array<std::int32_t>;

// A C-contiguous (n, width) array as n rows of type Row; an array without entries as none.
template <class Row, class T>
std::span<const Row> rows_of(const Array<T>& array, const char* name) {
    constexpr auto width = static_cast<py::ssize_t>(sizeof(Row) / sizeof(T));
    if (array.size() == 0) return {};
    if (array.ndim() != 2 || array.shape(1) != width) {
        throw Error(std::string(name) + " must have shape (n, " + std::to_string(width) + ")");
    }
    return {reinterpret_cast<const Row*>(array.data()), static_cast<std::size_t>(array.shape(0))};
}

template <class T>
std::span<const T> flat(const Array<T>& array) {
    return {array.data(), static_cast<std::size_t>(array.size())};
}

template <class T>
std::vector<T> vector_of(std::span<const T> values) {
    return {values.begin(), values.end()};
}

// A new (n, width) array and its rows.
template <class Row, class T = double>
std::pair<Array<T>, std::span<Row>> new_rows(std::size_t n) {
    constexpr auto width = static_cast<py::ssize_t>(sizeof(Row) / sizeof(T));
    Array<T> array({static_cast<py::ssize_t>(n), width});
    return {array, {reinterpret_cast<Row*>(array.mutable_data()), n}};
}

// Numbers as (n,), rows of numbers as (n, width).
template <class T, class V>
Array<T> copy_of(const std::vector<V>& values) {
    if constexpr (std::is_same_v<T, V>) {
        return Array<T>(static_cast<py::ssize_t>(values.size()), values.data());
    } else {
        auto [array, rows] = new_rows<V, T>(values.size());
        std::copy(values.begin(), values.end(), rows.begin());
        return array;
    }
}

inline Box box_of(const Doubles& vectors) {
    const auto v = rows_of<std::array<double, 3>>(vectors, "box");
    if (v.size() != 3) throw Error("box must be three lattice vectors");
    return Box(std::array{v[0], v[1], v[2]});
}

inline Doubles vectors_of(const Box& box) {
    auto [array, rows] = new_rows<Vec3>(3);
    rows[0] = box.a();
    rows[1] = box.b();
    rows[2] = box.c();
    return array;
}

}  // namespace regrain::bindings
