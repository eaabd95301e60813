"""Is this target what its owner takes it for? What every fit asks before it believes it."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles import Particles
from regrain.trace import Trace
from regrain.units import units

__all__ = ["FrameWatch", "look_over", "warn_unexcluded"]

Floats = NDArray[np.float64]

#: A target whose volume varies by more than this is no longer at one density.
SAME_VOLUME = 0.05
#: Differences of positions, over the box, that single precision makes of the same ones.
ROUNDING = 1e-6
#: Distances that stay within this fraction of their mean belong to a molecule.
STIFF = 0.1
#: Pairs within so many distances of those that stay together, which are so many times farther off
#: in another frame, have moved apart.
APART = 1.5
#: Frames over which pairs are followed, and the fewest that tell.
FOLLOWED, FEWEST = 10, 5


def _digest(*arrays: Any) -> bytes:
    digest = hashlib.blake2b(digest_size=12)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()


@dataclass
class FrameWatch:
    """Watches frames as they pass: duplicates, boxes that change, forces that are missing.

    It remembers a dozen bytes per frame. Call `see` for each, then `warn`.

    Parameters
    ----------
    forces : bool
        Whether every frame must have forces; frames are then duplicates only where these agree,
        too.
    one_density : bool
        Whether it matters that the volume changes.

    Raises
    ------
    RegrainError
        From ``see``: a frame that is not one of particles, has other particles than the first one,
        or has no forces where they are needed.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from regrain.fits.checks import FrameWatch
    >>> from regrain.particles import Particles
    >>> watch = FrameWatch()
    >>> for k in (0, 1, 1):
    ...     _ = watch.see(Particles(np.full((1, 3), float(k)), box=[5.0, 5.0, 5.0]))
    >>> watch.duplicates
    1
    """

    forces: bool = False
    one_density: bool = False
    frames: int = 0
    duplicates: int = 0
    boxes: list[Floats] = field(default_factory=list)
    _sum: Floats = field(default_factory=lambda: np.zeros((3, 3)), repr=False)
    _seen: set[bytes] = field(default_factory=set, repr=False)
    _first: Particles | None = field(default=None, repr=False)
    _last: tuple[Particles, bytes] | None = field(default=None, repr=False)

    def see(self, state: Particles) -> bytes:
        """Look at the next frame; returns a mark that frames at the same positions share.

        Neighbouring frames share it when they differ by no more than files in single precision do.
        """
        if self._first is None:
            self._first = state
        first = self._first.topology
        if state.topology is not first and (
            len(state) != len(first) or np.any(state.topology.types != first.types)
        ):
            raise RegrainError(
                f"frame {self.frames} has other particles than the first one ({state.topology} "
                f"instead of {first}); give targets of different systems one StatePoint each"
            )
        if self.forces and state.forces is None:
            raise RegrainError(
                f"frame {self.frames} has no forces, which forces cannot be matched without; load "
                "a trajectory that has them (TRR of GROMACS, dump with fx fy fz of LAMMPS), and "
                "map it with Beads, which sums them"
            )
        place = _digest(state.positions, state.box)
        mark = place if not self.forces else _digest(np.frombuffer(place, "u1"), state.forces)
        self.duplicates += mark in self._seen
        self._seen.add(mark)
        if not self.boxes or np.any(state.box != self.boxes[-1]):
            self.boxes.append(state.box)
        self._sum = self._sum + state.box
        self.frames += 1
        if self._last is None or not _same_place(self._last[0], state):
            self._last = state, place
        return self._last[1]

    @property
    def mean_box(self) -> Floats:
        """The lattice vectors, averaged over the frames."""
        return self._sum / self.frames

    @property
    def volumes(self) -> tuple[float, float]:
        """The smallest and the largest volume."""
        found = [float(np.prod(np.diag(box))) for box in self.boxes]
        return min(found), max(found)

    def warn(self) -> None:
        """Say what is odd about the frames seen, as warnings."""
        if self.duplicates:
            warnings.warn(
                f"{self.duplicates} of the {self.frames} frames are exact copies of others, so "
                "there are fewer independent samples than frames, and errors come out too small; "
                "drop them (were trajectories that overlap put together?)",
                UserWarning,
                stacklevel=3,
            )
        least, most = self.volumes
        if self.one_density and most > (1 + SAME_VOLUME) * least:
            warnings.warn(
                f"the volume of the target changes from {least:.6g} to {most:.6g} "
                f"({100 * (most / least - 1):.0f} %), but its structure is compared with coarse "
                "runs in the mean box: it mixes densities; give the part after equilibration, or "
                "one StatePoint per density",
                UserWarning,
                stacklevel=3,
            )


def _same_place(one: Particles, other: Particles) -> bool:
    """Whether positions agree but for rounding."""
    room = ROUNDING * float(np.max(np.diag(one.box)))
    return bool(
        np.all(np.abs(one.box - other.box) <= room)
        and np.all(np.abs(one.positions - other.positions) <= room)
    )


def look_over(
    trace: Trace[Particles], *, forces: bool = False, one_density: bool = False
) -> FrameWatch:
    """Watch all frames of a trace, and warn.

    Raises
    ------
    RegrainError
        See `FrameWatch`.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.fits.checks import look_over
    >>> from regrain.particles import Particles
    >>> rng = np.random.default_rng(1)
    >>> gas = [Particles(rng.random((9, 3)), box=[1.0, 1.0, 1.0]) for _ in range(3)]
    >>> look_over(Trace(gas, times=range(3))).frames
    3
    """
    watch = FrameWatch(forces=forces, one_density=one_density)
    for state in trace:
        watch.see(state)
    watch.warn()
    return watch


def warn_unexcluded(trace: Trace[Particles], *, exclude: int, reach: float) -> None:
    """Warn of an intramolecular peak: pairs that stay together, but are not excluded.

    Such pairs keep their distance throughout the trace, while others as close move apart. Where
    nothing moves apart (a crystal, a short trace), there is no telling, and no warning.

    Parameters
    ----------
    trace : Trace
    exclude : int
        Pairs up to so many bonds apart are excluded.
    reach : float
        Where the longest pair potential ends.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.fits.checks import warn_unexcluded
    >>> from regrain.particles import Particles
    >>> rng = np.random.default_rng(1)
    >>> gas = [Particles(rng.random((50, 3)) * 3, box=[3.0] * 3) for _ in range(9)]
    >>> warn_unexcluded(Trace(gas, times=range(9)), exclude=2, reach=1.0)  # silence: all is well
    """
    if len(trace) < FEWEST:
        return
    chosen = np.unique(np.linspace(0, len(trace) - 1, FOLLOWED).astype(int))
    states = [trace[int(k)] for k in chosen]
    distances = _followed(states, exclude, reach)
    if not distances.size:
        return
    half = _together(distances[: len(states) // 2 + 1])
    kept = _together(distances)
    count, n = int(kept.sum()), len(states[0])
    if count < max(3, 0.05 * n) or count < 0.8 * half.sum():
        return
    mean = distances[:, kept].mean(axis=0)
    far = APART * mean.max()
    apart = (distances[0] < far) & (distances.max(axis=0) > APART * far)
    if apart.sum() < 0.3 * count:
        return
    unit = units(states[0].units).length
    warnings.warn(
        f"{count} pairs of particles stay {mean.mean():.4g} ± {distances[:, kept].std():.2g}"
        f"{' ' + unit if unit else ''} apart in all frames but count as pairs that are not bonded: "
        "an intramolecular peak in g(r). Were exclusions forgotten? Give the topology its bonds "
        f"(the map's bonds=…), and exclude={exclude} pairs within so many of them",
        UserWarning,
        stacklevel=3,
    )


def _followed(states: list[Particles], exclude: int, reach: float) -> Floats:
    """Distances of the pairs of the first frame that are not excluded, shape (frames, pairs)."""
    first = states[0]
    reach = min(reach, 1.5 * float(np.cbrt(first.volume / len(first))))
    excluded = first.topology.exclusions(exclude)
    i, j, _, _ = _core.neighbor_list(first.positions, first.box, reach, True, excluded)
    keys = np.unique(i[i != j].astype(np.int64) * len(first) + j[i != j])  # once, of many images
    pairs = np.stack(np.divmod(keys, len(first)), axis=1)
    if not len(pairs):
        return np.empty((len(states), 0))
    return np.array([_core.bond_lengths(s.positions, s.box, pairs) for s in states])


def _together(distances: Floats) -> NDArray[np.bool_]:
    mean = distances.mean(axis=0)
    return np.asarray(
        np.all(np.abs(distances - mean) < 3 * STIFF * mean, axis=0)
        & (distances.std(axis=0) < STIFF * mean)
    )
