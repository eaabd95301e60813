"""The law on the level of particles."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from regrain.checkpoint import load_json, save_json
from regrain.errors import RegrainError
from regrain.particles.barostats import CellRescale
from regrain.particles.bias import BiasTerms
from regrain.particles.charges import Coulomb
from regrain.particles.dynamics import Dynamics
from regrain.particles.evaluation import Evaluation, evaluate
from regrain.particles.external_terms import ExternalTerms
from regrain.particles.flow import Shear
from regrain.particles.network import Network
from regrain.particles.parameters import Law, law_from_dict
from regrain.particles.rigid import RigidBond
from regrain.particles.run import Frozen, Settings, run
from regrain.particles.scale_14 import Scale14, scale_14_of
from regrain.particles.state import Particles
from regrain.particles.terms import KINDS, Terms, check_triples, checked, compiled
from regrain.trace import Trace
from regrain.units import units as unit_system

__all__ = ["ForceField"]

# Arguments beside the potentials, with what they are when not given: in the order of the text.
_DEFAULTS: dict[str, Any] = {
    "charges": None,
    "network": None,
    "external": None,
    "biases": None,
    "temperature": None,
    "exclude": 2,
    "scale_14": None,
    "units": "reduced",
}


class ForceField:
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
        `Field`, `FieldTable`, `LennardJonesWall` and `HarmonicWall`.
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

    def __init__(
        self,
        pairs: Terms | None = None,
        *,
        bonds: Terms | None = None,
        angles: Terms | None = None,
        dihedrals: Terms | None = None,
        triples: Terms | None = None,
        charges: Coulomb | None = None,
        network: Network | None = None,
        external: Mapping[str, Any] | ExternalTerms | None = None,
        biases: Sequence[Any] | BiasTerms | None = None,
        temperature: float | None = None,
        exclude: int = 2,
        scale_14: Scale14 | Mapping[str, float] | float | None = None,
        units: str = "reduced",
    ) -> None:
        given = (pairs, bonds, angles, dihedrals, triples)
        self._terms = {kind: checked(kind, terms) for kind, terms in zip(KINDS, given, strict=True)}
        check_triples(self._terms)
        if temperature is not None and not (np.isfinite(temperature) and temperature >= 0):
            raise RegrainError(f"temperature: got {temperature}, expected zero or more")
        if int(exclude) != exclude or exclude < 0:
            raise RegrainError(f"exclude: got {exclude}, expected a number of bonds, 0 or more")
        if not isinstance(network, Network | None):
            raise RegrainError(f"network: got {network!r}, expected a Network or None")
        if charges is not None and not isinstance(charges, Coulomb):
            raise RegrainError(
                f"charges: got {charges!r}, expected how they act, Ewald(cutoff=...) or "
                "ReactionField(cutoff=...); the charges themselves are those of the topology"
            )
        scale = scale_14_of(scale_14, exclude=int(exclude), triples=self._terms["triple"])
        self._settings = {
            "charges": charges,
            "network": network,
            "external": ExternalTerms.of(external, self._terms["pair"]),
            "biases": BiasTerms.of(biases),
            "temperature": None if temperature is None else float(temperature),
            "exclude": int(exclude),
            "scale_14": scale,
            "units": unit_system(units).name,
        }

    @property
    def pairs(self) -> Terms:
        """Pair potentials by sorted type names."""
        return MappingProxyType(self._terms["pair"])

    @property
    def bonds(self) -> Terms:
        """Bond potentials by type names."""
        return MappingProxyType(self._terms["bond"])

    @property
    def angles(self) -> Terms:
        """Angle potentials by type names."""
        return MappingProxyType(self._terms["angle"])

    @property
    def dihedrals(self) -> Terms:
        """Dihedral potentials by type names."""
        return MappingProxyType(self._terms["dihedral"])

    @property
    def triples(self) -> Terms:
        """Potentials of three particles in space, by (end, centre, end)."""
        return MappingProxyType(self._terms["triple"])

    @property
    def charges(self) -> Coulomb | None:
        """How the charges of the topology act."""
        return cast("Coulomb | None", self._settings["charges"])

    @property
    def network(self) -> Network | None:
        """Springs between particles by their index."""
        return cast("Network | None", self._settings["network"])

    @property
    def external(self) -> ExternalTerms | None:
        """What acts from outside, by type."""
        return cast("ExternalTerms | None", self._settings["external"])

    @property
    def biases(self) -> BiasTerms | None:
        """Potentials of collective variables."""
        return cast("BiasTerms | None", self._settings["biases"])

    @property
    def temperature(self) -> float | None:
        """Of the state that the law was derived at."""
        return cast("float | None", self._settings["temperature"])

    @property
    def exclude(self) -> int:
        """Pairs up to so many bonds apart feel no pair potential."""
        return cast(int, self._settings["exclude"])

    @property
    def scale_14(self) -> Scale14 | None:
        """Factors between particles three bonds apart."""
        return cast("Scale14 | None", self._settings["scale_14"])

    @property
    def units(self) -> str:
        """The unit tag."""
        return cast(str, self._settings["units"])

    @property
    def cutoff(self) -> float:
        """The largest cutoff of pairs and charges or reach of triples, 0 when there are none."""
        laws: tuple[Any, ...] = (*self.pairs.values(), self.charges)
        pairs = [law.cutoff for law in laws if law is not None]
        triples = [p.reach for p in self.triples.values() if p is not None]
        return float(max([0.0, *pairs, *triples]))

    def replace(self, **changes: Any) -> ForceField:
        """A copy with some arguments of the constructor changed."""
        terms = {f"{kind}s": terms for kind, terms in self._terms.items()}
        return ForceField(**{**terms, **self._settings, **changes})

    def scaled(self, factor: float) -> ForceField:
        """The same with every energy times a factor: ``scaled(T / model.temperature)`` keeps u/kT.

        Examples
        --------
        >>> from regrain.particles import ForceField, HarmonicBond
        >>> field = ForceField(bonds={("A", "A"): HarmonicBond(k=2.0, r0=1.0)})
        >>> field.scaled(0.5).bonds["A", "A"]
        HarmonicBond(k=1.0, r0=1.0)
        """
        terms = {
            f"{kind}s": {key: None if p is None else p.scaled(factor) for key, p in given.items()}
            for kind, given in self._terms.items()
        }
        others = {
            name: value.scaled(factor)
            for name, value in self._settings.items()
            if isinstance(value, Law)
        }
        return self.replace(**terms, **others)

    # ------------------------------------------------------------------ as text and data

    def __repr__(self) -> str:
        shown = []
        for kind, terms in self._terms.items():
            if terms:
                inside = ", ".join(f"{key!r}: {value!r}" for key, value in terms.items())
                shown.append(f"{kind}s={{{inside}}}")
        for name, value in self._settings.items():
            if value != _DEFAULTS[name]:
                shown.append(f"{name}={value!r}")
        return f"ForceField({', '.join(shown)})"

    def __str__(self) -> str:
        rows = [("kind", "types", "potential")]
        for kind, terms in self._terms.items():
            rows += [(kind, "-".join(key), repr(value)) for key, value in terms.items()]
        widths = [max(len(row[k]) for row in rows) for k in (0, 1)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in rows]
        unit = unit_system(self.units).temperature
        words = {**self._settings, "temperature": None}
        if self.temperature is not None:
            words["temperature"] = f"{self.temperature:g} {unit}".strip()
        said = ", ".join(f"{name} {value}" for name, value in words.items() if value is not None)
        return "\n".join([*lines, said])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ForceField) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_dict(), sort_keys=True))

    def to_dict(self) -> dict[str, Any]:
        """Everything, JSON-able."""
        content: dict[str, Any] = {
            f"{kind}s": [
                [list(key), None if p is None else p.to_dict()] for key, p in terms.items()
            ]
            for kind, terms in self._terms.items()
        }
        for name, value in self._settings.items():
            content[name] = value.to_dict() if isinstance(value, Law) else value
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ForceField:
        """The force field that ``to_dict`` of it gave.

        Raises
        ------
        RegrainError
            Something is missing or does not belong.
        """
        given = dict(content)
        try:
            given.setdefault("triples", [])  # older ones have none
            for kind in KINDS:
                given[f"{kind}s"] = {
                    tuple(key): None if p is None else law_from_dict(p)
                    for key, p in given[f"{kind}s"]
                }
            for name, value in given.items():
                if name in _DEFAULTS and isinstance(value, Mapping):
                    given[name] = law_from_dict(value)
            return cls(**given)
        except (KeyError, TypeError) as error:
            raise RegrainError(f"this is not a force field of regrain: {error}") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write as JSON, all bits kept."""
        save_json(path, self.to_dict())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ForceField:
        """Read what `save` wrote.

        Raises
        ------
        RegrainError
            No such file, or not a force field.
        """
        content = load_json(path)
        if not isinstance(content, dict):
            raise RegrainError(f"{path} does not hold a force field of regrain")
        return cls.from_dict(content)

    # ------------------------------------------------------------------ use

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
        settings = Settings(
            time=time,
            dt=dt,
            every=time / 100 if every is None else every,
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
        if not isinstance(state, Particles):
            raise RegrainError(
                f"got {state!r}, expected Particles; of a trace take a frame, such as trace[0]"
            )
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
