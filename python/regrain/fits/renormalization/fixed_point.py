"""Fixed points of a flow, and what they say about exponents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError

__all__ = ["FixedPoint", "FixedPoints", "one_of_each_line"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

#: An exponent closer to zero than this is called marginal.
MARGINAL = 1e-5


@dataclass(frozen=True, eq=False, repr=False)
class FixedPoint:
    """Couplings that a step leaves as they are, and how it changes what is near; prints as a table.

    Attributes
    ----------
    couplings : dict of str to float
        May be infinite.
    coordinates : tuple of str
        What the flow is linear in here: names of couplings or, where one is infinite, of the
        variable that vanishes there, such as ``"exp(-2 nn)"``. Exponents of a point at infinity
        are exponents of this variable and of no other.
    eigenvalues : ndarray, shape (n,)
        Of the linearised step, the largest first; complex only where it must be.
    vectors : ndarray, shape (n, n)
        Eigenvectors as columns, in these coordinates.
    left_vectors : ndarray, shape (n, n)
        As rows: the scaling fields are their products with the distance from the point.
    exponents : ndarray, shape (n,)
        y = ln|λ| / ln b; minus infinity where a direction is forgotten in one step.
    line : bool
        Whether it stands for a line of fixed points along a marginal direction.

    Examples
    --------
    >>> import regrain as rg
    >>> flow = rg.fits.MigdalKadanoff(b=2).flow(dimension=2)
    >>> point = flow.linearised(0.3047)
    >>> point.kinds
    ('relevant',)
    """

    couplings: dict[str, float]
    coordinates: tuple[str, ...]
    eigenvalues: Floats | Complexes
    vectors: Floats | Complexes
    left_vectors: Floats | Complexes
    exponents: Floats
    line: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of each direction: relevant (grows), irrelevant (shrinks) or marginal."""
        return tuple(
            "marginal" if abs(y) < MARGINAL else "relevant" if y > 0 else "irrelevant"
            for y in self.exponents
        )

    @property
    def relevant(self) -> int:
        """How many directions grow: 0 is a phase, 1 a transition."""
        return self.kinds.count("relevant")

    @property
    def is_finite(self) -> bool:
        """Whether all couplings are."""
        return all(np.isfinite(value) for value in self.couplings.values())

    def array(self) -> Floats:
        """The couplings, shape (n,)."""
        return np.array(list(self.couplings.values()), dtype=np.float64)

    def __str__(self) -> str:
        where = ", ".join(f"{name} = {_short(value)}" for name, value in self.couplings.items())
        lines = [f"fixed point {where}" + (" (one of a line)" if self.line else "")]
        for k, y in enumerate(self.exponents):
            vector = self.vectors[:, k]
            vector = vector / vector[np.argmax(np.abs(vector))]
            along = " ".join(
                name if v == 1 else f"{v:.4g} {name}"
                for v, name in zip(vector, self.coordinates, strict=True)
                if abs(v) > 1e-7
            )
            lines.append(
                f"  λ {_short(self.eigenvalues[k]):>10}  y {_short(y):>9}  {self.kinds[k]:<10}  "
                f"along {along}"
            )
        return "\n".join(lines)

    __repr__ = __str__


class FixedPoints(Sequence[FixedPoint]):
    """Fixed points in the order of their couplings; prints all of them.

    Examples
    --------
    >>> import regrain as rg
    >>> points = rg.fits.MigdalKadanoff(b=2).flow(dimension=2).fixed_points()
    >>> [round(point.couplings["nn"], 6) for point in points]
    [0.0, 0.304689, inf]
    >>> points.critical.couplings["nn"] == points[1].couplings["nn"]
    True
    """

    def __init__(self, points: Sequence[FixedPoint]) -> None:
        self._points = tuple(points)

    @property
    def critical(self) -> FixedPoint:
        """The finite one, away from the origin, that the fewest directions leave.

        Raises
        ------
        RegrainError
            There is none that any direction leaves.
        """
        near = [p for p in self if p.is_finite and p.relevant and np.any(p.array())]
        found = sorted(near, key=lambda p: (p.relevant, float(np.linalg.norm(p.array()))))
        if not found:
            raise RegrainError(
                "there is no finite fixed point beside the origin that any direction leaves, so no "
                "transition; look at all of them, and at the bounds of the flow"
            )
        return found[0]

    def __getitem__(self, k: Any) -> Any:
        return self._points[k]

    def __len__(self) -> int:
        return len(self._points)

    def __str__(self) -> str:
        return "\n".join(map(str, self._points)) if self._points else "no fixed points"

    __repr__ = __str__


def one_of_each_line(points: list[FixedPoint]) -> list[FixedPoint]:
    """Of fixed points along one marginal line the one nearest to the origin.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.fits.renormalization.fixed_point import one_of_each_line
    >>> flow = rg.fits.Decimation(b=2).flow(field=True)
    >>> free = [flow.linearised([0.0, h]) for h in (0.5, 0.0, -0.3)]
    >>> [point.couplings["field"] for point in one_of_each_line(free)]
    [0.0]
    """
    kept: list[FixedPoint] = []
    for point in sorted(points, key=lambda p: float(np.linalg.norm(p.array()))):
        if point.line and any(_same_line(point, other) for other in kept if other.line):
            continue
        kept.append(point)
    return kept


def _same_line(a: FixedPoint, b: FixedPoint) -> bool:
    away = a.array() - b.array()
    k = int(np.argmin(np.abs(b.exponents)))
    along = np.real(b.vectors[:, k])
    across = away - along * (along @ away) / (along @ along)
    return bool(np.linalg.norm(across) < 1e-6 * max(1.0, float(np.linalg.norm(away))))


def _short(value: complex) -> str:
    if isinstance(value, complex) or np.iscomplexobj(value):
        return f"{value:.4g}"
    return f"{value:.6g}" if value else "0"
