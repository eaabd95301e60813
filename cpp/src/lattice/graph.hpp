// Sites in the order of C, and which of them are so far from each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "regrain/lattice/model.hpp"

namespace regrain::lattice {

inline std::size_t sites_of(const Model& model) {
    std::size_t sites = 1;
    for (const int length : model.shape) sites *= static_cast<std::size_t>(length);
    return sites;
}

class Graph {
public:
    static constexpr std::uint32_t none = ~0U;

    Graph(const Model& model, const std::vector<std::vector<int>>& offsets);

    [[nodiscard]] std::size_t sites() const { return rows_ * length_; }
    [[nodiscard]] std::size_t rows() const { return rows_; }
    [[nodiscard]] std::size_t length() const { return length_; }
    [[nodiscard]] std::size_t offsets() const { return along_.size(); }

    /// The row that is the n-th offset away from another one, or none.
    [[nodiscard]] std::uint32_t row(std::size_t n, std::size_t from) const {
        return row_of_[n * rows_ + from];
    }
    [[nodiscard]] std::int64_t along(std::size_t n) const { return along_[n]; }
    /// The place in it, or none.
    [[nodiscard]] std::uint32_t place(std::size_t n, std::size_t from) const {
        const std::int64_t length = static_cast<std::int64_t>(length_);
        std::int64_t x = static_cast<std::int64_t>(from) + along_[n];
        if (x < 0 || x >= length) {
            if (!periodic_) return none;
            x += x < 0 ? length : -length;
        }
        return static_cast<std::uint32_t>(x);
    }
    [[nodiscard]] std::uint32_t neighbour(std::uint32_t site, std::size_t n) const {
        const auto length = static_cast<std::uint32_t>(length_);
        const std::uint32_t from = site / length;
        const std::uint32_t to = row(n, from), x = place(n, site - from * length);
        return to == none || x == none ? none : to * length + x;
    }

private:
    std::size_t length_, rows_ = 1;
    bool periodic_;
    std::vector<std::int64_t> along_;    // last axis
    std::vector<std::uint32_t> row_of_;  // by offset and row
};

}  // namespace regrain::lattice
