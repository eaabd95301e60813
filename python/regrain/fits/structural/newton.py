"""Newton-type steps: least squares for changes of potentials, with constraints met exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, cho_factor, cho_solve

from regrain.errors import RegrainError
from regrain.fits.problem import Potentials, Problem
from regrain.fits.structural.records import Iteration
from regrain.fits.structural.shape import ENDS, Shape
from regrain.fits.structural.shaping import bandwidth_penalty, hat_matrix, hat_slopes
from regrain.fits.structure import Distribution

__all__ = ["Row", "Steps", "System"]

Floats = NDArray[np.float64]
#: How every bin of a distribution, by label, answers the unknowns; of one state.
Jacobian = Mapping[str, Floats]

#: Of the diagonal, against shifts of a bonded potential by a constant, which nothing answers.
GAUGE = 1e-6


@dataclass(frozen=True, eq=False)
class Row:
    """A linear condition on the step: ``row @ unknowns = missing``.

    Parameters
    ----------
    name : str
        What is asked for, in words.
    row : ndarray, shape (unknowns,)
    missing : float

    Examples
    --------
    >>> import numpy as np
    >>> from regrain.fits.structural.newton import Row
    >>> Row("the pressure", np.array([1.0, 2.0]), 0.5).missing
    0.5
    """

    name: str
    row: Floats
    missing: float


class Steps:
    """The unknowns of a Newton-type step, their data and penalties; all that runs do not change.

    Unknowns are the energies at the nodes that were sampled, of the interactions of ``shapes``, one
    after the other. A second-difference penalty on the new potentials holds back what is narrower
    than the width of their shapes.

    Parameters
    ----------
    problems : sequence of Problem
        One per state.
    shapes : mapping of str to Shape
        By label, of what is fitted.
    weights : sequence of mapping of str to ndarray
        Of each bin of the target in the sum of squares, by label; one mapping per state.

    Examples
    --------
    >>> from regrain.fits.structural.newton import Steps  # an update makes one
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        shapes: Mapping[str, Shape],
        weights: Sequence[Mapping[str, Floats]],
    ) -> None:
        self.problems, self.shapes, self.weights = problems, shapes, weights
        self.free = {label: _free(shape) for label, shape in shapes.items()}
        ends = np.cumsum([0, *(len(free) for free in self.free.values())])
        self.columns = {
            label: slice(start, stop)
            for label, start, stop in zip(shapes, ends[:-1], ends[1:], strict=True)
        }
        self.unknowns = int(ends[-1])
        parts = [self._penalty(label) for label in shapes]
        self.penalty = block_diag(*(penalty for penalty, _ in parts))
        #: The normal matrix if g answered only where U changes: that of independent particles.
        self.local = np.concatenate([local for _, local in parts])
        bonded = [
            np.full(len(free), self.shapes[k].term.kind != "pair") for k, free in self.free.items()
        ]
        self.gauge = GAUGE * self.local * np.concatenate(bonded)

    def _penalty(self, label: str) -> tuple[Floats, Floats]:
        """Of the new potential, shape (n, n), and what it is in proportion to, shape (n,)."""
        shape, free = self.shapes[label], self.free[label]
        nodes = shape.term.nodes[free]
        local, counts = np.zeros(len(free)), np.zeros(len(free))
        for problem, weights in zip(self.problems, self.weights, strict=True):
            if label in weights:
                target = problem.target[label]
                answer = weights[label] * target.value**2 / problem.kt**2
                local += np.interp(nodes, target.x, answer)
                counts += np.interp(nodes, target.x, shape.term.counts(target))
        end = ENDS[shape.term.kind]
        local = np.maximum(local, 1e-9 * local.max())
        penalty = bandwidth_penalty(local, counts, shape.term.spacing, shape.width, end=end)
        return penalty, local

    def hats(self, label: str, x: Floats) -> Floats:
        """From the unknowns of an interaction to its energies at x, shape (len(x), unknowns)."""
        return self._own(label, hat_matrix(self.shapes[label].term.nodes, x))

    def slopes(self, label: str, x: Floats) -> Floats:
        """From the unknowns of an interaction to its slopes at x."""
        return self._own(label, hat_slopes(self.shapes[label].term.nodes, x))

    def _own(self, label: str, matrix: Floats) -> Floats:
        if self.shapes[label].term.kind == "dihedral":  # the last node is the first one
            matrix[:, 0] += matrix[:, -1]
        return matrix[:, self.free[label]]

    def system(self, jacobians: Sequence[Jacobian]) -> System:
        """The normal equations of these responses, one mapping per state."""
        normal = self.penalty + np.diag(self.gauge)
        adjoints = []
        for weights, jacobian in zip(self.weights, jacobians, strict=True):
            adjoint = {}
            for label, answer in jacobian.items():
                adjoint[label] = answer.T * weights[label][: len(answer)]
                normal = normal + adjoint[label] @ answer
            adjoints.append(adjoint)
        return System(self, normal, adjoints)

    def residuals(self, runs: Sequence[Iteration]) -> list[dict[str, Floats]]:
        """g* - g of the latest runs; nothing is asked for beyond what was measured."""
        found = []
        for problem, run in zip(self.problems, runs, strict=True):
            left = {}
            for label in self.shapes:
                if label in problem.target:
                    wanted, got = problem.target[label].value, run.measured[label].value
                    left[label] = np.zeros(len(wanted))
                    left[label][: len(got)] = wanted[: len(got)] - got[: len(wanted)]
            found.append(left)
        return found


