// Forces of the triples around some centres.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pair_parameters.hpp"
#include "regrain/particles/pair_engine.hpp"

namespace regrain::particles {

/// The arms of a centre that go to one type under one phi.
struct ArmKind {
    std::uint32_t type;
    double r_max, decay;
};

/// What the arms of one kind feel from those of another around the same centre: half of a term
/// whose ends differ, the whole of one whose ends are equal.
struct TripleHalf {
    std::uint32_t on, from;  ///< kinds of arms
    bool tabulated;
    double epsilon, cosine0;  ///< f = epsilon (cos theta - cosine0)^2
    Quad grid;                ///< or the table: 1 / dx, 1/2, row 0 + integer (see TablePotential)
};

/// All that particles of one type are the centre of.
struct TripleCentre {
    std::vector<ArmKind> kinds;
    std::vector<TripleHalf> halves;
};

struct TripleParameters {
    /// Throws Error for terms that are given twice.
    explicit TripleParameters(const ForceField& field);

    std::size_t types;
    std::vector<TripleCentre> centres;  ///< by type
    std::vector<double> reach;          ///< centre x type of end: the longest arm, or 0
    std::vector<Quad> rows;             ///< of all tables
};

/// Arms of one kind around one centre: unit vectors, lengths, phi and its slope, and the forces on
/// the ends. What fills up the last vector has phi = 0.
struct Arms {
    double *x, *y, *z, *r, *inverse_r, *phi, *slope, *fx, *fy, *fz;
    std::uint32_t *row, *place;
    std::size_t count;
};

/// Some centres, with their possible arms sorted by type.
struct TripleChunk {
    std::vector<std::uint32_t> row;      ///< at the end of an arm; lists are whole vectors long
    std::vector<std::uint32_t> place;    ///< of that particle among the touched
    std::vector<std::uint32_t> first;    ///< centre x type of end, and the end
    std::vector<std::uint32_t> touched;  ///< rows of particles: the centres, then the others
    std::vector<Vec3> forces;            ///< of the touched
    std::vector<Arms> arms;              ///< arrays of `room` for each kind of arms
    struct alignas(64) Lane {
        double v[8];
    };
    std::vector<Lane> room;
    std::vector<std::uint32_t> room_for_rows;
};

struct TripleTask {
    const TripleParameters* parameters;
    const Row* rows;
    TripleChunk* chunk;
    std::size_t begin, end;
    std::uint32_t far_row;  ///< of the engine, to fill up vectors
    Sums sums{};
    bool suspicious{false};  ///< set when an end may be where its centre is
};

void triple_kernel(TripleTask& task);

}  // namespace regrain::particles
