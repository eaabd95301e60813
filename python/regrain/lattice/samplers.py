"""Which algorithm of the core moves the spins of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regrain import _core
from regrain.errors import unknown
from regrain.lattice.model import LatticeModel

__all__ = ["METHODS", "core_model", "make_sampler"]


def core_model(model: LatticeModel) -> _core.LatticeModel:
    """A model as the core has it.

    Examples
    --------
    >>> from regrain.lattice import Ising
    >>> from regrain.lattice.samplers import core_model
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


_SPINS = {
    "Ising": "ising",
    "BlumeCapel": "blume-capel",
    "Potts": "potts",
    "Clock": "clock",
    "XY": "xy",
}


def _single(heat_bath: bool) -> Callable[..., Any]:
    def make(model: LatticeModel, seed: int, replicas: int) -> Any:
        return _core.single_spin_sampler(
            core_model(model), heat_bath=heat_bath, seed=seed, replicas=replicas
        )

    return make


METHODS: dict[str, Callable[..., Any]] = {
    "metropolis": _single(False),
    "heat bath": _single(True),
}


def make_sampler(
    model: LatticeModel, method: str, *, seed: int, replicas: int
) -> tuple[str, _core.LatticeSampler]:
    """The sampler of a model, and the name of its method.

    Raises
    ------
    RegrainError
        An unknown method, or one that the model does not allow.

    Examples
    --------
    >>> from regrain.lattice import Ising
    >>> from regrain.lattice.samplers import make_sampler
    >>> make_sampler(Ising((8, 8), couplings={"nn": 0.4}), "auto", seed=1, replicas=1)[0]
    'metropolis'
    """
    chosen = "metropolis" if method == "auto" else method
    if chosen not in METHODS:
        raise unknown("method", method, ("auto", *METHODS))
    return chosen, METHODS[chosen](model, seed, replicas)
