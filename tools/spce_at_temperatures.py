"""SPC/E water at other temperatures with OpenMM: what docs/transferability.md is made from.

    pip install openmm gsd
    python tools/spce_at_temperatures.py <folder> [temperature ...]

The law is that of the shipped data: reaction field (epsilon 80) and Lennard-Jones cut at 1.2 nm,
dispersion corrections, rigid molecules. Each temperature: 512 molecules, 80 ps at 1 bar of which
the last 60 give the mean box, then 5 and 120 ps in that box, a frame every 0.4 ps. Written are
centres of mass with forces, and the molecular pressure of every frame. About ten minutes of one
core each.
"""

import sys
from pathlib import Path

import numpy as np
import openmm as mm
from scipy.spatial.transform import Rotation

import regrain as rg
from regrain.particles import Particles, Topology

MOLECULES, DENSITY, CUTOFF, FRICTION, DT = 512, 33.28, 1.2, 2.0, 0.002
BOND, ANGLE = 0.1, np.deg2rad(109.4712206)
ATOMS = (("OW", 15.9994, -0.8476, 0.316557, 0.650194), *[("HW", 1.008, 0.4238, 1.0, 0.0)] * 2)
PRESSURE, EQUILIBRATION, TIME, EVERY = 1.0, 80.0, 120.0, 0.4
TEMPERATURES = (280.0, 300.0, 320.0, 350.0)


def system(temperature: float) -> mm.System:
    """SPC/E molecules, and a barostat that also measures the pressure."""
    made, forces = mm.System(), mm.NonbondedForce()
    for first in range(0, 3 * MOLECULES, 3):
        for _, mass, charge, sigma, epsilon in ATOMS:
            made.addParticle(mass)
            forces.addParticle(charge, sigma, epsilon)
        third = 2.0 * BOND * np.sin(ANGLE / 2.0)
        for i, j, length in ((0, 1, BOND), (0, 2, BOND), (1, 2, third)):
            made.addConstraint(first + i, first + j, length)
            forces.addException(first + i, first + j, 0.0, 1.0, 0.0)
    forces.setNonbondedMethod(mm.NonbondedForce.CutoffPeriodic)
    forces.setCutoffDistance(CUTOFF)
    forces.setReactionFieldDielectric(80.0)
    forces.setUseDispersionCorrection(True)
    made.addForce(forces)
    made.addForce(mm.MonteCarloBarostat(PRESSURE, temperature, 25))
    made.setDefaultPeriodicBoxVectors(*np.eye(3) * (MOLECULES / DENSITY) ** (1 / 3))
    return made


def start(edge: float) -> np.ndarray:
    """Molecules on a lattice, turned at random."""
    per_edge = int(np.ceil(MOLECULES ** (1 / 3)))
    cells = np.stack(np.meshgrid(*[np.arange(per_edge)] * 3), axis=-1).reshape(-1, 3)
    centres = cells[:MOLECULES] * edge / per_edge
    arms = [[0, 0, 0], [BOND, 0, 0], [BOND * np.cos(ANGLE), BOND * np.sin(ANGLE), 0]]
    turned = np.einsum("nij,kj->nki", Rotation.random(MOLECULES, random_state=1).as_matrix(), arms)
    return (centres[:, None] + turned).reshape(-1, 3)


def topology() -> Topology:
    names, masses, charges, _, _ = zip(*(ATOMS * MOLECULES), strict=True)
    residues = np.repeat(np.arange(MOLECULES), 3)
    return Topology(names, masses=masses, charges=charges, residues=residues)


def run(temperature: float) -> rg.Trace[Particles]:
    """The atoms, with forces and the molecular pressure."""
    law = system(temperature)
    barostat = law.getForce(1)
    moves = mm.LangevinMiddleIntegrator(temperature, FRICTION, DT)
    moves.setRandomNumberSeed(round(temperature))
    barostat.setRandomNumberSeed(round(temperature))
    platform = mm.Platform.getPlatformByName("CPU")
    context = mm.Context(law, moves, platform, {"Threads": "1"})
    context.setPositions(start(law.getDefaultPeriodicBoxVectors()[0][0]._value))
    mm.LocalEnergyMinimizer.minimize(context, maxIterations=200)
    context.setVelocitiesToTemperature(temperature, 1)
    edges = []
    for step in range(round(EQUILIBRATION / 0.1)):
        moves.step(round(0.1 / DT))
        if step >= 200:
            edges.append(context.getState().getPeriodicBoxVectors()[0][0]._value)
    edge = float(np.mean(np.cbrt(np.mean(np.power(edges, 3)))))
    now = context.getState(positions=True)
    old = now.getPeriodicBoxVectors()[0][0]._value
    molecules = now.getPositions(asNumpy=True)._value.reshape(-1, 3, 3)
    shift = molecules[:, :1] * (edge / old - 1.0)
    barostat.setFrequency(0)
    context.reinitialize(preserveState=True)
    context.setPeriodicBoxVectors(*np.eye(3) * edge)
    context.setPositions((molecules + shift).reshape(-1, 3))
    moves.step(round(5.0 / DT))
    frames, pressures = [], []
    for _ in range(round(TIME / EVERY)):
        moves.step(round(EVERY / DT))
        state = context.getState(positions=True, forces=True)
        frames.append(
            Particles(
                state.getPositions(asNumpy=True)._value,
                box=[edge] * 3,
                topology=topology() if not frames else frames[0].topology,
                forces=state.getForces(asNumpy=True)._value,
                units="md",
            )
        )
        pressures.append(barostat.computeCurrentPressure(context)._value * np.eye(3))
    times = EVERY * np.arange(1.0, len(frames) + 1.0)
    return rg.Trace(frames, times=times, log={"pressure_tensor": pressures})


def main(folder: Path, temperatures: list[float]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    beads = rg.maps.Beads(by="residue", weights="mass", name="W")
    for temperature in temperatures or TEMPERATURES:
        atoms = run(temperature)
        mapped = beads(atoms)
        trace = rg.Trace(list(mapped), times=mapped.times, log=atoms.log)
        file = rg.save(trace, folder / f"water-{temperature:g}.gsd")
        pressure = rg.observables.Pressure()(trace)
        print(f"{file}: edge {trace[0].box[0, 0]:.4f} nm, {pressure!r}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [float(text) for text in sys.argv[2:]])
