"""What a run leaves behind: an ordered sequence of states, in memory or streamed from disk."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain.errors import RegrainError, need

if TYPE_CHECKING:
    import xarray

__all__ = ["State", "Trace"]


class State(Protocol):
    """What every level's state has: a level, a unit tag, and its arrays by name."""

    @property
    def level(self) -> str:
        """The level of description, e.g. ``"particles"``."""
        ...

    @property
    def units(self) -> str:
        """The unit tag, ``"reduced"`` or ``"md"``."""
        ...

    def arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Name -> (names of the dimensions, array), what xarray needs."""
        ...


S = TypeVar("S", bound=State)
T = TypeVar("T", bound=State)


class _View(Sequence[S]):
    """Frames of another sequence by index, read when asked for."""

    def __init__(self, frames: Sequence[S], index: NDArray[np.intp]) -> None:
        self.frames, self.chosen = frames, index

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, i: Any) -> Any:
        return self.frames[int(self.chosen[i])]

    def stacked(self, name: str, chosen: Any = slice(None)) -> NDArray[Any]:
        """The array of that name of all (or some) frames."""
        return _stacked(self.frames, name, self.chosen[chosen])


class _Mapped(Sequence[T]):
    """Frames of another sequence passed through a function when asked for."""

    def __init__(self, frames: Sequence[Any], function: Callable[[Any], T]) -> None:
        self.frames, self.function = frames, function

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, i: Any) -> Any:
        return self._apply(i, self.frames[i])

    def __iter__(self) -> Iterator[T]:
        return itertools.starmap(self._apply, enumerate(self.frames))

    def _apply(self, i: int, state: Any) -> T:
        try:
            return self.function(state)
        except RegrainError as error:
            raise type(error)(f"frame {i}: {error}") from error


def _stacked(frames: Sequence[Any], name: str, chosen: Any = slice(None)) -> NDArray[Any]:
    """An array of all frames; those that keep them in one give it without making states."""
    whole = getattr(frames, "stacked", None)
    if whole is not None:
        return cast(NDArray[Any], whole(name, chosen))
    return np.stack([frames[int(i)].arrays()[name][1] for i in np.arange(len(frames))[chosen]])


class Trace(Generic[S]):
    """Ordered states with their times, weights and origin.

    Frames may live on disk: they are read when they are indexed or iterated, one at a time, so a
    trace takes no memory of its own. Slicing gives a Trace, an integer gives a State.

    Parameters
    ----------
    frames : sequence of State
        All of one level, one unit system, one topology. Anything with ``len`` and integer indexing.
    times : array_like, shape (n_frames,)
        Non-decreasing, in the time unit of the states.
    weights : array_like, shape (n_frames,), optional
        Statistical weights; equal when omitted.
    log : mapping of str to array_like, shape (n_frames, ...), optional
        What the producer measured on each frame, such as ``"potential_energy"`` or
        ``"pressure_tensor"``.
    provenance : mapping, optional
        Where the trace comes from: JSON-able, e.g. the files, or the model with its seed. The key
        ``"wall_time"`` (seconds) is what speed-ups are computed from; ``"time_per_frame"`` is
        derived.

    Raises
    ------
    RegrainError
        Lengths that do not agree, no frames, or times that decrease.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.particles import Particles
    >>> state = Particles(np.zeros((1, 3)), box=[5.0, 5.0, 5.0])
    >>> trace = Trace([state] * 10, times=np.arange(10.0))
    >>> trace[::2]
    Trace(5 frames of particles, times 0 to 8)
    """

    def __init__(
        self,
        frames: Sequence[S],
        *,
        times: ArrayLike,
        weights: ArrayLike | None = None,
        log: Mapping[str, ArrayLike] | None = None,
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        self.frames = frames
        self.times: NDArray[np.float64] = np.asarray(times, dtype=float)
        self.weights: NDArray[np.float64] | None = (
            None if weights is None else np.asarray(weights, dtype=float)
        )
        self.log: dict[str, NDArray[Any]] = {k: np.asarray(v) for k, v in (log or {}).items()}
        self.provenance: dict[str, Any] = dict(provenance or {})
        self._check()

    def _check(self) -> None:
        n = len(self.frames)
        if n == 0:
            raise RegrainError("the trace holds no frames; give at least one state")
        columns = {"times": self.times, "weights": self.weights, **self.log}
        for name, column in columns.items():
            if column is not None and len(column) != n:
                raise RegrainError(
                    f"the trace holds {n} frames, but {name} has {len(column)} entries; give one "
                    "per frame"
                )
        if not np.all(np.isfinite(self.times)) or np.any(np.diff(self.times) < 0):
            raise RegrainError("the times of a trace must be finite and must not decrease")
        if self.weights is not None:
            good = np.all(np.isfinite(self.weights)) and np.all(self.weights >= 0)
            if not good or self.weights.sum() == 0:
                raise RegrainError("the weights of a trace must be finite, >= 0 and not all zero")

    def __len__(self) -> int:
        return len(self.frames)

    @overload
    def __getitem__(self, index: int | np.integer[Any]) -> S: ...
    @overload
    def __getitem__(self, index: slice | ArrayLike) -> Trace[S]: ...
    def __getitem__(self, index: Any) -> S | Trace[S]:
        if isinstance(index, int | np.integer):
            if not -len(self) <= index < len(self):
                raise IndexError(f"frame {index} of a trace of {len(self)} frames")
            return self.frames[int(index) % len(self)]
        chosen = np.arange(len(self))[index]
        return self._with(_View(self.frames, chosen), chosen)

    def _with(self, frames: Sequence[Any], chosen: NDArray[np.intp] | slice) -> Trace[Any]:
        return Trace(
            frames,
            times=self.times[chosen],
            weights=None if self.weights is None else self.weights[chosen],
            log={k: v[chosen] for k, v in self.log.items()},
            provenance=self.provenance,
        )

    def __iter__(self) -> Iterator[S]:
        return iter(self.frames)

    def __repr__(self) -> str:
        return (
            f"Trace({len(self)} frames of {self.level}, "
            f"times {self.times[0]:g} to {self.times[-1]:g})"
        )

    @property
    def level(self) -> str:
        """The level of description of the states."""
        return self[0].level

    @property
    def units(self) -> str:
        """The unit tag of the states."""
        return self[0].units

    @property
    def spacing(self) -> float:
        """Time between frames; an error unless it is the same throughout.

        Raises
        ------
        RegrainError
            One frame only, or frames that are not equally spaced.
        """
        steps = np.diff(self.times)
        if len(steps) == 0 or steps[0] <= 0 or not np.allclose(steps, steps.mean(), rtol=1e-4):
            raise RegrainError(
                f"{self!r} is not equally spaced in time, which a time correlation needs; slice it "
                "so that it is, or give the frames their times"
            )
        return float(steps.mean())

    def map(self, function: Callable[[S], T], **provenance: Any) -> Trace[T]:
        """A trace of ``function(state)``, evaluated frame by frame when read.

        The log is not taken along: it was measured on other states.
        """
        frames = cast(Sequence[T], _Mapped(self.frames, function))
        return Trace(
            frames,
            times=self.times,
            weights=self.weights,
            provenance={**self.provenance, **provenance},
        )

    def stacked(self, name: str) -> NDArray[Any]:
        """One array of all frames, shape (n_frames, ...).

        Where frames share an array, as those of a run on a lattice do, no states are made for it.

        Parameters
        ----------
        name : str
            One of the names of ``state.arrays()``, such as ``"positions"`` or ``"values"``.

        Raises
        ------
        RegrainError
            The states have no such array.

        Examples
        --------
        >>> import numpy as np
        >>> from regrain import Trace
        >>> from regrain.lattice import Spins
        >>> trace = Trace([Spins(np.ones((4, 4), np.int8))] * 3, times=[1, 2, 3])
        >>> trace.stacked("values").shape
        (3, 4, 4)
        """
        if name not in (known := self[0].arrays()):
            raise RegrainError(f"{self!r} has no array {name!r}, only {', '.join(sorted(known))}")
        return _stacked(self.frames, name)

    def in_memory(self) -> Trace[S]:
        """The same trace with every frame read (and mapped) once and kept."""
        return self._with(list(self.frames), slice(None))

    def to_xarray(self) -> xarray.Dataset:
        """All arrays of all frames as one labelled data set, dimension ``time`` first.

        Raises
        ------
        MissingPackageError
            xarray is not installed.
        """
        xr = need("xarray", extra="xarray", purpose="a labelled data set")
        columns: dict[str, Any] = {}
        states = [state.arrays() for state in self]
        for name, (dims, _) in states[0].items():
            columns[name] = (("time", *dims), np.stack([arrays[name][1] for arrays in states]))
        for name, values in self.log.items():
            columns[name] = (
                ("time", *(f"{name}_{k}" for k in range(values.ndim - 1))),
                values,
            )
        data = xr.Dataset(columns, coords={"time": self.times})
        data.attrs["units"] = self.units
        return cast("xarray.Dataset", data)
