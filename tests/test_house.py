"""The rules of CONTRIBUTING.md that a machine can check."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = sorted(
    path for top in ("python", "tests", "bench") for path in ROOT.glob(f"{top}/**/*.py")
)
CPP = sorted(
    path
    for top in ("cpp", "tests/consumer")
    for end in ("hpp", "cpp")
    for path in ROOT.glob(f"{top}/**/*.{end}")
)
HEADERS = [path for path in CPP if path.is_relative_to(ROOT / "cpp" / "include")]

# base <- levels (siblings) <- info: what a namespace of the C++ core may include.
LEVELS = ("particles", "lattice", "jumps", "fields", "networks", "solids")
MAY_INCLUDE = {
    "base": {"base"},
    **{level: {"base", level} for level in LEVELS},
    "info": {"base", "info", *LEVELS},
}

STANDARD_HEADERS = """
    algorithm any array atomic barrier bit bitset charconv chrono cassert cctype cerrno cfenv cfloat
    cinttypes climits cmath compare complex concepts condition_variable coroutine csetjmp csignal
    cstdarg cstddef cstdint cstdio cstdlib cstring ctime deque exception execution filesystem format
    forward_list fstream functional future initializer_list iomanip ios iosfwd iostream istream
    iterator latch limits list locale map memory memory_resource mutex new numbers numeric optional
    ostream queue random ranges ratio regex semaphore set shared_mutex source_location span sstream
    stack stdexcept stop_token streambuf string string_view syncstream system_error thread tuple
    type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector
    version
"""


def check(*command: object) -> None:
    """Run a tool over the repository; the test fails with what it printed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(words[:6])}\n{done.stdout}{done.stderr}"


def includes(path: Path) -> list[str]:
    """What a C++ file includes, with its brackets or quotes."""
    return re.findall(r'^\s*#\s*include\s*([<"][^>"]+[>"])', path.read_text(), re.MULTILINE)


def test_ruff() -> None:
    check(sys.executable, "-m", "ruff", "check", ".")
    check(sys.executable, "-m", "ruff", "format", "--check", ".")


def test_mypy_strict() -> None:
    check(sys.executable, "-m", "mypy", "--strict")


def test_types_fit_the_scripts_of_users() -> None:
    # Not strict, as scripts are not: what they pass must be what the signatures take.
    check(
        *(sys.executable, "-m", "mypy", "--config-file=", "--check-untyped-defs"),
        *sorted(ROOT.glob("examples/*.py")),
    )


def test_python_layers() -> None:
    lint = "from importlinter.cli import lint_imports_command as lint; lint()"
    check(sys.executable, "-c", lint, "--no-cache")


def test_clang_format() -> None:
    # The one of this environment, which the extra "lint" pins: formats differ by version.
    program = Path(sysconfig.get_path("scripts")) / "clang-format"
    check(program if program.exists() else "clang-format", "--dry-run", "-Werror", *CPP)


@pytest.mark.parametrize("top", ["include/regrain", "src"])
def test_cpp_layers(top: str) -> None:
    wrong = []
    for path in CPP:
        if not path.is_relative_to(ROOT / "cpp" / top):
            continue
        namespace = path.relative_to(ROOT / "cpp" / top).parts[0]
        for name in includes(path):
            other = re.match(r'"regrain/(\w+)/', name)
            if other and other[1] not in MAY_INCLUDE[namespace]:
                wrong.append(f"{path.relative_to(ROOT)} includes {name}")
    assert not wrong


def test_public_headers_need_only_the_standard_library() -> None:
    # That each of them compiles by itself is checked by CMake: the presets switch on
    # VERIFY_INTERFACE_HEADER_SETS.
    assert HEADERS
    wrong = [
        f"{path.relative_to(ROOT)} includes {name}"
        for path in HEADERS
        for name in includes(path)
        if not name.startswith('"regrain/') and name.strip("<>") not in STANDARD_HEADERS.split()
    ]
    assert not wrong


def test_no_file_outgrows_a_reader() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in (*PYTHON, *CPP, ROOT / "CMakeLists.txt")
        if (lines := path.read_text().count("\n")) > 500
    ]
    assert not long


def test_top_level_cmake_stays_short() -> None:
    assert (ROOT / "CMakeLists.txt").read_text().count("\n") < 200
