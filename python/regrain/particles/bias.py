"""Potentials of collective variables: restraints and biases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from regrain import _core
from regrain.errors import RegrainError
from regrain.particles.collective_variables import CollectiveVariable
from regrain.particles.parameters import Law, law_from_dict
from regrain.particles.state import Particles

__all__ = ["Bias", "BiasTerms", "FormulaBias", "Restraint"]


class Bias(Law):
    """A potential of collective variables. Immutable; use a `Restraint` or a `FormulaBias`.

    Examples
    --------
    >>> from regrain.particles import Distance, Restraint
    >>> from regrain.particles.bias import Bias
    >>> isinstance(Restraint(Distance(a=0, b=1), center=1.0, k=10.0), Bias)
    True
    """

    kind: ClassVar[str] = "bias"

    def _variables(self) -> tuple[CollectiveVariable, ...]:
        raise NotImplementedError

    def _law(self) -> Any:
        """What the core has of it, without the variables."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False)
class Restraint(Bias):
    """A spring on a collective variable, k/2 (x - center - speed t)².

    A dihedral and a position are restrained by the shorter way round. With a speed it pulls, and
    the log of the run has the ``work`` that it did.

    Parameters
    ----------
    variable : CollectiveVariable
    center : float
        Where it rests, at the start of the run.
    k : float
        Energy / unit of the variable squared; mind the factor 1/2.
    speed : float
        Of the centre.

    Raises
    ------
    RegrainError
        Numbers that are not finite, a k that is not positive.

    Loses / Assumes
    ---------------
    What a run with it samples is the biased ensemble: energies and pressures hold its part.
    Averages of the unbiased one follow by reweighting.

    Examples
    --------
    >>> from regrain.particles import Distance, ForceField, Particles, Restraint
    >>> restraint = Restraint(Distance(a=0, b=1), center=2.0, k=10.0)
    >>> field = ForceField({("A", "A"): None}, biases=[restraint])
    >>> field.evaluate(Particles([[0, 0, 0], [3, 0, 0]], box=[9, 9, 9]))
    Evaluation(energy 5: bias 5)
    """

    variable: CollectiveVariable
    _: KW_ONLY
    center: float
    k: float
    speed: float = 0.0

    def _check(self) -> None:
        object.__setattr__(self, "variable", _variable(self, self.variable))
        self._finite("center", "speed")
        self._positive("k")

    def to_dict(self) -> dict[str, Any]:
        """The parameters under their names: JSON-able."""
        return super().to_dict() | {"variable": self.variable.to_dict()}

    def _variables(self) -> tuple[CollectiveVariable, ...]:
        return (self.variable,)

    def _law(self) -> Any:
        return _core.Restraint(k=self.k, center=self.center, speed=self.speed)


@dataclass(frozen=True, eq=False, repr=False, init=False)
class FormulaBias(Bias):
    """A potential of collective variables by a formula: see `Field` for what it may have.

    Parameters
    ----------
    formula : str
        Of the variables by their names below, the time ``t`` and constants; "0" for variables that
        shall only be written to the log.
    variables : mapping of str to CollectiveVariable
    **constants : float

    Raises
    ------
    RegrainError
        A formula that is none, or names that it does not have.

    Loses / Assumes
    ---------------
    See `Restraint`. A dihedral jumps by 2 π and a position by the box: the formula has to be the
    same on both sides.

    Examples
    --------
    >>> from regrain.particles import Distance, FormulaBias
    >>> FormulaBias("k*max(d - far, 0)^2", variables={"d": Distance(a=0, b=1)}, k=5.0, far=3.0)
    FormulaBias('k*max(d - far, 0)^2', variables={'d': Distance(a=(0,), b=(1,))}, k=5.0, far=3.0)
    """

    formula: str
    variables: Mapping[str, CollectiveVariable]
    constants: Mapping[str, float]

    def __init__(self, formula: str, *, variables: Mapping[str, Any], **constants: float) -> None:
        if not isinstance(formula, str) or not isinstance(variables, Mapping) or not variables:
            raise RegrainError(
                f"FormulaBias: got {formula!r} of {variables!r}, expected a formula as text and "
                'variables by name, such as FormulaBias("k*d^2", variables={"d": ...}, k=1.0)'
            )
        object.__setattr__(self, "formula", formula)
        given = {str(name): _variable(self, v) for name, v in variables.items()}
        object.__setattr__(self, "variables", given)
        object.__setattr__(self, "constants", {n: float(v) for n, v in constants.items()})
        _core.Expression([formula], variables=[*given, "t"], constants=dict(self.constants), by=[])

    def scaled(self, factor: float) -> FormulaBias:
        """The same with all energies times a factor."""
        text = f"{float(factor)!r}*({self.formula})"
        return FormulaBias(text, variables=self.variables, **self.constants)

    def to_dict(self) -> dict[str, Any]:
        """The formula, its variables and the constants under their names: JSON-able."""
        variables = {name: variable.to_dict() for name, variable in self.variables.items()}
        held = {"potential": "FormulaBias", "formula": self.formula, "variables": variables}
        return held | dict(self.constants)

    def __repr__(self) -> str:
        shown = [repr(self.formula), f"variables={self.variables!r}"]
        return (
            f"FormulaBias({', '.join(shown + [f'{k}={v!r}' for k, v in self.constants.items()])})"
        )

    def _variables(self) -> tuple[CollectiveVariable, ...]:
        return tuple(self.variables.values())

    def _law(self) -> Any:
        return _core.FormulaBias(
            text=self.formula, names=list(self.variables), constants=dict(self.constants)
        )


