"""Flows: maps of the space of couplings onto itself, with what becomes of them in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, log
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from regrain.errors import RegrainError, unknown
from regrain.fits.renormalization.chart import Chart
from regrain.fits.renormalization.fixed_point import FixedPoint, FixedPoints, one_of_each_line
from regrain.fits.renormalization.search import differences, eigen, search, search_infinity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Flow"]

Floats = NDArray[np.float64]
#: Faster than this a continuous flow forgets a direction at once.
FORGOTTEN = 1e9

Couplings = float | Sequence[float] | Floats | Mapping[str, float] | FixedPoint


@dataclass(frozen=True, eq=False, repr=False)
class Flow:
    """A step of renormalisation as a map in the space of couplings.

    Parameters
    ----------
    function : callable
        From couplings, shape (n,), to those after a step; of a continuous flow their derivative
        by ln b.
    names : sequence of str
        Of the couplings.
    b : float
        By how much a step changes the length; of a continuous flow what a step of `step` does.
    bounds : mapping of str to (float, float)
        Where fixed points are looked for, and what is drawn.
    continuous : bool
        Whether ``function`` is a derivative.
    derivative : callable, optional
        From couplings to the matrix ∂K'_i/∂K_j, or that of the derivative; by differences when
        omitted.
    charts : mapping of str to Chart
        How couplings may become infinite; without, fixed points at infinity are not looked for.
    constant : callable, optional
        From couplings to g, the part of ln Z per fine site that a step takes out:
        ln z(K) = g(K) + b^-d ln z(K').
    dimension : float, optional
        d, which the free energy needs.
    tolerance : float
        A change that is none. For a map that was measured its error: derivatives are then taken
        over distances that it can tell.
    title : str
        What is renormalised, and how.

    Raises
    ------
    RegrainError
        b of 1 or less, no names, bounds that are missing.

    Loses / Assumes
    ---------------
    A flow knows what the step knows: which couplings it keeps, and how well.

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> step = lambda k: np.arctanh(np.tanh(2 * k) ** 2)  # two bonds moved, then one spin summed
    >>> flow = rg.fits.Flow(step, names=["nn"], b=2.0, bounds={"nn": (0.0, 2.0)})
    >>> flow.step(0.3)
    0.29684...
    >>> print(flow.fixed_points())
    fixed point nn = 0
      λ          0  y      -inf  irrelevant  along nn
    fixed point nn = 0.304689
      λ    1.67857  y  0.747236  relevant    along nn
    """

    function: Callable[[Floats], Floats]
    names: Sequence[str] = field(kw_only=True)
    b: float = field(kw_only=True)
    bounds: Mapping[str, tuple[float, float]] = field(kw_only=True)
    continuous: bool = field(default=False, kw_only=True)
    derivative: Callable[[Floats], Floats] | None = field(default=None, kw_only=True)
    charts: Mapping[str, Chart] = field(default_factory=dict, kw_only=True)
    constant: Callable[[Floats], float] | None = field(default=None, kw_only=True)
    dimension: float | None = field(default=None, kw_only=True)
    tolerance: float = field(default=1e-10, kw_only=True)
    title: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        if not self.names:
            raise RegrainError("a flow needs the names of its couplings, such as names=['nn']")
        if not (np.isfinite(self.b) and self.b > 1):
            raise RegrainError(f"b is {self.b}; a step makes lengths smaller by a factor above 1")
        if not (np.isfinite(self.tolerance) and 0 < self.tolerance < 1):
            raise RegrainError(f"tolerance is {self.tolerance}; give a small positive number")
        missing = [name for name in self.names if name not in self.bounds]
        if missing:
            raise RegrainError(f"bounds say nothing of {', '.join(missing)}; give (low, high)")

    # ------------------------------------------------------------------ steps

    def step(self, couplings: Couplings) -> Any:
        """The couplings after one step, in the form in which they were given.

        Parameters
        ----------
        couplings : float, sequence of float or mapping of str to float
            A number if there is one coupling; a mapping may leave out those that are zero.

        Raises
        ------
        RegrainError
            Couplings of other names or number, or a step that leaves the numbers.
        """
        after = self._step(self.array(couplings))
        if not np.all(np.isfinite(after)):
            raise RegrainError(f"the step takes {couplings} to {after.tolist()}: it has run away")
        return self._like(after, couplings)

    def run(self, couplings: Couplings, *, steps: int = 20) -> Floats:
        """Couplings step by step, shape (steps + 1, n); fewer rows if they run away.

        Raises
        ------
        RegrainError
            Couplings of other names or number, a negative number of steps.
        """
        if steps < 0:
            raise RegrainError(f"steps is {steps}; give 0 or more")
        rows = [self.array(couplings)]
        for _ in range(steps):
            after = self._step(rows[-1])
            if not np.all(np.isfinite(after)):
                break
            rows.append(after)
        return np.array(rows)

    def free_energy(self, couplings: Couplings, *, steps: int = 200) -> float:
        """Free energy over kT per site, -ln Z / N = -Σ b^(-dn) g(K_n), as this step gives it.

        Raises
        ------
        RegrainError
            The step does not know its constant.
        """
        if self.constant is None or self.dimension is None:
            raise RegrainError(f"{self.title or 'this flow'} does not carry the free energy along")
        k, total, weight = self.array(couplings), 0.0, 1.0
        for _ in range(steps):
            total += weight * float(self.constant(k))
            weight *= self.b**-self.dimension
            after = self._step(k)
            if weight < 1e-18 or not np.all(np.isfinite(after)):
                break
            k = after
        return -total

    def jacobian(self, couplings: Couplings) -> Floats:
        """∂K'_i/∂K_j of a step, shape (n, n); of a continuous flow that of the derivative by ln b.

        Raises
        ------
        RegrainError
            Couplings of other names or number.
        """
        k = self.array(couplings)
        if self.derivative is not None:
            return np.asarray(self.derivative(k), dtype=np.float64)
        return differences(self._move, k, scale=self._reach)

    @property
    def _reach(self) -> float:
        """Over which distance derivatives are taken, relative to couplings above 1."""
        return max(1e-3, float(np.cbrt(self.tolerance)))

    def _move(self, k: Floats) -> Floats:
        """What ``function`` says, as numbers; not finite where it has no answer."""
        try:
            with np.errstate(all="ignore"):
                return np.atleast_1d(np.asarray(self.function(k), dtype=np.float64)).reshape(-1)
        except (RegrainError, OverflowError, ZeroDivisionError, ValueError):
            return np.full(len(self.names), np.nan)

    def _step(self, k: Floats) -> Floats:
        if not self.continuous:
            return self._move(k)
        found = solve_ivp(lambda _, y: self._move(y), (0.0, log(self.b)), k, rtol=1e-11, atol=1e-13)
        return np.asarray(found.y[:, -1]) if found.success else np.full(len(k), np.nan)

    def _change(self, k: Floats) -> Floats:
        """Zero at a fixed point."""
        return self._move(k) if self.continuous else self._move(k) - k

    # ------------------------------------------------------------------ forms of couplings

    def array(self, couplings: Couplings) -> Floats:
        """Couplings in the order of the names, shape (n,).

        Raises
        ------
        RegrainError
            Couplings of other names or number, or that are no numbers.
        """
        if isinstance(couplings, FixedPoint):
            couplings = couplings.couplings
        if isinstance(couplings, Mapping):
            for name in couplings:
                if name not in self.names:
                    raise unknown("coupling of this flow", name, self.names)
            values = np.array([couplings.get(name, 0.0) for name in self.names], dtype=np.float64)
        else:
            values = np.atleast_1d(np.asarray(couplings, dtype=np.float64))
        if values.shape != (len(self.names),):
            raise RegrainError(
                f"got {values.size} couplings, expected {len(self.names)}: {', '.join(self.names)}"
            )
        if np.any(np.isnan(values)):
            raise RegrainError(f"the couplings {values.tolist()} are not all numbers")
        return values

    def _like(self, values: Floats, given: Couplings) -> Any:
        if isinstance(given, Mapping | FixedPoint):
            return {name: float(v) for name, v in zip(self.names, values, strict=True)}
        if np.ndim(given) == 0:
            return float(values[0])
        return values

    # ------------------------------------------------------------------ fixed points

    def fixed_points(self, *, starts: int = 100, seed: int = 0) -> FixedPoints:
        """All fixed points that are found within the bounds, and at infinity where charts say how.

        One coupling: every change of sign on a fine grid, and where the change comes close to
        zero. More: Powell's hybrid method from many starts. Of a line of fixed points the one
        nearest to the origin stands for all.

        Parameters
        ----------
        starts : int
            How many starts.
        seed : int
            Of their places.
        """
        bounds = np.array([self.bounds[name] for name in self.names], dtype=np.float64)
        found = [
            self.linearised(k)
            for k in search(self._change, bounds, starts, seed, tolerance=self.tolerance)
        ]
        for j, name in enumerate(self.names):
            chart = self.charts.get(name)
            for sign in (1.0, -1.0):
                if chart is None or (sign < 0 and self.bounds[name][0] >= 0):
                    continue
                for others, matrix in search_infinity(self._step, chart, j, sign, bounds):
                    k = np.insert(others, j, sign * inf)
                    shown = chart.name.format(name if sign > 0 else f"|{name}|")
                    coordinates = tuple(shown if i == j else n for i, n in enumerate(self.names))
                    found.append(self._point(k, matrix, coordinates, discrete=True))
        found = one_of_each_line(found)
        return FixedPoints(sorted(found, key=lambda p: tuple(p.array())))

    def linearised(self, couplings: Couplings) -> FixedPoint:
        """What a step does near a fixed point.

        Parameters
        ----------
        couplings : as in `step`
            The fixed point, roughly: it is improved to all digits.

        Raises
        ------
        RegrainError
            There is none.
        """
        given = self.array(couplings)
        if not np.all(np.isfinite(given)):
            raise RegrainError(
                "fixed points at infinity come from fixed_points(), ready as they are"
            )
        k = self._polished(given)
        point = self._point(k, self.jacobian(k), tuple(self.names), discrete=not self.continuous)
        for y, vector in zip(point.exponents, point.vectors.T, strict=True):
            if abs(y) < 1e-6 and np.isrealobj(vector):
                away = 1e-2 * vector / np.max(np.abs(vector))
                if np.max(np.abs(self._change(k + away))) < self.tolerance:
                    return FixedPoint(**{**vars(point), "line": True})
        return point

    def _polished(self, given: Floats) -> Floats:
        bounds = np.stack([given - 0.1 - 0.1 * abs(given), given + 0.1 + 0.1 * abs(given)], axis=1)
        if np.max(np.abs(self._change(given))) < max(1e-13, 1e-3 * self.tolerance):
            return given
        near = search(self._change, bounds, 1, 0, first=given, tolerance=self.tolerance)
        if not near:
            shown = ", ".join(f"{n} = {v:.6g}" for n, v in zip(self.names, given, strict=True))
            raise RegrainError(
                f"{shown} is no fixed point, and none is near; fixed_points() looks for all"
            )
        return min(near, key=lambda k: float(np.linalg.norm(k - given)))

    def _point(
        self, k: Floats, matrix: Floats, coordinates: tuple[str, ...], *, discrete: bool
    ) -> FixedPoint:
        # Where a derivative is infinite a direction is forgotten at once.
        matrix = np.where(np.isneginf(matrix), -FORGOTTEN, matrix)
        matrix = np.where(np.abs(matrix) < 1e-12, 0.0, matrix)
        values, right, left = eigen(matrix)
        if discrete:
            size = np.abs(values)
            with np.errstate(divide="ignore"):
                exponents = np.where(size > 1e-5, np.log(size), -inf) / log(self.b)
            values = np.where(size > 1e-5, values, 0.0)
        else:
            exponents = np.real(values).astype(np.float64)
            exponents = np.where(exponents <= -FORGOTTEN, -inf, exponents)
            with np.errstate(under="ignore"):
                values = self.b**values
        exponents = np.where(np.abs(exponents) < 1e-11, 0.0, exponents)
        order = np.argsort(-exponents, kind="stable")
        return FixedPoint(
            couplings={name: float(v) for name, v in zip(self.names, k, strict=True)},
            coordinates=coordinates,
            eigenvalues=values[order],
            vectors=right[:, order],
            left_vectors=left[order],
            exponents=exponents[order],
        )

    # ------------------------------------------------------------------ critical surface

    def critical(
        self,
        along: str,
        *,
        between: tuple[float, float] | None = None,
        at: Mapping[str, float] | None = None,
        point: FixedPoint | None = None,
    ) -> float:
        """Where a line in the space of couplings meets the critical surface of a fixed point.

        Parameters
        ----------
        along : str
            The coupling that changes along the line.
        between : tuple of two float, optional
            From where to where; the bounds when omitted.
        at : mapping of str to float, optional
            The other couplings, zero when omitted.
        point : FixedPoint, optional
            The critical one of `fixed_points` when omitted. The line may change one of its
            relevant scaling fields; others must vanish by symmetry, as that of a field does.

        Raises
        ------
        RegrainError
            A point that is no transition, or both ends flow to the same side of it.
        """
        if along not in self.names:
            raise unknown("coupling of this flow", along, self.names)
        point = self.fixed_points().critical if point is None else point
        side, j = self._sides(point, [along]), list(self.names).index(along)
        k = self.array(dict(at or {}))

        def where(value: float) -> float:
            k[j] = value
            return side(k)

        low, high = self.bounds[along] if between is None else between
        first, last = where(low), where(high)
        if first * last > 0:
            raise RegrainError(
                f"{along} = {low:g} and {high:g} flow to the same side of the fixed point; give "
                "between=(low, high) on both sides of the transition"
            )
        while high - low > 1e-13 * max(1.0, abs(high)):
            middle = 0.5 * (low + high)
            if middle in (low, high):
                break
            if where(middle) * first > 0:
                low = middle
            else:
                high = middle
        return 0.5 * (low + high)

    def _sides(
        self, point: FixedPoint, along: Sequence[str], digits: int = 10
    ) -> Callable[[Floats], float]:
        """To which side of a fixed point couplings flow, ±1, if some of them are changed."""
        which = [list(self.names).index(name) for name in along]
        found = [
            np.real(left)
            for left, kind in zip(point.left_vectors, point.kinds, strict=True)
            if kind == "relevant" and np.max(np.abs(left[which])) > 1e-9 * np.max(np.abs(left))
        ]
        if len(found) != 1 or not point.is_finite:
            raise RegrainError(
                f"a critical surface belongs to a finite fixed point; {', '.join(along)} should "
                f"change one relevant direction of it, but change {len(found)}"
            )
        normal, centre = found[0], point.array()

        def side(k: Floats) -> float:
            far = self._far(k, digits) if self.continuous else self._settled(k)
            return 1.0 if float(normal @ (far - centre)) > 0 else -1.0

        return side

    def _settled(self, k: Floats) -> Floats:
        """Where steps lead: until nothing changes any more, or they have run away."""
        for _ in range(100):
            after = self._step(k)
            if not np.all(np.isfinite(after)):
                break
            still, k = np.max(np.abs(after - k)) < 1e-12, after
            if still or np.max(np.abs(k)) > 100:
                break
        return k

    def _far(self, k: Floats, digits: int) -> Floats:
        """Where a continuous flow leads."""

        def gone(_: float, y: Floats) -> float:
            return 30.0 - float(np.max(np.abs(y)))

        gone.terminal = True  # type: ignore[attr-defined]
        found = solve_ivp(
            lambda _, y: self._move(y),
            (0.0, 40.0),
            k,
            events=gone,
            rtol=10.0**-digits,
            atol=10.0 ** -(digits + 2),
        )
        return np.asarray(found.y[:, -1])

    # ------------------------------------------------------------------ what it prints and draws

    def __str__(self) -> str:
        kind = "continuous" if self.continuous else f"b = {self.b:g}"
        lines = [f"{self.title or 'flow'} ({kind}) of {', '.join(self.names)}"]
        return "\n".join([*lines, str(self.fixed_points())])

    def __repr__(self) -> str:
        kind = "continuous" if self.continuous else f"b={self.b:g}"
        return f"<Flow of {', '.join(self.names)}, {kind}: {self.title or 'a step'}>"

    def plot(
        self,
        ax: Axes | None = None,
        *,
        x: str | None = None,
        y: str | None = None,
        between: Mapping[str, tuple[float, float]] | None = None,
    ) -> Axes:
        """Draw the flow: what changes where, fixed points, their directions, the critical surface.

        With one coupling its change per step, with arrows along the axis; with more a plane of
        two of them through the critical fixed point. Filled points are phases, open ones
        transitions; red directions are relevant, blue ones irrelevant; dashes are the critical
        surface.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        x, y : str, optional
            Which couplings; the first two when omitted.
        between : mapping of str to (float, float), optional
            What is drawn; the bounds when omitted.

        Raises
        ------
        RegrainError
            Names of no coupling.
        """
        from regrain.fits.renormalization.drawing import draw

        return draw(self, ax, x, y, between)
