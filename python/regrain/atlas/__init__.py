"""What is known: exact and published numbers, each with its source.

``rg.atlas.systems`` lists them. Numbers calculate like floats and print where they are from.
"""

from regrain.atlas.chain import IsingChain
from regrain.atlas.cubic import HeisenbergCubic, IsingCubic, XYCubic
from regrain.atlas.known import Known, System, Systems
from regrain.atlas.planar import BlumeCapelSquare, XYSquare, clock_square
from regrain.atlas.potts import potts_square
from regrain.atlas.square import IsingSquare
from regrain.atlas.torus import Torus
from regrain.atlas.triangular import IsingHoneycomb, IsingTriangular

ising_chain = IsingChain()
ising_square = IsingSquare()
ising_triangular = IsingTriangular()
ising_honeycomb = IsingHoneycomb()
ising_cubic = IsingCubic()
xy_square = XYSquare()
xy_cubic = XYCubic()
heisenberg_cubic = HeisenbergCubic()
blume_capel_square = BlumeCapelSquare()

systems = Systems(
    {
        "ising_chain": ising_chain,
        "ising_square": ising_square,
        "ising_triangular": ising_triangular,
        "ising_honeycomb": ising_honeycomb,
        "ising_cubic": ising_cubic,
        "potts_square": potts_square,
        "clock_square": clock_square,
        "blume_capel_square": blume_capel_square,
        "xy_square": xy_square,
        "xy_cubic": xy_cubic,
        "heisenberg_cubic": heisenberg_cubic,
    }
)

__all__ = [
    "Known",
    "System",
    "Systems",
    "Torus",
    "blume_capel_square",
    "clock_square",
    "heisenberg_cubic",
    "ising_chain",
    "ising_cubic",
    "ising_honeycomb",
    "ising_square",
    "ising_triangular",
    "potts_square",
    "systems",
    "xy_cubic",
    "xy_square",
]
