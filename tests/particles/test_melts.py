"""Melts of bead-spring chains: whole chains of the right shape, at rest with their force field."""

import numpy as np
import pytest

from regrain import RegrainError
from regrain.particles import Langevin, Particles, bead_spring, bead_spring_melt


@pytest.fixture(scope="module")
def melt() -> Particles:
    return bead_spring_melt(40, length=50, seed=2)


def test_its_density_and_its_chains(melt: Particles) -> None:
    assert len(melt) == 2000
    assert len(melt) / melt.volume == pytest.approx(0.85, rel=1e-12)
    assert len(melt.topology.bonds) == 40 * 49
    assert np.array_equal(np.unique(melt.topology.residues, return_counts=True)[1], [50] * 40)
    bonds = np.diff(melt.unwrapped.reshape(40, 50, 3), axis=1)
    # Whole when unwrapped, and with the mean bond length of the model, 0.97 (Kremer and Grest
    # 1990): 1960 bonds with a spread of 0.04.
    lengths = np.linalg.norm(bonds, axis=-1)
    assert lengths.max() < 1.2
    assert lengths.mean() == pytest.approx(0.966, abs=0.006)


def test_chains_have_the_stiffness_of_the_melt(melt: Particles) -> None:
    # <R²(s)> / s = 1.88 · 0.97² = 1.77 for long s (Auhl et al. 2003), and less for short ones: 1.2
    # to 1.25 for two bonds. 40 chains give 10 % at s = 25: four standard errors are asked for.
    chain = melt.unwrapped.reshape(40, 50, 3)

    def ratio(s: int) -> float:
        return float(np.mean(np.sum((chain[:, s:] - chain[:, :-s]) ** 2, axis=-1)) / s)

    assert ratio(2) == pytest.approx(1.22, abs=0.05)
    assert ratio(25) == pytest.approx(1.77, rel=0.4)


def test_it_is_at_rest_with_its_force_field(melt: Particles) -> None:
    field = bead_spring()
    trace = field.run(melt, time=10.0, dt=0.01, every=0.5, dynamics=Langevin(friction=0.5))
    energy = trace.log["potential_energy"]
    before = field.evaluate(melt).energy
    # The spread of the energy of 2000 beads, each with a heat capacity of order 2: 4 sigma.
    assert abs(before - energy[10:].mean()) < 4 * np.sqrt(2 * len(melt))
    # LAMMPS prints a pressure of 4.65 to 4.67 for 32 000 beads in chains of 100 (the logs of its
    # bench/in.chain); the mean of 15 frames of 2000 beads is known to 0.06.
    pressure = np.trace(trace.log["pressure_tensor"][5:], axis1=1, axis2=2).mean() / 3
    assert pressure == pytest.approx(4.66, abs=0.25)


def test_the_same_seed_gives_the_same_bits() -> None:
    one, same, other = (bead_spring_melt(3, length=8, seed=s, settling=0.5) for s in (4, 4, 5))
    assert np.array_equal(one.positions, same.positions)
    assert not np.array_equal(one.positions, other.positions)


@pytest.mark.parametrize(
    "bad", [{"chains": 0}, {"length": 0}, {"density": 1.5}, {"density": 0.0}, {"settling": 0.0}]
)
def test_what_makes_no_melt(bad: dict[str, float]) -> None:
    given = {"chains": 3, "length": 5, **bad}
    with pytest.raises(RegrainError, match="bead_spring_melt: got"):
        bead_spring_melt(given.pop("chains"), **given)  # type: ignore[arg-type]
