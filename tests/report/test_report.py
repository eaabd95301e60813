"""A report prints, saves and comes back; its page is whole; new kinds of loss fit its shape."""

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import regrain as rg
from regrain.errors import RegrainError
from regrain.observables import Estimate
from regrain.report import History, Report, Row, Section
from tests.report.clouds import cloud, histogram, mean

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Fails on tags that are not closed in order; collects ids, targets, text and alternatives."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.targets, self.text, self.labels = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        for name in ("href", "src"):
            if name in attrs:
                self.targets.append(attrs[name])
        if tag == "svg":
            self.labels.append(attrs.get("aria-label"))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def fitted(report):
    r = np.linspace(0.2, 1.0, 50)
    curves = Estimate(
        "u",
        [4 * ((0.3 / r) ** 12 - k * (0.3 / r) ** 6) for k in (1, 1.1, 1.2)],
        unit="kJ/mol",
        coords={"iteration": [0, 1, 2], "r": r},
        coord_units={"r": "nm"},
    )
    history = History(
        method="IBI(steps=3)",
        columns={"rms": [0.2, 0.05, 0.01], "pressure": [None, 30.0, 1.0]},
        curves={"W-W": curves},
    )
    return Report(**{**vars(report), "history": history})


def test_json_round_trip_is_exact(fitted):
    again = Report.from_json(fitted.to_json())
    assert again == fitted
    assert again.to_json() == fitted.to_json()
    assert str(again) == str(fitted)
    assert again.check() == fitted.check()


def test_json_of_plain_values_only(fitted):
    def no_constants(name):
        raise AssertionError(f"{name} is not JSON")

    json.loads(fitted.to_json(), parse_constant=no_constants)


def test_provenance_of_any_kind_can_be_written():
    trace = cloud(1, provenance={"array": np.arange(3), "nan": float("nan"), "object": object()})
    report = rg.compare(trace, trace, [mean])
    assert report.fine.provenance["array"] == [0, 1, 2]
    assert Report.from_json(report.to_json()) == report


def test_text_fits_the_terminal(fitted):
    lines = str(fitted).splitlines()
    assert max(map(len, lines)) <= 100
    text = str(fitted)
    for row in fitted.rows:
        assert row.name.split()[0] in text
    assert "Where this model must not be used" in text
    assert "ZeroDivisionError" in text


def test_page_is_well_formed_and_needs_nothing_else(fitted, tmp_path):
    path = fitted.save(tmp_path / "report.html")
    source = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(source)
    page.close()
    assert page.open == []
    assert "http" not in source
    assert "<script" not in source
    assert "@import" not in source
    assert len(set(page.ids)) == len(page.ids)
    # Every target is an element of this page.
    assert all(t.startswith("#") and t[1:] in set(page.ids) for t in page.targets)
    # density, overview, potential, convergence
    assert len(page.labels) == 4
    assert all(page.labels)
    text = " ".join(page.text)
    assert "Two clouds" in text
    assert "must not be used" in text


def test_page_of_hostile_names_is_escaped(tmp_path):
    def observable(trace):
        return Estimate("<b>&", 1.0, 0.1, unit='"<i>', flags=["<script>"])

    trace = cloud(1, frames=3)
    report = rg.compare(trace, trace, [observable], title="<h1>")
    source = report.save(tmp_path / "x.html").read_text()
    assert "<script>" not in source
    assert "&lt;b&gt;&amp;" in source


