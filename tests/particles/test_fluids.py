"""Transport in Groot and Warren's fluid, measured in two ways that share nothing."""

import numpy as np
import pytest

from regrain.observables import Diffusion, PoiseuilleViscosity, Profile, Viscosity
from regrain.particles import DPD, Field, ForceField, Particles, Shear, Soft, fcc

PAIRS = {("A", "A"): Soft(a=25.0, cutoff=1.0)}
FRICTION = DPD(friction=4.5)
#: Of runs ten times as long: see docs/top_down.md.
VISCOSITY = 0.84


@pytest.mark.slow
def test_two_ways_to_the_viscosity() -> None:
    # Shear, from stresses with those of friction and noise in them.
    sheared = ForceField(PAIRS, temperature=1.0).run(
        fcc(cells=6, density=3.0), time=200.0, dt=0.04, every=0.2, seed=1,
        dynamics=FRICTION, flow=Shear(rate=0.5),
    )[50:]  # fmt: skip
    by_stress = Viscosity()(sheared)
    # Reverse Poiseuille flow, from velocities and the force alone.
    rng, box, force = np.random.default_rng(2), np.array([6.0, 6.0, 12.0]), 0.08
    start = Particles(rng.random((1296, 3)) * box, box=box)
    drive = Field(force=("select(z < h, f, -f)", "0", "0"), f=force, h=6.0)
    driven = ForceField(PAIRS, external={"A": [drive]}, temperature=1.0).run(
        start, time=240.0, dt=0.04, every=1.0, seed=3, dynamics=FRICTION
    )[40:]
    by_flow = PoiseuilleViscosity(force=force, reverse=True, bins=24)(driven)
    for eta in (by_stress, by_flow):
        assert eta.error < 0.03 * VISCOSITY
        assert abs(float(eta) - VISCOSITY) < 3.5 * eta.error + 0.02 * VISCOSITY
    assert abs(float(by_stress) - float(by_flow)) < 3.5 * np.hypot(by_stress.error, by_flow.error)
    hot = Profile("temperature", bins=12, component="y")(driven)
    assert np.all(np.abs(hot.value - 1.0) < 0.08)


@pytest.mark.slow
def test_diffusion_at_rest() -> None:
    # Groot and Warren, J. Chem. Phys. 107, 4423 (1997): 0.306, at the higher friction of 6.75, that
    # hardly matters beside this repulsion.
    trace = ForceField(PAIRS, temperature=1.0).run(
        fcc(cells=7, density=3.0), time=60.0, dt=0.02, every=0.2, seed=4, dynamics=FRICTION
    )[50:]
    diffusion = Diffusion()(trace)
    assert diffusion.error < 0.02
    assert abs(float(diffusion) - 0.306) < 0.02 + 3 * diffusion.error
