#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "regrain/base/table.hpp"
#include "regrain/base/vec3.hpp"

/// What acts on particles from outside, and on collective variables of a few: plain data.
namespace regrain::particles {

using Constants = std::vector<std::pair<std::string, double>>;

/// An energy, or three components of a force, by formulas (base/expression.hpp) of the place x, y,
/// z in the cell, the charge q, the mass m and the time t.
struct FormulaField {
    std::vector<std::string> texts;
    Constants constants;
};

/// An energy as a table of normal . r - offset, with r in the cell. It ends with zero above the
/// table where it `ends`; elsewhere a place outside of the table is an Error.
struct TableField {
    Vec3 normal;
    double offset;
    CubicTable table;
    bool ends{false};
};

/// A plane across an axis that particles bounce off between two steps. No energy, no force.
struct HardWall {
    int axis;
    bool upper;        ///< particles are below it
    double at;         ///< in the cell
    bool turns_round;  ///< the velocity relative to the wall (bounce-back: no slip), or only its
                       ///< normal component (a mirror: perfect slip)
    Vec3 velocity{};   ///< of the wall, along it
};

struct ExternalTerm {
    std::variant<FormulaField, TableField, HardWall> field;
    std::vector<std::uint8_t> acts_on;  ///< by type: 1 or 0
    std::string name;                   ///< in messages
    std::string remedy;                 ///< what to do where the energy is not a number
};

struct External {
    std::vector<ExternalTerm> terms;
    std::vector<double> charges, masses;  ///< by id; empty where no formula asks
};

/// A number that tells how a few particles stand to each other. A group is followed from each of
/// its particles to the nearest image of the next.
struct CollectiveVariable {
    enum class Kind : std::uint8_t {
        position,            ///< of a centre, along an axis, in the cell or from another centre
        distance,            ///< of two centres, nearest images
        angle,               ///< at the second of three centres
        dihedral,            ///< of four centres
        radius_of_gyration,  ///< of a group
        end_to_end,          ///< from the first of a group to the last, along the group
        coordination         ///< sum of 1 / (1 + (r / r0)^n) over the pairs of two groups
    };
    Kind kind;
    std::vector<std::vector<std::uint32_t>> groups;
    std::vector<std::vector<double>> weights;  ///< of the particles of each group, in all 1
    int axis{2};
    double r0{1.0};
    int n{6};
    std::string name;  ///< in messages
};

/// k/2 (x - center - speed t)^2 of a collective variable, of an angle of rotation or a place in a
/// periodic cell by the shorter way round.
struct Restraint {
    double k, center, speed{0.0};
};

/// A formula of collective variables and the time t, by the names of the variables.
struct FormulaBias {
    std::string text;
    std::vector<std::string> names;
    Constants constants;
};

struct BiasTerm {
    std::variant<Restraint, FormulaBias> law;
    std::vector<std::uint32_t> variables;  ///< which of them, in the order of the formula's names
    std::string name;                      ///< in messages
};

struct Bias {
    std::vector<CollectiveVariable> variables;
    std::vector<BiasTerm> terms;
};

}  // namespace regrain::particles
