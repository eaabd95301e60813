"""The parts of a force field: checked, shown, kept as data."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self, cast

import numpy as np

from regrain.checkpoint import load_json, save_json
from regrain.errors import RegrainError
from regrain.particles.bias import BiasTerms
from regrain.particles.charges import Coulomb
from regrain.particles.external_terms import ExternalTerms
from regrain.particles.network import Network
from regrain.particles.parameters import Law, law_from_dict, number
from regrain.particles.scale_14 import Scale14, scale_14_of
from regrain.particles.terms import KINDS, Terms, check_triples, checked
from regrain.units import units as unit_system

__all__ = ["Parts"]

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


class Parts:
    """What a `ForceField` is made of, which says what its arguments are. Immutable.

    Examples
    --------
    >>> from regrain.particles import ForceField
    >>> from regrain.particles.parts import Parts
    >>> isinstance(ForceField({("A", "A"): None}), Parts)
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
        if temperature is not None:
            temperature = float(number("temperature", temperature))
            if not (np.isfinite(temperature) and temperature >= 0):
                raise RegrainError(f"temperature: got {temperature}, expected zero or more")
        exclude = number("exclude", exclude, "int")
        if exclude < 0:
            raise RegrainError(f"exclude: got {exclude}, expected a number of bonds, 0 or more")
        if not isinstance(network, Network | None):
            raise RegrainError(f"network: got {network!r}, expected a Network or None")
        if charges is not None and not isinstance(charges, Coulomb):
            raise RegrainError(
                f"charges: got {charges!r}, expected how they act, Ewald(cutoff=...) or "
                "ReactionField(cutoff=...); the charges themselves are those of the topology"
            )
        scale = scale_14_of(scale_14, exclude=exclude, triples=self._terms["triple"])
        self._settings = {
            "charges": charges,
            "network": network,
            "external": ExternalTerms.of(external, self._terms["pair"]),
            "biases": BiasTerms.of(biases),
            "temperature": temperature,
            "exclude": exclude,
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

    def replace(self, **changes: Any) -> Self:
        """A copy with some arguments of the constructor changed."""
        terms = {f"{kind}s": terms for kind, terms in self._terms.items()}
        return type(self)(**{**terms, **self._settings, **changes})

    def scaled(self, factor: float) -> Self:
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
        return f"{type(self).__name__}({', '.join(shown)})"

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
        return isinstance(other, Parts) and self.to_dict() == other.to_dict()

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
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
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
    def load(cls, path: str | os.PathLike[str]) -> Self:
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
