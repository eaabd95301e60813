"""How charges act: all their images, or those within a cutoff and a medium beyond it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.parameters import Law
from regrain.particles.state import Particles, Topology
from regrain.units import Units

__all__ = ["Coulomb", "Ewald", "ReactionField"]


class Coulomb(Law):
    """How the charges of a topology act: `Ewald` or `ReactionField`.

    Examples
    --------
    >>> from regrain.particles.charges import Coulomb, Ewald
    >>> isinstance(Ewald(cutoff=1.0), Coulomb)
    True
    """

    kind: ClassVar[str] = "charge"
    cutoff: float
    dielectric: float

    def _check(self) -> None:
        self._positive("cutoff", "dielectric")

    def scaled(self, factor: float) -> Self:
        """The same with all energies times a factor: in a medium of another permittivity.

        Examples
        --------
        >>> from regrain.particles import ReactionField
        >>> ReactionField(cutoff=1.2, permittivity=60.0, dielectric=15.0).scaled(1.5)
        ReactionField(cutoff=1.2, permittivity=40.0, dielectric=10.0)
        """
        names = {field.name for field in fields(self)} & {"dielectric", "permittivity"}  # type: ignore[arg-type]
        changed: Any = {name: getattr(self, name) / factor for name in names}
        return replace(self, **changed)  # type: ignore[type-var]

    def attach(self, field: Any, topology: Topology, units: Units) -> None:
        """Give the force field of the core the charges of a topology."""
        if not topology.charges.any():
            warnings.warn(
                f"{self!r} has nothing to do: no particle has a charge; give the topology charges",
                UserWarning,
                stacklevel=2,
            )
        field.set_charges(
            method=self._engine(),
            values=topology.charges,
            factor=units.coulomb / self.dielectric,
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Ewald(Coulomb):
    """All periodic images of all charges, by Ewald's sum, with conducting surroundings (tinfoil).

    The sum over images within the cutoff is done in space, the rest over wave vectors, one by one
    or on a mesh; how far these go and how fine it is follows from cutoff and accuracy, in a box of
    any shape.

    Parameters
    ----------
    cutoff : float
        Of the sum in space: a matter of speed only. A longer one needs fewer wave vectors or points
        of the mesh; see ``resolution`` for how many.
    accuracy : float
        Root mean square error of the forces, relative to the force between two charges of mean
        square size at the mean distance of charges: q² f (N/V)^(2/3).
    dielectric : float
        Divides all energies of charges: a uniform medium between the particles (15 in the MARTINI
        model).
    background : bool
        Allow a total charge that is not zero, together with a uniform charge that makes the system
        neutral. Its energy depends on the volume, and so does the pressure.
    mesh : bool, optional
        Whether the rest is summed on a mesh (smooth particle-mesh Ewald: cost N log N) or wave by
        wave (N^(3/2) at the best cutoff). By default what costs less.

    Raises
    ------
    RegrainError
        A cutoff, accuracy or permittivity that is none; in use, a total charge without background.

    Loses / Assumes
    ---------------
    The system is an infinite crystal of boxes, in a conductor: no surface term. Pairs that bonds
    exclude do not feel each other in their nearest images, but do in all others.

    Forces on a mesh are the exact gradient of its energy, but their sum, as large as their errors,
    would push the whole: it is taken out, from each particle by its mass, which changes no energy
    as long as the whole is at rest. When a barostat or a flow changes the box, order and mesh
    change with it, and energies jump by as much as the accuracy allows.

    Notes
    -----
    Errors are those of Kolafa and Perram, Mol. Simul. 9, 351 (1992), and of a mesh those of splines
    for charges at random places (Ballenegger, Cerdà and Holm, J. Chem. Theory Comput. 8, 936
    (2012)); half of the accuracy for each of the two sums. The mesh is that of Essmann, Perera,
    Berkowitz, Darden, Lee and Pedersen, J. Chem. Phys. 103, 8577 (1995), with splines of order 4 to
    8.

    Examples
    --------
    Rock salt: the energy per pair is the Madelung constant, 1.747565, over the distance.

    >>> from regrain.particles import Ewald, ForceField, Particles, Topology
    >>> salt = Topology(["Na", "Cl"], charges=[1, -1])
    >>> cell = [[2, 0, 0], [1, 1, 0], [1, 0, 1]]
    >>> crystal = Particles([[0, 0, 0], [1, 0, 0]], box=cell, topology=salt)
    >>> field = ForceField(
    ...     {("Cl", "Cl"): None, ("Cl", "Na"): None, ("Na", "Na"): None},
    ...     charges=Ewald(cutoff=3.0, accuracy=1e-8),
    ... )
    >>> round(field.evaluate(crystal).energy, 6)
    -1.747565
    """

    cutoff: float
    accuracy: float = 1e-5
    dielectric: float = 1.0
    background: bool = False
    mesh: bool | None = None

    def _check(self) -> None:
        super()._check()
        if not 1e-13 <= self.accuracy <= 0.1:
            raise RegrainError(f"accuracy: got {self.accuracy}, expected 1e-13 to 0.1")
        if self.background not in (True, False):
            raise RegrainError(f"background: got {self.background!r}, expected True or False")
        if self.mesh not in (True, False, None):
            raise RegrainError(f"mesh: got {self.mesh!r}, expected True, False or None (by size)")

    def resolution(self, state: Particles) -> dict[str, Any]:
        """What the sum is made of: what a longer or shorter cutoff would change.

        Returns
        -------
        dict
            ``alpha``, the clouds around charges being exp(-alpha² r²). Wave by wave ``q_max``, the
            largest wave number, and ``wave_vectors``, how many are summed, one of each pair q, -q.
            On a mesh ``order``, that of the splines, and ``points``, those along each lattice
            vector.

        Raises
        ------
        RegrainError
            A total charge without background.

        Examples
        --------
        >>> from regrain.particles import Ewald, Particles, Topology
        >>> pair = Topology(["A", "A"], charges=[1, -1])
        >>> state = Particles([[0, 0, 0], [1, 0, 0]], box=[6, 6, 6], topology=pair)
        >>> for cutoff in (1.0, 2.0):
        ...     found = Ewald(cutoff=cutoff).resolution(state)
        ...     print(f"{found['alpha']:.3f} {found['q_max']:.1f} {found['wave_vectors']}")
        3.592 26.6 34121
        1.796 13.1 4108
        """
        core = _core.ForceField(types=1, pair_of_types=[-1], pair_potentials=[])
        core.set_charges(method=self._engine(), values=state.topology.charges, factor=1.0)
        alpha, q_max, wave_vectors, order, points = core.ewald_resolution(state.box)
        if order > 0:
            return {"alpha": alpha, "order": order, "points": tuple(points)}
        return {"alpha": alpha, "q_max": q_max, "wave_vectors": wave_vectors}

    def _engine(self) -> Any:
        return _core.Ewald(
            cutoff=self.cutoff,
            accuracy=self.accuracy,
            background=bool(self.background),
            mesh=None if self.mesh is None else bool(self.mesh),
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ReactionField(Coulomb):
    """Charges within a cutoff, and beyond it a medium that they polarise.

    The energy of two charges is f q q' (1/r + k r² - c) for r < cutoff, with

        k = (ε' - ε) / (2 ε' + ε) / cutoff³,    c = 1/cutoff + k cutoff²,

    where ε is ``dielectric`` and ε' is ``permittivity``. Pairs that bonds exclude keep k r² - c,
    and each charge has -c/2 f q² with itself: what each does to the medium, others feel.

    Parameters
    ----------
    cutoff : float
    permittivity : float
        Of the medium beyond the cutoff, relative to vacuum; infinite for a conductor.
    dielectric : float
        Of the medium between the particles, relative to vacuum: divides all energies (15 in the
        MARTINI model).

    Raises
    ------
    RegrainError
        A cutoff or permittivity that is none, a permittivity below that inside.

    Loses / Assumes
    ---------------
    What is beyond the cutoff is a uniform dielectric without ions. The energy is continuous at the
    cutoff; the force jumps there by 3 ε / (2 ε' + ε) of q q' / cutoff², to zero only in a
    conductor.

    Notes
    -----
    Tironi, Sperb, Smith and van Gunsteren, J. Chem. Phys. 102, 5451 (1995), without salt; the terms
    of excluded pairs and of charges with themselves are those of GROMACS.

    Examples
    --------
    >>> from regrain.particles import ForceField, Particles, ReactionField, Topology
    >>> field = ForceField({("A", "A"): None}, charges=ReactionField(cutoff=2.0))
    >>> pair = Topology(["A", "A"], charges=[1, -1])
    >>> at = Particles([[0, 0, 0], [1, 0, 0]], box=[9, 9, 9], topology=pair)
    >>> field.evaluate(at).forces[0].tolist()
    [0.875, 0.0, 0.0]
    """

    cutoff: float
    permittivity: float = math.inf
    dielectric: float = 1.0

    def _check(self) -> None:
        super()._check()
        if not self.permittivity >= self.dielectric:
            raise RegrainError(
                f"permittivity: got {self.permittivity}, expected at least that of the medium "
                f"between the particles, dielectric={self.dielectric:g}; infinite for a conductor"
            )

    def _engine(self) -> Any:
        return _core.ReactionField(
            cutoff=self.cutoff, permittivity=self.permittivity / self.dielectric
        )

    def to_dict(self) -> dict[str, Any]:
        """The parameters under their names; an infinite permittivity as text, for JSON."""
        content = super().to_dict()
        if math.isinf(self.permittivity):
            content["permittivity"] = "inf"
        return content