# ---------------------------------------------------------------------- of a force field


@dataclass(frozen=True, eq=False, repr=False)
class BiasTerms(Law):
    """The restraints and biases of a force field, which makes it of its argument ``biases``.

    Parameters
    ----------
    biases : sequence of Bias

    Raises
    ------
    RegrainError
        Something that is no bias, or two variables under one name.

    Examples
    --------
    >>> from regrain.particles import Distance, Restraint
    >>> from regrain.particles.bias import BiasTerms
    >>> BiasTerms([Restraint(Distance(a=0, b=1), center=1.0, k=10.0)]).columns
    ('distance',)
    """

    biases: tuple[Bias, ...]

    if TYPE_CHECKING:

        def __init__(self, biases: Any) -> None: ...

    def _check(self) -> None:
        given: Any = self.biases
        listed: list[Any] = [given] if isinstance(given, Law | Mapping) else list(given)
        each: list[Bias] = []
        for one in listed:
            law = law_from_dict(one) if isinstance(one, Mapping) else one
            if not isinstance(law, Bias):
                raise RegrainError(
                    f"biases: got {law!r}, expected a Restraint or a FormulaBias; what acts on "
                    "each particle by itself belongs into external={...}"
                )
            each.append(law)
        object.__setattr__(self, "biases", tuple(each))
        names: dict[str, CollectiveVariable] = {}
        for variable in (v for law in each for v in law._variables()):
            if names.setdefault(variable.name, variable) != variable:
                raise RegrainError(
                    f"two collective variables have the name {variable.name!r}, {variable!r} and "
                    f"{names[variable.name]!r}; give them names of their own (name=...)"
                )

    @classmethod
    def of(cls, given: Any) -> BiasTerms | None:
        """What an argument of a force field means; None for nothing."""
        made = given if given is None or isinstance(given, cls) else cls(given)
        return made if made is not None and len(made) else None

    def __iter__(self) -> Iterator[Bias]:
        return iter(self.biases)

    def __len__(self) -> int:
        return len(self.biases)

    def __repr__(self) -> str:
        return repr(list(self.biases))

    def __str__(self) -> str:
        return repr(self)

    @property
    def variables(self) -> tuple[CollectiveVariable, ...]:
        """The collective variables, each once."""
        return tuple({v.name: v for law in self.biases for v in law._variables()}.values())

    @property
    def columns(self) -> tuple[str, ...]:
        """Under which names the log has them."""
        return tuple(variable.name for variable in self.variables)

    @property
    def axes(self) -> str:
        """The axes of the box that they know."""
        return "".join(sorted({axis for v in self.variables for axis in v.axes}))

    def scaled(self, factor: float) -> BiasTerms:
        """The same with all energies times a factor."""
        return BiasTerms([law.scaled(factor) for law in self.biases])

    def to_dict(self) -> dict[str, Any]:
        """The biases: JSON-able."""
        return {"potential": "BiasTerms", "biases": [law.to_dict() for law in self.biases]}

    def attach(self, field: Any, state: Particles) -> None:
        """Give it to a force field of the core, for the particles of a state.

        Raises
        ------
        RegrainError
            Particles that the state does not have.
        """
        masses = state.topology.masses
        field.set_bias(
            variables=[variable._core(masses) for variable in self.variables],
            terms=[
                _core.BiasTerm(
                    law=law._law(),
                    variables=[self.columns.index(v.name) for v in law._variables()],
                    name=repr(law),
                )
                for law in self.biases
            ],
        )


def _variable(law: Bias, given: Any) -> CollectiveVariable:
    variable = law_from_dict(given) if isinstance(given, Mapping) else given
    if not isinstance(variable, CollectiveVariable):
        raise RegrainError(
            f"{type(law).__name__}: got {variable!r}, expected a collective variable such as "
            "Distance(a=0, b=1)"
        )
    return variable
