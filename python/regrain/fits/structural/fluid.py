"""The target of a fit as a liquid: all its pairs, how molecules look inside, how it answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from regrain import _core
from regrain.errors import RegrainError
from regrain.fits.problem import Potentials, Problem
from regrain.fits.structural.hnc import RadialGrid, pairs_of
from regrain.fits.structural.hnc_target import decayed, liquid_of
from regrain.fits.structural.newton import Row, Steps
from regrain.fits.structural.records import integral_weight
from regrain.fits.structural.shaping import hat_slopes
from regrain.fits.structure import Distribution
from regrain.observables import RDF
from regrain.particles import Particles, Topology
from regrain.trace import Trace

__all__ = ["Answer", "Fluid"]

Floats = NDArray[np.float64]

#: Frames that are enough for what molecules are inside.
FRAMES = 200
#: Root mean square of g - 1 at its end that spoils its integral.
VISIBLE = 0.02
#: Bins of distances inside a molecule per bin of g(r).
FINER = 4


class Fluid:
    """The target at one state through the HNC closure.

    Parameters
    ----------
    problem : Problem

    Raises
    ------
    RegrainError
        Pair forms of different spacings, a structure factor that is not positive.

    Examples
    --------
    >>> from regrain.fits.structural.fluid import Fluid  # an update makes one per state
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        topology = problem.state.topology
        self.names = topology.type_names
        self.numbers = np.bincount(topology.type_ids, minlength=len(self.names))
        ids = pairs_of(len(self.names))
        self.slots = [(self.names[a], self.names[b]) for a, b in ids]
        terms = {term.types: term for term in problem.of_kind("pair")}
        self.terms = {slot: terms[slot] for slot in self.slots if slot in terms}
        spacings = {term.label: term.spacing for term in self.terms.values()}
        spacing = next(iter(spacings.values()))
        if not np.allclose(list(spacings.values()), spacing, rtol=1e-6):
            said = ", ".join(f"{label} {value:g}" for label, value in spacings.items())
            raise RegrainError(
                f"HNCGN needs pair forms of one spacing, but they have {said}; give r_min, r_max "
                "and points that go with one"
            )
        measured, inside = self._distributions()
        self.grid = RadialGrid(spacing, len(measured[0].x))
        self.inside = inside
        # Pairs were counted per N_a (N_b - 1); the liquid's own g(r) tends to 1 with N_a N_b.
        own = np.array([1.0 - 1.0 / max(self.numbers[a], 2) if a == b else 1.0 for a, b in ids])
        g = np.array([d.value for d in measured]) * own[:, None]
        error = np.array([d.error for d in measured])
        self.decayed = decayed(self.grid, g, error, least=VISIBLE)
        reach = max(term.nodes[-1] for term in self.terms.values())
        self.liquid = liquid_of(
            self.grid,
            g,
            error,
            densities=[problem.densities[name] for name in self.names],
            cutoffs=[self.terms[s].nodes[-1] if s in self.terms else reach for s in self.slots],
            intra=self._inside_molecules() if topology.bonds.size else None,
        )

    def _distributions(self) -> tuple[list[Distribution], dict[tuple[str, str], Floats]]:
        """g(r) between molecules of every pair, and what molecules add to each inside."""
        problem = self.problem
        target = {t.types: problem.target[t.label] for t in problem.of_kind("pair")}
        topology = problem.state.topology
        if not topology.bonds.size and all(slot in target for slot in self.slots):
            return [target[slot] for slot in self.slots], {}
        one = next(iter(self.terms.values()))
        x = target[one.types].x
        longest = _longest_chain(topology)
        if longest == len(topology) - 1:
            raise RegrainError(
                "HNCGN is for liquids, but all particles of the target are one molecule; use IBI "
                "or IMC"
            )
        ones = np.ones(len(x))
        # A lone particle of its type has no partners: nothing is between them.
        found = {slot: Distribution(x, ones, 0 * ones, np.inf * ones) for slot in self.slots}
        counts = dict(zip(self.names, self.numbers, strict=True))
        known = [(a, b) for a, b in self.slots if a != b or counts[a] > 1]
        rdf = RDF(r_max=len(x) * one.spacing, bins=len(x), pairs=known, exclude=longest)
        between = rdf(_trace(problem))
        for row, slot in enumerate(known):
            found[slot] = Distribution.of(between, f"pair {'-'.join(slot)}", row)
        inside = {
            slot: np.maximum(target[slot].value - found[slot].value, 0.0)
            for slot in self.slots
            if slot in target and topology.bonds.size
        }
        return [found[slot] for slot in self.slots], inside

    def _inside_molecules(self) -> Floats:
        """Ω(k) of `Liquid`, from the distances inside the target's molecules."""
        topology = self.problem.state.topology
        members = topology.exclusions(_longest_chain(topology))
        grid, n = self.grid, len(self.names)
        omega = np.tile(np.eye(n), (grid.points, 1, 1))
        kinds = np.sort(topology.type_ids[members], axis=1)
        trace = _trace(self.problem)
        frames = trace[:: max(1, len(trace) // FRAMES)]
        width = grid.spacing / FINER
        for a, b in pairs_of(n):
            chosen = members[(kinds[:, 0] == a) & (kinds[:, 1] == b)]
            if len(chosen) == 0:
                continue
            counts: NDArray[Any] = np.zeros(0, dtype=np.intp)
            for state in frames:
                found = _core.bond_lengths(state.positions, state.box, chosen)
                more = np.bincount((found / width).astype(np.intp), minlength=len(counts))
                more[: len(counts)] += counts
                counts = more
            at = np.flatnonzero(counts)
            waves = np.sinc(np.outer(grid.k, (at + 0.5) * width) / np.pi)
            both = 2.0 if a == b else 1.0
            share = both * (waves @ counts[at]) / len(frames)
            share /= np.sqrt(self.numbers[a] * self.numbers[b])
            omega[:, a, b] += share
            if a != b:
                omega[:, b, a] += share
        return omega

    @property
    def only_pairs(self) -> bool:
        """Whether pair forces are all that the virial is made of."""
        others = any(
            form is not None
            for kind, given in self.problem.known.items()
            if kind != "pair"
            for form in given.values()
        )
        fitted = any(term.kind != "pair" for term in self.problem.interactions)
        return not (others or fitted or self.problem.charges)

    @cached_property
    def seen(self) -> dict[str, NDArray[np.bool_]]:
        """Bins of each fitted pair that were sampled."""
        target = self.problem.target
        return {t.label: target[t.label].sampled("pair") for t in self.terms.values()}

    @cached_property
    def inverted(self) -> dict[str, Floats]:
        """The potentials of the bare closure where there are samples, by label."""
        c = np.atleast_2d(self.liquid.direct_correlation())
        found = {}
        for slot, term in self.terms.items():
            g, seen = self.problem.target[term.label].value, self.seen[term.label]
            logarithm = np.log(np.where(seen, g, 1.0))
            energy = self.problem.kt * (g - 1.0 - c[self.slots.index(slot)] - logarithm)
            found[term.label] = np.where(seen, energy, 0.0)
        return found


class Answer:
    """How the liquid of one state answers changes of the potentials of a fit.

    Examples
    --------
    >>> from regrain.fits.structural.fluid import Answer  # an update makes one per state
    """

    def __init__(self, fluid: Fluid, steps: Steps, start: Potentials) -> None:
        self.fluid, self.steps, self.problem = fluid, steps, fluid.problem
        n, slots = fluid.grid.points, fluid.slots
        directions = np.zeros((len(slots), n, steps.unknowns + 1))
        for slot, term in fluid.terms.items():
            hats, at = steps.hats(term.label, fluid.grid.r), slots.index(slot)
            directions[at][:, steps.columns[term.label]] = hats
            if fluid.liquid.intra is None:
                energy = np.interp(fluid.grid.r, term.nodes, start[term.label])
                covered = (fluid.grid.r >= term.nodes[0]) & (fluid.grid.r <= term.nodes[-1])
                left = fluid.inverted[term.label] - np.where(covered, energy, 0.0)
                directions[at][:, -1] = np.where(fluid.seen[term.label], left, 0.0)
        answers = fluid.liquid.response(directions.reshape(len(slots) * n, -1)) / self.problem.kt
        self.answers = answers.reshape(len(slots), n, -1)
        for slot, inside in fluid.inside.items():
            # Pairs of one molecule that are not bonded answer their own potential, as in a gas.
            at = slots.index(slot)
            self.answers[at] -= inside[:, None] * directions[at] / self.problem.kt

    @property
    def jacobian(self) -> dict[str, Floats]:
        """δg of every fitted pair by all unknowns, by label."""
        fluid = self.fluid
        return {
            term.label: self.answers[fluid.slots.index(slot)][:, :-1]
            for slot, term in fluid.terms.items()
        }

    @property
    def left_out(self) -> dict[str, Floats]:
        """Change of g that brings back what the start leaves out of the HNC inversion."""
        fluid = self.fluid
        return {
            term.label: self.answers[fluid.slots.index(slot)][:, -1]
            for slot, term in fluid.terms.items()
        }

    def integral_row(self, label: str, missing: float) -> Row:
        """The condition on a Kirkwood-Buff integral, which misses so much."""
        slot = next(slot for slot, term in self.fluid.terms.items() if term.label == label)
        r, spacing = self.fluid.grid.r, self.fluid.grid.spacing
        weight = integral_weight(r, spacing, self.problem.state.volume)
        row = weight @ self.answers[self.fluid.slots.index(slot)][:, :-1]
        return Row(f"the Kirkwood-Buff integral of {label}", row, missing)

    def pressure(self, measured: Mapping[str, Distribution], energies: Potentials) -> float:
        """Virial pressure of these pair potentials with this g, in energy per volume."""
        ideal = sum(self.problem.densities.values()) * self.problem.kt
        for slot in self.fluid.slots:
            g, slope = self._g(slot, measured), self._slope(slot, energies)
            ideal -= float(self._virial(slot) @ (g * slope))
        return ideal

    def pressure_row(
        self, measured: Mapping[str, Distribution], energies: Potentials, present: float
    ) -> Row:
        """dP/dU at each unknown: directly, and through the answer of all g."""
        fluid = self.fluid
        row = np.zeros(self.steps.unknowns)
        for at, slot in enumerate(fluid.slots):
            virial = self._virial(slot)
            row -= (virial * self._slope(slot, energies)) @ self.answers[at][:, :-1]
            if slot in fluid.terms:
                label = fluid.terms[slot].label
                slopes = self.steps.slopes(label, fluid.grid.r)
                row[self.steps.columns[label]] -= (virial * self._g(slot, measured)) @ slopes
        wanted = self.problem.pressure
        assert wanted is not None
        return Row("the pressure", row, wanted / self.problem.units.pressure_factor - present)

    def _g(self, slot: tuple[str, str], measured: Mapping[str, Distribution]) -> Floats:
        """The latest g; beyond what was measured, that of the target."""
        fluid = self.fluid
        if slot not in fluid.terms:
            return np.asarray(np.atleast_2d(fluid.liquid.g)[fluid.slots.index(slot)])
        label = fluid.terms[slot].label
        g = self.problem.target[label].value.copy()
        if label in measured:
            found = measured[label].value[: len(g)]
            g[: len(found)] = found
        return g

    def _slope(self, slot: tuple[str, str], energies: Potentials) -> Floats:
        """Of the potential of a pair, fitted or known."""
        fluid = self.fluid
        if slot in fluid.terms:
            label = fluid.terms[slot].label
            whole = hat_slopes(fluid.terms[slot].nodes, fluid.grid.r)
            return np.asarray(whole @ energies[label])
        known: Any = self.problem.known["pair"].get(slot)
        if known is None:
            return np.zeros(fluid.grid.points)
        return np.where(self._g(slot, {}) > 0, -np.asarray(known.force(fluid.grid.r)), 0.0)

    def _virial(self, slot: tuple[str, str]) -> Floats:
        """What g u' is summed with; nothing where the target has no particles."""
        fluid, problem = self.fluid, self.problem
        a, b = slot
        both = 1.0 if a == b else 2.0
        factor = both * 2.0 * np.pi / 3.0 * problem.densities[a] * problem.densities[b]
        r = fluid.grid.r
        seen = fluid.seen[fluid.terms[slot].label] if slot in fluid.terms else True
        return np.where(seen, factor * fluid.grid.spacing * r**3, 0.0)


def _trace(problem: Problem) -> Trace[Particles]:
    if problem.trace is None:
        raise RegrainError("pairs that are not fitted, and molecules, need the trace of the target")
    return problem.trace


def _longest_chain(topology: Topology) -> int:
    """Bonds that surely reach from end to end of any molecule."""
    if not topology.bonds.size:
        return 0
    n = len(topology)
    i, j = topology.bonds.T
    linked = csr_array((np.ones(len(i)), (i, j)), shape=(n, n))
    _, labels = connected_components(linked, directed=False)
    return int(np.bincount(labels).max()) - 1
