"""Migdal and Kadanoff's recursion: bonds are moved together, then rows of them are summed."""

from __future__ import annotations

from dataclasses import dataclass
from math import e, expm1, inf, log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.renormalization.bonds import (
    ising_series_in_field,
    potts_series,
    series_rate,
)
from regrain.fits.renormalization.chart import Chart
from regrain.fits.renormalization.flow import Flow
from regrain.fits.renormalization.result import Renormalized, given, smaller, stepped
from regrain.fits.renormalization.search import differences
from regrain.lattice import LatticeModel
from regrain.observables import Estimate

__all__ = ["MigdalKadanoff"]

Floats = NDArray[np.float64]

LATTICES = ("chain", "square", "cubic", "hypercubic")


@dataclass(frozen=True, kw_only=True)
class MigdalKadanoff:
    """Migdal and Kadanoff's recursion of Ising and Potts models on hypercubic lattices.

    In each direction b^(d - 1) parallel bonds are moved together, K -> b^(d - 1) K, and of the rows
    of b bonds that remain the spins between are summed: in d = 2 with b = 2, tanh K' = tanh² 2K. A
    field sits on the ends of bonds, h/2d on each, and is moved with them; so fields add up as the
    volume does, at the price that they also grow where there is no coupling.

    Parameters
    ----------
    b : float
        Ratio of the lengths, above 1, or 1: infinitesimal steps, a continuous flow. Models need a
        whole b, flows do not.
    first : {"move", "series"}
        Whether bonds are moved before the sums or after. Exponents are the same, couplings differ
        by b^(d - 1).

    Raises
    ------
    RegrainError
        b below 1, an unknown order; on calling, another model or lattice, or other couplings.

    Loses / Assumes
    ---------------
    Exact in one dimension, and on hierarchical lattices: the diamond, on which every bond is
    b^(d - 1) rows of b bonds (``first="series"``), and the one on which it is a row of b bundles of
    b^(d - 1) bonds (``first="move"``). On other lattices moving bonds is an uncontrolled
    approximation, good near one dimension; with b = 2 it gives K* = 0.3047 and ν = 1.338 in d = 2,
    where 0.4407 and 1 are exact. Moving changes the energy by what vanishes on average, so with
    ``first="move"`` the free energy is a lower bound (-ln Z is too small). What the kept spins lose
    is not known: ``lost["closure"]`` is undefined.

    References
    ----------
    A. A. Migdal, Sov. Phys. JETP 42, 743 (1975); L. P. Kadanoff, Ann. Phys. 100, 359 (1976); on
    diamonds, A. N. Berker and S. Ostlund, J. Phys. C 12, 4961 (1979).

    Examples
    --------
    >>> import regrain as rg
    >>> model = rg.lattice.Ising(shape=(64, 64), couplings={"nn": 0.3})
    >>> result = rg.fits.MigdalKadanoff(b=2)(model)
    >>> result.model
    Ising(shape=(32, 32), couplings={'nn': 0.29684...})
    >>> print(result.flow.fixed_points().critical)
    fixed point nn = 0.304689
      λ    1.67857  y  0.747236  relevant    along nn
    """

    b: float = 2
    first: Literal["move", "series"] = "move"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.b) and self.b >= 1):
            raise RegrainError(
                f"MigdalKadanoff: b is {self.b}; give a number above 1, or 1 (infinitesimal)"
            )
        if self.first not in ("move", "series"):
            raise RegrainError(f"MigdalKadanoff: first is {self.first!r}; give 'move' or 'series'")

    def flow(self, *, dimension: float, states: float | None = None, field: bool = False) -> Flow:
        """The flow in any dimension, whole or not.

        Parameters
        ----------
        dimension : float
            d, 1 or more.
        states : float, optional
            q of a Potts model, 2 or more, whole or not; the Ising model when omitted.
        field : bool
            Whether the Ising model has a field.

        Raises
        ------
        RegrainError
            A dimension below 1, fewer than 2 states, a field of a Potts model.

        Examples
        --------
        >>> import regrain as rg
        >>> step = rg.fits.MigdalKadanoff(b=1).flow(dimension=2)
        >>> step.fixed_points().critical.couplings["nn"]  # exact: (b -> 1) is self-dual
        0.440686793509...
        """
        if not (np.isfinite(dimension) and dimension >= 1):
            raise RegrainError(f"MigdalKadanoff: dimension is {dimension}; give 1 or more")
        if states is not None and not (np.isfinite(states) and states >= 2):
            raise RegrainError(f"MigdalKadanoff: states is {states}; give 2 or more")
        if states is not None and field:
            raise RegrainError(
                "MigdalKadanoff: a field of a Potts model makes further couplings that are not "
                "kept; give field=False, or the Ising model"
            )
        recursion = _Recursion(float(self.b), float(dimension), self.first, states, field)
        rate = 2.0 if states is None else 1.0
        names = ("nn", "field") if field else ("nn",)
        # Near one dimension the transition is near zero temperature, at K = rate/4(d - 1).
        cold = max(3.0, 1 / (dimension - 1) if dimension > 1 else 0.0)
        kind = "Ising" if states is None else f"{states:g}-state Potts"
        return Flow(
            recursion.rate if self.b == 1 else recursion.step,
            names=names,
            b=e if self.b == 1 else float(self.b),
            bounds={"nn": (0.0, cold * rate), "field": (-1.0, 1.0)},
            continuous=self.b == 1,
            charts={"nn": Chart.exponential(rate) if dimension == 1 else Chart.inverse()},
            derivative=recursion.derivative,
            constant=None if self.b == 1 or self.first == "series" else recursion.constant,
            dimension=float(dimension),
            title=f"Migdal-Kadanoff, {kind}, d = {dimension:g}",
        )

    def __call__(self, model: LatticeModel) -> Renormalized:
        """Move bonds and sum.

        Parameters
        ----------
        model : Ising or Potts
            On a periodic hypercubic lattice; with "nn", and of Ising spins with "field".

        Raises
        ------
        RegrainError
            Another model or lattice, or other couplings.
        """
        kinds = {"Ising": ("nn", "field"), "Potts": ("nn",)}
        before = given("MigdalKadanoff", model, kinds=kinds, lattices=LATTICES)
        d = model.geometry.dimension
        states = float(getattr(model, "q", 0)) or None
        flow = self.flow(dimension=d, states=states, field="field" in before)
        if d == 1:
            closure = Estimate("closure", 0.0, 0.0, unit="nats per coarse spin", kind="exact")
        else:
            reason = "bonds were moved, and what the kept spins of the fine lattice do is not known"
            closure = Estimate.undefined("closure", reason)
        return stepped(
            model,
            flow,
            before,
            lost={"closure": closure},
            make=lambda couplings: smaller(model, flow.b, couplings),
        )


