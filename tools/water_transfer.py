"""One-site water from 280 to 350 K: the tables of docs/transferability.md.

    python tools/water_transfer.py <folder of spce_at_temperatures.py> <folder of results> [time]

Fits the structure at each temperature with the pressure asked for (HNCGN), then runs each model at
each temperature, in the box that the atomistic model has there at 1 bar.
"""

import sys
from pathlib import Path

import regrain as rg
from regrain.observables import RDF, Angles, Compressibility, Diffusion, Pressure

TEMPERATURES = (280.0, 300.0, 320.0, 350.0)
OBSERVABLES = [RDF(r_max=1.2), Angles(r_max=0.37), Pressure(), Compressibility(), Diffusion()]
FORM = rg.particles.Table(r_min=0.22, r_max=0.90, points=341)


def main(data: Path, home: Path, time: float) -> None:
    home.mkdir(parents=True, exist_ok=True)
    fine = {t: rg.load(data / f"water-{t:g}.gsd").in_memory() for t in TEMPERATURES}
    models = {}
    for t, target in fine.items():
        fit = rg.fits.HNCGN(
            pairs={("W", "W"): FORM}, temperature=t, pressure=1.0, seed=7, time=0.5 * time, dt=0.005
        )
        result = fit(target, workdir=home / f"fit-{t:g}")
        print(f"{t:g} K\n{result}\n", flush=True)
        models[f"of {t:g} K"] = result.model
    settings = {
        "temperatures": TEMPERATURES,
        "observables": OBSERVABLES,
        "fine": fine,
        "time": time,
        "dt": 0.005,
        "every": 0.5,
        "seed": 8,
        "workdir": home / "runs",
    }
    starts = {t: trace[0] for t, trace in fine.items()}
    name = "of 300 K"
    moved = rg.transfer({name: models[name]}, starts, scaled=True, **settings)
    print(moved, flush=True)
    coarse = models[name].run(starts[300.0], time=time, dt=0.005, every=0.5, seed=9)
    report = rg.compare(
        fine[300.0],
        coarse,
        OBSERVABLES,
        title="SPC/E water, one bead per molecule, fitted at 300 K",
    ).with_section(moved)
    print(report, flush=True)
    report.save(home / "water.html")
    report.save(home / "water.json")
    table = rg.transfer(models, starts, **settings)
    print(table, flush=True)
    report.with_section(table).save(home / "models.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 300.0)
