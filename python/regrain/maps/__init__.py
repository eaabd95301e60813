"""Maps from fine to coarse: callable on a state or a trace, composed with ``>>``."""

from regrain.maps.base import Chain, Map
from regrain.maps.beads import Beads
from regrain.maps.block_spin import BlockSpin
from regrain.maps.members import Bead

__all__ = ["Bead", "Beads", "BlockSpin", "Chain", "Map"]
