"""A solvent as viscous as wanted: the time between collisions of SRD, found top-down.

python examples/srd_viscosity.py [time]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import regrain as rg
from regrain.observables import PoiseuilleViscosity
from regrain.particles import SRD, ForceField, Particles, Topology

time = float(sys.argv[1]) if len(sys.argv) > 1 else 400.0
DENSITY, BOX, FORCE = 10.0, (8.0, 8.0, 16.0), 0.02
WANTED, ERROR = 10.0, 0.1
solvent = ForceField({}, temperature=1.0)  # its particles do not interact: they collide


def make(interval: float) -> SRD:
    """Driven up in the lower half of the box and down in the upper: two parabolas."""
    return SRD(
        solvent="S", cell=1.0, angle=130.0, interval=interval,
        acceleration=(FORCE, 0.0, 0.0), reverse="z",
    )  # fmt: skip


def run(rule: SRD, seed: int) -> rg.Trace:
    """The last three quarters: the flow is steady after D² / (π² ν), some ten units of time."""
    count = round(DENSITY * np.prod(BOX))
    places = np.random.default_rng(seed).random((count, 3)) * BOX
    start = Particles(places, box=BOX, topology=Topology(["S"] * count))
    steps = round(time / rule.interval)
    trace = solvent.run(
        start, time=steps * rule.interval, dt=rule.interval,
        every=max(1, steps // 200) * rule.interval, seed=seed, dynamics=rule,
    )  # fmt: skip
    return trace[len(trace) // 4 :]


search = rg.fits.Target(
    make=make, parameters={"interval": (0.04, 0.2)}, run=run, seed=1, evaluations=30,
    observable=PoiseuilleViscosity(force=FORCE, reverse=True, bins=32), value=WANTED, error=ERROR,
)  # fmt: skip
found = search()
print(found)


def theory(interval: float) -> float:
    """Kinetic and collisional viscosity."""
    return float(make(interval).theory(density=DENSITY, temperature=1.0).viscosity)


figure, ax = plt.subplots()
found.plot(ax)
intervals = np.linspace(0.04, 0.2, 200)
curve = np.array([theory(interval) for interval in intervals])
ax.plot(intervals, curve, color="C1", label="theory")
ax.legend()
figure.savefig("srd_viscosity.png", dpi=150)
best = found.parameters["interval"]
of_theory = intervals[np.argmin(np.abs(curve - WANTED))]
print(f"{best}; of theory {of_theory:.4f}, whose viscosity at the interval found is "
      f"{theory(float(best)):.3f}")  # fmt: skip