@dataclass(frozen=True, eq=False)
class System:
    """The normal equations of a step.

    Examples
    --------
    >>> from regrain.fits.structural.newton import System  # made by `Steps.system`
    """

    steps: Steps
    normal: Floats
    adjoints: Sequence[Jacobian]

    def step(
        self, residuals: Sequence[Mapping[str, Floats]], old: Potentials, rows: Sequence[Row] = ()
    ) -> Potentials:
        """Changes at all nodes: the least residual and roughness, on condition of the rows.

        Raises
        ------
        RegrainError
            Rows that the unknowns cannot meet, or not independently.
        """
        steps = self.steps
        energies = np.concatenate([old[label][free] for label, free in steps.free.items()])
        # The penalty is on the new potential, or noise would pile up from step to step.
        right = -steps.penalty @ energies
        for adjoint, left in zip(self.adjoints, residuals, strict=True):
            for label, matrix in adjoint.items():
                right = right + matrix @ left[label][: matrix.shape[1]]
        factor = cho_factor(self.normal)
        change = cho_solve(factor, right)
        if rows:
            asked = np.array([row.row for row in rows])
            softest = cho_solve(factor, asked.T)
            gain = asked @ softest
            scale = np.sqrt(np.maximum(np.diag(gain), 0.0))
            names = " and ".join(row.name for row in rows)
            if not np.all(scale > 0):
                raise RegrainError(
                    f"{names}: nothing that is fitted changes it; give longer tables, or leave it "
                    "out"
                )
            even = gain / np.outer(scale, scale)
            if np.linalg.cond(even) > 1e10:
                raise RegrainError(f"{names} cannot be asked for independently; leave one out")
            missing = np.array([row.missing for row in rows]) - asked @ change
            change = change + softest @ (np.linalg.solve(even, missing / scale) / scale)
        return self._spread(change)

    def errors(self, errors: Sequence[Mapping[str, Floats]]) -> Potentials:
        """Standard errors at all nodes, from those of the distributions of each state."""
        noise = np.zeros_like(self.normal)
        for adjoint, error in zip(self.adjoints, errors, strict=True):
            for label, matrix in adjoint.items():
                noise += (matrix * error[label][: matrix.shape[1]] ** 2) @ matrix.T
        return self.errors_of(noise)

    def errors_of(self, noise: Floats) -> Potentials:
        """Standard errors at all nodes, from the covariance of the right side of the equations."""
        gain = np.linalg.inv(self.normal)
        spread = self._spread(np.sqrt(np.einsum("ij,ji->i", gain @ noise, gain)))
        for label, free in self.steps.free.items():
            spread[label][: free[0]] = spread[label][free[0]]
            if self.steps.shapes[label].term.kind != "pair":
                spread[label][free[-1] + 1 :] = spread[label][free[-1]]
        return spread

    def _spread(self, values: Floats) -> Potentials:
        """At all nodes of each form, 0 where there is no unknown."""
        found = {}
        for label, free in self.steps.free.items():
            whole = np.zeros(len(self.steps.shapes[label].term.nodes))
            whole[free] = values[self.steps.columns[label]]
            if self.steps.shapes[label].term.kind == "dihedral":
                whole[-1] = whole[0]
            found[label] = whole
        return found


def _free(shape: Shape) -> NDArray[np.intp]:
    if shape.term.kind == "dihedral":
        return np.arange(len(shape.term.nodes) - 1)
    if shape.term.kind == "pair":  # the last node is zero
        return np.arange(shape.first, len(shape.term.nodes) - 1)
    return np.arange(shape.first, shape.last + 1)


def joint_errors(problem: Problem, run: Iteration | None) -> dict[str, Floats]:
    """Errors of the target and of a coarse run together, by label.

    Examples
    --------
    >>> from regrain.fits.structural.newton import joint_errors  # an update calls it
    """
    return {
        label: target.error if run is None else _with(target, run.measured[label])
        for label, target in problem.target.items()
    }


def _with(target: Distribution, found: Distribution) -> Floats:
    variance = target.error**2
    n = min(len(variance), len(found.error))
    variance[:n] += found.error[:n] ** 2
    return np.sqrt(variance)
