"""The same water through every bottom-up method: the table of docs/bottom_up.md.

    OMP_NUM_THREADS=1 python bench/versus/bottom_up.py <folder> [water.gsd] [name of a method ...]

On the SPC/E water that comes with the package, or on a trajectory of beads W with forces at 300 K,
such as tools/spce_at_temperatures.py makes. Every fit leaves its folder, so that the same call goes
on where it was stopped, and a report. Coarse runs of the fits are short (60 ps) and few.
"""

import sys
import time
import warnings
from pathlib import Path
from typing import Any

import regrain as rg
from regrain.observables import RDF, Angles, Compressibility, Diffusion, Pressure

OBSERVABLES = [RDF(r_max=1.2), Angles(r_max=0.37), Pressure(), Compressibility(300.0), Diffusion()]
TABLE: Any = {("W", "W"): rg.particles.Table(r_min=0.22, r_max=0.90, points=341)}
SPLINE: Any = {("W", "W"): rg.particles.BSpline(r_min=0.24, r_max=0.90, functions=34)}
STATE: Any = {"temperature": 300.0, "seed": 7, "time": 60.0}
METHODS = {
    "BI": rg.fits.BoltzmannInversion(pairs=TABLE, **STATE),
    "IBI": rg.fits.IBI(pairs=TABLE, iterations=6, **STATE),
    "IBI p": rg.fits.IBI(pairs=TABLE, pressure=1.0, iterations=6, **STATE),
    "IMC": rg.fits.IMC(pairs=TABLE, iterations=6, **STATE),
    "IMC p": rg.fits.IMC(pairs=TABLE, pressure=1.0, iterations=6, **STATE),
    "HNCGN": rg.fits.HNCGN(pairs=TABLE, **STATE),
    "HNCGN p": rg.fits.HNCGN(pairs=TABLE, pressure=1.0, **STATE),
    "RE": rg.fits.RelativeEntropy(pairs=SPLINE, iterations=6, **STATE),
    "FM": rg.fits.ForceMatching(pairs=SPLINE, temperature=300.0),
}
HEADS = ("RMS g", "RMS angles", "pressure / bar", "compr. / 1e-5", "faster", "runs", "CPU / s")


def line(name: str, target: rg.Trace, home: Path) -> str:
    """Fit, run, compare: what a method gives and costs."""
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what each method warns of, its own page tells
        result = METHODS[name](target, workdir=home / name, progress=False)
    seconds = time.process_time() - start
    settings = {"time": 150.0, "dt": 0.005, "every": 0.5, "seed": 8, "progress": False}
    coarse = result.model.run(target[0], **settings)
    report = rg.compare(target, coarse[30:], OBSERVABLES, fit=result, title=name)
    report.save(home / f"{name}.html")
    pressure, kappa = report["pressure"].coarse, report["compressibility"].coarse
    clock = report["time scale"]["ratio"]
    cells = (
        f"{report['RDF W-W'].get('rms'):.4f}",
        f"{report['angles'].get('rms'):.3f}",
        f"{float(pressure):.0f} ± {float(pressure.error):.0f}",
        f"{1e5 * float(kappa):.1f} ± {1e5 * float(kappa.error):.1f}",
        f"{float(clock):.2f} ± {float(clock.error):.2f}" if clock.defined else "?",
        f"{len(result.history)}",
        f"{seconds:.0f}",
    )
    return " | ".join((name, *cells))


def shipped() -> rg.Trace:
    files = rg.io.example("spce")
    fine = rg.load(files.trajectory, topology=files.topology, select="resname SOL")
    return rg.maps.Beads(by="residue", weights="mass", name="W")(fine)


def main(home: Path, words: list[str]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    own = [word for word in words if word.endswith(".gsd")]
    target = (rg.load(own[0]) if own else shipped()).in_memory()
    print(" | ".join(("method", *HEADS)))
    for name in [word for word in words if word not in own] or METHODS:
        print(line(name, target, home), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
