"""What all maps have in common: traces, provenance, composition, files."""

import json
import pickle

import numpy as np
import pytest

from regrain import Trace
from regrain.errors import RegrainError
from regrain.maps import Bead, Beads, Chain, Map
from regrain.particles import Particles, Topology

WATER = Topology(
    ["O", "H", "H"] * 4,
    masses=[16.0, 1.0, 1.0] * 4,
    names=["OW", "HW1", "HW2"] * 4,
    residues=np.repeat(np.arange(4), 3),
    residue_names=["SOL"] * 12,
)
MAPS = [
    Beads(by="residue", name="W"),
    Beads(by="molecule", name={"SOL": "W"}, weights="geometric"),
    Beads(beads=[Bead("A", atoms=[0, 1]), Bead("B", atoms=[2], weights=[2.5])], bonds=[(0, 1)]),
    Beads(
        residues={"SOL": [("O", ["OW"]), ("H", ["HW1", "HW2"], [1, 2])]},
        bonds={"SOL": [(0, 1)]},
        masses="noid",
        forces=False,
    ),
    Beads(residues={'odd "name"\n': [("é", ["a.b", "c d"])]}, weights="charge"),
]


class Frames:
    """Frames that say when they are read."""

    def __init__(self, n):
        self.n, self.read = n, []

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(i)
        self.read.append(i)
        rng = np.random.default_rng(i)
        at = np.repeat(rng.random((4, 3)) * 5, 3, axis=0) + 0.1 * rng.random((12, 3))
        return Particles(at, [5.0] * 3, topology=WATER, units="md")


def trace(n=6):
    frames = Frames(n)
    return frames, Trace(frames, times=np.arange(n) * 0.5, provenance={"file": "water.trr"})


@pytest.mark.parametrize("mapping", MAPS, ids=range(len(MAPS)))
def test_settings_survive_every_way_of_writing_them(mapping, tmp_path):
    assert Map.from_dict(json.loads(json.dumps(mapping.to_dict()))) == mapping
    assert eval(repr(mapping)) == mapping
    assert pickle.loads(pickle.dumps(mapping)) == mapping
    for suffix in ("toml", "json"):
        mapping.save(tmp_path / f"mapping.{suffix}")
        assert Beads.read(tmp_path / f"mapping.{suffix}") == mapping


def test_a_written_file_is_read(tmp_path):
    file = tmp_path / "mapping.toml"
    file.write_text(
        'weights = "geometric"\n[[residues.SOL]]\nname = "W"\natoms = ["OW", "HW1"]\n'
        "weights = [2, 1]\n"
    )
    assert Beads.read(file) == Beads(
        weights="geometric", residues={"SOL": [Bead("W", atoms=["OW", "HW1"], weights=[2, 1])]}
    )


def test_a_trace_is_mapped_when_it_is_read():
    frames, fine = trace()
    coarse = Beads(by="residue", name="W")(fine)
    assert frames.read == [0]  # to learn the topology
    state = coarse[4]
    assert frames.read == [0, 4]
    assert (len(state), state.units, state.topology.type_names) == (4, "md", ("W",))
    np.testing.assert_array_equal(coarse.times, fine.times)
    assert all(s.topology is state.topology for s in coarse)


def test_provenance_tells_all_maps():
    _, fine = trace()
    residues, pairs = Beads(by="residue", name="W"), Beads(beads=[("P", [0, 1]), ("P", [2, 3])])
    coarse = residues(fine)
    again = pairs(coarse.map(lambda s: s.replace(positions=0.1 * s.positions)))
    assert again.provenance["file"] == "water.trr"
    assert again.provenance["maps"] == [residues.to_dict(), pairs.to_dict()]


def test_a_mapped_trace_goes_to_other_processes():
    _, fine = trace()
    coarse = (Beads(by="residue", name="W") >> Beads(beads=[("P", [0])]))(fine)
    there = pickle.loads(pickle.dumps(coarse))
    np.testing.assert_array_equal(there[3].positions, coarse[3].positions)


def test_chains_are_flat_and_checked():
    a, b, c = MAPS[:3]
    assert (a >> b) >> c == a >> (b >> c) == Chain(a, b, c)
    assert Map.from_dict((a >> b).to_dict()) == a >> b
    assert eval(repr(a >> b)) == a >> b

    class Spins(Map):
        takes, gives = "lattice", "lattice"

        def bind(self, fine):
            return fine

        def to_dict(self):
            return {"map": "Spins"}

        @classmethod
        def _from_dict(cls, settings):
            return cls()

    try:
        with pytest.raises(RegrainError, match=r"gives states of particles, but .* takes lattice"):
            a >> Spins()
        with pytest.raises(RegrainError, match="maps states of particles; it was given"):
            Beads()(object())
    finally:
        del Map._kinds["Spins"]


def test_an_error_names_the_frame():
    _, fine = trace()
    broken = [fine[i] for i in range(3)]
    broken[2] = broken[2].replace(box=[0.1, 0.1, 0.1])
    coarse = Beads(by="residue")(Trace(broken, times=[0.0, 1.0, 2.0]))
    with pytest.raises(RegrainError, match=r"^frame 2: bead 0: atom"):
        list(coarse)
