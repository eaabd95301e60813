"""Groot and Warren's water, top-down: the repulsion that makes DPD as stiff as water.

J. Chem. Phys. 107, 4423 (1997): 1 / (n k_B T κ) of water is 15.98, and a = 75 k_B T / n.

python examples/dpd_water.py [time]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import regrain as rg
from regrain.observables import Diffusion, Pressure
from regrain.particles import DPD, ForceField, Soft, fcc

time = float(sys.argv[1]) if len(sys.argv) > 1 else 40.0
DENSITY, STEP = 3.0, 0.1
STIFFNESS, ERROR = 15.98, 0.08


def make(a: float) -> ForceField:
    """Beads that repel each other softly."""
    return ForceField(pairs={("A", "A"): Soft(a=a, cutoff=1.0)}, temperature=1.0)


def fluid(model: ForceField, density: float, seed: int) -> rg.Trace:
    """A run at a density, without its first quarter."""
    trace = model.run(
        fcc(cells=6, density=density), time=time, dt=0.02, every=0.1, seed=seed,
        dynamics=DPD(friction=4.5),
    )  # fmt: skip
    return trace[len(trace) // 4 :]


def run(model: ForceField, seed: int) -> list[rg.Trace]:
    """A little thinner and a little denser than wanted."""
    return [fluid(model, DENSITY + d, 2 * seed + k) for k, d in enumerate((-STEP, STEP))]


def stiffness(traces: list[rg.Trace]) -> tuple[float, float]:
    """1 / (n k_B T κ) = ∂p/∂n / k_B T by a difference, whose error in STEP is of second order."""
    low, high = (Pressure()(trace) for trace in traces)
    slope = (float(high) - float(low)) / (2 * STEP)
    noise = [0.0 if p.error is None else float(p.error) for p in (low, high)]
    return slope, float(np.linalg.norm(noise)) / (2 * STEP)


search = rg.fits.Target(
    make=make, parameters={"a": (15.0, 35.0)}, run=run, seed=1, evaluations=40,
    observable=stiffness, value=STIFFNESS, error=ERROR,
)  # fmt: skip
found = search()
print(found)
print(f"{found.parameters['a']}; Groot and Warren: {75 / DENSITY:g}")
figure, ax = plt.subplots()
found.plot(ax)
a = np.linspace(15.0, 35.0)
ax.plot(a, 1 + 2 * 0.101 * a * DENSITY, color="C1", label="p = n kT + 0.101 a n²")
ax.set_ylabel("1 / (n kT κ)")
ax.legend()
figure.savefig("dpd_water.png", dpi=150)
# What the friction then makes of it: Groot and Warren's beads diffuse as fast as momentum does.
print(Diffusion()(fluid(found.model, DENSITY, seed=0)))
