"""Other models on the square lattice: rotors, clocks, spins that may be empty."""

from __future__ import annotations

from math import log1p, pi, sqrt

from regrain.atlas.known import Known, System, exact, published
from regrain.atlas.universality import BPZ
from regrain.errors import RegrainError

__all__ = ["BlumeCapelSquare", "ClockSquare", "XYSquare", "clock_square"]

KOSTERLITZ = "J. M. Kosterlitz, J. Phys. C 7, 1046 (1974)"
NELSON = "D. R. Nelson and J. M. Kosterlitz, Phys. Rev. Lett. 39, 1201 (1977)"
HASENBUSCH = "M. Hasenbusch, J. Phys. A 38, 5869 (2005)"
KWAK = "W. Kwak, J. Jeong, J. Lee and D.-H. Kim, Phys. Rev. E 92, 022134 (2015)"
SUZUKI = "M. Suzuki, Prog. Theor. Phys. 37, 770 (1967)"
POTTS = "R. B. Potts, Proc. Camb. Phil. Soc. 48, 106 (1952)"


class XYSquare(System):
    """Plane rotors on the square lattice, weight exp(K Σ cos(θ - θ')).

    The correlation length diverges as exp(b/√t), not as a power: there is no ν.

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.xy_square.K_c
    1.1199(1) [M. Hasenbusch, J. Phys. A 38, 5869 (2005)]
    """

    __slots__ = ()
    title = "XY model on the square lattice"
    K_c = published("1.1199(1)", HASENBUSCH)
    T_c = Known(1 / 1.1199, error=1e-4 / 1.1199**2, formula="1/K_c", source=HASENBUSCH)
    eta = exact(1 / 4, KOSTERLITZ, "1/4")
    delta = exact(15.0, KOSTERLITZ)
    stiffness_c = exact(2 / pi, NELSON, "2/π, of the stiffness over kT, just below T_c")
    central_charge = exact(1.0, BPZ)


class BlumeCapelSquare(System):
    """The tricritical point of spins -1, 0, 1 with energy -J Σ s s' + D Σ s² on the square lattice.

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.blume_capel_square.y_t.formula
    '9/5'
    """

    __slots__ = ()
    title = "Blume-Capel model on the square lattice, tricritical point"
    T_t = published("0.6080(1)", KWAK)
    D_t = published("1.9660(1)", KWAK)
    nu = exact(5 / 9, BPZ, "5/9")
    eta = exact(3 / 20, BPZ, "3/20")
    y_t = exact(9 / 5, BPZ, "9/5")
    y_h = exact(77 / 40, BPZ, "77/40")
    central_charge = exact(7 / 10, BPZ, "7/10")
    x_sigma = exact(3 / 40, BPZ, "3/40")
    x_epsilon = exact(1 / 5, BPZ, "1/5")


class ClockSquare(System):
    """Clocks of q hands on the square lattice, weight exp(K Σ cos(θ - θ')), for q = 2, 3 and 4.

    With 2 it is the Ising model, with 3 the Potts model, with 4 two Ising models of half the
    coupling. Beyond, there are two transitions, of which no exact temperature is known.

    Raises
    ------
    RegrainError
        Another q.

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.clock_square(4).K_c
    0.881373587019543 = ln(1 + √2) (exact) [M. Suzuki, Prog. Theor. Phys. 37, 770 (1967)]
    """

    __slots__ = ("K_c", "q")
    q: int
    K_c: Known

    def __init__(self, q: int) -> None:
        if q not in (2, 3, 4):
            raise RegrainError(
                f"q is {q}; the transition of clocks is known exactly for 2, 3 and 4 hands"
            )
        value, formula, source = {
            2: (log1p(sqrt(2)) / 2, "ln(1 + √2)/2", POTTS),
            3: (2 / 3 * log1p(sqrt(3)), "2/3 ln(1 + √3)", POTTS),
            4: (log1p(sqrt(2)), "ln(1 + √2)", SUZUKI),
        }[q]
        object.__setattr__(self, "q", int(q))
        object.__setattr__(self, "K_c", exact(value, source, formula))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"the atlas does not change; {name} cannot be set")

    def __reduce__(self) -> tuple[object, ...]:
        return clock_square, (self.q,)

    @property
    def title(self) -> str:  # type: ignore[override]
        """What it is."""
        return f"{self.q}-state clock model on the square lattice"


def clock_square(q: int) -> ClockSquare:
    """The clock model of q hands on the square lattice, for q = 2, 3 and 4.

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.clock_square(3).K_c.formula
    '2/3 ln(1 + √3)'
    """
    return ClockSquare(q)
