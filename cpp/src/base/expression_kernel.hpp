#pragma once

#include <cstddef>
#include <span>

#include "regrain/base/expression.hpp"

namespace regrain::expressions {

/// Carries out instructions on the first `count` numbers of each register, and some more up to
/// whole vectors. Registers are Expression::block numbers each, aligned to 64 bytes.
void execute(std::span<const Expression::Instruction> program, double* registers,
             std::size_t count);

}  // namespace regrain::expressions
