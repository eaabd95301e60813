"""Time correlations of many particles: a record of all frames, and averages over its origins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, sparse
from scipy.sparse.csgraph import connected_components

from regrain import _core
from regrain.errors import RegrainError
from regrain.observables.blocks import Summary, mean_with_error
from regrain.particles import Particles, Topology
from regrain.trace import Trace

__all__ = ["Record", "curves_with_errors"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

#: Below so many molecules errors come from time origins instead of the spread over molecules.
ENOUGH_MOLECULES = 20
#: Molecules are pooled in at most so many groups: enough to know their spread.
MOST_GROUPS = 256
#: Most numbers that are kept (3.2 GB).
MOST_NUMBERS = 400_000_000


def molecules(topology: Topology) -> Ints:
    """Number of the molecule (what bonds connect) of each particle.

    Examples
    --------
    >>> from regrain.observables.correlations import molecules
    >>> from regrain.particles import Topology
    >>> molecules(Topology(["A"] * 4, bonds=[(0, 1), (2, 3)])).tolist()
    [0, 0, 1, 1]
    """
    n, bonds = len(topology), topology.bonds
    links = sparse.coo_matrix((np.ones(len(bonds)), (bonds[:, 0], bonds[:, 1])), shape=(n, n))
    _, which = connected_components(links, directed=False)
    ids: Ints = which.astype(np.intp)
    return ids


class Record:
    """Unwrapped positions, or velocities, of chosen particles in all frames of a trace.

    Parameters
    ----------
    trace : Trace
        Equally spaced.
    quantity : str
        ``"positions"`` or ``"velocities"``.
    types : sequence of str, optional
        Which particles; all of them when omitted.

    Raises
    ------
    RegrainError
        Frames not equally spaced, no such particles, too many numbers to keep, or steps that are
        too long to be unwrapped.

    Examples
    --------
    >>> from regrain import Trace
    >>> from regrain.observables.correlations import Record
    >>> from regrain.particles import Particles
    >>> frames = [Particles([[x, 0, 0]], box=[1.0] * 3) for x in (0.8, 0.0, 0.2)]
    >>> trace = Trace(frames, times=[0, 1, 2])
    >>> record = Record(trace, "positions", None)
    >>> for state in trace:
    ...     record.add(state)
    >>> record.values[:, 0, 0].round(12).tolist()
    [0.8, 1.0, 1.2]
    """

    def __init__(self, trace: Trace[Any], quantity: str, types: Sequence[str] | None) -> None:
        first: Particles = trace[0]
        self.quantity, self.units = quantity, first.units
        self.frames, self.spacing = len(trace), trace.spacing
        self.chosen = chosen_particles(first.topology, types)
        if 3 * self.frames * len(self.chosen) > MOST_NUMBERS:
            raise RegrainError(
                f"{self.frames} frames of {len(self.chosen)} particles are too many to keep; slice "
                "the trace (trace[::10]) or choose particles (types=...)"
            )
        _, self.molecule = np.unique(molecules(first.topology)[self.chosen], return_inverse=True)
        self.values = np.empty((self.frames, len(self.chosen), 3))
        self.count = 0
        self.reach = 0.0  # the longest step in units of the box
        self._last: Particles | None = None
        self._unwrapped = np.array(first.unwrapped)

    @property
    def independent(self) -> bool:
        """Whether there are molecules enough to take their spread as the error."""
        return bool(self.molecule.max() + 1 >= ENOUGH_MOLECULES)

    @property
    def flags(self) -> tuple[str, ...]:
        """What a reader must know about how the frames were joined."""
        if self.reach > 0.25:
            return (
                f"frames far apart: a particle moves {self.reach:.2f} of the box from one to the "
                "next, unwrapping may be wrong",
            )
        return ()

    def add(self, state: Particles) -> None:
        """Take in the next frame."""
        if self.quantity == "velocities":
            if state.velocities is None:
                raise RegrainError("the state has no velocities, those of other frames do")
            found = state.velocities
        else:
            found = self._follow(state)
        self.values[self.count] = found[self.chosen]
        self.count += 1

    def _follow(self, state: Particles) -> Floats:
        last, self._last = self._last, state
        if last is None:
            return self._unwrapped
        if last.images is not None and state.images is not None:
            # Steps rather than unwrapped positions: those jump with a box that changes.
            turns = (state.images - last.images) @ state.box
            self._unwrapped += state.positions - last.positions + turns
            return self._unwrapped
        step = _core.follow(self._unwrapped, last.positions, state.positions, state.box)
        self.reach = max(self.reach, step / _smallest_height(state.box))
        if self.reach > 0.45:
            raise RegrainError(
                f"a particle moves {step:g}, {self.reach:.2f} of the box, from the frame before; "
                "its way cannot be known: save frames more often, or with images"
            )
        return self._unwrapped


def _smallest_height(box: Floats) -> float:
    return float(1.0 / np.linalg.norm(np.linalg.inv(box), axis=0).max())


def chosen_particles(topology: Topology, types: Sequence[str] | None) -> Ints:
    """Indices of the particles of some types; of all of them without a choice."""
    if types is None:
        return np.arange(len(topology))
    unknown = set(types) - set(topology.type_names)
    if unknown:
        raise RegrainError(
            f"types: got {sorted(unknown)}, the topology has {', '.join(topology.type_names)}"
        )
    return np.flatnonzero(np.isin(topology.types, list(types)))


def curves_with_errors(record: Record, lags: Ints, functionals: Floats | None = None) -> Summary:
    """Displacements squared, or products of velocities, at each lag, with errors.

    Parameters
    ----------
    record : Record
        A full one.
    lags : ndarray of int, shape (k,)
        In frames.
    functionals : ndarray, shape (m, k), optional
        Linear functions of the curve to estimate instead of the curve.

    Examples
    --------
    See `regrain.observables.MSD`, which is this function.

    >>> from regrain.observables.correlations import curves_with_errors
    """
    if not record.independent:
        return _over_time(record, lags, functionals)
    short = _short_lags(record)
    groups = min(int(record.molecule.max()) + 1, MOST_GROUPS)
    curves, sizes = _group_curves(
        record, np.concatenate([short, lags]), record.molecule % groups, groups
    )
    _, spread = _over_groups(curves[:, : len(short)], sizes)
    wanted = curves[:, len(short) :]
    mean, error = _over_groups(wanted if functionals is None else wanted @ functionals.T, sizes)
    factor, dof = _common_motion(record, short, spread, float(groups - 1))
    n_eff = (record.molecule.max() + 1) / factor**2
    return Summary(mean, factor * error, np.full(len(mean), dof), float(n_eff), record.frames)


def _over_groups(curves: Floats, sizes: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Mean over groups and its error if the groups are independent."""
    groups, share = len(sizes), sizes[:, None] / sizes.sum()
    mean = np.sum(share * curves, axis=0)
    variance = groups / (groups - 1) * np.sum((share * (curves - mean)) ** 2, axis=0)
    return mean, np.sqrt(variance)