@dataclass(frozen=True)
class _Recursion:
    b: float
    d: float
    first: str
    states: float | None
    field: bool

    @property
    def parallel(self) -> float:
        """How many bonds are moved together."""
        return float(self.b ** (self.d - 1))

    def _series(self, k: float, end: float) -> tuple[float, float, float]:
        if self.states is None:
            return ising_series_in_field(k, end, self.b)
        after, constant = potts_series(k, self.states, self.b)
        return after, 0.0, constant

    def _bond(self, k: Floats) -> tuple[float, float]:
        return float(k[0]), float(k[1]) / (2 * self.d) if self.field else 0.0

    def _site(self, k: float, end: float) -> Floats:
        return np.array([k, 2 * self.d * end] if self.field else [k])

    def step(self, k: Floats) -> Floats:
        """Both halves of a step."""
        bond, end = self._bond(k)
        many = self.parallel
        if self.first == "move":
            bond, end, _ = self._series(many * bond, many * end)
        else:
            bond, end, _ = self._series(bond, end)
            bond, end = many * bond, many * end
        return self._site(bond, end)

    def constant(self, k: Floats) -> float:
        """ln Z per fine site that a step takes out: spins in rows, and those without bonds."""
        bond, end = self._bond(k)
        volume = self.b**self.d
        alone = 1 - (1 + self.d * (self.b - 1)) / volume
        rows = self._series(self.parallel * bond, self.parallel * end)[2]
        return float(self.d / volume * rows + alone * log(self.states or 2.0))

    def rate(self, k: Floats) -> Floats:
        """dK/d(ln b) as b goes to 1."""
        bond, end = self._bond(k)
        if bond < 0:
            raise RegrainError("infinitesimal steps need a coupling that is not negative")
        grow = self.d - 1
        if self.states is not None:
            return np.array([grow * bond + _potts_rate(bond, self.states)])
        more, more_end = series_rate(bond, end)
        return self._site(grow * bond + more, grow * end + more_end)

    def derivative(self, k: Floats) -> Floats:
        """Of a step or the rate, at zero coupling too, where they go as K^b and K ln K."""
        if k[0] != 0:
            function = self.rate if self.b == 1 else self.step
            return differences(function, k, scale=min(1e-3, 0.2 * abs(float(k[0]))))
        at_zero = [-inf, self.d - 1] if self.b == 1 else [0.0, self.parallel]
        return np.diag(at_zero[: len(k)])


def _potts_rate(k: float, q: float) -> float:
    """d/db of b bonds of q states in series, at b = 1."""
    if k == 0.0:
        return 0.0
    if k > 40.0:
        return -1.0
    rest = q / (expm1(k) + q)  # 1 - t
    t = expm1(k) / (expm1(k) + q)
    return t * log(t) * ((q - 1) / (1 + (q - 1) * t) + 1 / rest)
