// Forces of bonds, angles and dihedrals whose potentials are of one kind.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cell_vectors.hpp"
#include "pair_parameters.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

enum class BondedKind : std::uint8_t {
    harmonic_bond,
    fene_bond,
    table_bond,
    harmonic_angle,
    cosine_angle,
    table_angle,
    harmonic_dihedral,
    fourier_dihedral,
    table_dihedral,
};

/// The force on one particle of one term.
struct alignas(32) Slot {
    double x, y, z, nothing;
};

/// Terms of one kind, in blocks of 8 of which the last is filled up with a term that counts
/// nothing. The force on particle k of term t goes to the slot (t / 8 * width + k) * 8 + t % 8.
struct BondedGroup {
    static constexpr std::size_t block = 8;

    BondedKind kind;
    std::size_t width;                              ///< particles of a term
    std::size_t orders{1};                          ///< rows of parameters that a potential has
    std::vector<Quad> parameters;                   ///< see bonded_parameters.cpp
    std::vector<Quad> table_rows;                   ///< of all tables
    std::size_t count{0};                           ///< of terms that do count
    std::array<std::vector<std::uint32_t>, 4> row;  ///< of each particle of each term
    std::vector<std::uint32_t> potential;           ///< of each term

    [[nodiscard]] std::size_t blocks() const { return (count + block - 1) / block; }
    [[nodiscard]] std::size_t slots() const { return blocks() * block * width; }
    [[nodiscard]] std::size_t slot(std::size_t term, std::size_t k) const {
        return (term / block * width + k) * block + term % block;
    }
};

struct BondedTask {
    const BondedGroup* group;
    const Row* rows;
    const Cell* cell;
    std::size_t begin, end;  ///< blocks
    Slot* slots;             ///< of the group
    Sums* sums;              ///< or none
    bool suspicious{false};  ///< set when a bond may have no energy
};

void bonded_kernel(BondedTask& task);

}  // namespace regrain::particles