def _short_lags(record: Record) -> Ints:
    """Lags for which the record holds many origins: up to a twentieth of it."""
    return np.unique(np.geomspace(1, max(1, record.frames // 20), 5).astype(np.intp))


def _common_motion(record: Record, short: Ints, spread: Floats, dof: float) -> tuple[float, float]:
    """How much larger than the spread over molecules says the error is, and its dof.

    Molecules that share their heat and momentum do not move independently: in a Lennard-Jones
    liquid of 216 the error is twice what their spread says. At short lags the fluctuation in time
    of the mean over all molecules shows it; the factor is taken to hold at long lags too.
    """
    found = [mean_with_error(_origin_series(record, int(lag))) for lag in short]
    pairs = [
        (f.error[0] / s, f.dof[0])
        for f, s in zip(found, spread, strict=True)
        if f.error is not None and f.dof is not None and s > 0
    ]
    if not pairs:
        return 1.0, dof
    ratios, dofs = np.array(pairs).T
    factor = max(1.0, float(np.sqrt(np.average(ratios**2, weights=dofs))))
    return factor, max(1.0, 1.0 / (1.0 / dof + 1.0 / float(dofs.max())))


def _group_curves(
    record: Record, lags: Ints, group: Ints, groups: int
) -> tuple[Floats, NDArray[np.int64]]:
    """Mean curve of the particles of each group, and the sizes of the groups."""
    n = record.values.shape[1]
    sums = np.zeros((groups, len(lags)))
    batch = max(1, 4_000_000 // (3 * record.frames))
    for begin in range(0, n, batch):
        part = slice(begin, min(n, begin + batch))
        curves = _particle_curves(record.values[:, part], lags, record.quantity)
        np.add.at(sums, group[part], curves.T)
    sizes = np.bincount(group, minlength=groups)
    return sums / sizes[:, None], sizes


def _particle_curves(values: Floats, lags: Ints, quantity: str) -> Floats:
    """Curve of each particle by fast Fourier transforms, shape (lags, particles)."""
    frames = len(values)
    origins = (frames - lags)[:, None]
    curve: Floats
    if quantity == "positions":
        values = values - values.mean(axis=0)  # against cancellation below
    size = fft.next_fast_len(frames + int(lags.max()), real=True)
    spectrum = np.sum(np.abs(fft.rfft(values, size, axis=0)) ** 2, axis=2)
    products = fft.irfft(spectrum, size, axis=0)[lags]
    if quantity == "velocities":
        curve = products / origins
        return curve
    squares = np.sum(values**2, axis=2)
    ahead = np.concatenate([np.zeros((1, squares.shape[1])), np.cumsum(squares, axis=0)])
    both = ahead[frames - lags] + ahead[frames] - ahead[lags]
    curve = np.maximum((both - 2.0 * products) / origins, 0.0)
    return curve


def _over_time(record: Record, lags: Ints, functionals: Floats | None) -> Summary:
    """The same for few molecules: each time origin is a sample, correlated with the next."""
    series = [_origin_series(record, int(lag)) for lag in lags]
    if functionals is None:
        found = [mean_with_error(x) for x in series]
        value = np.array([f.value[0] for f in found])
    else:
        value = functionals @ np.array([x.mean() for x in series])
        shared = min(map(len, series))
        rows = np.stack([x[:shared] for x in series], axis=1) @ functionals.T
        found = [mean_with_error(rows)]
    if any(f.error is None or f.dof is None for f in found):
        return Summary(value, None, None, 1.0, record.frames)
    error = np.concatenate([f.error for f in found if f.error is not None])
    dof = np.concatenate([f.dof for f in found if f.dof is not None])
    return Summary(value, error, dof, min(f.n_eff for f in found), record.frames)


def _origin_series(record: Record, lag: int) -> Floats:
    """What each time origin gives at a lag, averaged over particles."""
    x = record.values
    if record.quantity == "velocities":
        series: Floats = np.mean(np.sum(x[lag:] * x[: len(x) - lag], axis=2), axis=1)
    else:
        series = np.mean(np.sum((x[lag:] - x[:-lag]) ** 2, axis=2), axis=1)
    return series
