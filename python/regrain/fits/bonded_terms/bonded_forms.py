"""Simple potentials of bonds, angles and dihedrals, by maximum likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.fits.beside import warn_forgotten
from regrain.fits.bonded import COORDINATES
from regrain.fits.bonded_terms.bonded_result import BondedResult, FittedTerm
from regrain.fits.bonded_terms.families import Family
from regrain.fits.bonded_terms.simple import (
    FORMS,
    Simple,
    likely,
    measure_of,
    quadrature,
    statistics,
)
from regrain.fits.forms import Free
from regrain.fits.structure import bonded_terms, one_direction
from regrain.observables.blocks import summarise
from regrain.particles import ForceField, Particles, Potential, Topology
from regrain.trace import Trace
from regrain.units import Units, units

__all__ = ["BondedForms"]

Floats = NDArray[np.float64]
Types = tuple[str, ...]

#: Values that are kept of each term for its histogram; numbers are fitted to all.
KEPT = 200_000
#: What moves less, in parts of its length, moves by the rounding of a file.
RIGID = 1e-5
#: Time step (ps) of coarse models in "md" units.
USUAL_STEP = 0.02


@dataclass(frozen=True, kw_only=True)
class BondedForms:
    """Bonds, angles and dihedrals as potentials with two or three numbers each.

    By maximum likelihood with the measure of free particles, p(r) ∝ r² exp(-u/kT) for bonds,
    sin θ for angles: what a Gaussian fit of the histogram leaves out.

    Parameters
    ----------
    bonds, angles, dihedrals : mapping of tuple of str to form, optional
        A form is the class of a potential (``HarmonicBond``; ``HarmonicAngle``, ``CosineAngle``;
        ``HarmonicDihedral``, ``PeriodicDihedral``, ``FourierDihedral``), or a tuple of them, of
        which the most likely one is taken (by BIC); or a potential set free,
        ``Free(HarmonicAngle(k=1.0, theta0=np.pi), "k")``, to keep its position, or the n of a
        ``PeriodicDihedral``. Potentials with numbers are kept as they are, None says no
        interaction. For what is not named, all forms of the kind compete; the modes
        of a ``FourierDihedral`` are those that BIC asks for.
    pairs : mapping of (str, str) to Potential or None, optional
        Of the model, not fitted; no interactions when omitted.
    temperature : float
    dt : float, optional
        Time step that the model is meant for. Bonds that vibrate faster than ten of them are
        suggested to be constrained. In "md" units 0.02 ps when omitted, which for beads of 72 u
        is k > 36 000 kJ/mol/nm²; in reduced units nothing is suggested then.
    exclude : int
        Of the model.

    Raises
    ------
    RegrainError
        Settings that make no sense, and on calling: no trace of particles, one frame, nothing
        bonded, types that the trace does not have.

    Loses / Assumes
    ---------------
    Terms are independent of each other and of what is not bonded: one that feels its neighbours
    gets their mean pull into its own numbers. A distribution with two maxima has no simple form;
    that is flagged, as is one that the form misses.

    References
    ----------
    Errors are those of means of correlated samples: U. Wolff, Comput. Phys. Commun. 156, 143
    (2004). A choice among forms: G. Schwarz, Ann. Statist. 6, 461 (1978).

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> rng = np.random.default_rng(1)
    >>> pair = rg.particles.Topology(["A", "B"], bonds=[(0, 1)])
    >>> places = np.zeros((400, 2, 3)) + 2.0
    >>> places[:, 1, 0] += rng.normal(1.0, 0.1, 400)
    >>> frames = [rg.particles.Particles(x, box=[9, 9, 9], topology=pair) for x in places]
    >>> result = rg.fits.BondedForms(temperature=1.0)(rg.Trace(frames, times=range(400)))
    >>> print(result)
    kind  types  form          number  value          terms  RMS    flags
    bond  A-B    HarmonicBond  k       ...
                               r0      ...
    >>> result.model.bonds["A", "B"]
    HarmonicBond(k=..., r0=0.9...)
    """

    bonds: Mapping[Types, Any] = field(default_factory=dict)
    angles: Mapping[Types, Any] = field(default_factory=dict)
    dihedrals: Mapping[Types, Any] = field(default_factory=dict)
    pairs: Mapping[Types, Any] | None = None
    temperature: float
    dt: float | None = None
    exclude: int = 2

    def __post_init__(self) -> None:
        for name in ("temperature", "dt"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise RegrainError(f"BondedForms: {name} is {value}; give a positive number")
        for kind, forms in FORMS.items():
            for key, form in getattr(self, f"{kind}s").items():
                _check_form(kind, key, form, forms)

    def __call__(self, target: Any) -> BondedResult:
        """Fit.

        Parameters
        ----------
        target : Trace
            Of coarse particles with bonds: what a map made of a fine trace.

        Raises
        ------
        RegrainError
            A target that does not fit the settings.
        """
        _check_trace(target)
        warn_forgotten(self, target)
        first: Particles = target[0]
        asked = self._asked(first)
        gathered = {
            (kind, types): Gathered(kind, types, first.topology)
            for kind, given in asked.items()
            for types, form in given.items()
            if _candidates(form)
        }
        if not gathered:
            raise RegrainError(
                "there is nothing to fit: all bonded terms of the target have a potential or None"
            )
        weights = np.ones(len(target)) if target.weights is None else target.weights
        for k, (state, weight) in enumerate(zip(target, weights, strict=True)):
            for one in gathered.values():
                try:
                    one.add(state, float(weight))
                except RegrainError as error:
                    raise RegrainError(f"frame {k}: {error}") from error
        system = units(target.units)
        kt = system.boltzmann * self.temperature
        dt = USUAL_STEP if self.dt is None and system.name == "md" else self.dt
        fitted = {
            f"{kind} {'-'.join(types)}": one.fit(_candidates(asked[kind][types]), kt, dt, system)
            for (kind, types), one in gathered.items()
        }
        return BondedResult(fitted, self._model(asked, fitted, first), system)

    def _asked(self, first: Particles) -> dict[str, dict[Types, Any]]:
        """A form for every bonded term of the target."""
        present = bonded_terms(first)
        if not any(present.values()):
            raise RegrainError(
                "the target has no bonds, angles or dihedrals; check whether the map kept them "
                "(the topology of the fine trace must have bonds)"
            )
        asked: dict[str, dict[Types, Any]] = {}
        for kind, forms in FORMS.items():
            given = {one_direction(key): v for key, v in getattr(self, f"{kind}s").items()}
            absent = sorted(set(given) - present[kind])
            if absent:
                has = ", ".join("-".join(key) for key in sorted(present[kind])) or "none"
                raise RegrainError(
                    f"{kind}s: the target has no {kind} {'-'.join(absent[0])}; it has {has}"
                )
            asked[kind] = {key: given.get(key, forms) for key in sorted(present[kind])}
        return asked

    def _model(
        self, asked: dict[str, dict[Types, Any]], fitted: dict[str, FittedTerm], first: Particles
    ) -> ForceField:
        names = first.topology.type_names
        nothing: dict[Types, Any] = {(a, b): None for a in names for b in names if a <= b}
        terms = {
            f"{kind}s": {
                types: fitted[label].potential
                if (label := f"{kind} {'-'.join(types)}") in fitted
                else form
                for types, form in given.items()
            }
            for kind, given in asked.items()
        }
        return ForceField(
            nothing if self.pairs is None else self.pairs,
            **terms,  # type: ignore[arg-type]
            temperature=self.temperature,
            exclude=self.exclude,
            units=first.units,
        )


def _check_trace(target: Any) -> None:
    if not isinstance(target, Trace) or target.level != "particles":
        raise RegrainError(
            f"a fit of bonded forms needs a Trace of particles, got {target!r}; give what a map or "
            "a run returns"
        )
    if len(target) < 2:
        raise RegrainError(
            "the target has one frame, which gives no error bars; give 10 frames or more"
        )


def _candidates(form: Any) -> tuple[Any, ...]:
    """The classes, or potentials set free, to be fitted; none where a potential is given."""
    given = form if isinstance(form, tuple | list) else (form,)
    return tuple(one for one in given if isinstance(one, type | Free))


def _check_form(kind: str, key: Any, form: Any, forms: tuple[type[Potential], ...]) -> None:
    width = {"bond": 2, "angle": 3, "dihedral": 4}[kind]
    if not (isinstance(key, tuple) and len(key) == width):
        raise RegrainError(f"{kind}s: the key {key!r} is not a tuple of {width} types")
    known = ", ".join(one.__name__ for one in forms)
    candidates = _candidates(form)
    if candidates:
        given = len(form) if isinstance(form, tuple | list) else 1
        classes = {type(one.potential) if isinstance(one, Free) else one for one in candidates}
        if len(candidates) != given or not classes <= set(forms):
            raise RegrainError(f"{kind}s[{key}]: got {form!r}, expected of {known}, one or more")
        for one in candidates:
            if isinstance(one, Free) and ("k" not in one.names):
                raise RegrainError(f"{kind}s[{key}]: {one!r} keeps k, but k is what is fitted")
    elif form is not None and (getattr(form, "kind", None) != kind or form.missing):
        raise RegrainError(
            f"{kind}s[{key}]: got {form!r}, expected a class to fit ({known}), a potential of a "
            f"{kind} to keep, or None; tables are fitted by BoltzmannInversion"
        )


class Gathered:
    """What the frames say of one kind of term: means of statistics, and a sample of values.

    Examples
    --------
    >>> from regrain.fits.bonded_terms.bonded_forms import Gathered
    >>> from regrain.particles import Particles, Topology
    >>> pair = Topology(["A", "A"], bonds=[(0, 1)])
    >>> one = Gathered("bond", ("A", "A"), pair)
    >>> one.add(Particles([[0, 0, 0], [0, 0, 1.2]], box=[9, 9, 9], topology=pair), 1.0)
    >>> one.blocks.samples
    1
    """

    def __init__(self, kind: str, types: Types, topology: Topology) -> None:
        self.kind, self.types = kind, types
        members = getattr(topology, f"{kind}s")
        names = topology.types[members]
        same = np.all(names == types, axis=1) | np.all(names == types[::-1], axis=1)
        self.members = members[same]
        masses = topology.masses[self.members]
        #: The lightest pair of bonded particles, 0 where a mass is.
        self.reduced = float(np.min(masses[:, 0] * masses[:, -1] / masses[:, [0, -1]].sum(axis=1)
                                    if np.all(masses > 0) else 0.0))  # fmt: skip
        self.reference = 0.0
        self.blocks: Any = None
        self.sample: list[tuple[float, Floats]] = []
        self.stride = 1

    def add(self, state: Particles, weight: float) -> None:
        """Take in a frame."""
        values = COORDINATES[self.kind](state.positions, state.box, self.members)
        if self.blocks is None:
            mean = np.angle(np.mean(np.exp(1j * values)))
            self.reference = float(mean if self.kind == "dihedral" else values.mean())
        row = statistics(self.kind, values, self.reference).mean(axis=0)
        if self.blocks is None:
            self.blocks = _core.Blocks(len(row))
        if self.blocks.samples % self.stride == 0:
            self.sample.append((weight, values))
            if len(self.sample) > 2 and len(self.sample) * len(values) > KEPT:
                self.sample, self.stride = self.sample[::2], 2 * self.stride
        self.blocks.add(row, weight)

    def fit(self, forms: tuple[Any, ...], kt: float, dt: float | None, system: Units) -> FittedTerm:
        """The most likely of the forms."""
        label = f"{self.kind} {'-'.join(self.types)}"
        x = np.concatenate([values for _, values in self.sample])
        weight = np.concatenate([np.full(len(values), w) for w, values in self.sample])
        found = summarise(self.blocks)
        means = found.value
        spread = float(np.sqrt(max(means[1] - means[0] ** 2, 0.0)))
        if found.error is None or not np.any(weight > 0):
            raise RegrainError(f"{label}: one frame gives no error bars; give 10 frames or more")
        scale = abs(self.reference + means[0]) if self.kind == "bond" else 1.0
        count = self.blocks.samples * len(self.members)
        if spread <= RIGID * scale:
            return FittedTerm.rigid(self.kind, self.types, x, count, dt)
        points, measure = quadrature(self.kind, self.reference + means[0], spread)
        family = Family(measure, statistics(self.kind, points, self.reference))
        n = self._independent(statistics(self.kind, x, self.reference), weight, found.error, count)
        candidates: list[Simple] = []
        for form in forms:
            one = likely(form, family, means, reference=self.reference, kt=kt, n=n)
            if one is not None:
                candidates.append(one)
        if not candidates:
            raise RegrainError(
                f"{label}: an improper dihedral (HarmonicDihedral) must stay on one side, but "
                f"these spread over {np.rad2deg(spread):.0f} degrees; ask for PeriodicDihedral or "
                "FourierDihedral"
            )
        # Of forms that cannot be told apart (a difference of 2 in BIC) the first.
        scores = [2 * n * one.likelihood - one.free * np.log(n) for one in candidates]
        best = next(c for c, s in zip(candidates, scores, strict=True) if s >= max(scores) - 2.0)
        errors = summarise(self.blocks, lambda m: best.values + (m - means) @ best.response.T)
        log_z = family.log_partition(best.eta)

        def density(at: Floats) -> Floats:
            s = statistics(self.kind, at, self.reference)
            return measure_of(self.kind, at) * np.exp(s @ best.eta - log_z)

        return FittedTerm.of(
            self.kind, self.types, best, errors, x, weight, density,
            count=count, n_eff=n, kt=kt, reduced=self.reduced, dt=dt, system=system,
        )  # fmt: skip

    def _independent(self, s: Floats, weight: Floats, error: Floats, count: int) -> float:
        """Independent values among all of them: those of the statistic that has the fewest."""
        mean = np.average(s, axis=0, weights=weight)
        variance = np.average((s - mean) ** 2, axis=0, weights=weight)
        used = slice(2, 8) if self.kind == "dihedral" else slice(0, 2)
        known = error[used] > 0
        if not np.any(known):
            return float(count)
        return float(np.clip(np.min(variance[used][known] / error[used][known] ** 2), 2.0, count))
