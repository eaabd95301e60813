"""Mappings that cannot be: each gives one clear message."""

import warnings

import numpy as np
import pytest

from regrain.errors import RegrainError, RegrainWarning
from regrain.maps import Beads
from regrain.particles import Particles, Topology

SOL = Topology(
    ["O", "H", "H"] * 2,
    masses=[16.0, 1.0, 1.0] * 2,
    names=["OW", "HW1", "HW2"] * 2,
    residues=[0, 0, 0, 1, 1, 1],
    residue_names=["SOL"] * 6,
)
WATER = Particles(0.1 * np.eye(6, 3), [5.0] * 3, topology=SOL)


def of(topology, **changes):
    """Water with another topology."""
    return WATER.replace(
        topology=Topology(
            **{
                "types": topology.types,
                "names": topology.names,
                "residues": topology.residues,
                "residue_names": topology.residue_names,
                **changes,
            }
        )
    )


SETTINGS = {
    "two ways at once": ({"by": "residue", "beads": [("W", [0])]}, "by and beads; say in one way"),
    "unknown by": ({"by": "residues"}, "by: got 'residues'.*did you mean 'residue'"),
    "unknown weights": ({"weights": "masses"}, "weights: got 'masses'.*did you mean 'mass'"),
    "unknown masses": ({"masses": "total"}, "masses: got 'total', expected one of noid, sum"),
    "forces is a word": ({"forces": "yes"}, "forces: got 'yes', expected True, False or None"),
    "name with templates": (
        {"residues": {"SOL": [("W", ["OW"])]}, "name": "W"},
        "name goes with by",
    ),
    "name is a number": ({"name": {"SOL": 3}}, "expected names of beads"),
    "no beads": ({"beads": []}, "has no beads"),
    "no templates": ({"residues": {}}, "has no beads"),
    "residue without beads": ({"residues": {"SOL": []}}, "'SOL' has .* expected a list of beads"),
    "residue with one bead": ({"residues": {"SOL": "W"}}, "'SOL' has 'W', expected a list"),
    "empty bead": ({"beads": [("W", [])]}, "bead 'W' has no atoms"),
    "nameless bead": ({"beads": [("", [0])]}, "name of a bead must be a string"),
    "bead from a number": ({"beads": [3]}, "got 3 for a bead"),
    "names among indices": ({"beads": [("W", [0, "HW1"])]}, "all indices or all names"),
    "names in a list": ({"beads": [("W", ["OW"])]}, "give atom indices in a list of beads"),
    "indices in a template": ({"residues": {"SOL": [("W", [0])]}}, "give atom names in a templ"),
    "atom twice": ({"beads": [("W", [0, 1, 0])]}, "names atom 0 twice"),
    "too few weights": ({"beads": [("W", [0, 1], [1.0])]}, "has 2 atoms and 1 weights"),
    "weights sum to zero": ({"beads": [("W", [0, 1], [0, 0])]}, "not all zero"),
    "negative weight": ({"beads": [("W", [0, 1], [2, -1])]}, "finite numbers >= 0"),
    "weight is NaN": ({"beads": [("W", [0], [float("nan")])]}, "finite numbers >= 0"),
    "weight is a word": ({"beads": [("W", [0], ["heavy"])]}, "weights must be numbers"),
    "bond of one": ({"bonds": [(0, 0)]}, r"bonds: got \(0, 0\), expected a pair"),
    "bonds by residue": ({"bonds": {"SOL": [(0, 1)]}}, "bonds by residue name go with residues"),
    "bond to no bead": (
        {"residues": {"SOL": [("W", ["OW"])]}, "bonds": {"SOL": [(0, 1)]}},
        "the template has 1 beads",
    ),
    "bonds of no residue": (
        {"residues": {"SOL": [("W", ["OW"])]}, "bonds": {"SOD": []}},
        "did you mean 'SOL'",
    ),
}

