"""Small liquids whose potential is known, and what a fit makes of their traces."""

from collections.abc import Callable

import numpy as np
import pytest

import regrain as rg
from regrain.particles import ForceField, Langevin, Particles, Table, Topology, fcc

SOFT = Table(r_min=0.0, r_max=2.5, points=126)


def soft(height: float = 2.0) -> Table:
    """A Gaussian core, which ends at zero with hardly any slope."""
    return SOFT.with_energy(height * (np.exp(-(SOFT.grid**2)) - np.exp(-(SOFT.r_max**2))))


def simulate(field: ForceField, start: Particles, *, time: float, seed: int) -> rg.Trace[Particles]:
    dynamics = Langevin(friction=1.0)
    first = field.run(start, time=10, dt=0.05, every=10, seed=seed, dynamics=dynamics)
    return field.run(
        first[-1], time=time, dt=0.05, every=0.5, seed=seed + 1, dynamics=dynamics
    ).in_memory()


@pytest.fixture(scope="session")
def soft_liquid() -> rg.Trace[Particles]:
    """256 Gaussian cores of height 2 kT at density 0.5."""
    field = ForceField({("A", "A"): soft()}, temperature=1.0)
    return simulate(field, fcc(cells=4, density=0.5), time=150, seed=3)


@pytest.fixture(scope="session")
def gas() -> rg.Trace[Particles]:
    """Points that do not see each other."""
    rng = np.random.default_rng(5)
    states = [Particles(rng.random((300, 3)) * 6, box=[6, 6, 6]) for _ in range(40)]
    return rg.Trace(states, times=np.arange(40.0))


@pytest.fixture(scope="session")
def chains() -> Callable[[int], rg.Trace[Particles]]:
    """Frames of independent chains A-B-A-B with harmonic bonds and angles, drawn exactly."""

    def make(frames: int) -> rg.Trace[Particles]:
        rng = np.random.default_rng(11)
        count = 100
        index = np.arange(4 * count).reshape(-1, 4)
        topology = Topology(
            ["A", "B", "A", "B"] * count,
            bonds=np.concatenate([index[:, k : k + 2] for k in range(3)]),
            angles=np.concatenate([index[:, k : k + 3] for k in range(2)]),
            dihedrals=index,
        )
        states = [
            Particles(_chains(rng, count), box=[40.0] * 3, topology=topology) for _ in range(frames)
        ]
        return rg.Trace(states, times=np.arange(float(frames)))

    return make


BOND, ANGLE, TWIST = 200.0, 25.0, 1.5
LENGTH, THETA = 1.0, 2.0


def _draw(rng: np.random.Generator, n: int, x: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Numbers of a density by inverting its cumulative sum."""
    total = np.cumsum(density)
    return np.interp(rng.random(n) * total[-1], total, x)


def _chains(rng: np.random.Generator, count: int) -> np.ndarray:
    """Positions of chains with p(r) ∝ r² exp(-U), p(θ) ∝ sin θ exp(-U), p(φ) ∝ exp(-U), kT = 1."""
    r = np.linspace(0.5, 1.5, 20001)
    theta = np.linspace(0.0, np.pi, 20001)
    phi = np.linspace(-np.pi, np.pi, 20001)
    bonds = _draw(rng, 3 * count, r, r**2 * np.exp(-BOND / 2 * (r - LENGTH) ** 2)).reshape(-1, 3)
    bend = np.sin(theta) * np.exp(-ANGLE / 2 * (theta - THETA) ** 2)
    angles = _draw(rng, 2 * count, theta, bend).reshape(-1, 2)
    twists = _draw(rng, count, phi, np.exp(-TWIST * (1 + np.cos(2 * phi))))
    a = rng.random((count, 3)) * 30 + 5
    b = a + bonds[:, :1] * [1.0, 0.0, 0.0]
    along = np.stack([-np.cos(angles[:, 0]), np.sin(angles[:, 0]), 0 * twists], axis=1)
    c = b + bonds[:, 1:2] * along
    normal = np.array([0.0, 0.0, 1.0])
    out = np.cos(twists)[:, None] * _towards(along) + np.sin(twists)[:, None] * normal
    d = c + bonds[:, 2:] * (
        -np.cos(angles[:, 1])[:, None] * along + np.sin(angles[:, 1])[:, None] * out
    )
    return np.stack([a, b, c, d], axis=1).reshape(-1, 3)


def _towards(along: np.ndarray) -> np.ndarray:
    """Unit vector across a bond, on the side where the chain came from (-x)."""
    back = np.array([-1.0, 0.0, 0.0])
    across = back - (along @ back)[:, None] * along
    return across / np.linalg.norm(across, axis=1, keepdims=True)
