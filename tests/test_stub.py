"""The committed stub of the core says what the core says."""

import ast
import importlib.util
from pathlib import Path

from regrain import _core

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "cpp" / "bindings" / "stub.py"
STUB = ROOT / "python" / "regrain" / "_core.pyi"


def shape(source: str) -> list[str]:
    """Names, parameters and defaults of everything in a stub.

    Annotations are left out, as pybind11 words them differently from version to version.
    """
    tree = ast.parse(source)
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            lines += [f"{node.name}.{item.name}" for item in node.body if hasattr(item, "name")]
        elif isinstance(node, ast.FunctionDef):
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
            lines.append(f"def {node.name}({ast.unparse(node.args)})")
        elif isinstance(node, ast.AnnAssign):
            lines.append(ast.unparse(node.target))
    return sorted(lines)


def test_stub_matches_the_extension() -> None:
    spec = importlib.util.spec_from_file_location("stub", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    stub = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stub)
    made, committed = shape(stub.render(_core)), shape(STUB.read_text())
    assert made == committed, f"run: python {SCRIPT.relative_to(ROOT)}"


def test_a_changed_parameter_is_seen() -> None:
    assert shape("def f(a: int) -> None: ...") == shape("def f(a: float) -> int: ...")
    assert shape("def f(a: int) -> None: ...") != shape("def f(b: int) -> None: ...")
    assert shape("class A:\n    def f(self): ...") != shape("def f(self): ...")
