"""An observable of one's own, compared like those that come with the package.

python examples/custom_observable.py [time]

Errors, weights, one pass over the frames and units of axes come with the base class: an observable
says what one frame gives.
"""

import sys
from dataclasses import dataclass

import numpy as np

import regrain as rg
from regrain.observables import Observable, Plan
from regrain.particles import ForceField, LennardJones, fcc

time = float(sys.argv[1]) if len(sys.argv) > 1 else 100.0


@dataclass(frozen=True)
class Occupation(Observable):
    """How unevenly particles fill the cells of a grid: variance over mean of their number."""

    cells: int

    name = "occupation"

    def prepare(self, trace):
        """Nothing to settle: a pure number."""
        return Plan()

    def measure(self, state, plan):
        """1 for an ideal gas, less for a liquid, which is hard to compress."""
        share = np.linalg.solve(state.box.T, state.positions.T).T % 1.0
        cell = np.ravel_multi_index(tuple((share * self.cells).astype(int).T), [self.cells] * 3)
        counts = np.bincount(cell, minlength=self.cells**3)
        return counts.var() / counts.mean()


def run(pair, seed):
    """The gas or liquid of a pair potential at one state point."""
    field = ForceField(pairs={("A", "A"): pair}, temperature=2.0)
    start = fcc(cells=5, density=0.5)
    return field.run(start, time=time, dt=0.004, every=time / 100, seed=seed)[20:]


liquid = run(LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted"), seed=1)
ideal = run(None, seed=2)
print(rg.compare(liquid, ideal, [Occupation(cells=3)], title="A liquid against an ideal gas"))
