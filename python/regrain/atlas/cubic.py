"""Models on the simple cubic lattice: simulations and the conformal bootstrap."""

from __future__ import annotations

from regrain.atlas.known import Known, published
from regrain.atlas.universality import Bootstrapped

__all__ = ["HeisenbergCubic", "IsingCubic", "XYCubic"]

FERRENBERG = "A. M. Ferrenberg, J. Xu and D. P. Landau, Phys. Rev. E 97, 043301 (2018)"
KOS = "F. Kos, D. Poland, D. Simmons-Duffin and A. Vichi, JHEP 08, 036 (2016)"
SIMMONS = "D. Simmons-Duffin, JHEP 03, 086 (2017)"
CHESTER = "S. M. Chester et al., JHEP 06, 142 (2020)"
CHESTER_3 = "S. M. Chester et al., Phys. Rev. D 104, 105013 (2021)"
CAMPOSTRINI = "M. Campostrini et al., Phys. Rev. B 74, 144506 (2006)"
DENG = "Y. Deng, H. W. J. Blöte and M. P. Nightingale, Phys. Rev. E 72, 016128 (2005)"


def _inverse(k: Known) -> Known:
    return Known(1 / k, error=k.error / float(k) ** 2, formula="1/K_c", source=k.source)


class IsingCubic(Bootstrapped):
    """The Ising model on the simple cubic lattice, weight exp(K Σ s s').

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.ising_cubic.y_h
    2.481851(1) = 3 - x_sigma [F. Kos, ...]
    """

    __slots__ = ()
    title = "Ising model on the simple cubic lattice"
    K_c = published("0.221654626(5)", FERRENBERG)
    T_c = _inverse(K_c)
    x_sigma = published("0.5181489(10)", KOS)
    x_epsilon = published("1.412625(10)", KOS)
    omega = published("0.82968(23)", SIMMONS, "of the leading correction")


class XYCubic(Bootstrapped):
    """Plane rotors on the simple cubic lattice, weight exp(K Σ cos(θ - θ')).

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.xy_cubic.nu
    0.671754(99) = 1/(3 - x_epsilon) [S. M. Chester et al., JHEP 06, 142 (2020)]
    """

    __slots__ = ()
    title = "XY model on the simple cubic lattice"
    K_c = published("0.4541652(11)", CAMPOSTRINI)
    T_c = _inverse(K_c)
    x_sigma = published("0.519088(22)", CHESTER)
    x_epsilon = published("1.51136(22)", CHESTER)


class HeisenbergCubic(Bootstrapped):
    """Spins on a sphere, on the simple cubic lattice, weight exp(K Σ s·s').

    Examples
    --------
    >>> import regrain as rg
    >>> rg.atlas.heisenberg_cubic.eta
    0.0379(1) = 2 x_sigma - 1 [S. M. Chester et al., Phys. Rev. D 104, 105013 (2021)]
    """

    __slots__ = ()
    title = "Heisenberg model on the simple cubic lattice"
    K_c = published("0.693003(2)", DENG)
    T_c = _inverse(K_c)
    x_sigma = published("0.518942(51)", CHESTER_3)
    x_epsilon = published("1.59489(59)", CHESTER_3)
