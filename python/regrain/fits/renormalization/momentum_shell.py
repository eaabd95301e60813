"""The momentum-shell flow of φ⁴ near four dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from math import e, pi

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.renormalization.flow import Flow

__all__ = ["MomentumShell"]

Floats = NDArray[np.float64]

#: Area of the unit sphere in four dimensions over (2π)^4.
SHELL = 1 / (8 * pi**2)


@dataclass(frozen=True, kw_only=True)
class MomentumShell:
    """Wilson's flow of φ⁴ theory with O(n) symmetry in d = 4 - ε, to one loop.

    For the energy ∫ ½(∇φ)² + ½ r φ² + u (φ·φ)² - h·φ with a cutoff of 1, with K = 1/8π²,

        dr/dl = 2r + 4(n + 2) K u (1 - r),   du/dl = εu - 4(n + 8) K u²,   dh/dl = (3 - ε/2) h.

    Exponents are those of the linearised flow: exact to first order in ε, and nothing beyond.

    Parameters
    ----------
    epsilon : float
        4 - d; above 0 the Wilson-Fisher fixed point is at u > 0.
    components : int
        n: 1 Ising, 2 XY, 3 Heisenberg; 0 chains that avoid themselves.

    Raises
    ------
    RegrainError
        ε beyond (-2, 4), or a number of components that is none.

    Loses / Assumes
    ---------------
    One loop: η is of second order in ε and vanishes here, errors of exponents are of order ε²
    (ν of the Ising model in three dimensions: 0.583 for 0.630, where ε is 1). Couplings beyond r, u
    and h are irrelevant near four dimensions and left out.

    References
    ----------
    K. G. Wilson and M. E. Fisher, Phys. Rev. Lett. 28, 240 (1972); K. G. Wilson and J. Kogut, Phys.
    Rep. 12, 75 (1974).

    Examples
    --------
    >>> import regrain as rg
    >>> shell = rg.fits.MomentumShell(epsilon=1.0)
    >>> print(shell.flow())
    φ⁴ with n = 1 in d = 3 (continuous) of r, u, field
    fixed point r = -0.2, u = 2.19325, field = 0
      λ    12.1825  y       2.5  relevant    along field
      λ    5.29449  y   1.66667  relevant    along r
      λ   0.367879  y        -1  irrelevant  along -0.06839 r u
    fixed point r = 0, u = 0, field = 0
      λ    12.1825  y       2.5  relevant    along field
      λ    7.38906  y         2  relevant    along r
      λ    2.71828  y         1  relevant    along -0.152 r u
    >>> shell.exponents()["nu"]  # 1/2 + ε/12
    0.58333...
    """

    epsilon: float = 1.0
    components: float = 1

    def __post_init__(self) -> None:
        if not (np.isfinite(self.epsilon) and -2 < self.epsilon < 4):
            raise RegrainError(
                f"MomentumShell: epsilon is {self.epsilon}; d = 4 - epsilon with -2 < epsilon < 4"
            )
        if not (np.isfinite(self.components) and self.components > -2):
            raise RegrainError(
                f"MomentumShell: components is {self.components}; give how many φ has, such as 1"
            )

    def flow(self) -> Flow:
        """The flow of r, u and the field.

        Examples
        --------
        >>> import regrain as rg
        >>> flow = rg.fits.MomentumShell(epsilon=0.5, components=3).flow()
        >>> flow.jacobian([0.0, 0.0, 0.0]).diagonal().tolist()
        [2.0, 0.5, 2.75]
        """
        n, eps = float(self.components), float(self.epsilon)
        shift, decay = 4 * (n + 2) * SHELL, 4 * (n + 8) * SHELL

        def rate(k: Floats) -> Floats:
            r, u, h = k
            return np.array(
                [2 * r + shift * u * (1 - r), eps * u - decay * u**2, (3 - eps / 2) * h]
            )

        def derivative(k: Floats) -> Floats:
            r, u, _ = k
            return np.array(
                [
                    [2 - shift * u, shift * (1 - r), 0.0],
                    [0.0, eps - 2 * decay * u, 0.0],
                    [0.0, 0.0, 3 - eps / 2],
                ]
            )

        size = 3 * abs(eps) / decay + 1.0
        return Flow(
            rate,
            names=("r", "u", "field"),
            b=e,
            bounds={
                "r": (-2.0, 2.0),
                "u": (min(0.0, -size * (eps < 0)), size),
                "field": (-1.0, 1.0),
            },
            continuous=True,
            derivative=derivative,
            dimension=4 - eps,
            title=f"φ⁴ with n = {n:g} in d = {4 - eps:g}",
        )

    @property
    def wilson_fisher(self) -> dict[str, float]:
        """The fixed point with u = ε / (4(n + 8)K), in closed form.

        Examples
        --------
        >>> import regrain as rg
        >>> rg.fits.MomentumShell(epsilon=1.0).wilson_fisher["u"]  # 2π²/9
        2.19324...
        """
        n, eps = float(self.components), float(self.epsilon)
        u = eps / (4 * (n + 8) * SHELL)
        part = (n + 2) / (n + 8) * eps  # 4(n + 2)Ku
        return {"r": -part / (2 - part), "u": u, "field": 0.0}

    def exponents(self, *, at: str = "wilson-fisher") -> dict[str, float]:
        """Exponents of a fixed point, expanded to first order in ε.

        Beside the η = 0 of this order ``"eta_2"`` is that of two loops, (n + 2) ε² / (2 (n + 8)²).

        Parameters
        ----------
        at : {"wilson-fisher", "gaussian"}

        Raises
        ------
        RegrainError
            Another fixed point.

        Examples
        --------
        >>> import regrain as rg
        >>> found = rg.fits.MomentumShell(epsilon=0.1).exponents()
        >>> round(found["y_t"], 6), round(found["omega"], 6)
        (1.966667, 0.1)
        """
        if at not in ("wilson-fisher", "gaussian"):
            raise RegrainError(f"MomentumShell: at is {at!r}; give 'wilson-fisher' or 'gaussian'")
        n, eps = float(self.components), float(self.epsilon)
        if at == "gaussian":
            return {
                **{"y_t": 2.0, "y_h": 3 - eps / 2, "omega": -eps, "nu": 0.5, "eta": 0.0},
                **{"alpha": eps / 2, "beta": 0.5 - eps / 4, "gamma": 1.0, "delta": 3 + eps},
                "eta_2": 0.0,
            }
        part = (n + 2) / (n + 8) * eps
        return {
            "y_t": 2 - part,
            "y_h": 3 - eps / 2,
            "omega": eps,
            "nu": 0.5 + part / 4,
            "eta": 0.0,
            "alpha": eps / 2 - part,
            "beta": 0.5 - 1.5 * eps / (n + 8),
            "gamma": 1 + part / 2,
            "delta": 3 + eps,
            "eta_2": (n + 2) * eps**2 / (2 * (n + 8) ** 2),
        }
