"""Exact averages of small lattices over all configurations, and runs compared with them."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.lattice import Clock, LatticeModel, Potts

Floats = NDArray[np.float64]


@lru_cache(maxsize=8)
def configurations(values: tuple[int, ...], shape: tuple[int, ...]) -> NDArray[np.int8]:
    """All of them, shape (n, *shape)."""
    size = int(np.prod(shape))
    digits = np.arange(len(values) ** size)[:, None] // len(values) ** np.arange(size)
    return np.array(values, np.int8)[digits % len(values)].reshape(-1, *shape)


def order(model: LatticeModel, values: NDArray[np.int8]) -> Floats:
    """A number per configuration whose square is invariant under the symmetry of the spins."""
    axes = tuple(range(-len(model.shape), 0))
    if isinstance(model, Potts):
        counts = np.stack([(values == s).mean(axis=axes) for s in range(model.q)], axis=-1)
        return np.sqrt((counts**2).sum(axis=-1))
    if isinstance(model, Clock):
        return np.abs(np.exp(2j * np.pi * values / model.q).mean(axis=axes))
    return values.mean(axis=axes)


def measured(model: LatticeModel, values: NDArray[np.int8]) -> Floats:
    """Sums, their squares, and powers of the order parameter, shape (..., n)."""
    sums = model.sums(values)
    m = order(model, values)[..., None]
    return np.concatenate([sums, sums**2, m, m**2, m**4], axis=-1)


def exact(model: LatticeModel) -> Floats:
    """Averages of what is measured, over all configurations."""
    assert model.site_values is not None
    every = configurations(tuple(model.site_values.tolist()), model.shape)
    weights = -model.energy(every)
    weights = np.exp(weights - weights.max())
    return weights @ measured(model, every) / weights.sum()


def deviations(model: LatticeModel, expected: Floats, **settings: object) -> Floats:
    """How many standard errors a run is off; errors from independent replicas."""
    trace = model.run(**settings)  # type: ignore[arg-type]
    means = measured(model, trace.stacked("values")).mean(axis=0)
    error = means.std(axis=0, ddof=1) / np.sqrt(len(means))
    # What is the same in all configurations (a sum without fluctuations) must just agree.
    return (means.mean(axis=0) - expected) / np.maximum(error, 1e-9)


def same_bits(model: LatticeModel, path: Path, **settings: Any) -> NDArray[Any]:
    """The frames of a run of 8 sweeps, which threads and an interruption must leave as they are."""
    before = _core.threads()
    try:
        runs = []
        for threads in (1, 2, 3):
            _core.set_threads(threads)
            runs.append(model.run(sweeps=8, **settings).stacked("values"))
    finally:
        _core.set_threads(before)
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[0], runs[2])
    model.run(sweeps=4, **settings, checkpoint=path)
    longer = model.run(sweeps=8, **settings, checkpoint=path)
    assert longer.provenance["continued"] == 1
    np.testing.assert_array_equal(longer.stacked("values"), runs[0])
    return runs[0]
