// Where spins are in memory, so that those which do not feel each other are side by side.
//
// Along the last axis, the sites of a row whose number has the same remainder make a block, with so
// many remainders that sites of a block do not feel each other: a block is updated in vectors, and
// a neighbour is a block of its own row or another one, moved by at most one place. Rows whose
// numbers along the other axes have the same remainders make a colour, and do not feel each other
// either: they are updated side by side by threads. Where the lattice ends, neighbours are absent
// values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "environment.hpp"

namespace regrain::lattice {

class Tiles {
public:
    /// Places that kernels work on at a time; what they read beyond a block is there, too.
    static constexpr std::size_t group = 32;

    Tiles(const Model& model, const Environment& environment);

    [[nodiscard]] std::size_t sites() const { return rows_ * length_; }
    [[nodiscard]] std::size_t rows() const { return rows_; }
    [[nodiscard]] std::size_t row_sites() const { return length_; }
    [[nodiscard]] std::size_t blocks() const { return blocks_; }
    /// Sites of a block.
    [[nodiscard]] std::size_t block_size(std::size_t block) const {
        return (length_ - block + blocks_ - 1) / blocks_;
    }
    /// Values that an array of all sites has, with the row that stands for what is absent.
    [[nodiscard]] std::size_t values() const { return (rows_ + 1) * row_stride_ + group; }
    /// The first site of a block.
    [[nodiscard]] std::size_t begin(std::size_t row, std::size_t block) const {
        return row * row_stride_ + block * block_stride_ + 1;
    }
    /// The site of the n-th neighbour of the first site of a block.
    [[nodiscard]] std::size_t neighbour(std::size_t row, std::size_t block, std::size_t n) const {
        return row_of_[slow_[n] * rows_ + row] * row_stride_ + place_[n * blocks_ + block];
    }
    [[nodiscard]] std::size_t neighbours() const { return slow_.size(); }
    [[nodiscard]] const std::vector<std::vector<std::uint32_t>>& colours() const {
        return colours_;
    }
    /// A number for the first site of a block, for random numbers; others follow.
    [[nodiscard]] std::uint64_t slot(std::size_t row, std::size_t block) const {
        return (row * blocks_ + block) * block_stride_;
    }

    /// Copies the first and the last of a block behind its ends, after a change.
    template <class T>
    void close(T* data, std::size_t row, std::size_t block) const {
        if (!periodic_) return;
        T* first = data + begin(row, block);
        const std::size_t n = block_size(block);
        first[-1] = first[n - 1];
        first[n] = first[0];
    }

    template <class T, class S, class F>
    void spread(std::span<const S> flat, T* data, F&& value) const {
        for (std::size_t row = 0; row < rows_; ++row) {
            for (std::size_t x = 0; x < length_; ++x) {
                data[begin(row, x % blocks_) + x / blocks_] = value(flat[row * length_ + x]);
            }
            for (std::size_t block = 0; block < blocks_; ++block) close(data, row, block);
        }
    }

    template <class T, class S>
    void gather(const T* data, std::span<S> flat) const {
        for (std::size_t row = 0; row < rows_; ++row) {
            for (std::size_t x = 0; x < length_; ++x) {
                flat[row * length_ + x] =
                    static_cast<S>(data[begin(row, x % blocks_) + x / blocks_]);
            }
        }
    }

private:
    std::size_t length_, rows_ = 1, blocks_;
    bool periodic_;
    std::size_t block_stride_, row_stride_;
    std::vector<std::size_t> slow_, place_;  // of neighbours: row offset; place in a row, by block
    std::vector<std::uint32_t> row_of_;      // by row offset and row
    std::vector<std::vector<std::uint32_t>> colours_;
};

}  // namespace regrain::lattice
