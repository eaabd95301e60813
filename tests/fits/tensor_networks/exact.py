"""Partition functions of small periodic lattices by transfer matrices, straight from a model."""

from itertools import product

import numpy as np
from scipy.special import logsumexp


def row_energy(model, columns, *, field=None):
    """Exponent of a row and the one above it, for all their states, shape (states, states)."""
    values = np.array(list(product(model.site_values, repeat=columns)))
    energy = np.zeros((len(values),) * 2)
    terms = [(term.strength, cluster) for term in model.terms for cluster in term.clusters]
    if field is not None:
        terms = [(field, ((0, 0),))]
    for strength, cluster in terms:
        for j in range(columns):
            spins = [
                np.broadcast_to(
                    values[:, None, (j + y) % columns]
                    if x == 0
                    else values[None, :, (j + y) % columns],
                    energy.shape,
                )
                for x, y in cluster
            ]
            energy += strength * np.asarray(model.cluster_values(np.stack(spins)), dtype=float)
    return energy


def log_partition(model, rows, columns):
    """ln Z per site, minus the mean of its energy per site, and the mean of the field's partner."""
    energy = row_energy(model, columns)
    top = energy.max()
    weight = np.exp(energy - top)
    rest = np.linalg.matrix_power(weight, rows - 1)
    z = np.sum(rest.T * weight)
    sites = rows * columns
    slopes = [
        rows * np.sum(rest.T * weight * slope) / z / sites
        for slope in (energy, row_energy(model, columns, field=1.0))
    ]
    return (np.log(z) + rows * top) / sites, *slopes


def by_enumeration(model, shape):
    """ln Z per site, mean and variance of minus the reduced energy, state by state."""
    states = np.array(list(product(model.site_values, repeat=int(np.prod(shape)))))
    weights = -model.replace(shape=shape).energy(states.reshape(-1, *shape))
    log_z = logsumexp(weights)
    p = np.exp(weights - log_z)
    mean = p @ weights
    return log_z / len(states[0]), mean / len(states[0]), p @ (weights - mean) ** 2 / len(states[0])
