"""What a step of renormalisation gives: couplings, a coarse model, the flow, what was lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from regrain.errors import RegrainError
from regrain.fits.renormalization.flow import Flow
from regrain.lattice import LatticeModel
from regrain.observables import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Renormalized"]


@dataclass(frozen=True, eq=False, repr=False)
class Renormalized:
    """One step of renormalisation of a model; prints what it did.

    Attributes
    ----------
    method : str
    fine : LatticeModel
    b : float
        Ratio of the lengths.
    before, couplings : dict of str to float
        Couplings of the flow before and after the step.
    flow : Flow
    lost : dict of str to Estimate
        What the step loses, where it is known, in nats: ``"resolution"``, the entropy of the fine
        spins given the coarse ones, per fine spin; ``"closure"``, the relative entropy between the
        true law of the coarse spins and the coarse model, per coarse spin.
    constant : float or None
        The part of ln Z per fine site that the step takes out.
    history : tuple
        Empty: nothing was run.
    errors : dict
        Empty: couplings come from formulas.
    converged : bool
    reason : str

    Examples
    --------
    >>> import regrain as rg
    >>> chain = rg.lattice.Ising(shape=(64,), couplings={"nn": 1.0})
    >>> result = rg.fits.Decimation(b=2)(chain)
    >>> print(result)
    decimation of a chain, b = 2
      nn  1 -> 0.662501
    lost: resolution 0.108364 nats per fine spin, closure 0 nats per coarse spin
    >>> result.model
    Ising(shape=(32,), couplings={'nn': 0.6625...})
    """

    method: str
    fine: LatticeModel
    b: float
    before: dict[str, float]
    couplings: dict[str, float]
    flow: Flow
    lost: Mapping[str, Estimate]
    constant: float | None
    make: Callable[[], LatticeModel] = field(repr=False)
    history = ()

    @property
    def model(self) -> LatticeModel:
        """The coarse model: the same kind with the new couplings on the coarse lattice.

        Raises
        ------
        RegrainError
            There is no such lattice, or the model does not know the couplings.
        """
        return self.make()

    @property
    def errors(self) -> dict[str, Any]:
        """None: couplings come from formulas."""
        return {}

    @property
    def converged(self) -> bool:
        """Always: nothing is iterated."""
        return True

    @property
    def reason(self) -> str:
        """What was done."""
        return f"one step of the {self.method}"

    @property
    def potentials(self) -> list[dict[str, Any]]:
        """None: couplings are numbers."""
        return []

    def __str__(self) -> str:
        width = max(map(len, self.couplings))
        lines = [f"{self.method}, b = {self.b:g}"]
        lines += [
            f"  {name.ljust(width)}  {self.before[name]:.6g} -> {value:.6g}"
            for name, value in self.couplings.items()
        ]
        known = [
            f"{name} {float(loss):.6g} {loss.unit}"
            for name, loss in self.lost.items()
            if loss.defined
        ]
        if known:
            lines.append(f"lost: {', '.join(known)}")
        lines += [f"  ! {loss}" for loss in self.lost.values() if not loss.defined]
        return "\n".join(lines)

    __repr__ = __str__

    def plot(self, ax: Axes | None = None, **settings: Any) -> Axes:
        """Draw the flow, and where this step starts and ends.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        **settings
            As for `Flow.plot`.
        """
        ax = self.flow.plot(ax, **settings)
        names = list(self.flow.names)
        x = settings.get("x") or names[0]
        if len(names) > 1:
            y = settings.get("y") or next(name for name in names if name != x)
            places = [(c.get(x, 0.0), c.get(y, 0.0)) for c in (self.before, self.couplings)]
            ax.annotate("", places[1], places[0], arrowprops={"arrowstyle": "->", "lw": 1.8})
        else:
            ax.annotate(
                "",
                (self.couplings[x], 0.0),
                (self.before[x], 0.0),
                arrowprops={"arrowstyle": "->", "lw": 1.8, "connectionstyle": "arc3,rad=-0.4"},
            )
        return ax


def stepped(
    model: LatticeModel,
    flow: Flow,
    before: Mapping[str, float],
    *,
    lost: Mapping[str, Estimate],
    make: Callable[[dict[str, float]], LatticeModel],
) -> Renormalized:
    """The result of one step of a flow.

    Parameters
    ----------
    model : LatticeModel
    flow : Flow
    before : mapping of str to float
        The couplings of the model.
    lost : mapping of str to Estimate
    make : callable
        From the new couplings, without those that are zero and were not there, to the coarse model.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.fits.renormalization.result import smaller, stepped
    >>> model = rg.lattice.Ising(shape=(9,), couplings={"nn": 0.5})
    >>> flow = rg.fits.Decimation(b=3).flow()
    >>> stepped(model, flow, {"nn": 0.5}, lost={}, make=lambda k: smaller(model, 3, k)).model
    Ising(shape=(3,), couplings={'nn': 0.0990...})
    """
    start = flow.array(before)
    after = dict(zip(flow.names, flow.array(flow.step(start)).tolist(), strict=True))
    reduced = {name: k for name, k in after.items() if k or name in before} or {"nn": 0.0}
    return Renormalized(
        method=flow.title,
        fine=model,
        b=flow.b,
        before=dict(zip(flow.names, start.tolist(), strict=True)),
        couplings=after,
        flow=flow,
        lost=lost,
        constant=None if flow.constant is None else float(flow.constant(start)),
        make=lambda: make(reduced),
    )


def given(
    fit: str,
    model: Any,
    *,
    kinds: Mapping[str, tuple[str, ...]],
    lattices: tuple[str, ...],
) -> dict[str, float]:
    """The couplings of a model that a fit can take, by name.

    Parameters
    ----------
    fit : str
        Its name, for messages.
    model : object
        What was given.
    kinds : mapping of str to tuple of str
        The models that it takes, and of each the couplings it knows.
    lattices : tuple of str
        The lattices that it knows.

    Raises
    ------
    RegrainError
        Another model, another lattice, other couplings, open ends.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.fits.renormalization.result import given
    >>> model = rg.lattice.Ising(shape=(8, 8), couplings={"nn": 0.4, "nnn": 0.1})
    >>> given("a fit", model, kinds={"Ising": ("nn",)}, lattices=("square",))
    Traceback (most recent call last):
    ...
    regrain.errors.RegrainError: a fit knows the couplings nn of an Ising model, ...
    """
    if not isinstance(model, LatticeModel):
        raise RegrainError(
            f"{fit} needs a model of spins such as rg.lattice.Ising, got {type(model).__name__}"
        )
    kind = type(model).__name__
    if kind not in kinds:
        raise RegrainError(f"{fit} knows models of {', '.join(kinds)}, got {kind}")
    if model.geometry.name not in lattices:
        raise RegrainError(
            f"{fit} works on {', '.join(lattices)} lattices, got a {model.geometry.name} one"
        )
    if not all(model.geometry.axes):
        raise RegrainError(f"{fit} needs a periodic lattice; near open ends couplings differ")
    found = dict(zip(model.names, map(float, model.strengths), strict=True))
    other = [name for name in found if name not in kinds[kind]]
    if other:
        article = "an" if kind[0] in "AEIOU" else "a"
        raise RegrainError(
            f"{fit} knows the couplings {', '.join(kinds[kind])} of {article} {kind} model, got "
            f"{', '.join(other)} too; a step would make others of them that it does not keep"
        )
    return found


def smaller(model: LatticeModel, b: float, couplings: Mapping[str, float]) -> LatticeModel:
    """The same kind of model on a lattice with 1/b as many sites along each axis.

    Raises
    ------
    RegrainError
        b does not divide the lattice.

    Examples
    --------
    >>> import regrain as rg
    >>> from regrain.fits.renormalization.result import smaller
    >>> model = rg.lattice.Ising(shape=(9, 9), couplings={"nn": 0.4})
    >>> smaller(model, 3, {"nn": 0.2})
    Ising(shape=(3, 3), couplings={'nn': 0.2})
    """
    whole = int(b)
    if whole != b or any(length % whole for length in model.shape):
        raise RegrainError(
            f"b = {b:g} does not divide the lattice {model.shape}: there is no coarse lattice; "
            "take another shape, or use the couplings and the flow alone"
        )
    return model.replace(
        shape=tuple(length // whole for length in model.shape), couplings=dict(couplings)
    )
