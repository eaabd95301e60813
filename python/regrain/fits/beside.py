"""What acts in a coarse model beside its forms, and is known: charges, fields and walls, biases."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from regrain.errors import RegrainError
from regrain.fits.problem import Problem
from regrain.particles.bias import BiasTerms
from regrain.particles.charges import Coulomb
from regrain.particles.external_terms import ExternalTerms
from regrain.trace import Trace

__all__ = ["beside", "check_beside", "settle_beside", "warn_forgotten"]

# By the name of the argument of a force field, as the text of a warning calls it.
_OUTSIDE = {"external": ("fields or walls", "{}"), "biases": ("biases", "[]")}


def settle_beside(fit: Any) -> None:
    """Check the settings ``charges``, ``external`` and ``biases`` of a fit, a frozen dataclass.

    Raises
    ------
    RegrainError
        Something that is none of these.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.particles import Field, Table
    >>> form = Table(r_min=0.9, r_max=2.5, points=161)
    >>> rg.fits.IBI(
    ...     pairs={("A", "A"): form}, temperature=1.0, external={"A": Field("z^2")}
    ... ).external
    {'A': [Field('z^2')]}
    """
    if fit.charges is not None and not isinstance(fit.charges, Coulomb):
        raise RegrainError(
            f"{type(fit).__name__}: charges is {fit.charges!r}; give how the charges of the "
            "topology act, Ewald(cutoff=...) or ReactionField(cutoff=...), or None"
        )
    for name, kind in (("external", ExternalTerms), ("biases", BiasTerms)):
        given = getattr(fit, name)
        if given is not None and not isinstance(given, kind):
            object.__setattr__(fit, name, kind(given))


def beside(fit: Any) -> dict[str, Any]:
    """These settings as arguments of a force field.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.fits.beside import beside
    >>> beside(rg.fits.ForceMatching())
    {'charges': None, 'external': None, 'biases': None}
    """
    return {"charges": fit.charges, "external": fit.external, "biases": fit.biases}


def check_beside(fit: str, problem: Problem) -> None:
    """Refuse what does not go with fields and walls that are fixed in space.

    Raises
    ------
    RegrainError
        A pressure, or a target whose box changes along their axes.

    Examples
    --------
    >>> from regrain.fits.beside import check_beside  # fits with coarse runs ask
    """
    laws: list[Any] = [law for _, law in problem.external or ()]
    if laws and problem.pressure is not None:
        raise RegrainError(
            f"{fit}: the pressure is constrained, but beside {laws[0]!r} it is not the same "
            "everywhere; leave out the pressure, or what acts from outside"
        )
    laws += problem.biases.variables if problem.biases is not None else ()
    mean, first = problem.state.box, None if problem.trace is None else problem.trace[0].box
    if mean is None or first is None:
        return
    for law in laws:
        moved = [axis for k, axis in enumerate("xyz") if axis in law.axes
                 and not np.allclose(mean[k], first[k], rtol=1e-6)]  # fmt: skip
        if moved:
            raise RegrainError(
                f"{fit}: the box of the target changes along {', '.join(moved)}, where {law!r} is "
                "fixed in space; give a target of constant volume"
            )


def warn_forgotten(fit: Any, trace: Trace[Any]) -> None:
    """A warning where the run of the target knew of fields, walls or biases, and the fit does not.

    Examples
    --------
    >>> from regrain.fits.beside import warn_forgotten  # fits ask
    """
    model = trace.provenance.get("model")
    if not isinstance(model, Mapping):
        return
    for name, (words, nothing) in _OUTSIDE.items():
        unbiased = name == "biases" and trace.weights is not None
        if not model.get(name) or getattr(fit, name, None) is not None or unbiased:
            continue
        remedy = f"model.replace({name}=...) puts in what acts on the coarse particles"
        if hasattr(fit, name):
            remedy = (
                f"give {name}=... as it acts on the coarse particles, or {name}={nothing} if this "
                "is meant"
            )
        warnings.warn(
            f"the target was run with {words}, of which the fit knows nothing: what is fitted "
            f"makes up for them, and the model is without; {remedy}",
            UserWarning,
            stacklevel=3,
        )
