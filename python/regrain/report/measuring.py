"""Observables evaluated on both traces, cut into rows that can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from regrain import observables as observing
from regrain.errors import RegrainError
from regrain.observables import Estimate
from regrain.report.known import Known
from regrain.trace import Trace

Observable = Callable[[Trace[Any]], Estimate]


def checked(observables: Any) -> list[Observable]:
    """A list of observables, or what is wrong with it."""
    if callable(observables) or isinstance(observables, str):
        raise RegrainError(
            f"observables: got {observables!r}, expected a list of them: [{observables!r}]"
        )
    found = list(observables)
    if not found:
        raise RegrainError("observables: the list is empty; give at least one, such as RDF()")
    for observable in found:
        if isinstance(observable, type):
            name = observable.__name__
            raise RegrainError(f"observables: {name} is a class; give an instance, {name}()")
        if not callable(observable):
            raise RegrainError(
                f"observables: {observable!r} cannot be called; expected something that takes a "
                "Trace and gives an Estimate"
            )
    return found


def measured(
    observables: Sequence[Observable], fine: Trace[Any], coarse: Trace[Any], known: Known
) -> dict[str, tuple[Estimate, Estimate]]:
    """Row name -> (fine, coarse), what is known put in place of what was measured."""
    return paired(evaluated(observables, fine), evaluated(observables, coarse), known)


def paired(
    fine: Sequence[Estimate], coarse: Sequence[Estimate], known: Known
) -> dict[str, tuple[Estimate, Estimate]]:
    """Row name -> (fine, coarse) of estimates of the same observables."""
    found: dict[str, tuple[Estimate, Estimate]] = {}
    for one_side, other_side in zip(fine, coarse, strict=True):
        sides = _sides(one_side, other_side)
        for name, (one, two) in sides.items():
            one = known.replace(name, one_side.name if len(sides) == 1 else None, one, two)
            found[_free(name, found)] = (one, two)
    return found


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """The name, numbered when an observable before it has the same one."""
    if name not in taken:
        return name
    return next(new for k in range(2, 1000) if (new := f"{name} ({k})") not in taken)


def evaluated(observables: Sequence[Observable], trace: Trace[Any]) -> list[Estimate]:
    """All of them, in one pass as far as that works."""
    together = [o for o in observables if isinstance(o, observing.Observable)]
    try:
        shared = dict(zip(map(id, together), observing.measure(trace, together), strict=True))
    except Exception:  # whose fault it is shows when each is tried by itself
        shared = {}
    return [shared[id(o)] if id(o) in shared else _measure(o, trace) for o in observables]


def _measure(observable: Observable, trace: Trace[Any]) -> Estimate:
    """The estimate, or why there is none: one observable that fails must not cost the others."""
    name = name_of(observable)
    try:
        found = observable(trace)
    except Exception as error:
        text = str(error) if isinstance(error, RegrainError) else f"{type(error).__name__}: {error}"
        return Estimate.undefined(name, text)
    if not isinstance(found, Estimate):
        return Estimate.undefined(name, f"it gave {type(found).__name__}, not an Estimate")
    return found


def name_of(observable: Any) -> str:
    given = getattr(observable, "name", None) or getattr(observable, "__name__", None)
    return given if isinstance(given, str) else type(observable).__name__.lower()


def _sides(fine: Estimate, coarse: Estimate) -> dict[str, tuple[Estimate, Estimate]]:
    """Both estimates cut into one per combination of labels, matched by name."""
    one = {part.name: part for part in parts(fine)}
    two = {part.name: part for part in parts(coarse)}
    if not (fine.defined and coarse.defined):
        named = one if fine.defined else two if coarse.defined else {fine.name: fine}
        return {name: (one.get(name, fine), two.get(name, coarse)) for name in named}
    missing = "the other side has no such entry"
    return {
        name: (
            one.get(name, Estimate.undefined(name, missing)),
            two.get(name, Estimate.undefined(name, missing)),
        )
        for name in one | two
    }


def parts(estimate: Estimate) -> Iterator[Estimate]:
    """One estimate per combination of labels, named by them."""
    if not estimate.defined:
        return
    labelled = {k: v.tolist() for k, v in estimate.coords.items() if v.dtype.kind not in "fiu"}
    for labels in product(*labelled.values()):
        part = estimate.sel(**dict(zip(labelled, labels, strict=True))) if labels else estimate
        yield part
