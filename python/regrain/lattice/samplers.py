"""Which algorithm of the core moves the spins of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regrain import _core
from regrain.errors import unknown
from regrain.lattice.geometry import shell
from regrain.lattice.model import LatticeModel
from regrain.lattice.sums import core_model

__all__ = ["METHODS", "make_sampler"]


def _single(heat_bath: bool) -> Callable[..., Any]:
    def make(model: LatticeModel, seed: int, replicas: int) -> Any:
        return _core.single_spin_sampler(
            core_model(model), heat_bath=heat_bath, seed=seed, replicas=replicas
        )

    return make


def _clusters(every: bool) -> Callable[..., Any]:
    def make(model: LatticeModel, seed: int, replicas: int) -> Any:
        return _core.cluster_sampler(core_model(model), all=every, seed=seed, replicas=replicas)

    return make


def _exchanges(model: LatticeModel, seed: int, replicas: int) -> Any:
    geometry = model.geometry
    pairs = shell(1, geometry.name, geometry.dimension)
    ways = [[b - a for a, b in zip(*pair, strict=True)] for pair in pairs]
    return _core.exchange_sampler(core_model(model), exchanges=ways, seed=seed, replicas=replicas)


def _replicas(model: LatticeModel, seed: int, replicas: int) -> Any:
    return _core.replica_sampler(core_model(model), seed=seed, replicas=replicas)


#: What makes the samplers of the core, by the names of methods.
METHODS: dict[str, Callable[..., Any]] = {
    "metropolis": _single(False),
    "heat bath": _single(True),
    "replica metropolis": _replicas,
    "swendsen-wang": _clusters(True),
    "wolff": _clusters(False),
    "kawasaki": _exchanges,
}


def _automatic(model: LatticeModel) -> str:
    """Clusters where they are what is ordered: spins that pairs align, and nothing else."""
    acting = [term for term in model.terms if term.strength]
    aligned = acting and all(
        term.strength > 0 and len(cluster) == 2 and cluster[0] != cluster[1]
        for term in acting
        for cluster in term.clusters
    )
    whole = type(model).__name__ != "BlumeCapel"
    return "swendsen-wang" if aligned and whole else "metropolis"


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
    'swendsen-wang'
    """
    chosen = _automatic(model) if method == "auto" else method
    if chosen not in METHODS:
        raise unknown("method", method, ("auto", *METHODS))
    return chosen, METHODS[chosen](model, seed, replicas)
