"""The Ising model on the triangular lattice, and the critical point of its dual."""

from __future__ import annotations

from math import cos, cosh, exp, log, pi, sqrt, tanh

from regrain.atlas.integration import integral
from regrain.atlas.known import coupling, exact
from regrain.atlas.universality import IsingPlane

__all__ = ["IsingHoneycomb", "IsingTriangular"]

HOUTAPPEL = "R. M. F. Houtappel, Physica 16, 425 (1950)"
WANNIER = "G. H. Wannier, Phys. Rev. 79, 357 (1950); 7, 5017 (1973)"


class IsingTriangular(IsingPlane):
    """The Ising model on the triangular lattice, weight exp(K Σ s s'), without field.

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.ising_triangular.K_c
    0.274653072167027 = ln(3)/4 (exact) [R. M. F. Houtappel, Physica 16, 425 (1950)]
    """

    __slots__ = ()
    title = "Ising model on the triangular lattice"
    K_c = exact(log(3.0) / 4, HOUTAPPEL, "ln(3)/4")
    T_c = exact(4 / log(3.0), HOUTAPPEL, "4/ln(3)")
    energy_c = exact(-2.0, HOUTAPPEL)
    ground_entropy = exact(0.323065947219450514, WANNIER, "of the antiferromagnet, per spin")

    def free_energy(self, k: float) -> float:
        """Free energy over kT of the infinite lattice, -ln Z per spin; k may be negative.

        Examples
        --------
        >>> from regrain.atlas import ising_triangular
        >>> ising_triangular.free_energy(0.0)  # -ln 2
        -0.693147...
        """
        return -self._integral(coupling(k, "k"))[0]

    def energy(self, k: float) -> float:
        """Mean energy per spin in units of J, -3 in the ground state of the ferromagnet.

        For an antiferromagnet, k < 0, it is in units of the negative J: 1 in its ground state.

        Examples
        --------
        >>> from regrain.atlas import ising_triangular
        >>> round(ising_triangular.energy(ising_triangular.K_c), 6)
        -2.0
        """
        return -self._integral(coupling(k, "k"))[1]

    @staticmethod
    def _integral(k: float) -> tuple[float, float]:
        """ln Z per spin, and its derivative.

        ln Z/N = ln 2 + (1/8π²) ∫∫ ln[c³ + s³ - s (cos a + cos b + cos(a + b))] with c = cosh 2K and
        s = sinh 2K, where one of the integrals is done. All is divided by c³, or below zero, where
        c³ + s³ = c² e^2K (1 - t + t²) is small, by c; t = s/c.
        """
        c = cosh(2 * k)
        t, dt = tanh(2 * k), 2 / c**2
        if k >= 0:
            power, first, dfirst = 3, 1 + t**3, 3 * t**2 * dt
            factor, dfactor = t / c**2, dt / c**2 - 4 * t**2 / c**2
        else:
            cold = exp(4 * k)
            power, first = 1, (1 + cold) / 2 * (1 - t + t**2)
            dfirst = 2 * cold * (1 - t + t**2) + (1 + cold) / 2 * (2 * t - 1) * dt
            factor, dfactor = t, dt

        def parts(a: float) -> tuple[float, float, float, float]:
            """A and B of ln(A + B cos b), and their derivatives."""
            turn, half = cos(a), 2 * cos(a / 2)
            return first - factor * turn, factor * half, dfirst - dfactor * turn, dfactor * half

        def value(a: float) -> float:
            alpha, beta, _, _ = parts(a)
            return log((alpha + sqrt(max(alpha**2 - beta**2, 0.0))) / 2)

        def derivative(a: float) -> float:
            alpha, beta, da, db = parts(a)
            root = sqrt(max(alpha**2 - beta**2, 0.0))
            if root == 0.0:
                return da / alpha
            return (da + (alpha * da - beta * db) / root) / (alpha + root)

        edges = (0.0, 1e-3, 0.1, pi) if k >= 0 else (0.0, pi / 2, 2 * pi / 3, pi)
        return (
            log(2.0) + 0.5 * power * log(c) + integral(value, *edges) / (2 * pi),
            power * t + integral(derivative, *edges) / (2 * pi),
        )


class IsingHoneycomb(IsingPlane):
    """The Ising model on the honeycomb lattice.

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.ising_honeycomb.K_c
    0.658478948462408 = ln(2 + √3)/2 (exact) [R. M. F. Houtappel, Physica 16, 425 (1950)]
    """

    __slots__ = ()
    title = "Ising model on the honeycomb lattice"
    K_c = exact(log(2 + sqrt(3.0)) / 2, HOUTAPPEL, "ln(2 + √3)/2")
    T_c = exact(2 / log(2 + sqrt(3.0)), HOUTAPPEL, "2/ln(2 + √3)")
    energy_c = exact(-2 / sqrt(3.0), HOUTAPPEL, "-2/√3")
