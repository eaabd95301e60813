"""What all tensor networks have in common: settings, the loop over steps, critical couplings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import index
from typing import Any, ClassVar

import numpy as np

from regrain.errors import RegrainError
from regrain.fits.tensor_networks.initial import initial_tensor
from regrain.fits.tensor_networks.measures import Follow, Scale
from regrain.fits.tensor_networks.network import Network, normalised
from regrain.fits.tensor_networks.result import TensorResult
from regrain.observables import Estimate

__all__ = ["TensorScheme"]

#: A ratio X₁ that stays so close to a whole number for so many steps is that of a phase. Later on
#: rounding, which grows like a field, may choose one of several states.
_SETTLED, _STAYS = 0.06, 4


@dataclass(frozen=True, kw_only=True)
class TensorScheme(ABC):
    """The base of the schemes that coarse-grain tensor networks; see `TRG`.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.fits.tensor_networks.scheme import TensorScheme
    >>> isinstance(rg.fits.TRG(bond=8), TensorScheme)
    True
    """

    bond: int = 16
    steps: int = 20
    derivatives: int | None = None

    axes: ClassVar[tuple[int, ...]] = (2,)
    sublattices: ClassVar[int] = 1
    most_derivatives: ClassVar[int] = 2

    def __post_init__(self) -> None:
        self._whole("bond", 2)
        self._whole("steps", 1)
        if self.derivatives is not None:
            self._whole("derivatives", 0, self.most_derivatives)

    def _whole(self, name: str, least: int, most: int | None = None) -> None:
        given = getattr(self, name)
        try:
            value = index(given)
        except TypeError:
            value = least - 1
        if value < least or (most is not None and value > most):
            wanted = f"{least} or more" if most is None else f"{least} to {most}"
            raise RegrainError(
                f"{type(self).__name__}: {name} is {given!r}; give a whole number, {wanted}"
            )

    @abstractmethod
    def _coarse(self, network: Network) -> Network:
        """Half as many tensors."""

    def __call__(self, model: Any) -> TensorResult:
        """Coarse-grain the network of a model, step by step.

        Parameters
        ----------
        model : LatticeModel
            Its lattice is taken to be endless: of its shape only the number of axes is used.

        Raises
        ------
        RegrainError
            A lattice, boundaries or couplings that the scheme cannot take.
        """
        return self._run(model, lambda scales: False)

    def _run(self, model: Any, enough: Callable[[list[Scale]], bool]) -> TensorResult:
        d = len(getattr(model, "shape", ()))
        if d not in self.axes and d in (2, 3):
            raise RegrainError(
                f"{type(self).__name__} works in {' or '.join(map(str, self.axes))} dimensions, "
                f"the model has {d}; for three take HOTRG"
            )
        order = self.derivatives
        if order is None:
            order = self.most_derivatives if d == 2 else 0
        start = initial_tensor(model, order=order)
        network = normalised(
            [start.tensor] * self.sublattices, start.log_factor, np.eye(d, dtype=np.int64), 0.0
        )
        follow = Follow(start)
        scales = [follow.measure(network)]
        for step in range(1, self.steps + 1):
            try:
                network = self._coarse(network)
                scales.append(follow.measure(network))
            except RegrainError as error:
                raise RegrainError(f"{type(self).__name__}, step {step}: {error}") from error
            if enough(scales):
                break
        return TensorResult(model, self, tuple(scales), tuple(t[0] for t in network.tensors), order)

    def critical(
        self,
        make: Callable[[float], Any],
        *,
        between: tuple[float, float],
        tolerance: float = 1e-6,
    ) -> Estimate:
        """The coupling between two phases, by bisection of where the flow goes.

        A run ends when its ratio X₁ (`Scale`) stays at the number of states that coexist in a
        phase.

        Parameters
        ----------
        make : callable
            The model at a coupling.
        between : tuple of two float
            Couplings in the two phases.
        tolerance : float
            How closely the coupling is wanted.

        Returns
        -------
        Estimate
            The error is half of the last interval, for the bond of this scheme: how far that is
            from the limit of large bonds, only a comparison of bonds says.

        Raises
        ------
        RegrainError
            The ends lie in one phase, or a run has too few steps to decide.

        References
        ----------
        Z.-C. Gu and X.-G. Wen, Phys. Rev. B 80, 155131 (2009).

        Examples
        --------
        >>> import regrain as rg
        >>> found = rg.fits.TRG(bond=8, steps=40).critical(
        ...     lambda k: rg.lattice.Ising((4, 4), couplings={"nn": k}), between=(0.4, 0.5),
        ...     tolerance=1e-4)
        >>> abs(float(found) - 0.4407) < 5e-3
        True
        """
        low, high = map(float, between)
        if not (np.isfinite(low) and np.isfinite(high) and low != high and tolerance > 0.0):
            raise RegrainError(
                f"critical: between is {between!r}, tolerance {tolerance!r}; give two different "
                "couplings and a positive number"
            )
        plain = replace(self, derivatives=0)

        def phase(coupling: float) -> int:
            scales = plain._run(make(coupling), lambda seen: _phase(seen) is not None).scales
            found = _phase(list(scales))
            if found is None:
                raise RegrainError(
                    f"critical: at {coupling:.9g} the flow has not left the transition after "
                    f"{self.steps} steps (X1 = {scales[-1].ratio}); give more steps, or a "
                    f"tolerance of {abs(high - low):.1g}"
                )
            return found

        phases = [phase(low), phase(high)]
        if phases[0] == phases[1]:
            raise RegrainError(
                f"critical: both ends, {low:g} and {high:g}, flow to X1 = {phases[0]}: one phase; "
                "give couplings on both sides of the transition"
            )
        while abs(high - low) > tolerance:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if phase(middle) == phases[0] else (low, middle)
        return Estimate(
            "critical coupling",
            0.5 * (low + high),
            0.5 * abs(high - low),
            method=f"bisection of the flow of {plain!r}",
            cite="Gu and Wen, Phys. Rev. B 80, 155131 (2009)",
            flags=(f"for a bond of {self.bond}",),
        )


def _phase(scales: list[Scale]) -> int | None:
    """How many states coexist, once the flow has come to a phase."""
    last = [scale.ratio or 0.0 for scale in scales[-_STAYS:]]
    states = max(round(last[-1]), 1)
    stays = len(last) == _STAYS and all(abs(ratio - states) < _SETTLED for ratio in last)
    return states if stays else None
