"""Every block of Python in README and docs runs, in the order of its page, at a small size."""

import re
from pathlib import Path

import pytest

from regrain.io import example

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
ELSEWHERE = {"docs/files.md"}  # run by tests/io/test_docs.py
# What makes a page quick: text of the page -> what runs instead.
SMALLER = {
    "README.md": {"time=2000.0": "time=4.0", "seed=7)": "seed=7, iterations=1, time=4.0)"},
    "docs/fits.md": {"time=20.0": "time=5.0"},
    "docs/report.md": {"time=30.0": "time=10.0"},
}


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ELSEWHERE])
def test_blocks_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spce = example("spce")
    (tmp_path / "water.trr").symlink_to(spce.trajectory)
    (tmp_path / "water.gro").symlink_to(spce.topology)
    code = "\n".join(blocks(page))
    for text, shorter in SMALLER.get(page, {}).items():
        assert text in code, f"{page} no longer says {text}"
        code = code.replace(text, shorter)
    exec(compile(code, page, "exec"), {"__name__": page})


def test_links_lead_somewhere() -> None:
    broken = [
        f"{page}: {target}"
        for page in [*PAGES, "examples/README.md"]
        for target in re.findall(r"\]\((?!http)([^)#]+)", (ROOT / page).read_text())
        if not ((ROOT / page).parent / target).exists()
    ]
    assert not broken


def test_readme_has_the_two_lines() -> None:
    text = (ROOT / "README.md").read_text()
    assert 'pip install ".[all]" && regrain demo ' in text
    assert 'pip install ".[all,test]" && pytest ' in text
