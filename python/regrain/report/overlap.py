"""Which of two laws is nearer to a fine ensemble, and by how much, in relative entropy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from regrain.errors import RegrainError
from regrain.observables import Estimate
from regrain.observables.blocks import Summary, mean_with_error

__all__ = ["Regret", "regret"]

Floats = NDArray[np.float64]

#: Two runs overlap where at least so many of their independent frames could be of either.
ENOUGH = 10.0
CITE = (
    "M. S. Shell, J. Chem. Phys. 129, 144108 (2008); C. H. Bennett, J. Comput. Phys. 22, 245 (1976)"
)


@dataclass(frozen=True)
class Regret:
    """KL(P || Q) − KL(P || R) of two laws Q and R against a fine ensemble P, in nats.

    Attributes
    ----------
    value, error : float
        Where the runs do not overlap, from means and variances of ΔU in both (the cubic through
        ⟨ΔU⟩ and its slopes at both ends of the way from one law to the other), with what the
        slopes add as an error.
    bounds : (float, float) or None
        Those of Gibbs and Bogoliubov, by two standard errors wider, where the runs do not overlap.
    overlap : float
        ∫ 2 q r / (q + r): 1 for equal laws, 0 for laws that share no states.

    Examples
    --------
    >>> from regrain.report.overlap import Regret
    >>> Regret(0.5, 0.1, None, 0.9).bounds is None
    True
    """

    value: float
    error: float
    bounds: tuple[float, float] | None
    overlap: float

    def per(self, particles: int) -> Estimate:
        """The loss of a row, per particle."""
        reach = None
        flags = []
        if self.bounds is not None:
            reach = (self.bounds[0] / particles, self.bounds[1] / particles)
            flags = [
                f"no overlap of both runs ({self.overlap:.1e}): the bounds are those of Gibbs and "
                "Bogoliubov, the value is that of means and variances"
            ]
        return Estimate(
            "regret",
            self.value / particles,
            self.error / particles,
            unit="nats",
            tier="T1",
            method="relative entropy per particle beyond that of the reference model",
            cite=CITE,
            bounds=reach,
            flags=flags,
        )


def regret(fine: ArrayLike, own: ArrayLike, reference: ArrayLike) -> Regret:
    """How much worse the law Q describes a fine ensemble than the reference law R does.

    KL(P || Q) − KL(P || R) = ⟨ΔU⟩_P − ΔF, with ΔU = (U_Q − U_R) / kT, does not ask for the fine
    probabilities, and ΔF follows from one run of each law (Bennett 1976).

    Parameters
    ----------
    fine, own, reference : array_like, shape (n,)
        ΔU on the frames of the fine trace, of a run of Q, and of a run of R.

    Raises
    ------
    RegrainError
        Fewer than two frames.

    Loses / Assumes
    ---------------
    All at one temperature and in one box. Where the runs do not overlap ΔF is only bounded,
    ⟨ΔU⟩_Q ≤ ΔF ≤ ⟨ΔU⟩_R.

    Examples
    --------
    Fine N(1, 1), R the same, Q = N(0, 1): KL(P || Q) = 1/2 and KL(P || R) = 0.

    >>> import numpy as np
    >>> from regrain.report.overlap import regret
    >>> rng = np.random.default_rng(1)
    >>> x, q, r = rng.normal(1, 1, 4000), rng.normal(0, 1, 4000), rng.normal(1, 1, 4000)
    >>> found = regret(x - 0.5, q - 0.5, r - 0.5)  # u_Q − u_R = x²/2 − (x − 1)²/2 = x − 1/2
    >>> abs(found.value - 0.5) < 3 * found.error < 0.1
    True
    """
    one, two, three = (np.asarray(a, dtype=float).reshape(-1) for a in (fine, own, reference))
    if min(map(len, (one, two, three))) < 2:
        raise RegrainError("the difference of two laws needs two frames of each trace or more")
    on_fine, on_own, on_reference = (mean_with_error(a) for a in (one, two, three))
    samples = (on_own.n_eff, on_reference.n_eff)
    shift = _free_energy(two, three)
    overlap = 2.0 * float(np.mean(special.expit(two - shift)))
    if overlap * min(samples) >= ENOUGH:
        error = np.hypot(_error(on_fine), _bennett_error(two, three, shift, samples))
        return Regret(_mean(on_fine) - shift, float(error), None, overlap)
    low = _mean(on_fine) - _mean(on_reference)
    high = _mean(on_fine) - _mean(on_own)
    slack = [2.0 * float(np.hypot(_error(on_fine), _error(s))) for s in (on_reference, on_own)]
    bend = float(two.var() - three.var()) / 12.0
    middle = float(np.clip(0.5 * (low + high) - bend, low, high))
    error = float(np.hypot(bend, max(slack) / 2.0))
    return Regret(middle, error, (low - slack[0], high + slack[1]), overlap)


def _mean(found: Summary) -> float:
    return float(found.value[0])


def _error(found: Summary) -> float:
    return 0.0 if found.error is None else float(found.error[0])


def _free_energy(own: Floats, reference: Floats) -> float:
    """ΔF in kT: where the Fermi functions of both runs balance."""
    ratio = np.log(len(own) / len(reference))

    def excess(shift: float) -> float:
        forward = special.expit(shift - reference + ratio).sum()
        backward = special.expit(own - shift - ratio).sum()
        return float(forward - backward)

    low = min(own.min(), reference.min()) - 50.0 - abs(ratio)
    high = max(own.max(), reference.max()) + 50.0 + abs(ratio)
    return float(optimize.brentq(excess, low, high, xtol=1e-10))


def _bennett_error(
    own: Floats, reference: Floats, shift: float, samples: tuple[float, float]
) -> float:
    """Bennett (1976), eq. 10a, with independent samples counted from the autocorrelation of ΔU."""
    total = 0.0
    for values, n in ((special.expit(own - shift), samples[0]),
                      (special.expit(shift - reference), samples[1])):  # fmt: skip
        mean = float(values.mean())
        total += float(values.var()) / max(mean, 1e-300) ** 2 / n
    return float(np.sqrt(total))
