"""The page about files runs."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "files.md"


def test_the_page_about_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    table = (tmp_path / "water.table").read_text()
    shown = re.search(r"```\n(units .*?)```", PAGE.read_text(), re.DOTALL)
    assert shown
    for line in shown[1].splitlines():
        assert line in table
