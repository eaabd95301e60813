"""Which parameters of a form the target says something about, and where to begin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.fits.forms import Free, parameters_of
from regrain.fits.relative_entropy.space import Unknown
from regrain.fits.structural.boltzmann import Inversion
from regrain.fits.structural.shape import Shape
from regrain.fits.structural.shaping import bandwidth_penalty, hat_matrix
from regrain.fits.structure import Interaction
from regrain.particles import Table, TableAngle, TableBond, TableDihedral

__all__ = ["table_twin", "unknown_of"]

Floats = NDArray[np.float64]

#: A spline function counts as sampled when so much of it lies where the target is.
WITHIN = 0.3
_TABLES: dict[str, Any] = {"angle": TableAngle, "dihedral": TableDihedral}


def table_twin(term: Interaction) -> Any:
    """The form, or a table of as many points as the grid of a spline has.

    Examples
    --------
    >>> from regrain.fits.structure import Interaction
    >>> from regrain.fits.relative_entropy.unknowns import table_twin
    >>> from regrain.particles import BSpline
    >>> table_twin(Interaction("pair", ("A", "A"), BSpline(r_min=0.5, r_max=2.0, functions=5)))
    Table(r_min=0.5, r_max=2.0, points=17)
    """
    if not hasattr(term.form, "with_coefficients"):
        return term.form
    points = len(term.nodes)
    if term.kind in _TABLES:
        return _TABLES[term.kind](points=points)
    low, high = float(term.nodes[0]), float(term.nodes[-1])
    return (Table if term.kind == "pair" else TableBond)(r_min=low, r_max=high, points=points)


def unknown_of(
    term: Interaction, x: Floats, information: Floats, inversion: Inversion | None
) -> tuple[Unknown, Floats]:
    """An unknown, and its first values.

    Parameters
    ----------
    term : Interaction
    x : ndarray, shape (bins,)
        Where its coordinate is counted.
    information : ndarray, shape (bins,)
        β² times the counts per frame of the target, summed over states with their weights: the
        Fisher information of the energies there if no bin knew of another.
    inversion : Inversion
        Of the tables, and of the twins of splines.

    Examples
    --------
    >>> from regrain.fits.relative_entropy.unknowns import unknown_of  # a fit calls it
    """
    parameters = parameters_of(term.form)
    if isinstance(term.form, Free):
        return Unknown(term.label, term.kind, parameters, x), term.form.values
    assert inversion is not None
    shape, energy = inversion.shapes[term.label], inversion.start[term.label]
    if hasattr(term.form, "with_coefficients"):
        return _spline(term, x, shape, energy, inversion.kt)
    index = _sampled_nodes(shape)

    def fill(values: Floats) -> Floats:
        if term.kind == "dihedral":
            values[-1] = values[0]
        return shape.walled(values, inversion.kt)

    penalty = _penalty(shape, index, x, information)
    return Unknown(term.label, term.kind, parameters, x, index, fill, penalty), energy


def _sampled_nodes(shape: Shape) -> NDArray[np.intp]:
    last = len(shape.term.nodes) - 1
    if shape.term.kind == "dihedral":
        return np.arange(last)
    end = last if shape.term.kind == "pair" else shape.last + 1
    return np.arange(shape.first, end)


def _penalty(shape: Shape, index: NDArray[np.intp], x: Floats, information: Floats) -> Floats:
    """On what is narrower than the width of the shape."""
    term = shape.term
    nodes, centres = term.nodes[index], shape.target.x
    hats = hat_matrix(term.nodes, x)
    if term.kind == "dihedral":
        hats[:, 0] += hats[:, -1]
    local = (information @ hats)[index]
    local = np.maximum(local, 1e-6 * local.max())
    counts = np.interp(nodes, centres, shape.counts)
    end = {"pair": "zero", "dihedral": "periodic"}.get(term.kind, "free")
    return bandwidth_penalty(local, counts, term.spacing, shape.width, end=end)


def _spline(
    term: Interaction, x: Floats, shape: Shape, energy: Floats, kt: float
) -> tuple[Unknown, Floats]:
    """Coefficients whose function lies where samples are; beyond, the force goes on as a wall."""
    form, seen = term.form, shape.target.x[shape.seen]
    grid = form.grid
    basis = np.abs(form.basis(grid))
    within = (grid >= seen[0]) & (grid <= seen[-1])
    share = basis[within].sum(axis=0) / basis.sum(axis=0)
    wanted = share > WITHIN
    if term.kind == "dihedral":
        wanted[:] = True
    elif term.kind == "pair" and form.degree > 0:
        wanted[-1] = False
    index = np.flatnonzero(wanted)
    knots, degree = form.knots, form.degree
    places = np.linspace(grid[0], grid[-1], form.functions)
    if degree > 0 and len(knots) == form.functions + degree + 1:  # Greville's abscissae
        places = np.array([knots[k + 1 : k + degree + 1].mean() for k in range(form.functions)])
    centre = np.average(shape.target.x, weights=shape.counts)
    spread = float(np.average((shape.target.x - centre) ** 2, weights=shape.counts))

    def fill(values: Floats) -> Floats:
        if term.kind == "dihedral":
            return np.asarray(values - values.mean())
        _wall(values, places, index, kt / spread, upper=term.kind != "pair")
        return values

    start = np.zeros(form.functions)
    force = -np.gradient(energy, grid)
    weight = np.sqrt(np.interp(grid, shape.target.x, shape.counts) + 1e-3 * shape.counts.max())
    columns = form.basis(grid)[:, index]
    start[index] = np.linalg.lstsq(weight[:, None] * columns, weight * force, rcond=1e-8)[0]
    return Unknown(term.label, term.kind, parameters_of(form), x, index, fill), fill(start)


def _wall(
    values: Floats, places: Floats, index: NDArray[np.intp], stiffness: float, *, upper: bool
) -> None:
    """The force of unsampled ends: it grows outwards with the slope it has, or more."""
    first, last = index[0], index[-1]
    ends = [(first, slice(0, first), index[: min(3, len(index))])]
    if upper:
        ends.append((last, slice(last + 1, None), index[-min(3, len(index)) :]))
    for edge, outside, near in ends:
        slope = np.polyfit(places[near], values[near], 1)[0] if len(near) > 1 else 0.0
        slope = max(-slope, stiffness)
        values[outside] = values[edge] - slope * (places[outside] - places[edge])
