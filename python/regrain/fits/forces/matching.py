"""Forces of many frames as one triangular factor per block of frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.fits.checks import FrameWatch
from regrain.fits.forces.fibre import FibreNoise
from regrain.fits.forces.linear_forms import OUTSIDE, LinearForm
from regrain.fits.states import StatePoint
from regrain.particles import ForceField, Particles

__all__ = ["Matched", "match"]

Floats = NDArray[np.float64]

#: Frames that are worked on side by side.
TOGETHER = 8

_ADD = {"bond": "add_bonds", "angle": "add_angles", "dihedral": "add_dihedrals"}


@dataclass(eq=False)
class Matched:
    """What is left of the frames.

    Attributes
    ----------
    blocks : list of QrFactor
        Of the rows of each block of frames: columns of the forms one after the other, then the
        forces.
    counts : dict of str to ndarray
        How often each interval was met, by label; before, in and beyond the range.
    frames, forces : int
        Number of frames, and of components of forces.
    square : float
        Sum of their (weighted) squares.
    noise : FibreNoise
    watches : list of FrameWatch
        One per state.

    Examples
    --------
    >>> from regrain.fits.forces.matching import Matched  # what match gives
    """

    blocks: list[Any]
    counts: dict[str, NDArray[np.int64]]
    frames: int
    forces: int
    square: float
    noise: FibreNoise
    watches: list[FrameWatch]


def match(
    points: Sequence[StatePoint],
    forms: Sequence[LinearForm],
    known: ForceField | None,
    *,
    exclude: int,
    blocks: int,
    tick: Any = None,
) -> Matched:
    """Go through all frames once.

    Parameters
    ----------
    points : sequence of StatePoint
    forms : sequence of LinearForm
    known : ForceField, optional
        Whose forces are subtracted.
    exclude : int
    blocks : int
        At most; of equal numbers of frames that follow each other.
    tick : callable, optional
        Called after every few frames with their number.

    Raises
    ------
    RegrainError
        Frames without forces, other particles than the first one.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.fits import StatePoint
    >>> from regrain.fits.forces.matching import match
    >>> frame = Particles(np.eye(3), box=[9, 9, 9], forces=np.eye(3))
    >>> found = match([StatePoint(Trace([frame], times=[0]))], [], None, exclude=2, blocks=1)
    >>> abs(found.blocks[0].r).round(6).tolist()
    [[1.732051]]
    """
    total = sum(len(point.trace) for point in points)
    blocks = min(blocks, total)
    columns = sum(form.columns for form in forms)
    matched = Matched(
        blocks=[_core.QrFactor(columns + 1) for _ in range(blocks)],
        counts={f.term.label: np.zeros(f.spline.intervals + OUTSIDE, dtype=int) for f in forms},
        frames=0,
        forces=0,
        square=0.0,
        noise=FibreNoise(),
        watches=[],
    )
    names = sorted({name for p in points for name in p.trace[0].topology.type_names})
    for point, weights in zip(points, _weights(points), strict=True):
        watch = FrameWatch(forces=True)
        matched.watches.append(watch)
        design = _design(point.trace[0], forms, names, exclude)
        for states in _batches(point.trace):
            given = weights[watch.frames :]
            forces = [_unknown(state, watch, matched.noise, known) for state in states]
            factors, counts = design.factors(
                [state.positions for state in states], [state.box for state in states], forces
            )
            _count(matched.counts, forms, counts)
            for factor, force, weight in zip(factors, forces, given, strict=False):
                matched.blocks[matched.frames * blocks // total].combine(factor, np.sqrt(weight))
                matched.frames += 1
                matched.forces += force.size
                matched.square += float(weight * np.sum(force**2))
            if tick is not None:
                tick(len(states))
        watch.warn()
    return matched


def _weights(points: Sequence[StatePoint]) -> list[Floats]:
    """Of the frames of each state, one on average."""
    given = []
    for point in points:
        own = point.trace.weights
        shape = np.ones(len(point.trace)) if own is None else own / own.mean()
        given.append(point.weight * shape)
    mean = float(np.mean(np.concatenate(given)))
    return [weights / mean for weights in given]


def _batches(trace: Iterable[Particles]) -> Iterator[list[Particles]]:
    batch: list[Particles] = []
    for state in trace:
        batch.append(state)
        if len(batch) == TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def _unknown(
    state: Particles, watch: FrameWatch, noise: FibreNoise, known: ForceField | None
) -> Floats:
    """Forces without those of known interactions."""
    copies = watch.duplicates
    mark = watch.see(state)
    forces: Any = state.forces
    if known is not None:
        try:
            forces = forces - known.evaluate(state).forces
        except RegrainError as error:
            raise RegrainError(f"frame {watch.frames - 1}, known interactions: {error}") from error
    if watch.duplicates == copies:  # a copy knows nothing of noise
        noise.add(mark, forces)
    return np.asarray(forces)


def _design(
    state: Particles, forms: Sequence[LinearForm], names: Sequence[str], exclude: int
) -> Any:
    """The columns of all forms, for the particles of a state."""
    topology = state.topology
    numbers = {name: k for k, name in enumerate(names)}
    types = np.array([numbers[name] for name in topology.type_names])[topology.type_ids]
    design = _core.ForceDesign(
        types=types, n_types=len(names), exclusions=topology.exclusions(exclude)
    )
    for form in forms:
        term = form.term
        of_types = tuple(numbers.get(name, 0) for name in term.types)
        if term.kind == "pair":
            design.add_pairs(form.engine, of_types)
        elif term.kind == "triple":
            r_max, decay = (_both(getattr(term.form, name)) for name in ("r_max", "decay"))
            design.add_triples(form.engine, of_types, r_max=r_max, decay=decay)
        else:
            terms = getattr(topology, f"{term.kind}s")
            found = topology.types[terms]
            forward = np.all(found == term.types, axis=1)
            backward = np.all(found == term.types[::-1], axis=1)
            getattr(design, _ADD[term.kind])(form.engine, terms[forward | backward])
    return design


def _both(arms: Any) -> tuple[float, float]:
    return arms if isinstance(arms, tuple) else (arms, arms)


def _count(
    counts: dict[str, NDArray[np.int64]], forms: Sequence[LinearForm], found: NDArray[Any]
) -> None:
    begin = 0
    for form in forms:
        own = counts[form.term.label]
        own += found[begin : begin + len(own)].astype(np.int64)
        begin += len(own)
