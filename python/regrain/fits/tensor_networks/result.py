"""What a tensor network gives: numbers at every size, the last tensor, what each step dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError, unknown
from regrain.fits.tensor_networks.measures import Scale
from regrain.observables import Estimate
from regrain.plotting import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TensorResult"]

Floats = NDArray[np.float64]

#: What is dropped below this is rounding.
_EXACT = 1e-13
#: Quantities by size, and which order of derivatives they need.
_QUANTITIES = {
    "free_energy": 0,
    "internal_energy": 1,
    "magnetisation": 1,
    "specific_heat": 2,
    "susceptibility": 2,
    "order_parameter": 2,
}
_VARIANCES = {name: name for name in ("specific_heat", "susceptibility")}
_VARIANCES["order_parameter"] = "susceptibility"
_TORN = "negative variances: the bond cuts through states that belong together; take another bond"
_WHY_NOT = "neither a lower nor an upper bound: what was dropped has no sign"


@dataclass(frozen=True, eq=False, repr=False)
class TensorResult:
    """Free energies and their derivatives at every size, and what is universal; prints as a table.

    Attributes
    ----------
    model : LatticeModel
        What was coarse-grained.
    fit : TensorScheme
        With these settings.
    scales : tuple of Scale
        Everything at every step, from the lattice itself on.
    tensors : tuple of numpy.ndarray
        What the flow has come to: one tensor, or the two of a checkerboard, of norm 1. Legs point
        to the lower neighbours along each axis, then to the upper ones.
    order : int
        Of the derivatives that are known.

    Examples
    --------
    >>> import regrain as rg
    >>> print(rg.fits.TRG(bond=8, steps=4)(rg.lattice.Ising((4, 4), couplings={"nn": 0.44})))
    TRG, bond 8, of Ising(shape=(4, 4), couplings={'nn': 0.44})
    step  lattice  bonds     lost    -ln Z / N          u         C     X1       c      x1      x2
       0      2x1    2x2        0  -1.30594858  ...
    """

    model: Any
    fit: Any
    scales: tuple[Scale, ...]
    tensors: tuple[Floats, ...]
    order: int

    # ------------------------------------------------------------------ thermodynamics

    @property
    def exact(self) -> bool:
        """Whether no step has dropped anything but rounding."""
        return all(scale.lost < _EXACT for scale in self.scales)

    @property
    def free_energy(self) -> Estimate:
        """Reduced free energy per site, -ln Z / N, of the largest lattice."""
        return self._last("free_energy")

    @property
    def internal_energy(self) -> Estimate:
        """Reduced energy per site, minus the sum of couplings times what they multiply."""
        return self._last("internal_energy")

    @property
    def specific_heat(self) -> Estimate:
        """Variance of the reduced energy per site, that is C / k_B per site."""
        return self._last("specific_heat")

    @property
    def magnetisation(self) -> Estimate:
        """Mean of what a field multiplies (spins; spins in state 0; cosines), per site."""
        return self._last("magnetisation")

    @property
    def susceptibility(self) -> Estimate:
        """Variance of what a field multiplies, per site."""
        return self._last("susceptibility")

    @property
    def order_parameter(self) -> Estimate:
        """Root mean square of what a field multiplies, per site; without a field, too."""
        return self._last("order_parameter")

    def curve(self, name: str) -> Estimate:
        """One of these quantities at every size.

        Parameters
        ----------
        name : str
            ``"free_energy"``, ``"internal_energy"``, ``"specific_heat"``, ``"magnetisation"``,
            ``"susceptibility"`` or ``"order_parameter"``.

        Returns
        -------
        Estimate
            With the coordinate ``sites``.

        Raises
        ------
        RegrainError
            Another name.

        Examples
        --------
        >>> import regrain as rg
        >>> free = rg.fits.TRG(bond=4, steps=2)(rg.lattice.Ising((4, 4), couplings={"nn": 0.0}))
        >>> free.curve("free_energy").value.round(6).tolist()
        [-0.693147, -0.693147, -0.693147]
        """
        if name not in _QUANTITIES:
            raise unknown("curve", name, _QUANTITIES)
        order = _QUANTITIES[name]
        if self.order < order:
            most = self.fit.most_derivatives
            hint = f"give derivatives={order}" if order <= most else "take TRG or HOTRG for it"
            return Estimate.undefined(name, f"needs derivatives of order {order}; {hint}")
        known = [scale for scale in self.scales if scale.log_partition is not None]
        values = [_value(name, scale) for scale in known]
        flags = [] if self.exact else [_WHY_NOT]
        if order == 2 and min(_value(_VARIANCES[name], scale) for scale in known) < -1e-6:
            flags.insert(0, _TORN)
        return Estimate(
            name,
            values,
            coords={"sites": [scale.size for scale in known]},
            kind="exact" if self.exact else "estimate",
            tier="T0" if self.exact else "",
            method=f"{self.fit!r}, exact derivatives",
            flags=flags,
        )

    def _last(self, name: str) -> Estimate:
        found = self.curve(name)
        if not found.defined:
            return found
        last = found.sel(sites=int(found.coords["sites"][-1]))
        return last.replace(value=found.value[-1])  # sizes may come twice

    # ------------------------------------------------------------------ what is universal

    @property
    def plateau(self) -> int:
        """The step at which the central charge changes least from the one before to the next.

        Raises
        ------
        RegrainError
            There is no central charge, or there are not enough steps.
        """
        charges = [scale.central_charge for scale in self.scales]
        if charges[-1] is None and len(charges) > 2:
            raise RegrainError(
                "no central charge: it is defined in two dimensions, for couplings whose shape at "
                "long distances is known (along the axes, or alike in all directions)"
            )
        if len(charges) < 8:
            raise RegrainError(f"a plateau needs 7 steps or more, this is {len(charges) - 1}")
        c = np.array([float("nan") if x is None else x for x in charges])
        change = np.abs(c[4:-1] - c[3:-2]) + np.abs(c[5:] - c[4:-1])
        return 4 + int(np.argmin(change))

    @property
    def central_charge(self) -> Estimate:
        """Where it changes least with the step; its error is how much."""
        return self._on_plateau("central charge", lambda scale: np.asarray(scale.central_charge))

    @property
    def dimensions(self) -> Estimate:
        """Scaling dimensions above the identity in rising order, at the same step."""
        return self._on_plateau("scaling dimensions", lambda scale: scale.dimensions)

    def _on_plateau(self, name: str, get: Any) -> Estimate:
        try:
            at = self.plateau
        except RegrainError as error:
            return Estimate.undefined(name, str(error))
        found = [get(scale) for scale in self.scales[at - 1 : at + 2]]
        coords = {}
        if found[0].ndim:
            count = min(10, *map(len, found))
            found = [one[:count] for one in found]
            coords = {"level": np.arange(1, count + 1)}
            if count == 0:
                return Estimate.undefined(name, "the fixed point is trivial: there is one level")
        change = np.maximum(np.abs(found[1] - found[0]), np.abs(found[2] - found[1]))
        return Estimate(
            name,
            found[1],
            change,
            coords=coords,
            method=f"transfer matrix of {self.fit!r} at step {at}",
            cite="Gu and Wen, Phys. Rev. B 80, 155131 (2009)",
            flags=("the error is the change from step to step there",),
        )

    # ------------------------------------------------------------------ text and figures

    def __str__(self) -> str:
        columns = ("internal_energy", "specific_heat")[: self.order]
        flat = self.scales[-1].dimensions is not None
        rows = [["step", "lattice", "bonds", "lost", "-ln Z / N", *("u", "C")[: self.order], "X1"]]
        rows[0] += ["c", "x1", "x2"] if flat else []
        for scale in self.scales:
            known = scale.log_partition is not None
            row = [
                str(scale.step),
                "x".join(map(str, scale.shape)),
                "x".join(map(str, scale.bonds)),
                f"{scale.lost:.1e}" if scale.lost > _EXACT else "0",
                f"{scale.free_energy:.8f}" if known else "frustrated",
                *(f"{_value(name, scale):.6f}" if known else "" for name in columns),
                "" if scale.ratio is None else f"{scale.ratio:.3f}",
            ]
            if flat:
                levels = [] if scale.dimensions is None else list(map(float, scale.dimensions[:2]))
                row += ["" if scale.central_charge is None else f"{scale.central_charge:.4f}"]
                row += [f"{x:.4f}" for x in levels] + [""] * (2 - len(levels))
            rows.append(row)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(c.rjust(w) for c, w in zip(r, widths, strict=True)) for r in rows]
        head = f"{type(self.fit).__name__}, bond {self.fit.bond}, of {self.model!r}"
        note = "exact: nothing was dropped" if self.exact else _WHY_NOT
        return "\n".join([head, *lines, f"free energies are {note}"])

    __repr__ = __str__

    def plot(self, ax: Axes | None = None, *, what: str = "dimensions") -> Axes:
        """Draw the flow of the scaling dimensions, or of one of the quantities with the size.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        what : str
            ``"dimensions"``, ``"central_charge"``, ``"ratio"``, ``"lost"``, or a name of `curve`.

        Raises
        ------
        RegrainError
            Another name, or a quantity that is undefined here.
        """
        if what in _QUANTITIES:
            found = self.curve(what)
            x, y = found.coords.get("sites", ()), found.value
            ax = axes(ax)
            ax.plot(x, y, "o-", markersize=3)
            ax.set_xscale("log")
            ax.set_xlabel("sites")
            ax.set_ylabel(what)
            return ax
        if what not in ("dimensions", "central_charge", "ratio", "lost"):
            names = ("dimensions", "central_charge", "ratio", "lost", *_QUANTITIES)
            raise unknown("what", what, names)
        values = [(scale.step, getattr(scale, what)) for scale in self.scales]
        values = [(step, value) for step, value in values if value is not None]
        if not values:
            raise RegrainError(f"{what} is not defined for this model; see central_charge")
        ax = axes(ax)
        if what == "dimensions":
            for level in range(8):
                points = [(step, x[level]) for step, x in values if len(x) > level]
                if points:
                    ax.plot(*zip(*points, strict=True), "o-", markersize=3, linewidth=0.8)
            ax.set_ylim(0.0, 3.0)
        else:
            ax.plot(*zip(*values, strict=True), "o-", markersize=3)
        ax.set_xlabel("step")
        ax.set_ylabel(what.replace("_", " "))
        return ax


def _value(name: str, scale: Scale) -> float:
    """One quantity at one size, from ln Z per site as a jet (1, a, b, a², b²)."""
    jet, size = scale.log_partition, scale.size
    assert jet is not None
    if name == "free_energy":
        return scale.free_energy
    if name == "internal_energy":
        return -float(jet[1])
    if name == "magnetisation":
        return float(jet[2])
    if name == "specific_heat":
        return 2.0 * float(jet[3])
    if name == "susceptibility":
        return 2.0 * float(jet[4])
    return float(np.sqrt(max(2.0 * jet[4] / size + jet[2] ** 2, 0.0)))
