"""What is known besides the forms: charges, triples, fields, biases act in every coarse run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regrain as rg
from regrain.particles import (
    Distance,
    Field,
    ForceField,
    Langevin,
    LennardJones,
    Particles,
    ReactionField,
    Restraint,
    StillingerWeber,
    Table,
    TableTriple,
    Topology,
    fcc,
)
from tests.fits.conftest import SOFT

FIELD = ReactionField(cutoff=2.5)
TYPES = [("A", "A"), ("A", "B"), ("B", "B")]
FORM = Table(r_min=0.75, r_max=2.5, points=71)
CORE = LennardJones(epsilon=1.0, sigma=1.0, cutoff=2.5, mode="force-shifted")


def test_known_laws_are_in_the_model_and_in_the_workdir(
    soft_liquid: rg.Trace[Particles], tmp_path: Path
) -> None:
    charged = Topology(["A"] * 256, charges=np.tile([0.1, -0.1], 128))
    target = soft_liquid.map(lambda state: state.replace(topology=charged))
    triple = StillingerWeber(epsilon=0.1, theta0=1.9, r_max=1.5, decay=1.0)
    settings: dict[str, Any] = {"pairs": {("A", "A"): SOFT}, "temperature": 1.0, "dt": 0.05,
                                "time": 5.0, "iterations": 1, "charges": FIELD,
                                "triples": {("A", "A", "A"): triple}}  # fmt: skip
    fit = rg.fits.HNCGN(**settings, kirkwood_buff={("A", "A"): -1.5})
    result = fit(target, workdir=tmp_path, progress=False)
    assert result.model.charges == FIELD
    assert result.model.triples["A", "A", "A"] == triple
    again = fit(target, workdir=tmp_path, progress=False)
    assert again.model == result.model
    with pytest.raises(rg.RegrainError, match="charges was"):
        rg.fits.HNCGN(**{**settings, "charges": None}, kirkwood_buff={("A", "A"): -1.5})(
            target, workdir=tmp_path, progress=False
        )


def test_what_is_no_known_law(soft_liquid: rg.Trace[Particles]) -> None:
    with pytest.raises(rg.RegrainError, match=r"IBI: charges is 1.0; give how the charges"):
        rg.fits.IBI(pairs={("A", "A"): SOFT}, temperature=1.0, charges=1.0)  # type: ignore[arg-type]
    form = TableTriple(points=11, r_max=1.5, decay=1.0)
    fit = rg.fits.IMC(pairs={("A", "A"): SOFT}, temperature=1.0, triples={("A", "A", "A"): form})
    with pytest.raises(rg.RegrainError, match="triple A-A-A is a form, but distributions of pairs"):
        fit(soft_liquid)


# Of the period of the box, so that there is no jump; and a spring on two particles.
WAVE = Field("2*cos(2*pi*z/edge)", edge=8.0)
SPRING = Restraint(Distance(a=0, b=1), center=1.0, k=5.0)
SETTINGS: dict[str, Any] = {"pairs": {("A", "A"): SOFT}, "temperature": 1.0, "dt": 0.05,
                            "time": 5.0, "iterations": 1}  # fmt: skip


def test_fields_and_biases_act_in_coarse_runs(
    soft_liquid: rg.Trace[Particles], tmp_path: Path
) -> None:
    assert np.allclose(soft_liquid[0].box, 8.0 * np.eye(3))
    fit = rg.fits.IBI(**SETTINGS, external={"A": WAVE}, biases=[SPRING])
    assert eval(repr(fit), {**vars(rg.fits), **vars(rg.particles)}) == fit
    result = fit(soft_liquid, workdir=tmp_path, progress=False)
    assert list(result.model.external or ()) == [("A", WAVE)]
    assert list(result.model.biases or ()) == [SPRING]
    without = rg.fits.IBI(**SETTINGS)(soft_liquid, progress=False)
    # The same start, seed and first potential: only what acts besides makes the runs differ.
    assert result.history[0].potentials["pair A-A"] == pytest.approx(
        without.history[0].potentials["pair A-A"]
    )
    assert result.history[0].chi2 > without.history[0].chi2
    with pytest.raises(rg.RegrainError, match="external was"):
        rg.fits.IBI(**SETTINGS, biases=[SPRING])(soft_liquid, workdir=tmp_path, progress=False)


def test_what_does_not_go_with_fields(soft_liquid: rg.Trace[Particles]) -> None:
    outside: dict[str, Any] = {**SETTINGS, "external": {"A": WAVE}}
    with pytest.raises(rg.RegrainError, match=r"HNCGN answers g.r. by a theory of homogeneous"):
        rg.fits.HNCGN(**outside)(soft_liquid)
    with pytest.raises(rg.RegrainError, match="IBI: the pressure is constrained, but beside Field"):
        rg.fits.IBI(**outside, pressure=1.0)(soft_liquid)
    with pytest.raises(rg.RegrainError, match="no pair names this type"):
        rg.fits.IBI(**{**outside, "external": {"B": WAVE}})(soft_liquid)
    with pytest.raises(rg.RegrainError, match=r"external: got 3.0, expected fields and walls"):
        rg.fits.IBI(**{**outside, "external": 3.0})
    stretched = [1.0 + 0.001 * (k % 3) for k in range(len(soft_liquid))]
    breathing = rg.Trace(
        [
            state.replace(box=state.box * [1, 1, s], positions=state.positions * [1, 1, s])
            for state, s in zip(soft_liquid, stretched, strict=True)
        ],
        times=soft_liquid.times,
    )
    with pytest.raises(rg.RegrainError, match="the box of the target changes along z, where Field"):
        rg.fits.IBI(**outside)(breathing)
    sideways = {**outside, "external": {"A": Field("cos(2*pi*x/8)")}, "iterations": 0}
    rg.fits.IBI(**sideways)(breathing, progress=False)


@pytest.mark.parametrize(("name", "law", "nothing"), [
    ("external", {"A": WAVE}, {}), ("biases", [SPRING], [])
])  # fmt: skip
def test_a_fit_that_forgets_what_acted_says_so(
    soft_liquid: rg.Trace[Particles], name: str, law: Any, nothing: Any
) -> None:
    model = ForceField({("A", "A"): None}, **{name: law})
    target = rg.Trace(
        list(soft_liquid), times=soft_liquid.times, provenance={"model": model.to_dict()}
    )
    settings = {**SETTINGS, "iterations": 0}
    with pytest.warns(UserWarning, match=f"of which the fit knows nothing.*give {name}="):
        rg.fits.IBI(**settings)(target, progress=False)
    for given in (law, nothing):  # filterwarnings makes a warning an error
        rg.fits.IBI(**settings, **{name: given})(target, progress=False)


def test_bonded_forms_say_so_too(chains: Callable[[int], rg.Trace[Particles]]) -> None:
    frames = chains(20)
    model = ForceField({("A", "B"): None}, biases=[SPRING])
    target = rg.Trace(list(frames), times=frames.times, provenance={"model": model.to_dict()})
    with pytest.warns(UserWarning, match=r"model.replace\(biases=...\) puts in"):
        rg.fits.BondedForms(temperature=1.0)(target)


@pytest.mark.slow
def test_the_cores_of_ions_come_back_beside_their_charges() -> None:
    n = 256
    topology = Topology(["A", "B"] * (n // 2), charges=np.tile([1.0, -1.0], n // 2))
    start = fcc(cells=4, density=0.5).replace(topology=topology)
    field = ForceField(dict.fromkeys(TYPES, CORE), temperature=1.5, charges=FIELD)
    settings: dict[str, Any] = {"dt": 0.004, "dynamics": Langevin(friction=1.0)}
    first = field.run(start, time=20, every=20, seed=1, **settings)
    target = field.run(first[-1], time=120, every=0.2, seed=2, **settings).in_memory()
    pressure = float(rg.observables.Pressure()(target))
    result = rg.fits.HNCGN(
        pairs=dict.fromkeys(TYPES, FORM),
        temperature=1.5,
        charges=FIELD,
        pressure=pressure,
        pressure_error=0.03,
        seed=3,
        time=60,
        dt=0.004,
        every=0.2,
        iterations=3,
    )(target, progress=False)
    for types in TYPES:
        found = result.problem.target[f"pair {'-'.join(types)}"]
        seen = (np.interp(FORM.grid, found.x, found.value) > 0.5) & (FORM.grid < 2.45)
        error = (result.model.pairs[types].energy - CORE.u(FORM.grid))[seen] / 1.5
        assert np.max(np.abs(error)) < 0.2  # kT; the charges themselves are 1 / 1.5 at r = 1
        assert np.sqrt(np.mean(error**2)) < 0.08
