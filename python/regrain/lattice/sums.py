"""Sums over clusters: by the core, and in plain NumPy as what it is tested against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.lattice.geometry import Cluster
from regrain.lattice.state import Spins, plain_values
from regrain.trace import Trace

if TYPE_CHECKING:
    from regrain.lattice.model import LatticeModel

__all__ = ["core_model", "reference_sums", "sums_of"]

# What is unpacked of a trace at a time.
_CHUNK_VALUES = 2**24

_SPINS = {
    "Ising": "ising",
    "BlumeCapel": "blume-capel",
    "Potts": "potts",
    "Clock": "clock",
    "XY": "xy",
}


def core_model(model: LatticeModel) -> _core.LatticeModel:
    """A model as the core has it.

    Examples
    --------
    >>> from regrain.lattice import Ising
    >>> from regrain.lattice.sums import core_model
    >>> type(core_model(Ising((8, 8), couplings={"nn": 0.4}))).__name__
    'LatticeModel'
    """
    return _core.LatticeModel(
        spin=_SPINS[type(model).__name__],
        states=getattr(model, "q", 2),
        shape=list(model.shape),
        periodic=list(model.geometry.axes),
        terms=[(term.strength, term.clusters) for term in model.terms],
    )


def sums_of(model: LatticeModel, spins: Any) -> NDArray[np.float64]:
    """Sums over all clusters of each coupling: see ``model.sums``.

    Raises
    ------
    RegrainError
        Spins of another shape, or values that are none of the model.

    Examples
    --------
    >>> from regrain.lattice import Ising
    >>> from regrain.lattice.sums import sums_of
    >>> model = Ising((4, 4), couplings={"nn": 0.4})
    >>> sums_of(model, model.start("up")).tolist()
    [32.0]
    """
    if isinstance(spins, Trace):
        model.spins(spins[0])
        step = max(1, _CHUNK_VALUES // spins[0].values.size)
        parts = [spins[k : k + step].stacked("values") for k in range(0, len(spins), step)]
        return np.concatenate([_sums(model, part) for part in parts])
    return _sums(model, model.spins(spins).values if isinstance(spins, Spins) else spins)


def _sums(model: LatticeModel, given: Any) -> NDArray[np.float64]:
    values = _checked(model, given)
    lead = values.shape[: values.ndim - len(model.shape)]
    if model.site_values is not None:
        values = np.ascontiguousarray(values, dtype=np.int8)
    states = int(np.prod(lead, dtype=np.int64))
    sums = _core.cluster_sums(core_model(model), values, states=states)
    return np.asarray(sums).reshape(*lead, len(model.terms))


def _checked(model: LatticeModel, given: Any) -> NDArray[Any]:
    values = plain_values(given)
    d = len(model.shape)
    if values.ndim < d or values.shape[-d:] != model.shape:
        raise RegrainError(
            f"the spins have shape {values.shape}, expected {model.shape}, or (..., "
            f"{', '.join(map(str, model.shape))}) for several states"
        )
    model._check_values(values)
    return values


def reference_sums(model: LatticeModel, given: Any) -> NDArray[np.float64]:
    """The same in plain NumPy: every cluster that ``model.terms`` names, as ``cluster_values``.

    Raises
    ------
    RegrainError
        Spins of another shape, or values that are none of the model.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.lattice import Ising
    >>> from regrain.lattice.sums import reference_sums
    >>> reference_sums(Ising((4, 4), couplings={"nn": 0.4}), np.ones((4, 4))).tolist()
    [32.0]
    """
    values = _checked(model, given)
    lead = values.ndim - len(model.shape)
    sums = np.zeros((*values.shape[:lead], len(model.terms)))
    axes = tuple(range(lead, values.ndim))
    for k, term in enumerate(model.terms):
        for cluster in term.clusters:
            found = model.cluster_values(_shifted(model, values, cluster))
            sums[..., k] += found.sum(axis=axes, dtype=float)
    return sums


def _shifted(model: LatticeModel, values: NDArray[Any], cluster: Cluster) -> list[NDArray[Any]]:
    """The spins at each site of a cluster, for all places that it has on the lattice."""
    lead = values.ndim - len(model.shape)
    found = []
    for site in cluster:
        moved = values
        cut: list[slice] = [slice(None)] * values.ndim
        for axis, (step, on) in enumerate(zip(site, model.geometry.axes, strict=True)):
            if on and step:
                moved = np.roll(moved, -step, axis=lead + axis)
            elif not on:
                far = max(other[axis] for other in cluster)
                cut[lead + axis] = slice(step, step + max(model.shape[axis] - far, 0))
        found.append(moved[tuple(cut)])
    return found
