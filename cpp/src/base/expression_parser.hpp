#pragma once

#include <string>

#include "expression_graph.hpp"
#include "regrain/base/expression.hpp"

namespace regrain::expressions {

/// The node of a text. Throws Error with the position (counted from 1) and what there is.
Id parse(const std::string& text, const Formulas& names, Graph& graph);

/// Throws Error for names that make no sense or mean two things.
void check_names(const Formulas& names);

}  // namespace regrain::expressions
