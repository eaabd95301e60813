"""Whether two traces may be compared at all, and whether they are at the same state point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from regrain.errors import RegrainError
from regrain.observables.blocks import mean_with_error
from regrain.report.rows import Check, Source, jsonable
from regrain.report.text import short
from regrain.trace import Trace
from regrain.units import units

#: Significance at which a run is said to drift.
DRIFT = 1e-3
#: Share by which the temperature of a run may miss that of its model.
HOT = 0.015


@dataclass(frozen=True)
class Fact:
    """A number that both sides should share, to within a relative slack."""

    value: float
    unit: str
    slack: float

    def __str__(self) -> str:
        return f"{short(self.value, 4)} {self.unit}".rstrip()


def refuse(fine: object, coarse: object) -> None:
    """Stop when the two are not traces of one level, in one unit system, of the same things.

    Raises
    ------
    RegrainError
        What differs, and what to do about it.
    """
    for name, trace in (("fine", fine), ("coarse", coarse)):
        if not isinstance(trace, Trace):
            raise RegrainError(
                f"{name}: got {type(trace).__name__}, expected a Trace; run the model, or load the "
                "file, and give what comes back"
            )
    assert isinstance(fine, Trace)  # for the type checker
    assert isinstance(coarse, Trace)
    one, two = fine[0], coarse[0]
    for what, a, b, hint in (
        ("level", one.level, two.level, "map the fine trace to the coarse level first"),
        ("units", one.units, two.units, "convert one of them"),
    ):
        if a != b:
            raise RegrainError(f"the fine trace has {what} {a!r}, the coarse one {b!r}; {hint}")
    if one.level == "particles":
        _same_types(one, two)


def _same_types(fine: Any, coarse: Any) -> None:
    one, two = set(fine.topology.type_names), set(coarse.topology.type_names)
    if one != two:
        raise RegrainError(
            f"the fine trace has particles of type {', '.join(sorted(one))}, the coarse one of "
            f"{', '.join(sorted(two))}; map the fine trace first, compare(beads(fine), coarse, ...)"
        )


def source_of(trace: Trace[Any], label: str, known: Mapping[str, float]) -> Source:
    """A trace in words."""
    system = repr(trace[0])
    name = type(trace[0]).__name__
    provenance = jsonable(trace.provenance)
    return Source(
        label=label,
        frames=len(trace),
        times=(float(trace.times[0]), float(trace.times[-1])),
        system=system.removeprefix(f"{name}(").removesuffix(")"),
        state={
            k: str(v) for k, v in facts(trace, known).items() if k in ("density", "temperature")
        },
        provenance={k: v for k, v in provenance.items() if len(str(v)) < 2000},
    )


def checks_of(fine: Trace[Any], coarse: Trace[Any], known: Mapping[str, float]) -> list[Check]:
    """One check for each number that both sides should share.

    Parameters
    ----------
    known : mapping of str to float
        Numbers of the fine model that its trace does not tell, such as ``"temperature"``.
    """
    return agreement(facts(fine, known), facts(coarse, {}))


def agreement(one: Mapping[str, Fact], two: Mapping[str, Fact]) -> list[Check]:
    """One check for each number, of a fine and a coarse side."""
    found = []
    for name in one.keys() | two.keys():
        if name not in one or name not in two:
            side = "fine" if name not in one else "coarse"
            found.append(Check(name, None, f"the {side} trace does not tell it"))
            continue
        a, b = one[name], two[name]
        same = abs(a.value - b.value) <= a.slack * max(abs(a.value), abs(b.value))
        found.append(Check(name, same, f"fine {a}, coarse {b}"))
    return sorted(found, key=lambda check: check.name)


def facts(trace: Trace[Any], known: Mapping[str, float]) -> dict[str, Fact]:
    """What a trace tells of its state point, and what is known of it."""
    found = _BY_LEVEL[trace.level](trace) if trace.level in _BY_LEVEL else {}
    unit = units(trace.units)
    if "temperature" in known:
        found["temperature"] = Fact(known["temperature"], unit.temperature, 0.02)
    return found


def _of_particles(trace: Trace[Any]) -> dict[str, Fact]:
    unit = units(trace.units)
    state = trace[0]
    per_volume = f"1/{unit.length}³" if unit.length else ""
    volume = trace.log.get("volume")
    if volume is None:
        volume = np.array([trace[i].volume for i in {0, len(trace) // 2, len(trace) - 1}])
    found = {
        "particles": Fact(float(len(state)), "", 0.0),
        "mass": Fact(float(state.topology.masses.sum()), unit.mass, 1e-3),
        "density": Fact(len(state) / float(np.mean(volume)), per_volume, 0.02),
    }
    temperature = _temperature(trace)
    if temperature is not None:
        slack = 0.02 + 3.0 * _temperature_noise(trace) / max(temperature, 1e-300)
        found["temperature"] = Fact(temperature, unit.temperature, slack)
    return found


def _temperature(trace: Trace[Any]) -> float | None:
    """From the log, or from the velocities of a few frames; ``None`` without either."""
    if "temperature" in trace.log:
        return float(np.mean(trace.log["temperature"]))
    boltzmann = units(trace.units).boltzmann
    found = []
    for i in np.unique(np.linspace(0, len(trace) - 1, 10).astype(int)):
        state = trace[int(i)]
        if state.velocities is None or len(state) < 2:
            return None
        masses = state.topology.masses[:, None]
        drift = (masses * state.velocities).sum(axis=0) / masses.sum()
        twice_kinetic = float((masses * (state.velocities - drift) ** 2).sum())
        found.append(twice_kinetic / (3 * len(state) - 3) / boltzmann)
    return float(np.mean(found))


def _temperature_noise(trace: Trace[Any]) -> float:
    """Standard error of the mean temperature, as far as the log tells."""
    if "temperature" not in trace.log:
        return 0.0
    error = mean_with_error(trace.log["temperature"]).error
    return 0.0 if error is None else float(error[0])


_BY_LEVEL: Mapping[str, Callable[[Trace[Any]], dict[str, Fact]]] = {"particles": _of_particles}


def thermostat(trace: Trace[Any], label: str) -> list[Check]:
    """Whether a run has the temperature that its model was made for."""
    model = trace.provenance.get("model")
    wanted = model.get("temperature") if isinstance(model, Mapping) else None
    found = _temperature(trace) if trace.level == "particles" else None
    if not wanted or found is None:
        return []
    unit = units(trace.units).temperature
    text = f"{label}: {Fact(found, unit, 0.0)}, its model was made for {Fact(wanted, unit, 0.0)}"
    good = abs(found - wanted) <= max(HOT * wanted, 3.0 * _temperature_noise(trace))
    hint = "" if good else "; a shorter time step, more friction or a longer start may cure it"
    return [Check("thermostat", good, text + hint)]


def stationary(trace: Trace[Any], label: str) -> list[Check]:
    """Whether what a run logged drifts: its two halves compared, each in ten blocks.

    Examples
    --------
    >>> import numpy as np
    >>> from regrain import Trace
    >>> from regrain.particles import Particles
    >>> from regrain.report.sanity import stationary
    >>> state = Particles(np.zeros((1, 3)), box=[5.0, 5.0, 5.0])
    >>> noise = np.random.default_rng(1).normal(size=200)
    >>> for drift in (0.0, 5.0):
    ...     log = {"energy": noise + drift * np.arange(200) / 200}
    ...     trace = Trace([state] * 200, times=np.arange(200.0), log=log)
    ...     print(stationary(trace, "coarse")[0])
    [ok] stationary: coarse: no drift between the halves of energy
    [FAILED] stationary: coarse: its halves differ in energy; cut off the beginning
    """
    half = len(trace) // 2
    series = {
        name: np.asarray(column, dtype=float)
        for name, column in trace.log.items()
        if column.ndim == 1
        and column.dtype.kind in "fiu"
        and np.ptp(column) > 0
        and name != "conserved_energy"  # its drift tells of the time step, not of equilibrium
    }
    if half < 20 or not series:
        return []
    drifting = []
    for name, column in series.items():
        halves = [
            [block.mean() for block in np.array_split(part, 10)]
            for part in (column[:half], column[half:])
        ]
        if stats.ttest_ind(*halves, equal_var=False).pvalue < DRIFT / len(series):
            drifting.append(name)
    text = (
        f"{label}: its halves differ in {', '.join(drifting)}; cut off the beginning"
        if drifting
        else f"{label}: no drift between the halves of {', '.join(series)}"
    )
    return [Check("stationary", not drifting, text)]
