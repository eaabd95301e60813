"""Formulas mean what Python makes of them, and their derivatives are exact."""

import cmath
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from regrain import RegrainError, _core

NAMES = ("x", "y", "z")
FUNCTIONS = ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan")
# A derivative by a step into the complex plane has no error but rounding (Squire and Trapp, SIAM
# Rev. 40, 110 (1998)).
STEP = 1e-200
# Beyond this, sums of terms that cancel say nothing about either side.
LARGE = 1e4


def formulas() -> st.SearchStrategy[str]:
    numbers = st.floats(0.1, 3.0).map(lambda v: repr(round(v, 3)))
    leaves = st.one_of(numbers, st.sampled_from(NAMES), st.just("k"))

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        binary = st.tuples(inner, st.sampled_from("+-*/"), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        )
        powers = st.tuples(inner, st.sampled_from(["^2", "^3", "^-1", "^5", "^0.5", "^1.7"]))
        calls = st.tuples(st.sampled_from(FUNCTIONS), inner)
        return st.one_of(
            binary,
            powers.map(lambda t: f"({t[0]}){t[1]}"),
            calls.map(lambda t: f"{t[0]}({t[1]})"),
            inner.map(lambda t: f"(-{t})"),
        )

    return st.recursive(leaves, larger, max_leaves=12)


def python(text: str, point: dict[str, Any]) -> complex:
    """What Python makes of a formula, with complex numbers; NaN where it gives up."""
    functions = {name: getattr(cmath, name) for name in FUNCTIONS}
    try:
        return complex(eval(text.replace("^", "**"), {"__builtins__": {}}, functions | point))
    except (ZeroDivisionError, OverflowError, ValueError):
        return complex(math.nan)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(formulas(), st.tuples(*[st.floats(0.2, 2.0)] * 3))
def test_values_and_derivatives_of_any_formula(
    text: str, place: tuple[float, float, float]
) -> None:
    point: dict[str, Any] = dict(zip(NAMES, place, strict=True)) | {"k": 1.3}
    exact = python(text, point)
    # Where the real line is left, as by log(-1), the two mean different things.
    assume(math.isfinite(exact.real) and exact.imag == 0 and abs(exact.real) < LARGE)
    formula = _core.Expression([text], variables=list(NAMES), constants={"k": 1.3}, by=[0, 1, 2])
    found = formula.evaluate(np.array([place]))[0]
    # What a change of the inputs in the last digits does, tells how well it is known.
    shaken = [python(text, point | {n: point[n] * (1 + 1e-12)}) for n in (*NAMES, "k")]
    known = max(abs(one - exact) for one in shaken) * 1e-2 + 1e-12 * (1 + abs(exact.real))
    assume(known < 1e-6)
    assert found[0] == pytest.approx(exact.real, abs=known)
    for k, name in enumerate(NAMES):
        slope = python(text, point | {name: point[name] + 1j * STEP}).imag / STEP
        assume(math.isfinite(slope) and abs(slope) < LARGE)
        nearby = [
            python(
                text,
                point | {n: point[n] * (1 + 1e-9)} | {name: point[name] * (1 + 1e-9) + 1j * STEP},
            )
            for n in (*NAMES, "k")
        ]
        spread = max(abs(one.imag / STEP - slope) for one in nearby)
        assume(spread < 1e-3)
        assert found[1 + k] == pytest.approx(slope, abs=1e-4 * spread + 1e-11 * (1 + abs(slope)))


def test_many_points_at_once() -> None:
    formula = _core.Expression(
        ["exp(-x^2)*sin(y)", "x*y"], variables=["x", "y"], constants={}, by=[0, 1]
    )
    points = np.random.default_rng(1).normal(size=(1000, 2))
    x, y = points.T
    e = np.exp(-(x**2))
    wanted = [e * np.sin(y), -2 * x * e * np.sin(y), e * np.cos(y), x * y, y, x]
    assert np.allclose(formula.evaluate(points), np.transpose(wanted), rtol=0, atol=4e-16)


def test_shapes_are_checked() -> None:
    formula = _core.Expression(["x"], variables=["x"], constants={}, by=[])
    with pytest.raises(RegrainError, match=r"shape \(n, 1\)"):
        formula.evaluate(np.zeros((3, 2)))
    with pytest.raises(RegrainError, match="no such variable"):
        _core.Expression(["x"], variables=["x"], constants={}, by=[1])