def test_figures_leave_pyplot_alone(tmp_path):
    code = (
        "import sys; from tests.report.clouds import *; t = cloud(1, frames=40);"
        "rg.compare(t, cloud(2, frames=40), [mean, histogram]).save(sys.argv[1]);"
        "assert 'matplotlib.figure' in sys.modules; assert 'matplotlib.pyplot' not in sys.modules"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.html")]
    subprocess.run(command, check=True, timeout=60, cwd=Path(__file__).parents[2])


def test_without_matplotlib_the_page_says_what_to_install(report, tmp_path, monkeypatch):
    for name in [m for m in sys.modules if m.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    source = report.save(tmp_path / "x.html").read_text()
    assert "regrain[plot]" in source
    assert "svg role" not in source
    with pytest.raises(RegrainError, match=r"regrain\[plot\]"):
        report.plot()
    with pytest.raises(RegrainError, match=r"regrain\[plot\]"):
        report["density"].plot()


def test_plots_return_their_axes(report):
    axes = report["density"].plot()
    assert axes.get_xlabel() == "x / nm"
    assert {line.get_label() for line in axes.lines} == {"fine", "coarse"}
    assert report["x"].plot(axes) is axes
    assert len(report.plot().get_yticklabels()) == 5


def test_save_by_ending(report, tmp_path):
    assert report.save(tmp_path / "a.txt").read_text() == f"{report}\n"
    assert Report.from_json(report.save(tmp_path / "a.json").read_text()) == report


def test_a_new_kind_of_loss_fits_the_shape(report, tmp_path):
    """What LOSS.md asks of later sections: losses in nats, intervals, bounds, tiers, undefined."""
    memory = Estimate(
        "M", 2.1534601e-4, kind="exact", tier="T0", unit="nats", cite="Cover & Thomas, ch. 4"
    )
    kept = Estimate("R", 0.9, 0.02, tier="T2", bounds=(0.85, 0.93), n_eff=200)
    bad = Estimate("S_map", -1.0, 0.1, unit="nats", tier="T1")
    none = Estimate.undefined("KL", "the law is deterministic")
    longer = report.with_section(
        Section("memory", [Row(name="closure", losses=[memory], within={"M": (0.0, None)})])
    )
    longer = longer.with_section(
        Section("kept", [Row(name="R(1)", losses=[kept], within={"R": (0.0, 1.0)})])
    )
    longer = longer.with_section(
        Section("reconstruction", [Row(name="lift", losses=[bad], within={"S_map": (0.0, None)})])
    )
    longer = longer.with_section(Section("static", [Row(name="D", losses=[none])]))
    assert [s.slot for s in longer.sections] == [
        "kept", "reconstruction", "static", "memory", "observables", "cost",
    ]  # fmt: skip
    assert Report.from_json(longer.to_json()) == longer
    text = str(longer)
    assert "R 0.90 ± 0.02" in text
    assert "the law is deterministic" in text
    failed = [check for check in longer.check() if check.name == "range"]
    assert failed[0].passed is False
    assert "S_map" in failed[0].text
    page = Page()
    page.feed(longer.save(tmp_path / "x.html").read_text())
    assert page.open == []


def test_few_samples_fail_a_check():
    trace = cloud(1, frames=5)
    failed = [c for c in rg.compare(trace, cloud(2, frames=5), [mean]).check() if c.passed is False]
    assert [c.name for c in failed] == ["independent samples"]


def test_headline_names_kept_and_lost():
    report = rg.compare(cloud(1), cloud(2, shift=0.3), [mean, histogram])
    assert report.headline[0].startswith("Lost: ")
    assert "x" in report.headline[0]
    report = rg.compare(cloud(1), cloud(2), [mean, histogram])
    assert report.headline[0].startswith("Kept: ")
    assert "density to RMS" in report.headline[0]


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda r, d: r.save(d / "x.pdf"), "end the name in .html, .json, .txt"),
        (lambda r, d: r.save(d / "nowhere" / "x.html"), "is not there"),
        (lambda r, d: r["nothing"], "has no row 'nothing'"),
        (lambda r, d: r.section("memory"), "has no section 'memory'"),
        (lambda r, d: r["x"]["rms"], "has no loss 'rms'"),
        (lambda r, d: r["failing"].plot(), "cannot be drawn"),
        (lambda r, d: Report.from_json("{"), "not JSON"),
        (lambda r, d: Report.from_json("{}"), '"format"'),
        (lambda r, d: Report.from_dict({"format": "regrain report 1"}), "incomplete or damaged"),
        (lambda r, d: Section("memories", []), "no slot 'memories'"),
        (lambda r, d: Section("memory", [Row(name="M"), Row(name="M")]), "named M"),
        (lambda r, d: Row(name="M", losses=[Estimate("M", 1), Estimate("M", 2)]), "same name"),
        (lambda r, d: Row(name="M", losses=[Estimate("M", [1], coords={"k": [1]})]), "scalar"),
        (lambda r, d: Row(name="M", p=1.5), "expected a probability"),
        (lambda r, d: Report(**{**vars(r), "sections": r.sections * 2}), "one slot"),
    ],
)
def test_bad_input_is_refused_in_words(report, tmp_path, attempt, message):
    with pytest.raises(RegrainError, match=message):
        attempt(report, tmp_path)
