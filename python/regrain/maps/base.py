"""What every map is: a function from fine states to coarse ones that knows its levels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, ClassVar, TypeVar, overload

from regrain.errors import RegrainError, unknown
from regrain.trace import State, Trace

__all__ = ["Chain", "Map"]

S = TypeVar("S", bound=State)


class Map(ABC):
    """Takes a fine state or trace to a coarse one; immutable, picklable, JSON-able.

    A map of a trace is a trace whose frames are mapped when they are read. Its provenance lists the
    maps it came through under ``"maps"``.

    A subclass names its levels in ``takes`` and ``gives``, writes its settings in ``to_dict`` and
    makes one from them in ``_from_dict``, and does the work in ``bind``.

    Attributes
    ----------
    takes, gives : str
        The level of description of the states it is given, and of those it returns.

    Examples
    --------
    >>> from regrain.maps import Beads
    >>> residues = Beads(by="residue")
    >>> residues.takes, residues.gives
    ('particles', 'particles')
    >>> residues >> Beads(by="molecule", name="M")
    Chain(Beads(by='residue'), Beads(by='molecule', name='M'))
    """

    takes: ClassVar[str]
    gives: ClassVar[str]

    _kinds: ClassVar[dict[str, type[Map]]] = {}
    #: Whether what becomes of a frame depends on its time, too (random numbers do).
    _by_time: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Map._kinds[cls.__name__] = cls

    @abstractmethod
    def bind(self, fine: Any) -> Callable[[Any], Any]:
        """The map made ready for all states like this one: a picklable function of a state.

        What depends on the topology alone is done here, once, and not for every frame.

        Raises
        ------
        RegrainError
            The state is of another level, or has not what the map needs.
        """

    @overload
    def __call__(self, fine: Trace[Any]) -> Trace[Any]: ...
    @overload
    def __call__(self, fine: State) -> Any: ...
    def __call__(self, fine: Any) -> Any:
        if not isinstance(fine, Trace):
            return self.bind(fine)(fine)
        coarse = self._of_trace(fine)
        coarse.provenance["maps"] = [*fine.provenance.get("maps", ()), self.to_dict()]
        return coarse

    def _of_trace(self, fine: Trace[Any]) -> Trace[Any]:
        return fine.map(self.bind(fine[0]))

    def __rshift__(self, then: Map) -> Chain:
        if not isinstance(then, Map):
            return NotImplemented
        return Chain(self, then)

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON types; the key ``"map"`` names the class."""

    @classmethod
    @abstractmethod
    def _from_dict(cls, settings: dict[str, Any]) -> Map:
        """A map of this class from what its ``to_dict`` wrote, without ``"map"``."""

    @staticmethod
    def from_dict(settings: Mapping[str, Any]) -> Map:
        """The map that ``to_dict`` wrote.

        Raises
        ------
        RegrainError
            The key ``"map"`` names no map, or the settings are not those of that map.
        """
        rest = dict(settings)
        kind = rest.pop("map", None)
        if kind not in Map._kinds:
            raise unknown("map", kind, Map._kinds)
        return Map._kinds[kind]._from_dict(rest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Map) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(repr(self))

    def _need_level(self, fine: object) -> None:
        level = getattr(fine, "level", None)
        if level != self.takes:
            given = f"a state of {level}" if level else type(fine).__name__
            raise RegrainError(f"{self!r} maps states of {self.takes}; it was given {given}")


class Chain(Map):
    """Maps applied one after the other; what ``>>`` makes.

    Parameters
    ----------
    *maps : Map
        The first is applied first.

    Raises
    ------
    RegrainError
        No maps, or a map that gives another level than the next one takes.

    Loses / Assumes
    ---------------
    What its maps lose, one after the other.

    Examples
    --------
    >>> from regrain.maps import Beads, Chain
    >>> chain = Beads(by="residue") >> Beads(by="molecule", name="M")
    >>> Chain.from_dict(chain.to_dict()) == chain
    True
    """

    def __init__(self, *maps: Map) -> None:
        # Chains are flattened, so that (a >> b) >> c and a >> (b >> c) are equal.
        flat: list[Map] = []
        for item in maps:
            flat += item.maps if isinstance(item, Chain) else [item]
        if not flat:
            raise RegrainError("a chain of maps needs at least one map")
        for first, second in pairwise(flat):
            if first.gives != second.takes:
                raise RegrainError(
                    f"{first!r} gives states of {first.gives}, but {second!r} takes "
                    f"{second.takes}; chain maps whose levels fit"
                )
        self.maps: tuple[Map, ...] = tuple(flat)

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The level that the first map takes."""
        return self.maps[0].takes

    @property
    def gives(self) -> str:  # type: ignore[override]
        """The level that the last map gives."""
        return self.maps[-1].gives

    def __repr__(self) -> str:
        return f"Chain({', '.join(map(repr, self.maps))})"

    def bind(self, fine: Any) -> Callable[[Any], Any]:
        """Each map made ready for what the one before it makes of this state."""
        steps = [self.maps[0].bind(fine)]
        for part in self.maps[1:]:
            fine = steps[-1](fine)
            steps.append(part.bind(fine))
        return _InTurn(tuple(steps))

    def _of_trace(self, fine: Trace[Any]) -> Trace[Any]:
        if not any(part._by_time for part in self.maps):
            return super()._of_trace(fine)
        for part in self.maps:
            fine = part._of_trace(fine)
        return fine

    def to_dict(self) -> dict[str, Any]:
        """The settings of the maps in their order."""
        return {"map": "Chain", "maps": [part.to_dict() for part in self.maps]}

    @classmethod
    def _from_dict(cls, settings: dict[str, Any]) -> Chain:
        return cls(*(Map.from_dict(part) for part in settings["maps"]))


class _InTurn:
    """Functions applied one after the other; a class, because closures cannot be pickled."""

    def __init__(self, steps: tuple[Callable[[Any], Any], ...]) -> None:
        self.steps = steps

    def __call__(self, state: Any) -> Any:
        for step in self.steps:
            state = step(state)
        return state
