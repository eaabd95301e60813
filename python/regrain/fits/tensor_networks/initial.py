"""The first tensor of a network: the weight of a lattice model as a product over sites or cells."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product as choices
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.tensor_networks.jets import TERMS, dot, product
from regrain.fits.tensor_networks.subspace import halves
from regrain.lattice import LatticeModel, Term
from regrain.lattice.geometry import orbit

__all__ = ["Part", "Start", "initial_tensor", "parts"]

Floats = NDArray[np.float64]
Sites = tuple[tuple[int, ...], ...]

#: Lattices, by how many axes a tensor has.
LATTICES = {2: ("square", "triangular"), 3: ("cubic",)}
#: Angles that stand for all angles: the trapezoidal rule is exact for so many modes.
ANGLES = 64
#: The most that one site may add to the exponent of the weight.
_LARGEST = 1e9
#: The most states of a pair of sites that a tensor of cells may have on a bond.
WIDEST = 64


@dataclass(frozen=True)
class Part:
    """What some sites add to the logarithm of the weight, wherever they lie.

    Attributes
    ----------
    sites : tuple of tuple of int
        Each once, relative to each other.
    energy : numpy.ndarray, shape (q,) * len(sites)
        The reduced coupling times what it multiplies.
    field : numpy.ndarray, same shape
        What a unit of the field adds.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.fits.tensor_networks.initial import parts
    >>> parts(rg.lattice.Ising((4, 4), couplings={"nn": 0.5}))[0].energy.tolist()
    [[0.5, -0.5], [-0.5, 0.5]]
    """

    sites: Sites
    energy: Floats
    field: Floats


@dataclass(frozen=True)
class Start:
    """The tensor of one site, and what is known of its lattice.

    Attributes
    ----------
    tensor : numpy.ndarray, shape (terms, *legs)
        A jet; legs towards lower neighbours along each axis, then towards upper ones.
    log_factor : numpy.ndarray, shape (terms,)
        What it has to be multiplied by, as a logarithm.
    angle : float or None
        Between the axes of the lattice (radians); None where the shape of the lattice is not known
        for which long distances are isotropic.
    stretched : bool
        Whether lengths along the axes are not alike in that shape, and by how much is not known.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.fits.tensor_networks.initial import initial_tensor
    >>> initial_tensor(rg.lattice.Ising((4, 4), couplings={"nn": 0.5}), order=0).tensor.shape
    (1, 2, 2, 2, 2)
    """

    tensor: Floats
    log_factor: Floats
    angle: float | None
    stretched: bool


def parts(model: Any) -> list[Part]:
    """The couplings of a model, one part per cluster and its translations, and a field.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.fits.tensor_networks.initial import parts
    >>> [part.sites for part in parts(rg.lattice.Ising((4, 4), couplings={"nn": 0.5}))]
    [((0, 0), (0, 1)), ((0, 0), (1, 0)), ((0, 0),)]
    """
    geometry = model.geometry
    values = model.site_values
    if values is None:
        values = 2.0 * np.pi * np.arange(ANGLES) / ANGLES
    values = np.asarray(values)
    found = [
        Part(sites, table, np.zeros_like(table))
        for term in model.terms
        for cluster in term.clusters
        for sites, table in [_table(model, term, cluster, values)]
    ]
    origin = ((0,) * geometry.dimension,)
    _, field = _table(model, Term("field", 1.0, (origin,), False), origin, values)
    return [*found, Part(origin, np.zeros(len(values)), field)]


def _table(model: Any, term: Term, cluster: Sites, values: Floats) -> tuple[Sites, Floats]:
    """The sites of a cluster, each once, and its energy for all their values."""
    sites = tuple(sorted(set(cluster)))
    grid = np.stack(np.meshgrid(*[values] * len(sites), indexing="ij"))
    inserted = grid[[sites.index(site) for site in cluster]]
    return sites, term.strength * np.asarray(model.cluster_values(inserted), dtype=float)


def initial_tensor(model: Any, *, order: int) -> Start:
    """The tensor of one site of a periodic lattice.

    Pairs of nearest neighbours along the axes are divided between their sites by the singular
    vectors of their weight: a bond has as many values as a spin. In two dimensions couplings of
    sites of one cell (next-nearest neighbours, plaquettes, the third direction of a triangular
    lattice) make a tensor of each cell, with the spins of its sides on the bonds.

    Parameters
    ----------
    model : LatticeModel
    order : int
        Highest derivative, 0 to 2.

    Raises
    ------
    RegrainError
        Open boundaries, another lattice, couplings that reach further.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.fits.tensor_networks.initial import initial_tensor
    >>> model = rg.lattice.Ising((4, 4), couplings={"nn": 0.3, "plaquette": 0.1})
    >>> initial_tensor(model, order=2).tensor.shape
    (5, 4, 4, 4, 4)
    """
    _check_model(model)
    found = parts(model)
    d, triangular = model.geometry.dimension, model.geometry.name == "triangular"
    far = [part for part in found if len(part.sites) > 1 and not _neighbours(part.sites)]
    make = _of_cells if far else _of_sites
    tensor, factor = make(_checked(model, found, far), d, order)
    if model.site_values is None:
        factor[0] += np.log(2.0 * np.pi / ANGLES)
    alike = all(set(term.clusters) == set(_orbit(model, term)) for term in model.terms)
    angle = np.pi / (1.5 if triangular else 2.0) if alike or not far else None
    return Start(tensor, factor, angle, not alike)


def _orbit(model: Any, term: Term) -> tuple[Sites, ...]:
    return tuple(cluster for one in term.clusters for cluster in orbit(one, model.geometry.name))


def _neighbours(sites: Sites) -> bool:
    """Whether these are two sites next to each other along an axis."""
    return len(sites) == 2 and sum(abs(a - b) for a, b in zip(*sites, strict=True)) == 1


def _check_model(model: Any) -> None:
    if not isinstance(model, LatticeModel):
        raise RegrainError(
            f"tensor networks are made of a lattice model, got {model!r}; give one such as "
            'regrain.lattice.Ising((64, 64), couplings={"nn": 0.44})'
        )
    geometry = model.geometry
    known = LATTICES.get(geometry.dimension, ())
    if geometry.name not in known:
        names = ", ".join(name for group in LATTICES.values() for name in group)
        raise RegrainError(
            f"the lattice is {geometry.name!r}, of {geometry.dimension} axes; tensor networks are "
            f"made of {names} ones (a chain is one matrix: its largest eigenvalue is the answer)"
        )
    if not all(geometry.axes):
        raise RegrainError(
            "the lattice has open ends; a network that is coarse-grained tensor by tensor has the "
            "same tensor everywhere, so give periodic=True"
        )


def _checked(model: Any, found: list[Part], far: list[Part]) -> list[Part]:
    """The parts, if this many sites and states can be a tensor."""
    geometry = model.geometry
    for part in far:
        reach = [max(axis) for axis in zip(*part.sites, strict=True)]
        if geometry.dimension > 2 or max(reach) > 1:
            can = "single sites and nearest neighbours"
            if geometry.dimension == 2:
                can += ", and whatever fits into one cell of 2 x 2 sites"
            raise RegrainError(
                f"a coupling of the sites {part.sites} does not fit into a tensor of the "
                f"{geometry.name} lattice; supported are {can}"
            )
    if far and len(found[0].energy) ** 2 > WIDEST:
        raise RegrainError(
            f"couplings beyond nearest neighbours along the axes put pairs of spins on a bond, "
            f"here {len(found[0].energy) ** 2} values of them; at most {WIDEST} are supported, as "
            "for q = 8 states"
        )
    return found


# ------------------------------------------------------------------ tensors of sites


def _of_sites(found: list[Part], d: int, order: int) -> tuple[Floats, Floats]:
    q = len(found[0].energy)
    sites = [part for part in found if len(part.sites) == 1]
    weight, factor = _weights(
        sum((part.energy for part in sites), np.zeros(q)), sites[-1].field, order
    )
    legs: list[tuple[Floats, Floats]] = []
    for axis in range(d):
        bond = np.zeros((q, q))
        for part in found:
            if len(part.sites) == 2 and part.sites[1][axis] == 1:
                bond = bond + part.energy
        matrix, more = _weights(bond, np.zeros((q, q)), order)
        factor = factor + more
        ours, theirs, _ = halves(matrix, q)
        legs.append((ours, theirs.transpose(0, 2, 1)))
    lower: Floats = np.ones((1, q, 1))
    upper = weight[:, :, None]
    for ours, theirs in legs:
        lower, upper = _joined(lower, theirs), _joined(upper, ours)
    tensor = dot(lower, upper, ([0], [0]))
    sizes = [theirs.shape[-1] for _, theirs in legs]
    return tensor.reshape(len(tensor), *sizes, *sizes), factor


def _joined(a: Floats, b: Floats) -> Floats:
    """Two factors that share a spin, their legs beside each other: (terms, q, legs)."""
    return product(lambda x, y: (x[:, :, None] * y[:, None, :]).reshape(len(x), -1), a, b)


def _weights(energy: Floats, field: Floats, order: int) -> tuple[Floats, Floats]:
    """exp((1 + a) energy + b field) as a jet, without a factor that is given as a logarithm."""
    top, size = float(np.max(energy)), float(np.max(np.abs(energy)))
    if not size < _LARGEST:
        raise RegrainError(
            f"couplings give energies of {size:.3g} per site, beyond {_LARGEST:g}, where doubles "
            "hold nothing but ground states; give smaller ones"
        )
    below = energy - top
    one = np.exp(below)
    terms = [one, below * one, field * one, 0.5 * below**2 * one, 0.5 * field**2 * one]
    factor = np.zeros(TERMS[order])
    factor[: min(2, TERMS[order])] = top
    return np.stack(terms[: TERMS[order]]), factor


# ------------------------------------------------------------------ tensors of cells


def _of_cells(found: list[Part], d: int, order: int) -> tuple[Floats, Floats]:
    del d
    q = len(found[0].energy)
    energy, field = np.zeros((q,) * 4), np.zeros((q,) * 4)
    for part in found:
        room = [range(2 - max(site[axis] for site in part.sites)) for axis in range(2)]
        places = list(choices(*room))
        for move in places:
            corners = [2 * (x + move[0]) + y + move[1] for x, y in part.sites]
            shape = [q if corner in corners else 1 for corner in range(4)]
            energy = energy + part.energy.reshape(shape) / len(places)
            field = field + part.field.reshape(shape) / len(places)
    cells, factor = _weights(energy, field, order)
    terms = len(cells)
    tensor = np.zeros((terms, *(q,) * 8))
    a, b, c, e = np.indices((q,) * 4).reshape(4, -1)  # corners (0,0), (0,1), (1,0), (1,1)
    tensor[:, a, b, a, c, c, e, b, e] = cells.reshape(terms, -1)
    return tensor.reshape(terms, *(q * q,) * 4), factor