MISFITS = {
    "unknown residue": (Beads(residues={"SOLV": [("W", ["OW"])]}), WATER, "did you mean 'SOL'"),
    "unknown atom": (
        Beads(residues={"SOL": [("W", ["OW", "HW3"])]}),
        WATER,
        "atom of bead 'W' in residue SOL 0: got 'HW3', expected one of HW1, HW2, OW",
    ),
    "ambiguous atom": (
        Beads(residues={"SOL": [("W", ["O", "H"])]}),
        of(SOL, names=["O", "H", "H"] * 2),
        "names atom 'H', of which residue SOL 0 has 2",
    ),
    "atom that is not there": (Beads(beads=[("W", [6])]), WATER, "names atom 6, but there are 6"),
    "residue without bead name": (Beads(name={"MET": "M"}), WATER, "no bead name for .*'SOL'"),
    "no masses": (
        Beads(),
        of(SOL, masses=np.zeros(6)),
        r"bead 0 \(SOL, atoms 0, 1, 2\) has no mass centre.*geometric",
    ),
    "no charges": (Beads(weights="charge"), WATER, "has no charge centre"),
    "massless mover": (
        Beads(weights="geometric", masses="noid"),
        of(SOL, masses=[16, 1, 0] * 2),
        "moved by an atom without mass",
    ),
    "molecules without bonds": (Beads(by="molecule"), WATER, "the topology has none"),
    "forces that are not there": (Beads(forces=True), WATER, "the fine states have no forces"),
    "forces that cannot be": (
        Beads(beads=[("A", [0, 1]), ("B", [0, 1])], forces=True),
        WATER.replace(forces=np.ones((6, 3))),
        "forces=True, but bead 0 .* shares every atom",
    ),
    "bond to a bead that is not there": (Beads(bonds=[(0, 2)]), WATER, "bonds name particle 2"),
    "a trace of nothing": (Beads(), 3.0, "it was given float"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_contradict(case):
    settings, message = SETTINGS[case]
    with pytest.raises(RegrainError, match=message):
        Beads(**settings)


@pytest.mark.parametrize("case", MISFITS)
def test_mappings_that_do_not_fit(case):
    mapping, fine, message = MISFITS[case]
    with pytest.raises(RegrainError, match=message):
        mapping(fine)


@pytest.mark.parametrize("far", [2.6, 3.1, 3.9])
def test_a_bead_across_half_the_box_is_refused(far):
    # Its nearest images would fit the box and be wrong: the bead would look narrow.
    at = np.array([[0, 0, 0], [far / 2, 0, 0], [far, 0, 0]])
    wide = Particles(at, [5.0] * 3, topology=Topology(["A"] * 3, residues=[0] * 3))
    with pytest.raises(RegrainError, match=r"bead 0: atom . is .*half the smallest height"):
        Beads(by="residue")(wide)
    bonded = Topology(["A"] * 3, residues=[0] * 3, bonds=[(0, 1), (1, 2)])
    known = Beads(by="residue")(wide.replace(topology=bonded))
    assert known.positions[0, 0] == pytest.approx(far / 2)


def test_a_bond_of_half_the_box_is_refused():
    top = Topology(["A"] * 2, residues=[0] * 2, bonds=[(0, 1)])
    for length, fine in ((2.49, True), (2.5, False)):
        pair = Particles([[0, 0, 0], [length, 0, 0]], [5.0, 5.0, 5.0], topology=top)
        if fine:
            Beads(by="residue")(pair)
        else:
            with pytest.raises(RegrainError, match="give the topology its bonds"):
                Beads(by="residue")(pair)


def test_lost_forces_are_told_once_and_not_when_asked_for():
    forced = WATER.replace(forces=np.ones((6, 3)))
    twins = [("A", [0, 1]), ("B", [0, 1])]
    mapping = Beads(beads=twins)
    with pytest.warns(RegrainWarning, match="forces are not mapped: bead 0 .*as do 1 more"):
        assert mapping(forced).forces is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mapping(forced).forces is None
        assert Beads(beads=twins, forces=False)(forced).forces is None
        assert Beads(beads=twins)(WATER).forces is None
    assert "not mapped, because" in str(mapping.bind(forced))


def test_the_summary_tells_what_is_left_out():
    summary = str(Beads(residues={"SOL": [("O", ["OW"])]}).bind(WATER))
    assert "2 beads from 2 of 6 atoms" in summary
    assert "in no bead: 4 atoms (SOL:HW1, SOL:HW2)" in summary


def test_states_of_another_topology_are_refused():
    bound = Beads().bind(WATER)
    bound(of(SOL, masses=SOL.masses))
    with pytest.raises(RegrainError, match="the masses of this state are not those"):
        bound(of(SOL, masses=SOL.masses + 1))


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("m.toml", "by = residue", "m.toml: "),
        ("m.toml", 'weigths = "mass"', "m.toml: setting of Beads.*did you mean 'weights'"),
        ("m.json", "[1, 2]", "m.json holds list, expected settings"),
        ("m.json", '{"beads": [{"name": "W", "atom": [0]}]}', "key of a bead.*mean 'atoms'"),
        ("m.yaml", "by: residue", "must be .toml or .json"),
        ("m.toml", "\udcff", "is not a text file"),
        ("missing.toml", None, "cannot read .*missing.toml: No such file"),
    ],
)
def test_bad_files(tmp_path, file, text, message):
    if text is not None:
        (tmp_path / file).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(RegrainError, match=message):
        Beads.read(tmp_path / file)
