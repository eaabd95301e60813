"""The law on the level of particles."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import numpy as np

from regrain.errors import RegrainError
from regrain.particles.barostats import CellRescale
from regrain.particles.dynamics import Dynamics
from regrain.particles.evaluation import Evaluation, evaluate
from regrain.particles.flow import Shear
from regrain.particles.parameters import number
from regrain.particles.parts import Parts
from regrain.particles.rigid import RigidBond
from regrain.particles.run import Frozen, Settings, run
from regrain.particles.state import Particles
from regrain.particles.terms import compiled
from regrain.trace import Trace
from regrain.units import units as unit_system

__all__ = ["ForceField"]


class ForceField(Parts):
    """Potentials by the types of the particles they act on. Immutable and picklable.

    Parameters
    ----------
    pairs, bonds, angles, dihedrals : mapping of tuple of str to Potential, optional
        Keyed by type names in either order. Every pair of types, and every bond, angle and dihedral
        that occurs in a state must be named: ``None`` says that there is no interaction.
    triples : mapping of tuple of str to potential of three particles, optional
        Keyed by the types (end, centre, end), the ends in either order: any three particles in
        space whose arms are short enough. Three types that are not named do not interact so, as
        hardly anything does.
    charges : Ewald or ReactionField, optional
        How the charges of the topology act; they do nothing when omitted.
    network : Network, optional
        Springs between particles by their index: then the force field belongs to one system.
    external : mapping of str to fields and walls, optional
        What acts from outside on the particles of each type, ``"*"`` being all: one or several of
        `Field`, `FieldTable`, `LennardJonesWall`, `HarmonicWall`, `ReflectingWall` and
        `BounceBackWall`.
    biases : sequence of Restraint or FormulaBias, optional
        Potentials of collective variables.
    temperature : float, optional
        Of the state that the law was derived at; what thermostats default to.
    exclude : int
        Pairs up to so many bonds apart feel no pair potential and not each other's charges, and are
        no arms of triples.
    scale_14 : float, mapping or Scale14, optional
        Factors between particles three bonds apart, such as ``{"pairs": 0.5, "charges": 0.8333}``.
    units : str
        ``"reduced"`` or ``"md"``: that of the states it works on.

    Raises
    ------
    RegrainError
        Keys of a wrong length, one interaction named twice, a potential of another kind or one that
        is still a form without energies; triples of types that no pair names.

    Loses / Assumes
    ---------------
    Energies of pairs, triples, bonds, angles and dihedrals add up. What else particles do together
    is in the potentials only as far as they were fitted to it, at the temperature and density of
    that fit; elsewhere they need not hold.

    Examples
    --------
    >>> from regrain.particles import ForceField, HarmonicBond, LennardJones
    >>> field = ForceField(
    ...     pairs={("A", "A"): LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)},
    ...     bonds={("A", "A"): HarmonicBond(k=100.0, r0=1.0)},
    ...     temperature=1.0,
    ... )
    >>> print(field)
    kind  types  potential
    pair  A-A    LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)
    bond  A-A    HarmonicBond(k=100.0, r0=1.0)
    temperature 1, exclude 2, units reduced
    >>> field == eval(repr(field))
    True
    """

    def evaluate(self, state: Particles) -> Evaluation:
        """Energy, forces and virial of a state by its potentials, rigid bonds left out.

        Raises
        ------
        RegrainError
            Types or bonded terms that the force field does not name, another unit tag, overlapping
            particles.

        Examples
        --------
        >>> from regrain.particles import ForceField, HarmonicBond, Particles, Topology
        >>> field = ForceField({("A", "A"): None}, bonds={("A", "A"): HarmonicBond(k=2.0, r0=1.0)})
        >>> pair = Particles([[0, 0, 0], [3, 0, 0]], box=[9, 9, 9],
        ...                  topology=Topology(["A", "A"], bonds=[(0, 1)]))
        >>> field.evaluate(pair).forces.tolist()
        [[4.0, 0.0, 0.0], [-4.0, 0.0, 0.0]]
        """
        rigid = any(isinstance(law, RigidBond) for law in self.bonds.values())
        return evaluate(self.compile(state), state, rigid=rigid)

    def run(
        self,
        state: Particles,
        *,
        time: float,
        dt: float,
        every: float | None = None,
        seed: int = 0,
        dynamics: Dynamics | None = None,
        barostat: CellRescale | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        progress: bool = True,
        skin: float | None = None,
        frozen: Frozen = None,
        precision: str = "double",
        flow: Shear | None = None,
        engine: Any = None,
    ) -> Trace[Particles]:
        """Move the particles of a state through time.

        Parameters
        ----------
        state : Particles
            The start. Without velocities they are drawn from the Maxwell distribution, with no
            total momentum.
        time : float
            How long.
        dt : float
            Time step.
        every : float, optional
            Time between frames, rounded to whole steps; a hundredth of ``time`` when omitted. The
            first frame is at ``every``: the start is not part of the trace.
        seed : int
            The same seed gives the same bits, at any number of threads.
        dynamics : NVE, Langevin, NoseHoover, Brownian or GeneralizedLangevin, optional
            ``Langevin(friction=1.0)`` when omitted.
        barostat : CellRescale, optional
            Constant volume when omitted.
        checkpoint : path, optional
            A file to which the run is written now and then, and when it is interrupted. If it is
            there already the run continues from it, to the same bits as if it had never stopped; a
            longer ``time`` than that of the file prolongs the run.
        progress : bool
            Show a bar, if tqdm is installed and stderr is a terminal.
        skin : float, optional
            Extra reach of the neighbour list, a matter of speed; 0.15 cutoffs when omitted.
        frozen : str, sequence of str or of int, optional
            Particles that never move, by index or by the name of their type. They act on others,
            and have no velocity and no degree of freedom.
        precision : str
            Of pair forces: ``"double"``, or ``"mixed"``, where each is computed in single
            precision (to 1e-6) and they are summed in double; all other terms stay double.
        flow : Shear, optional
            A flow that carries the cell along; none when omitted.
        engine : str or Engine, optional
            Another program that runs it: ``"lammps"``, or one with its settings, such as
            ``rg.engines.Lammps(processes=4)``. Its random numbers are its own, and it leaves no
            checkpoints.

        Returns
        -------
        Trace
            Frames with positions (in the box, with images) and velocities; ``log`` has
            ``potential_energy``, ``kinetic_energy``, ``temperature``, ``volume``,
            ``pressure_tensor`` (n_frames, 3, 3) and ``conserved_energy``: the total energy minus
            the heat and work that thermostat and barostat put in. Without velocities
            (`Brownian`) those of them that need velocities are missing.

        Raises
        ------
        RegrainError
            Types that the force field does not name, a missing temperature, masses of zero, a
            checkpoint of another run; and when the run goes wrong (overlaps, a step that throws a
            particle far, a pair outside of a table): step, time, particles and distance are named,
            and the last checkpoint.
        KeyboardInterrupt
            On Ctrl-C, within a second, after a checkpoint was written.

        Examples
        --------
        >>> from regrain.particles import ForceField, LennardJones, fcc
        >>> lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
        >>> field = ForceField({("A", "A"): lj}, temperature=1.0)
        >>> field.run(fcc(cells=3, density=0.8), time=1.0, dt=0.005, every=0.1, seed=1)
        Trace(10 frames of particles, times 0.1 to 1)
        """
        self._expect(state)
        mask = np.asarray(frozen)
        if mask.dtype == bool and mask.shape != (len(state),):
            raise RegrainError(
                f"frozen: got a mask of shape {mask.shape} for {len(state)} particles; give "
                "one True or False for each, or indices"
            )
        settings = Settings(
            time=time,
            dt=dt,
            every=number("time", time) / 100 if every is None else every,
            seed=seed,
            dynamics=dynamics,
            barostat=barostat,
            skin=skin,
            frozen=frozen,
            precision=precision,
            flow=flow,
        )
        if engine is None:
            return run(self, state, settings, checkpoint=checkpoint, progress=progress)
        if checkpoint is not None:
            raise RegrainError(
                f"checkpoint={checkpoint!r} is for runs of regrain itself; leave out engine=, or "
                "keep the files of the engine (Lammps(directory=...))"
            )
        # Engines stand above the levels, so that they are looked up by name.
        found = import_module("regrain.engines").find(engine)
        trace: Trace[Particles] = found.run(self, state, settings, progress=progress)
        return trace

    def compile(self, state: Particles) -> Any:
        """The force field of the C++ core for the particles of a state.

        Raises
        ------
        RegrainError
            Types or bonded terms that the force field does not name, another unit tag.
        """
        self._expect(state)
        if state.units != self.units:
            raise RegrainError(
                f"the force field is in {self.units!r} units, the state in {state.units!r}; "
                "convert one of them"
            )
        field = compiled(
            self._terms,
            state.topology,
            exclude=self.exclude,
            network=self.network,
            scale_14=self.scale_14,
        )
        if self.charges is not None:
            self.charges.attach(field, state.topology, unit_system(self.units))
        if self.external is not None:
            self.external.attach(field, state, cutoff=self.cutoff)
        if self.biases is not None:
            self.biases.attach(field, state)
        return field

    @staticmethod
    def _expect(state: Any) -> None:
        if not isinstance(state, Particles):
            raise RegrainError(
                f"got {state!r}, expected Particles; of a trace take a frame, such as trace[0]"
            )
