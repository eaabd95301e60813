"""Niemeijer and van Leeuwen's cumulant expansion for cells of the triangular lattice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.renormalization.chart import Chart
from regrain.fits.renormalization.flow import Flow
from regrain.fits.renormalization.result import Renormalized, given, stepped
from regrain.lattice import Geometry, LatticeModel
from regrain.lattice.geometry import shell
from regrain.observables import Estimate

__all__ = ["Cumulant"]

Floats = NDArray[np.float64]
Site = tuple[int, int]

#: The sites of a cell, and the vectors from cell to cell, along the axes of the lattice; cells
#: form a triangular lattice with the same convention for its axes.
CELL: tuple[Site, ...] = ((0, 0), (1, 0), (1, 1))
STEPS: tuple[Site, Site] = ((2, 1), (-1, 1))
SHELLS = ("nn", "nnn", "third")


@dataclass(frozen=True, kw_only=True)
class Cumulant:
    """The cumulant expansion of Niemeijer and van Leeuwen: triangles of the triangular lattice.

    A cell of three spins gets the sign of their majority. Bonds within cells are summed exactly
    for given signs, those between cells by cumulants: to first order the coupling between nearest
    neighbours alone is kept, to second order those of second and third neighbours, which are of
    second order themselves, too. A field is taken to first order in its strength.

    Parameters
    ----------
    order : {1, 2}

    Raises
    ------
    RegrainError
        Another order; on calling, another model or lattice, or other couplings.

    Loses / Assumes
    ---------------
    The expansion is not controlled by a small parameter. On a lattice with K_c = 0.2747 and ν = 1
    first order gives K* = 0.3356 and ν = 1.133, second order a critical coupling of 0.2575 and
    ν = 0.959. (The paper has λ = 1.7835 and ν = 0.950 at the same fixed point: so it is if the
    derivative of the coefficient of "third" in the recursion of "nnn" is left out.) What the block
    spins lose is not known: ``lost["closure"]`` is undefined.

    References
    ----------
    Th. Niemeijer and J. M. J. van Leeuwen, Phys. Rev. Lett. 31, 1411 (1973); Physica 71, 17 (1974).

    Examples
    --------
    >>> import regrain as rg
    >>> flow = rg.fits.Cumulant(order=2).flow()
    >>> point = flow.fixed_points().critical
    >>> {name: round(k, 4) for name, k in point.couplings.items()}
    {'nn': 0.2789, 'nnn': -0.0142, 'third': -0.0152}
    """

    order: int = 1

    def __post_init__(self) -> None:
        if self.order not in (1, 2):
            raise RegrainError(f"Cumulant: order is {self.order}; give 1 or 2")

    @property
    def _kept(self) -> tuple[str, ...]:
        return SHELLS[: 1 if self.order == 1 else 3]

    def flow(self, *, field: bool = False) -> Flow:
        """The flow of the couplings that this order keeps.

        Parameters
        ----------
        field : bool
            Whether there is a field, too.

        Examples
        --------
        >>> import regrain as rg
        >>> point = rg.fits.Cumulant(order=1).flow(field=True).linearised({"nn": 0.3356})
        >>> [round(float(y), 3) for y in point.exponents]
        [1.369, 0.882]
        """
        names = (*self._kept, "field") if field else self._kept
        first = self.order == 1

        def step(k: Floats) -> Floats:
            return _step(k if field else np.append(k, 0.0), self.order)[: len(names)]

        return Flow(
            step,
            names=names,
            b=sqrt(3.0),
            bounds={
                "nn": (0.0, 1.0),
                "nnn": (-0.3, 0.3),
                "third": (-0.3, 0.3),
                "field": (-0.5, 0.5),
            },
            charts={"nn": Chart.inverse()} if first else {},
            constant=lambda k: _constant(float(k[0]), self.order),
            dimension=2.0,
            title=f"cumulants of order {self.order} on the triangular lattice",
        )

    def __call__(self, model: LatticeModel) -> Renormalized:
        """Block a model.

        Parameters
        ----------
        model : Ising
            On a periodic triangular lattice, with the couplings that this order keeps.

        Raises
        ------
        RegrainError
            Another model or lattice, or other couplings.
        """
        before = given(
            f"Cumulant(order={self.order})",
            model,
            kinds={"Ising": (*self._kept, "field")},
            lattices=("triangular",),
        )
        flow = self.flow(field="field" in before)
        reason = "what the signs of the cells do is known to this order only"
        return stepped(
            model,
            flow,
            before,
            lost={"closure": Estimate.undefined("closure", reason)},
            make=lambda couplings: _thinned(model, couplings),
        )


def _thinned(model: LatticeModel, couplings: dict[str, float]) -> LatticeModel:
    """A third of the spins; the lattice turns by 30 degrees, so its longer side becomes shorter.

    Of two steps, which turn it back, every side is a third, as it should be.
    """
    if any(length % 3 for length in model.shape):
        raise RegrainError(
            f"cells of three spins do not tile a lattice of {model.shape}: there is no coarse "
            "lattice; take sides that 3 divides, or use the couplings and the flow alone"
        )
    rows, columns = model.shape
    shape = (rows // 3, columns) if rows > columns else (rows, columns // 3)
    return model.replace(shape=shape, couplings=couplings)


# ---------------------------------------------------------------------- cells and their bonds


@cache
def _between() -> dict[Site, dict[str, tuple[tuple[int, int], ...]]]:
    """Bonds between the cell at the origin and others: by cell, by shell, sites of both cells."""
    geometry = Geometry((16, 16), "triangular")
    ends: dict[Site, str] = {}
    for order, name in enumerate(SHELLS, start=1):
        for one, two in shell(order, geometry.name, 2):
            away = (two[0] - one[0], two[1] - one[1])
            ends[away] = ends[(-away[0], -away[1])] = name
    found: dict[Site, dict[str, list[tuple[int, int]]]] = {}
    for a, site in enumerate(CELL):
        for away, name in ends.items():
            cell, c = _cell_of((site[0] + away[0], site[1] + away[1]))
            found.setdefault(cell, {}).setdefault(name, []).append((a, c))
    return {
        cell: {name: tuple(bonds) for name, bonds in kinds.items()} for cell, kinds in found.items()
    }


def _cell_of(site: Site) -> tuple[Site, int]:
    """To which cell a site belongs, in steps, and which of its sites it is."""
    (a, b), (c, d) = STEPS
    determinant = a * d - b * c
    for k, place in enumerate(CELL):
        x, y = site[0] - place[0], site[1] - place[1]
        i, j = x * d - y * c, y * a - x * b
        if i % determinant == 0 and j % determinant == 0:
            return (i // determinant, j // determinant), k
    raise AssertionError("cells tile the lattice")


def _within() -> tuple[tuple[int, int], ...]:
    """Bonds of nearest neighbours within a cell, each once."""
    return tuple((a, c) for a, c in _between()[(0, 0)]["nn"] if a < c)


@cache
def _targets() -> dict[str, Site]:
    """One cell of each shell of cells around the one at the origin."""
    found = {}
    for order, name in enumerate(SHELLS, start=1):
        one, two = shell(order, "triangular", 2)[0]
        found[name] = (two[0] - one[0], two[1] - one[1])
    return found


@cache
def _majorities() -> tuple[Floats, Floats]:
    """Configurations of a cell whose majority is up, and the sums of their bonds."""
    spins = np.array(list(product([-1.0, 1.0], repeat=len(CELL))))
    spins = spins[spins.sum(axis=1) > 0]
    return spins, np.sum([spins[:, a] * spins[:, c] for a, c in _within()], axis=0)


def _averages(k: float) -> tuple[float, Floats, Floats]:
    """ln Z of a cell whose majority is up, means of its spins and of their products."""
    spins, bonds = _majorities()
    energy = k * bonds
    top = float(energy.max())
    weight = np.exp(energy - top)
    z = float(weight.sum())
    return float(np.log(z)) + top, weight @ spins / z, (spins.T * weight) @ spins / z


@cache
def _counts(target: Site, kind: str) -> Floats:
    """Bonds between the cell at the origin and another, by the sites of both, shape (3, 3)."""
    found = np.zeros((len(CELL), len(CELL)))
    for a, c in _between().get(target, {}).get(kind, ()):
        found[a, c] += 1
    return found


@cache
def _chains(target: Site) -> Floats:
    """Chains of two bonds of nearest neighbours from the origin to another cell by a third one.

    By the site that is left, both sites in the third cell, and the site that is reached.
    """
    total = np.zeros((len(CELL),) * 4)
    for middle in _between():
        if middle not in ((0, 0), target):
            rest = (target[0] - middle[0], target[1] - middle[1])
            total += np.einsum("ac,de->acde", _counts(middle, "nn"), _counts(rest, "nn"))
    return total


@cache
def _neighbours() -> Floats:
    """Bonds from the sites of a cell to any other cell, by the sites of both, shape (3, 3)."""
    found = np.zeros((len(CELL), len(CELL)))
    for cell in _between():
        if cell != (0, 0):
            found += _counts(cell, "nn")
    return found


@cache
def _tensors(count: int) -> tuple[Floats, Floats]:
    """Bonds and chains to one cell of each shell: (shell, kind, 3, 3) and (shell, 3, 3, 3, 3)."""
    names = SHELLS[:count]
    cells = [_targets()[name] for name in names]
    bonds = np.array([[_counts(cell, kind) for kind in names] for cell in cells])
    return bonds, np.array([_chains(cell) for cell in cells])


def _step(couplings: Floats, order: int) -> Floats:
    """Cumulants up to an order, for one pair of cells of every shell, and for the field."""
    k = couplings[:-1]
    bonds, chains = _tensors(len(k))
    _, mean, products = _averages(float(k[0]))
    after = bonds @ mean @ mean @ k
    field = float(mean.sum())
    if order == 2:
        spread = products - np.outer(mean, mean)
        through = np.tensordot(chains @ mean, spread, axes=2) @ mean
        after = after + k[0] ** 2 * through
        # <V; h Σ s>: a spin of a cell answers to the field, its partner is in another cell.
        field += float(k[0]) * float(spread.sum(axis=1) @ _neighbours() @ mean)
    return np.append(after, field * couplings[-1])


def _constant(k: float, order: int) -> float:
    """ln Z per fine site that a step takes out."""
    log_z, mean, products = _averages(k)
    total = log_z
    if order == 2:
        for cell in _between():
            # Half for pairs of cells that are met twice, half of the second cumulant.
            bonds = _counts(cell, "nn") if cell != (0, 0) else np.zeros((len(CELL), len(CELL)))
            both = np.einsum("ac,xy,ax,cy", bonds, bonds, products, products)
            total += 0.25 * k**2 * float(both - (mean @ bonds @ mean) ** 2)
    return total / len(CELL)
