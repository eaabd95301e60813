"""Steps of TRG and HOTRG against naive contractions of the same tensors in one run.

No package from PyPI does tensor renormalization of classical lattices, so the other side is what
one writes first: `numpy.einsum` over all legs at once, after the same truncation, with the best
order that it finds and no limit of memory (with its default limit it does not split these at all,
and takes hundreds of times longer).

    python bench/versus/tensor_networks.py [bond]

Prints processor time of one thread per contraction and ratios; results are compared.
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded

import numpy as np

from regrain.fits.tensor_networks.hotrg import bond_space, stacked
from regrain.fits.tensor_networks.jets import dot
from regrain.fits.tensor_networks.trg import cut

ORDER = ("optimal", 1e15)


def seconds(work, repeats: int = 5) -> float:
    """Median processor time of some runs."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return float(np.median(times))


def report(name: str, ours, naive) -> None:
    difference = np.abs(ours() - naive()).max() / np.abs(ours()).max()
    fast, slow = seconds(ours), seconds(naive)
    print(f"{name:12} {fast * 1e3:9.2f} ms, einsum {slow * 1e3:9.2f} ms, ratio {slow / fast:6.2f}, "
          f"they differ by {difference:.0e}")  # fmt: skip


def main(bond: int) -> None:
    rng = np.random.default_rng(1)
    tensor = rng.random((1,) + (bond,) * 4)
    lower, upper, _ = cut(tensor, (0, 1, 2, 3), bond)
    left, right, _ = cut(tensor, (0, 3, 2, 1), bond)

    def join() -> np.ndarray:
        below = dot(upper, left, ([1], [0]))
        return dot(below, dot(right, lower, ([1], [0])), ([1, 2], [1, 2]))[0]

    report(
        "TRG",
        join,
        lambda: np.einsum(
            "mab,aen,qcb,cep->mnqp", upper[0], left[0], right[0], lower[0], optimize=ORDER
        ),
    )
    space = bond_space(tensor, 0, bond)
    u = space.span[0].reshape(bond, bond, -1)
    report(
        "HOTRG",
        lambda: stacked(tensor, [space])[0],
        lambda: np.einsum("ace,adim,cmjk,ijl->edlk", u, tensor[0], tensor[0], u, optimize=ORDER),
    )
    small = max(3, bond // 4)
    cube = rng.random((1,) + (small,) * 6)
    spaces = [bond_space(cube, side, small) for side in (0, 1)]
    x, y = (one.span[0].reshape(small, small, -1) for one in spaces)
    report(
        "HOTRG 3-D",
        lambda: stacked(cube, spaces)[0],
        lambda: np.einsum(
            "ace,bdf,abgijm,cdmklh,ikn,jlo->efgnoh", x, y, cube[0], cube[0], x, y, optimize=ORDER
        ),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 24)
