"""What every observable has in common: settings, one pass over the frames, an Estimate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.observables.blocks import summarise
from regrain.observables.estimate import Estimate
from regrain.trace import Trace

__all__ = ["Average", "Measurement", "Observable", "Plan", "Undefined", "measure"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """What an observable settles once for a trace: the axes of its result, and its own data.

    Parameters
    ----------
    coords, coord_units : mapping
        Axes of the estimate and their units, none for a scalar.
    unit : str
        Unit of the value.
    data : object
        Whatever ``measure`` needs on every frame: index arrays, a kernel with its memory.
    flags : sequence of str
        What a reader must know.

    Examples
    --------
    >>> from regrain.observables import Plan
    >>> Plan(unit="nm").coords
    {}
    """

    coords: Mapping[str, Any] = field(default_factory=dict)
    coord_units: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    data: Any = None
    flags: Sequence[str] = ()


class Measurement(ABC):
    """One observable on its way through one trace.

    Examples
    --------
    See `Observable`, whose ``start`` makes them.

    >>> from regrain.observables import Measurement
    >>> Measurement.reads_states
    True
    """

    #: False where everything is in the log: then no frame is read.
    reads_states: bool = True

    @abstractmethod
    def add(self, state: Any, weight: float) -> None:
        """Take in the next frame."""

    @abstractmethod
    def estimate(self) -> Estimate:
        """What the frames so far say."""


class Observable(ABC):
    """A named measurement: its settings are its fields, calling it on a trace measures.

    A new one is a frozen dataclass with two methods, ``prepare`` (once per trace) and ``measure``
    (per frame); where the result is not the mean of what the frames give but a function of such
    means, a third, ``reduce``. Errors, weights, units of axes and one-pass reading come with it.

    Attributes
    ----------
    name : str
        What reports call it.
    level : str
        The level of description that it measures on.
    needs : tuple of str
        What the states must have, such as ``("velocities",)``.
    method, cite : str
        How, and the source.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import Observable, Plan
    >>> from regrain.particles import Particles
    >>> @dataclass(frozen=True)
    ... class Height(Observable):
    ...     name = "height"
    ...     def prepare(self, trace):
    ...         return Plan(unit="nm")
    ...     def measure(self, state, plan):
    ...         return state.positions[:, 2].mean()
    >>> states = [Particles([[0, 0, z]], box=[9, 9, 9]) for z in (1.0, 2.0, 3.0)]
    >>> estimate = Height()(Trace(states, times=[0, 1, 2]))
    >>> float(estimate)
    2.0
    """

    name: ClassVar[str]
    level: ClassVar[str] = "particles"
    needs: ClassVar[tuple[str, ...]] = ()
    method: ClassVar[str] = "mean over frames, error from its autocorrelation (Wolff 2004)"
    cite: ClassVar[str] = "U. Wolff, Comput. Phys. Commun. 156, 143 (2004)"

    def prepare(self, trace: Trace[Any]) -> Plan:
        """Settle once what all frames share; refuse what cannot be measured on this trace."""
        return Plan()

    def measure(self, state: Any, plan: Plan) -> ArrayLike:
        """The numbers that one frame gives, of any shape."""
        raise NotImplementedError(f"{type(self).__name__} has no measure(state, plan)")

    def reduce(self, means: Floats, plan: Plan) -> Floats:
        """The value from the means of the frames' numbers.

        ``means`` has shape (..., k), k numbers per frame; the result has shape (..., size of the
        value). Leading axes are there because errors come from leaving out one block at a time.
        """
        return means

    def start(self, trace: Trace[Any]) -> Measurement:
        """A measurement on this trace, to be fed with its frames."""
        return Average(self, self.prepare(trace))

    def __call__(self, trace: Trace[Any]) -> Estimate:
        return measure(trace, [self])[0]


class Average(Measurement):
    """The mean over frames of what an observable measures, in bounded memory.

    Examples
    --------
    >>> from regrain.observables import Average, Density, Plan
    >>> Average(Density(), Plan()).reads_states
    True
    """

    def __init__(self, observable: Observable, plan: Plan) -> None:
        self.observable, self.plan = observable, plan
        self.blocks: _core.Blocks | None = None

    def add(self, state: Any, weight: float) -> None:
        """Take in the next frame."""
        self.add_row(self.observable.measure(state, self.plan), weight)

    def add_row(self, numbers: ArrayLike, weight: float) -> None:
        """Take in the numbers of the next frame."""
        row = np.asarray(numbers, dtype=float).reshape(-1)
        if self.blocks is None:
            self.blocks = _core.Blocks(row.size)
        self.blocks.add(row, weight)

    def estimate(self) -> Estimate:
        """What the frames so far say."""
        if self.blocks is None:
            raise RegrainError(f"{self.observable.name}: no frame was measured")
        own = type(self.observable).reduce is not Observable.reduce
        found = summarise(
            self.blocks, (lambda means: self.observable.reduce(means, self.plan)) if own else None
        )
        shape = tuple(len(axis) for axis in self.plan.coords.values())

        def shaped(array: Floats | None) -> Floats | None:
            return None if array is None else array.reshape(shape)

        return Estimate(
            self.observable.name,
            found.value.reshape(shape),
            shaped(found.error),
            unit=self.plan.unit,
            coords=self.plan.coords,
            coord_units=self.plan.coord_units,
            n_eff=found.n_eff,
            dof=shaped(found.dof),
            tier="T2",
            method=self.observable.method,
            cite=self.observable.cite,
            flags=(*self.plan.flags, *found.flags),
        )


class Undefined(Measurement):
    """A measurement that this trace does not allow, and why.

    Examples
    --------
    >>> from regrain.observables import Undefined
    >>> Undefined("pressure", "the trace holds no virial").estimate()
    pressure: undefined (the trace holds no virial)
    """

    reads_states = False

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason

    def add(self, state: Any, weight: float) -> None:
        """Take in the next frame: nothing to do."""

    def estimate(self) -> Estimate:
        """The reason."""
        return Estimate.undefined(self.name, self.reason)


def measure(trace: Trace[Any], observables: Sequence[Observable]) -> list[Estimate]:
    """All observables in one pass over the frames of a trace.

    Parameters
    ----------
    trace : Trace
        Read once, frame by frame; not at all where the log says everything.
    observables : sequence of Observable

    Returns
    -------
    list of Estimate
        In the order of the observables.

    Raises
    ------
    RegrainError
        An observable of another level, states without what it needs, or a frame that cannot be
        measured (it is named).

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.observables import Density, RDF, measure
    >>> from regrain.particles import Particles
    >>> rng = np.random.default_rng(1)
    >>> gas = [Particles(rng.random((100, 3)) * 5, box=[5, 5, 5]) for _ in range(10)]
    >>> density, g = measure(Trace(gas, times=np.arange(10)), [Density(), RDF(r_max=2.0)])
    >>> float(density)
    0.8
    """
    for observable in observables:
        _check(trace, observable)
    running = [observable.start(trace) for observable in observables]
    readers = [m for m in running if m.reads_states]
    if readers:
        weights = np.ones(len(trace)) if trace.weights is None else trace.weights
        for k, (state, weight) in enumerate(zip(trace, weights, strict=True)):
            for measurement in readers:
                try:
                    measurement.add(state, float(weight))
                except RegrainError as error:
                    raise RegrainError(f"frame {k}: {error}") from error
    return [measurement.estimate() for measurement in running]


def _check(trace: Trace[Any], observable: Observable) -> None:
    if trace.level != observable.level:
        raise RegrainError(
            f"{observable!r} measures {observable.level}, but the trace holds {trace.level}; map it"
        )
    first = trace[0] if observable.needs else None
    missing = [name for name in observable.needs if getattr(first, name, None) is None]
    if missing:
        raise RegrainError(
            f"{observable!r} needs {' and '.join(missing)}, which the trace does not hold; load or "
            "save the run with them"
        )
