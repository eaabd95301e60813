"""A structural fit as a question: which potentials give this target at this state?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain.errors import RegrainError
from regrain.fits.bonded import coordinates, members_of
from regrain.fits.checks import look_over, warn_unexcluded
from regrain.fits.forms import Free, is_form
from regrain.fits.structure import (
    BEYOND,
    POINTS,
    Distribution,
    Interaction,
    bonded_terms,
    longest_reach,
    measure_structure,
    one_direction,
)
from regrain.particles import ForceField, Particles
from regrain.particles.bias import BiasTerms
from regrain.particles.charges import Coulomb
from regrain.particles.external_terms import ExternalTerms
from regrain.particles.terms import KINDS
from regrain.trace import Trace
from regrain.units import Units, units

__all__ = ["Forms", "Potentials", "Problem", "check_trace", "pose", "sort_out"]

Floats = NDArray[np.float64]
#: What is fitted of each form by the label of the interaction: the energies of tables, the
#: coefficients of splines, the parameters that `Free` names.
Potentials = dict[str, Floats]
#: Forms and known potentials by kind and types.
Forms = Mapping[str, Mapping[tuple[str, ...], Any]]


@dataclass(frozen=True, eq=False)
class Problem:
    """The target, measured, and all that does not change from iteration to iteration.

    Attributes
    ----------
    interactions : tuple of Interaction
        What is fitted.
    known : Forms
        What is given: potentials that stay as they are, None for no interaction.
    target : dict of str to Distribution
        By label; pairs as far as half the box.
    state : Particles
        Where every coarse run starts: the first frame, in the mean box, at rest.
    temperature, pressure, exclude
        See `StructureFit`; those of this state.
    reach : float
        Up to where g(r) of coarse runs is measured.
    weight : float
        Of this state beside others.
    everywhere : tuple of Interaction
        What is fitted at any state, where others have particles that this one has not.
    trace : Trace
        The target itself, for methods that measure more of it.
    charges, external, biases : optional
        What acts besides and is known; see `StructureFit`.

    Examples
    --------
    >>> from regrain.fits.problem import Problem, pose  # which makes them
    """

    interactions: tuple[Interaction, ...]
    known: Forms
    target: dict[str, Distribution]
    state: Particles
    temperature: float
    exclude: int
    reach: float
    pressure: float | None = None
    weight: float = 1.0
    everywhere: tuple[Interaction, ...] = ()
    trace: Trace[Particles] | None = None
    charges: Coulomb | None = None
    external: ExternalTerms | None = None
    biases: BiasTerms | None = None

    @property
    def units(self) -> Units:
        """Unit system of the target."""
        return units(self.state.units)

    @property
    def kt(self) -> float:
        """Thermal energy."""
        return self.units.boltzmann * self.temperature

    @property
    def densities(self) -> dict[str, float]:
        """Particles per volume by type."""
        names, counts = np.unique(self.state.topology.types, return_counts=True)
        return {str(n): float(c) / self.state.volume for n, c in zip(names, counts, strict=True)}

    @property
    def terms(self) -> tuple[Interaction, ...]:
        """All that is fitted, here or at other states."""
        return self.everywhere or self.interactions

    def of_kind(self, kind: str) -> list[Interaction]:
        """The fitted interactions of one kind."""
        return [term for term in self.interactions if term.kind == kind]

    def model(self, potentials: Potentials) -> ForceField:
        """The force field with these numbers in the forms."""
        fields: dict[str, Any] = {f"{kind}s": dict(terms) for kind, terms in self.known.items()}
        for term in self.terms:
            fields[f"{term.kind}s"][term.types] = term.potential(potentials[term.label])
        return ForceField(
            **fields,
            charges=self.charges,
            external=self.external,
            biases=self.biases,
            temperature=self.temperature,
            exclude=self.exclude,
            units=self.state.units,
        )

    def fingerprint(self) -> str:
        """A hash of the target as the fit sees it."""
        digest = hashlib.sha256()
        topology = self.state.topology
        for array in (self.state.positions, self.state.box, topology.types, topology.masses):
            digest.update(np.ascontiguousarray(array).tobytes())
        for label in sorted(self.target):
            digest.update(label.encode() + self.target[label].value.tobytes())
        return digest.hexdigest()


def pose(
    target: Any,
    forms: Forms,
    *,
    temperature: float,
    exclude: int,
    pressure: float | None = None,
    weight: float = 1.0,
    beside: Sequence[Any] = (),
) -> Problem:
    """Check the forms against the target, and measure it.

    ``beside`` are the targets at all states, if there are several: what is in none of them must not
    be given, and what is in others only is left to them.

    Raises
    ------
    RegrainError
        Anything that makes the question unanswerable: not a trace of particles, one frame, types
        without a form, forms without particles, tables beyond half the box or that miss what was
        sampled.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.fits.problem import pose
    >>> from regrain.particles import Particles, Table
    >>> rng = np.random.default_rng(1)
    >>> gas = [Particles(rng.random((99, 3)) * 5, box=[5, 5, 5]) for _ in range(20)]
    >>> problem = pose(
    ...     Trace(gas, times=np.arange(20)),
    ...     {"pair": {("A", "A"): Table(r_min=0.0, r_max=1.5, points=16)}},
    ...     temperature=1.0,
    ...     exclude=2,
    ... )
    >>> problem.densities
    {'A': 0.792}
    """
    for trace in (target, *beside):
        check_trace(trace)
    first: Particles = target[0]
    everywhere, known = sort_out(forms, beside or (target,))
    here = _present([first])
    interactions = tuple(term for term in everywhere if term.types in here[term.kind])
    if not interactions:
        raise RegrainError(
            "there is nothing to fit: give at least one form without energies, such as "
            'pairs={("A", "A"): Table(r_min=0.2, r_max=0.9, points=351)}, or a potential with free '
            'parameters, fits.Free(LennardJones(...), "epsilon", "sigma")'
        )
    watch = look_over(target, one_density=True)
    half = longest_reach(interactions, np.array(watch.boxes))
    longest = max((t.nodes[-1] for t in interactions if t.kind == "pair"), default=0.0)
    if longest:
        warn_unexcluded(target, exclude=exclude, reach=longest)
    measured, _ = measure_structure(target, interactions, exclude=exclude, reach=half)
    return Problem(
        interactions=interactions,
        known=known,
        target=measured,
        state=_start(first, watch.mean_box),
        temperature=temperature,
        exclude=exclude,
        reach=min(half, BEYOND * longest),
        pressure=pressure,
        weight=weight,
        everywhere=everywhere,
        trace=target,
    )


def check_trace(target: Any, *, least: int = 2) -> None:
    """Refuse what is not a trace of particles, of so many frames at least.

    Raises
    ------
    RegrainError
        Then.

    Examples
    --------
    >>> from regrain.fits.problem import check_trace
    >>> check_trace("run.xtc")
    Traceback (most recent call last):
    ...
    regrain.errors.RegrainError: a fit needs a Trace, got str; give what a map or a run returns
    """
    if not isinstance(target, Trace):
        raise RegrainError(
            f"a fit needs a Trace, got {type(target).__name__}; give what a map or a run returns"
        )
    if target.level != "particles":
        raise RegrainError(f"a fit of potentials needs a trace of particles, got {target!r}")
    if len(target) < least:
        raise RegrainError(
            "the target has one frame, which gives no error bars, and a fit weighs by errors; give "
            "10 frames or more"
        )


def _span(
    kind: str, types: tuple[str, ...], form: Any, traces: Sequence[Trace[Particles]]
) -> tuple[float, float] | None:
    """Where to look at the coordinate of a form without a grid."""
    if not isinstance(form, Free):
        return None
    if kind == "pair":
        cutoff = float(form.potential.cutoff)  # type: ignore[attr-defined]
        return cutoff / POINTS, cutoff
    if kind != "bond":
        return (0.0 if kind == "angle" else -np.pi), np.pi
    lengths = [coordinates(kind, state, members_of(state.topology, kind, types))
               for trace in traces for state in trace]  # fmt: skip
    low = min(float(r.min(initial=np.inf)) for r in lengths)
    high = max(float(r.max(initial=0.0)) for r in lengths)
    margin = 0.1 * (high - low) + 1e-6 * high
    return max(low - margin, 0.0), high + margin


def sort_out(
    forms: Forms, traces: Sequence[Trace[Particles]]
) -> tuple[tuple[Interaction, ...], Forms]:
    """What is fitted, and what is given, checked against the first frame of each target.

    Raises
    ------
    RegrainError
        Types without a form, forms without particles, keys and forms of another kind.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.fits.problem import sort_out
    >>> from regrain.particles import Particles, Table
    >>> form = Table(r_min=0.0, r_max=1.5, points=16)
    >>> trace = Trace([Particles(np.eye(3), box=[9, 9, 9])], times=[0])
    >>> fitted, known = sort_out({"pair": {("A", "A"): form}}, [trace])
    >>> [term.label for term in fitted], known["pair"]
    (['pair A-A'], {})
    """
    terms = {kind: _normalised(kind, forms.get(kind, {})) for kind in KINDS}
    _check_types(terms, [trace[0] for trace in traces])
    fitted = tuple(
        Interaction(kind, types, form, _span(kind, types, form, traces))  # type: ignore[arg-type]
        for kind, given in terms.items()
        for types, form in given.items()
        if is_form(form)
    )
    known = {
        kind: {types: form for types, form in given.items() if not is_form(form)}
        for kind, given in terms.items()
    }
    return fitted, known


def _normalised(kind: str, given: Mapping[Any, Any]) -> dict[tuple[str, ...], Any]:
    width = KINDS[kind]
    found: dict[tuple[str, ...], Any] = {}
    for key, form in given.items():
        if not (isinstance(key, tuple) and len(key) == width):
            example = tuple("ABCD"[:width])
            raise RegrainError(
                f"{kind}s: the key {key!r} is not a tuple of {width} types such as {example}"
            )
        if form is not None and getattr(form, "kind", None) != kind:
            raise RegrainError(
                f"{kind}s[{key}]: {form!r} is not a {kind} potential; give a table form to fit, a "
                "potential to keep, or None"
            )
        types = one_direction(key)
        if types in found:
            raise RegrainError(f"{kind}s: {key} and {key[::-1]} are the same; give it once")
        flipped = kind == "triple" and types != key and form is not None
        found[types] = form.reversed() if flipped else form
    return found


def _present(states: Sequence[Particles]) -> dict[str, set[tuple[str, ...]]]:
    """Types of the pairs and bonded terms that any of these states has."""
    present: dict[str, set[tuple[str, ...]]] = {kind: set() for kind in KINDS}
    for state in states:
        present["pair"] |= set(combinations_with_replacement(state.topology.type_names, 2))
        for kind, types in bonded_terms(state).items():
            present[kind] |= types
    return present


def _check_types(
    terms: Mapping[str, Mapping[tuple[str, ...], Any]], states: Sequence[Particles]
) -> None:
    names = sorted({name for state in states for name in state.topology.type_names})
    present = _present(states)
    for kind, given in terms.items():
        unknown = sorted({t for types in given for t in types} - set(names))
        if unknown:
            raise RegrainError(
                f"{kind}s name the type {', '.join(unknown)}, but the target has {', '.join(names)}"
            )
        if kind == "triple":  # any three types may meet, and need not interact
            continue
        absent = sorted(types for types, form in given.items() if types not in present[kind])
        if absent:
            raise RegrainError(
                f"{kind}s: the target has no {kind} {_list(absent)}; check the types, and whether "
                "the map kept the bonds"
            )
        missing = sorted(present[kind] - set(given))
        if missing:
            raise RegrainError(
                f"{kind}s: nothing is given for {_list(missing)}, which the target has; give a "
                "form to fit, a potential to keep, or None for no interaction"
            )


def _list(keys: Sequence[tuple[str, ...]]) -> str:
    return ", ".join("-".join(key) for key in keys)


def _start(first: Particles, box: Floats) -> Particles:
    """The first frame, scaled to the mean box, without velocities."""
    positions = first.positions
    if not np.allclose(box, first.box, rtol=1e-12, atol=0.0):
        positions = positions @ np.linalg.solve(first.box, box)
    else:
        box = first.box
    return first.replace(positions=positions, box=box, velocities=None, forces=None, images=None)
