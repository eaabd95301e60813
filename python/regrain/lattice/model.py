"""What all models of spins have in common: geometry, couplings, sums over clusters, energies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, partial
from os import PathLike
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError, unknown
from regrain.lattice.couplings import (
    Coupling,
    Couplings,
    Term,
    check_room,
    named_clusters,
    plain_couplings,
)
from regrain.lattice.geometry import Cluster, Geometry
from regrain.lattice.state import Spins, plain_values
from regrain.lattice.sums import sums_of
from regrain.trace import Trace

__all__ = ["LatticeModel", "model_from_dict"]


_MODELS: dict[str, type[LatticeModel]] = {}


@dataclass(frozen=True, eq=False, repr=False)
class LatticeModel:
    """The base of all models on lattices; see `Ising`.

    The statistical weight of a configuration is exp(sum over couplings of K S): K is the reduced
    coupling (that is, divided by the temperature), S the sum over all distinct clusters of its
    kind of what the model makes of the spins in them. Immutable; equal when all parts are.

    Examples
    --------
    >>> from regrain.lattice import Ising, LatticeModel
    >>> isinstance(Ising((4, 4), couplings={"nn": 0.4}), LatticeModel)
    True
    """

    shape: tuple[int, ...]
    couplings: Couplings
    lattice: str | None = None
    periodic: bool | tuple[bool, ...] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _MODELS[cls.__name__] = cls

    def __post_init__(self) -> None:
        geometry = Geometry(self.shape, self.lattice, self.periodic)
        object.__setattr__(self, "shape", geometry.shape)
        object.__setattr__(self, "lattice", geometry.lattice)
        object.__setattr__(self, "periodic", _short_ends(geometry))
        object.__setattr__(self, "couplings", MappingProxyType(plain_couplings(self.couplings)))
        self._check()
        _ = self.terms  # which checks the couplings

    def _check(self) -> None:
        """An error for other parameters that make no model."""

    # ------------------------------------------------------------------ what it consists of

    @cached_property
    def geometry(self) -> Geometry:
        """Shape, kind and boundaries of the lattice."""
        return Geometry(self.shape, self.lattice, self.periodic)

    @property
    def size(self) -> int:
        """Number of sites."""
        return self.geometry.size

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The couplings with their clusters, in the order in which they were given."""
        terms: list[Term] = []
        owner: dict[Cluster, str] = {}
        for key, strength in self.couplings.items():
            name = key if isinstance(key, str) else key.name
            clusters = (
                named_clusters(key, self.geometry)
                if isinstance(key, str)
                else key.clusters(self.geometry)
            )
            self._check_clusters(name, clusters)
            for cluster in clusters:
                if cluster in owner:
                    raise RegrainError(
                        f"couplings: {owner[cluster]!r} and {name!r} both hold the cluster "
                        f"{cluster}; give each kind once"
                    )
                owner[cluster] = name
            term = Term(name, strength, clusters, self._even(clusters[0]))
            check_room(term, self.geometry)
            terms.append(term)
        return tuple(terms)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the couplings, in the order of ``terms``, ``strengths`` and ``sums``."""
        return tuple(term.name for term in self.terms)

    @property
    def strengths(self) -> NDArray[np.float64]:
        """The reduced couplings, shape (n_couplings,)."""
        return np.array([term.strength for term in self.terms], dtype=float)

    # ------------------------------------------------------------------ what the spins are

    def _check_clusters(self, name: str, clusters: Sequence[Cluster]) -> None:
        """An error for clusters that the model gives no meaning."""
        if any(len(set(cluster)) < len(cluster) for cluster in clusters):
            raise RegrainError(
                f"coupling {name!r} names a site twice, which means nothing for "
                f"{type(self).__name__} spins; name each once"
            )

    def _even(self, cluster: Cluster) -> bool:
        return len(cluster) % 2 == 0

    def _check_values(self, values: NDArray[Any]) -> None:
        """An error for values that are no spins of this model."""
        raise NotImplementedError

    @property
    def site_values(self) -> NDArray[np.int8] | None:
        """The values that a spin may have, in order; None where they are continuous."""
        raise NotImplementedError

    def cluster_values(self, spins: Sequence[NDArray[Any]] | NDArray[Any]) -> NDArray[Any]:
        """What clusters add to the sum of their coupling.

        Parameters
        ----------
        spins : sequence of ndarray, all of one shape
            The spins at the first site of each cluster, at the second, and so on.

        Returns
        -------
        ndarray
            Of the shape of one of them.
        """
        raise NotImplementedError

    def _random(self, generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        """Spins without correlations."""
        raise NotImplementedError

    def _ordered(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """Spins as a field would align them."""
        raise NotImplementedError

    def spins(self, values: Any, *, replicas: bool = False) -> Spins:
        """Values as a state on the lattice of this model.

        Raises
        ------
        RegrainError
            Values of another shape, or that are no spins of this model.
        """
        state = values
        if not isinstance(state, Spins):
            array = plain_values(values)
            if array.shape[bool(replicas) :] != self.shape:
                raise RegrainError(
                    f"the spins have shape {array.shape}, expected {self.shape}"
                    + (" for each replica" if replicas else "")
                )
            state = Spins(array, lattice=self.lattice, periodic=self.periodic, replicas=replicas)
        if state.geometry != self.geometry:
            raise RegrainError(
                f"the spins live on {state.geometry}, expected {self.geometry}, as in the model"
            )
        self._check_values(state.values)
        whole = self.site_values is not None and state.values.dtype != np.int8
        return state.replace(values=state.values.astype(np.int8)) if whole else state

    def start(self, kind: str = "random", *, replicas: int | None = None, seed: int = 0) -> Spins:
        """A state to start from.

        Parameters
        ----------
        kind : str
            ``"random"``: without correlations; ``"up"``: all spins as a field aligns them.
        replicas : int, optional
            Number of independent systems; one without an axis for them when omitted.
        seed : int
            For random ones.

        Raises
        ------
        RegrainError
            Another kind.

        Examples
        --------
        >>> from regrain.lattice import Ising
        >>> Ising((4, 4), couplings={"nn": 0.4}).start("up", replicas=2)
        Spins(2 replicas of 4 x 4 square, periodic, int8)
        """
        shape = self.shape if replicas is None else (replicas, *self.shape)
        if kind == "random":
            values = self._random(np.random.Generator(np.random.Philox(seed)), shape)
        elif kind == "up":
            values = self._ordered(shape)
        else:
            raise unknown("start", kind, ("random", "up"))
        return self.spins(values, replicas=replicas is not None)

    # ------------------------------------------------------------------ runs

    def run(
        self,
        state: Spins | str | None = None,
        *,
        sweeps: int,
        every: int = 1,
        burn_in: int = 0,
        method: str = "auto",
        replicas: int = 1,
        seed: int = 0,
        checkpoint: str | PathLike[str] | None = None,
        progress: bool = False,
    ) -> Trace[Spins]:
        """Sample configurations of the spins.

        Parameters
        ----------
        state : Spins or str, optional
            What to start from: a state (one that is not made of replicas is taken for each of
            them), ``"random"`` (default) or ``"up"``; see `start`.
        sweeps : int
            Sweeps after ``burn_in``. In each, every spin may change once (but see ``"wolff"``).
        every : int
            Sweeps between frames.
        burn_in : int
            Sweeps before the first one that counts.
        method : str
            ``"metropolis"`` or ``"heat bath"``: single spins, for all models. For models of pairs
            (and a field) ``"swendsen-wang"``, which maps each cluster or not, or ``"wolff"``, one
            cluster per sweep. ``"kawasaki"`` exchanges neighbouring spins, so that their numbers
            stay those of the start. ``"auto"`` takes Swendsen-Wang where all there is are
            couplings that align pairs, else Metropolis. ``"replica metropolis"``: up to 512
            replicas as bits, on square and cubic tori with nearest neighbours; a draw serves up to
            16 of them (at other sites): take errors from blocks in time, not from their spread.
        replicas : int
            Independent systems; with more than one, frames have an axis of them in front.
        seed : int
            The same seed gives the same bits on any number of threads.
        checkpoint : path, optional
            Written every ten seconds and at the end or an interrupt; a run that finds one goes on
            from it to the same bits. One with more sweeps may go on, too.
        progress : bool
            Show a bar, in a terminal that has tqdm.

        Returns
        -------
        Trace of Spins
            ``sweeps // every`` frames; their times are sweeps after ``burn_in``.

        Raises
        ------
        RegrainError
            Settings out of range, a state of another lattice, a method that the model does not
            allow, a checkpoint of another run.

        Examples
        --------
        >>> from regrain.lattice import Ising
        >>> model = Ising((16, 16), couplings={"nn": 0.3})
        >>> model.run(sweeps=100, every=10, burn_in=50, replicas=4, seed=1)[0]
        Spins(4 replicas of 16 x 16 square, periodic, int8)
        """
        from regrain.lattice.run import Settings, run, start_of_run

        settings = Settings(sweeps=sweeps, every=every, burn_in=burn_in, method=method, seed=seed)
        start = start_of_run(self, state, replicas, settings.seed)
        return run(self, start, settings, checkpoint=checkpoint, progress=progress)

    # ------------------------------------------------------------------ sums and energies

    def sums(self, spins: Any) -> NDArray[np.float64]:
        """Sum over all clusters of each coupling.

        Parameters
        ----------
        spins : Spins, Trace of Spins, or array_like, shape (..., *shape)
            One state, or any number of them along leading axes.

        Returns
        -------
        ndarray, shape (..., n_couplings)
            In the order of ``names``.

        Raises
        ------
        RegrainError
            Spins of another shape, or values that are none of this model.

        Examples
        --------
        >>> import numpy as np
        >>> from regrain.lattice import Ising
        >>> model = Ising((4, 4), couplings={"nn": 0.4, "plaquette": 0.1})
        >>> model.sums(np.ones((4, 4))).tolist()
        [32.0, 16.0]
        """
        return sums_of(self, spins)

    def energy(self, spins: Any) -> NDArray[np.float64]:
        """The reduced energy, −Σ K S: minus the logarithm of the weight.

        Parameters
        ----------
        spins : Spins, Trace of Spins, or array_like, shape (..., *shape)
            One state, or any number of them along leading axes.

        Returns
        -------
        float or ndarray, shape (...)

        Raises
        ------
        RegrainError
            Spins of another shape, or values that are none of this model.

        Examples
        --------
        >>> import numpy as np
        >>> from regrain.lattice import Ising
        >>> float(Ising((4, 4), couplings={"nn": 0.5}).energy(np.ones((4, 4))))
        -16.0
        """
        energy: NDArray[np.float64] = -(self.sums(spins) @ self.strengths)
        return energy

    # ------------------------------------------------------------------ copies, text, data

    def replace(self, **changes: Any) -> Self:
        """A copy with some parameters changed: ``shape``, ``couplings``, ….

        Examples
        --------
        >>> from regrain.lattice import Ising
        >>> Ising((4, 4), couplings={"nn": 0.4}).replace(shape=(8, 8))
        Ising(shape=(8, 8), couplings={'nn': 0.4})
        """
        given = {field.name: getattr(self, field.name) for field in fields(self)} | changes
        if len(Geometry(given["shape"]).shape) != len(self.shape):
            given |= {name: changes.get(name, d) for name, d in _GEOMETRY.items()}
        return type(self)(**given)

    def with_strengths(self, strengths: Any) -> Self:
        """The same couplings with other values, in the order of ``names``.

        Raises
        ------
        RegrainError
            Not one number for each coupling.

        Examples
        --------
        >>> from regrain.lattice import Ising
        >>> Ising((4, 4), couplings={"nn": 0.4}).with_strengths([0.5])
        Ising(shape=(4, 4), couplings={'nn': 0.5})
        """
        values = np.asarray(strengths, dtype=float)
        if values.shape != (len(self.terms),):
            raise RegrainError(
                f"strengths: got shape {values.shape}, expected ({len(self.terms)},): one for each "
                f"of {', '.join(self.names)}"
            )
        return self.replace(couplings=dict(zip(self.couplings, values.tolist(), strict=True)))

    def to_dict(self) -> dict[str, Any]:
        """Everything, JSON-able."""
        content: dict[str, Any] = {"model": type(self).__name__}
        for field in fields(self):
            value = getattr(self, field.name)
            content[field.name] = list(value) if isinstance(value, tuple) else value
        content["couplings"] = [
            [key if isinstance(key, str) else _coupling_data(key), strength]
            for key, strength in self.couplings.items()
        ]
        return content

    def __reduce__(self) -> Any:
        return partial(model_from_dict, self.to_dict()), ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LatticeModel) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((type(self), self.shape, *self.couplings.items()))

    def __repr__(self) -> str:
        shown = []
        default = Geometry(self.shape)
        for field in fields(self):
            value = getattr(self, field.name)
            if (field.name == "lattice" and value == default.lattice) or (
                field.name == "periodic" and value is True
            ):
                continue
            text = repr(dict(value)) if field.name == "couplings" else repr(value)
            shown.append(f"{field.name}={text}")
        return f"{type(self).__name__}({', '.join(shown)})"


_GEOMETRY: dict[str, Any] = {"lattice": None, "periodic": True}


def _short_ends(geometry: Geometry) -> bool | tuple[bool, ...]:
    """True or False where that says it."""
    return geometry.axes[0] if len(set(geometry.axes)) == 1 else geometry.axes


def _coupling_data(coupling: Coupling) -> dict[str, Any]:
    return {"offsets": [list(s) for s in coupling.offsets], "symmetric": coupling.symmetric}


def model_from_dict(content: Mapping[str, Any]) -> Any:
    """The model that ``to_dict`` of it gave.

    Raises
    ------
    RegrainError
        An unknown model, or parameters that do not belong to it.

    Examples
    --------
    >>> from regrain.lattice import Ising
    >>> from regrain.lattice.model import model_from_dict
    >>> model_from_dict(Ising((4, 4), couplings={"nn": 0.4}).to_dict())
    Ising(shape=(4, 4), couplings={'nn': 0.4})
    """
    given = dict(content)
    name = given.pop("model", None)
    if name not in _MODELS:
        raise unknown("model", name, _MODELS)
    try:
        given["couplings"] = {
            key if isinstance(key, str) else Coupling(**key): value
            for key, value in given["couplings"]
        }
        return _MODELS[name](**given)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, RegrainError):
            raise
        raise RegrainError(f"{name} does not have these parameters: {error!r}") from error
