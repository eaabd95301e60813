"""Force matching (MS-CG): the potentials whose forces are nearest to those of the target."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrain import _core
from regrain.errors import RegrainError
from regrain.fits.beside import beside, settle_beside, warn_forgotten
from regrain.fits.checks import warn_unexcluded
from regrain.fits.forces.force_matching_result import ForceMatchingResult
from regrain.fits.forces.kept_match import KeptMatch
from regrain.fits.forces.least_squares import Reduced, Solved, free_directions, jackknife
from regrain.fits.forces.linear_forms import LinearForm
from regrain.fits.forces.matching import Matched, match
from regrain.fits.forces.unsampled import (
    Unsampled,
    continued,
    named,
    repelling,
    second_differences,
    split,
    stacked,
    tell,
    too_weak,
)
from regrain.fits.problem import check_trace, sort_out
from regrain.fits.states import StatePoint
from regrain.particles import ForceField
from regrain.particles.rigid import refuse_rigid_bonds
from regrain.particles.terms import KINDS
from regrain.trace import Trace

__all__ = ["ForceMatching"]

Floats = NDArray[np.float64]
Types = tuple[str, ...]

#: Blocks of frames that errors are taken from, when nobody says.
BLOCKS = 40


@dataclass(frozen=True, kw_only=True)
class ForceMatching:
    """The potentials whose forces are nearest to those of the target: multiscale coarse-graining.

    Forces are linear in the parameters of the forms, so this is one linear least-squares problem
    (S. Izvekov and G. A. Voth, J. Phys. Chem. B 109, 2469 (2005); W. G. Noid et al., J. Chem. Phys.
    128, 244114 (2008)), and needs no coarse run. Rows of all frames are turned into a triangular
    factor as they come (QR, never normal equations), so memory does not grow with frames (but for
    up to 64 MB of forces that are kept to tell noise by).

    Parameters
    ----------
    pairs : mapping of (str, str) to BSpline or Table
        Forms to be fitted, by types; potentials with numbers are known, and their forces are
        subtracted; None says no interaction. Every pair of types of the target must be named.
    bonds, angles, dihedrals : mapping of tuple of str, optional
        Likewise, for all that the target has: ``BSplineBond``, ``TableBond``, ...
    triples : mapping of (str, str, str) to BSplineTriple or TableTriple, optional
        Three-body forces of the Stillinger-Weber form (end, centre, end), f(θ) to be fitted.
    charges : Ewald or ReactionField, optional
    external : mapping of str to fields and walls, optional
    biases : sequence of Restraint or FormulaBias, optional
        What is known besides, as of `ForceField`; its forces (at time zero) are subtracted, so they
        must be in those of the target.
    temperature : float, optional
        Of the target; the model remembers it. The fit does not need it.
    ridge : float
        Tikhonov regularisation: squares of the parameters are added to those of the residuals, this
        much times the mean square that a parameter of one has in the data.
    smoothness : float
        The same for second differences of neighbouring parameters.
    blocks : int, optional
        Blocks of frames (in their order) that errors are taken from by the jackknife; 40, or one
        per frame, when omitted. Blocks should be longer than correlations.
    exclude : int
        Pairs up to so many bonds apart feel no pair potential, and are no arms of triples.

    Raises
    ------
    RegrainError
        Settings that make no sense; on calling, forms that are not linear, frames without forces, a
        target that does not fit the forms.

    Loses / Assumes
    ---------------
    The mean force on each bead is taken for a sum of the forms; what they cannot express (many-body
    forces) is the model error of the residual, and the least-squares projection of it spreads into
    the forms. The projection gives neither the pressure nor g(r) of the target: check them with
    `compare`; IBI or relative entropy mend g(r), HNCGN the pressure too. Forces must be those of
    the map (sums over the atoms of a bead, no constraint forces missing), of one equilibrium state.

    Examples
    --------
    >>> import numpy as np
    >>> import regrain as rg
    >>> from regrain.particles import BSpline, ForceField, Particles
    >>> form = BSpline(r_min=0.5, r_max=1.5, functions=7)
    >>> truth = ForceField({("A", "A"): form.with_coefficients([9, 6, 2, 0, -1, -1, 0])})
    >>> rng, frames = np.random.default_rng(1), []
    >>> for _ in range(20):
    ...     state = Particles(np.indices((3, 3, 3)).reshape(3, -1).T + rng.random((27, 3)) / 3,
    ...                       box=[3.0, 3.0, 3.0])
    ...     frames.append(state.replace(forces=truth.evaluate(state).forces))
    >>> result = rg.fits.ForceMatching(pairs={("A", "A"): form})(rg.Trace(frames, times=range(20)))
    >>> np.round(result.coefficients["pair A-A"], 4) + 0.0
    array([ 9.,  6.,  2.,  0., -1., -1.,  0.])
    """

    pairs: Mapping[Types, Any] = field(default_factory=dict)
    bonds: Mapping[Types, Any] = field(default_factory=dict)
    angles: Mapping[Types, Any] = field(default_factory=dict)
    dihedrals: Mapping[Types, Any] = field(default_factory=dict)
    triples: Mapping[Types, Any] = field(default_factory=dict)
    charges: Any = None
    external: Any = None
    biases: Any = None
    temperature: float | None = None
    ridge: float = 0.0
    smoothness: float = 0.0
    blocks: int | None = None
    exclude: int = 2

    def __post_init__(self) -> None:
        t = self.temperature
        if t is not None and not (np.isfinite(t) and t > 0):
            raise RegrainError(f"ForceMatching: temperature is {t}; give a positive number")
        for name in ("ridge", "smoothness", "exclude"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise RegrainError(f"ForceMatching: {name} is {value}; give a number of 0 or more")
        settle_beside(self)
        if self.blocks is not None and (self.blocks < 2 or int(self.blocks) != self.blocks):
            raise RegrainError(
                f"ForceMatching: blocks is {self.blocks}; give a whole number of 2 or more"
            )

    def __call__(
        self,
        target: Any,
        *,
        workdir: str | os.PathLike[str] | None = None,
        progress: bool | None = None,
    ) -> ForceMatchingResult:
        """Fit.

        Parameters
        ----------
        target : Trace, or sequence of Trace or StatePoint
            Of coarse particles with forces: what a map made of a fine trace. Several are fitted at
            once; they may differ in density, composition and size.
        workdir : path, optional
            Directory that keeps what the frames came to: the same target is not read again, also
            with other ``ridge`` and ``smoothness``.
        progress : bool, optional
            Show a bar (with tqdm); when stderr is a terminal, if omitted.

        Returns
        -------
        ForceMatchingResult

        Raises
        ------
        RegrainError
            A target that does not fit the settings, or a workdir of another fit.

        Warns
        -----
        UserWarning
            Duplicated frames, exclusions that were forgotten, one frame, functions that were never
            sampled, pairs below the range of their form or beyond half the box.
        """
        start = monotonic()
        points = _points(target)
        given = {kind: getattr(self, f"{kind}s") for kind in KINDS}
        fitted, known = sort_out(given, [point.trace for point in points])
        refuse_rigid_bonds(known["bond"], "force matching, which has no forces of constraint,")
        if not fitted:
            raise RegrainError(
                "there is nothing to fit: give at least one form without numbers, such as "
                'pairs={("A", "A"): BSpline(r_min=0.2, r_max=0.9, functions=34)}'
            )
        forms = [LinearForm(term) for term in fitted]
        reach = max((f.spline.breaks[-1] for f in forms if f.term.kind == "pair"), default=0.0)
        if reach:
            for point in points:
                warn_unexcluded(point.trace, exclude=self.exclude, reach=float(reach))
        for point in points:
            warn_forgotten(self, point.trace)
        matched = self._match(points, forms, known, workdir, progress)
        self._warn(matched, forms, float(reach))
        solved, unsampled, problem = self._solve(matched, forms)
        covariance, chi2 = None, None
        if len(matched.blocks) > 1:
            covariance, chi2 = jackknife(matched.blocks, problem)
        values = repelling(solved.values, forms, unsampled)
        return ForceMatchingResult.of(
            model=self._model(known, forms, values, points[0].trace.units),
            forms=forms,
            values=values,
            solved=solved,
            covariance=covariance,
            without=chi2,
            unsampled=tuple(unsampled),
            matched=matched,
            directions=problem.free.shape[1],
            seconds=round(monotonic() - start, 2),
        )

    def _match(
        self,
        points: Sequence[StatePoint],
        forms: Sequence[LinearForm],
        known: Mapping[str, Mapping[Types, Any]],
        workdir: str | os.PathLike[str] | None,
        progress: bool | None,
    ) -> Matched:
        subtracted = None
        if any(law is not None for law in beside(self).values()) or any(
            potential is not None for terms in known.values() for potential in terms.values()
        ):
            subtracted = self._field(
                {
                    kind: {**terms, **{f.term.types: None for f in forms if f.term.kind == kind}}
                    for kind, terms in known.items()
                },
                points[0].trace.units,
            )
        kept = None
        if workdir is not None:
            kept = KeptMatch(workdir, self._settings(points[0].trace.units), points)
            if (found := kept.load()) is not None:
                return found
        bar = _bar(sum(len(p.trace) for p in points), progress)
        try:
            matched = match(
                points,
                forms,
                subtracted,
                exclude=self.exclude,
                blocks=self.blocks or BLOCKS,
                tick=None if bar is None else bar.update,
            )
        finally:
            if bar is not None:
                bar.close()
        if kept is not None:
            kept.save(matched)
        return matched

    def _settings(self, units: str) -> dict[str, Any]:
        """What decides what the frames come to."""
        settings: dict[str, Any] = {
            f"{kind}s": {
                "-".join(types): None if form is None else form.to_dict()
                for types, form in getattr(self, f"{kind}s").items()
            }
            for kind in KINDS
        }
        others = {name: None if law is None else law.to_dict()
                  for name, law in beside(self).items()}  # fmt: skip
        return {**settings, **others, "exclude": self.exclude,
                "blocks": self.blocks or BLOCKS, "units": units}  # fmt: skip

    def _field(self, terms: Mapping[str, Mapping[Types, Any]], units: str) -> ForceField:
        given: dict[str, Any] = {f"{kind}s": potentials for kind, potentials in terms.items()}
        return ForceField(
            **given,
            **beside(self),
            temperature=self.temperature,
            exclude=self.exclude,
            units=units,
        )

    def _model(
        self,
        known: Mapping[str, Mapping[Types, Any]],
        forms: Sequence[LinearForm],
        values: Floats,
        units: str,
    ) -> ForceField:
        terms = {kind: dict(potentials) for kind, potentials in known.items()}
        for form, own in zip(forms, split(values, forms), strict=True):
            terms[form.term.kind][form.term.types] = form.potential(own)
        return self._field(terms, units)

    # ------------------------------------------------------------------ solving

    def _solve(
        self, matched: Matched, forms: Sequence[LinearForm]
    ) -> tuple[Solved, list[Unsampled], Reduced]:
        """The solution; functions that hardly anybody met go on from their neighbours."""
        total = _sum(matched.blocks)
        transform = stacked([form.transform for form in forms])
        norms = np.linalg.norm(total.r[:, :-1] @ transform, axis=0)
        unknown = np.concatenate([form.sampled(matched.counts[form.term.label]) == 0
                                  for form in forms])  # fmt: skip
        if np.all(unknown):
            ranges = ", ".join(
                f"{form.term.label} {form.spline.breaks[0]:.4g} to {form.spline.breaks[-1]:.4g}"
                for form in forms
            )
            raise RegrainError(
                f"the target has nobody within the range of any form ({ranges}); check the ranges "
                "and their unit, and the exclusions"
            )
        weak = np.zeros(len(unknown), dtype=bool)
        freedom = max(matched.forces - int(np.sum(~unknown)), 1)
        for _ in range(10):
            out = split(unknown | weak, forms)
            rows = stacked([continued(form, own) for form, own in zip(forms, out, strict=True)])
            problem = Reduced(
                transform,
                free_directions(rows, len(unknown)),
                self._penalty(forms, norms),
            )
            solved = problem.solve(total)
            error = np.sqrt(np.diag(solved.inverse) * solved.chi2 / freedom)
            more = ~unknown & ~weak & too_weak(forms, norms, solved.values, error)
            if not np.any(more):
                break
            weak |= more
        found = named(forms, unknown, weak)
        tell(found, solved, forms)
        return solved, found, problem

    def _penalty(self, forms: Sequence[LinearForm], norms: Floats) -> Floats:
        rows = []
        for form, own in zip(forms, split(norms, forms), strict=True):
            scale = np.sqrt(np.mean(own**2))
            part = [np.zeros((0, len(form)))]
            if self.ridge:
                part.append(np.sqrt(self.ridge) * scale * np.eye(len(form)))
            if self.smoothness:
                part.append(np.sqrt(self.smoothness) * scale * second_differences(form))
            rows.append(np.vstack(part))
        return stacked(rows)

    def _warn(self, matched: Matched, forms: Sequence[LinearForm], reach: float) -> None:
        if matched.frames == 1:
            warnings.warn(
                "the target has one frame, so there are no error bars; give 10 frames or more",
                UserWarning,
                stacklevel=3,
            )
        for form in forms:
            below = int(matched.counts[form.term.label][0])
            if form.term.kind in ("pair", "bond") and below:
                low = form.spline.breaks[0]
                warnings.warn(
                    f"{form.term.label}: {below} of them are shorter than the form, which begins "
                    f"at {low:g}; their force is taken to go on linearly. Give a smaller r_min",
                    UserWarning,
                    stacklevel=3,
                )
        half = min(_half(box) for watch in matched.watches for box in watch.boxes)
        if reach > half:
            warnings.warn(
                f"a pair potential ends at {reach:g}, beyond half the box ({half:.4g}): particles "
                "meet several images of each other, whose forces cannot be told apart; give a "
                "larger target or a smaller r_max",
                UserWarning,
                stacklevel=3,
            )


def _points(target: Any) -> list[StatePoint]:
    many = isinstance(target, Sequence) and not isinstance(target, Trace | str)
    points = [
        item if isinstance(item, StatePoint) else StatePoint(item)
        for item in (target if many else [target])
    ]
    if not points:
        raise RegrainError("the target is empty; give a Trace, or several")
    for point in points:
        check_trace(point.trace, least=1)
    unlike = sorted({point.trace.units for point in points})
    if len(unlike) > 1:
        raise RegrainError(
            f"the targets are in different units ({', '.join(unlike)}); convert them to one"
        )
    return points


def _bar(total: int, progress: bool | None) -> Any:
    if not (sys.stderr.isatty() if progress is None else progress):
        return None
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None
    return tqdm(total=total, unit="frame", leave=False)


def _sum(blocks: Sequence[Any]) -> Any:
    total = _core.QrFactor(blocks[0].columns)
    for block in blocks:
        total.combine(block)
    return total


def _half(box: Floats) -> float:
    return float(0.5 / np.linalg.norm(np.linalg.inv(box), axis=0).max())
