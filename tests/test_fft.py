"""The Fourier transforms of the core against SciPy's, and the theorems that hold for any."""

from typing import Any

import numpy as np
import pytest
import scipy.fft
from numpy.typing import NDArray

from regrain import RegrainError, _core

GOOD = [n for n in range(1, 260) if _core.good_length(n) == n]
DOUBLE, SINGLE = (np.float64, np.complex128), (np.float32, np.complex64)


def real_plan(shape: tuple[int, ...], kind: Any = DOUBLE, batch: int = 1) -> Any:
    plan = _core.RealTransform if kind is DOUBLE else _core.RealTransformSingle
    return plan(shape, batch=batch)


def spectrum_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[:-1], shape[-1] // 2 + 1)


def forward(values: NDArray[Any], kind: Any = DOUBLE) -> NDArray[Any]:
    spectrum = np.empty(spectrum_shape(values.shape), kind[1])
    real_plan(values.shape, kind).forward(values, spectrum)
    return spectrum


def backward(spectrum: NDArray[Any], last: int, kind: Any = DOUBLE) -> NDArray[Any]:
    values = np.empty((*spectrum.shape[:-1], last), kind[0])
    real_plan(values.shape, kind).backward(spectrum.copy(), values)
    return values


def complex_plan(shape: tuple[int, ...], kind: Any = DOUBLE, batch: int = 1) -> Any:
    plan = _core.ComplexTransform if kind is DOUBLE else _core.ComplexTransformSingle
    return plan(shape, batch=batch)


def away(mine: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Relative to the norm."""
    return float(np.linalg.norm(mine - theirs) / np.linalg.norm(theirs))


def shapes(count: int, largest: int, seed: int) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(seed)
    found: list[tuple[int, ...]] = []
    while len(found) < count:
        shape = tuple(int(n) for n in rng.choice(GOOD, rng.integers(1, 4)))
        if np.prod(shape) <= largest:
            found.append(shape)
    return found


@pytest.mark.parametrize("kind", [DOUBLE, SINGLE], ids=["double", "single"])
def test_random_shapes_have_the_spectra_of_scipy(kind: Any) -> None:
    # Errors grow like the root of the logarithm of the length from half a rounding on.
    limit = 1e-14 if kind is DOUBLE else 1e-6
    rng = np.random.default_rng(1)
    for shape in shapes(1200, 8000, 2):
        values = rng.normal(size=shape).astype(kind[0])
        spectrum = forward(values, kind)
        wide = values.astype(np.float64)
        assert away(spectrum, scipy.fft.rfftn(wide)) < limit, shape
        assert away(backward(spectrum, shape[-1], kind), wide) < limit, shape
        z = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(kind[1])
        plan = complex_plan(shape, kind)
        assert away(plan.forward(z), scipy.fft.fftn(z.astype(np.complex128))) < limit, shape
        assert away(plan.backward(z), scipy.fft.ifftn(z.astype(np.complex128))) < limit, shape


@pytest.mark.parametrize("n", [1024, 2048, 3 * 5 * 7 * 11 - 5, 30625, 65536, 2**3 * 3**6 * 5])
def test_long_lines(n: int) -> None:
    n = _core.good_length(n)
    rng = np.random.default_rng(n)
    values = rng.normal(size=n)
    spectrum = forward(values)
    assert away(spectrum, scipy.fft.rfft(values)) < 1e-14
    assert away(backward(spectrum, n), values) < 1e-14
    z = values + 1j * rng.normal(size=n)
    assert away(complex_plan((n,)).forward(z), scipy.fft.fft(z)) < 1e-14
    assert away(complex_plan((n,)).backward(z), scipy.fft.ifft(z)) < 1e-14


@pytest.mark.parametrize("shape", [(60,), (9, 14), (128, 100), (6, 10, 15), (32, 36, 40)])
def test_theorems(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    z, w = (rng.normal(size=(2, *shape)) + 1j * rng.normal(size=(2, *shape))) @ np.eye(shape[-1])
    plan = complex_plan(shape)
    f = plan.forward
    size = np.prod(shape)
    assert np.linalg.norm(f(z)) ** 2 == pytest.approx(size * np.linalg.norm(z) ** 2, rel=1e-14)
    assert away(f(2.0 * z - 3j * w), 2.0 * f(z) - 3j * f(w)) < 1e-14
    assert away(plan.backward(f(z)), z) < 1e-14
    # A shift by one along an axis turns the phases of the spectrum.
    for axis, n in enumerate(shape):
        turns = np.exp(-2j * np.pi * np.arange(n) / n)
        turns = turns.reshape([-1 if k == axis else 1 for k in range(len(shape))])
        assert away(f(np.roll(z, 1, axis)), f(z) * turns) < 1e-14
    # One wave is one number.
    wave = np.zeros(shape, complex)
    at = tuple(n // 3 for n in shape)
    wave[at] = 1.0
    assert away(f(plan.backward(wave)), wave) < 1e-14


@pytest.mark.parametrize("shape", [(12,), (2100,), (15,), (8, 6), (5, 9), (4, 6, 10), (2, 3, 7)])
@pytest.mark.parametrize("batch", [1, 3, 11])
def test_several_arrays_at_once(shape: tuple[int, ...], batch: int) -> None:
    rng = np.random.default_rng(4)
    axes = tuple(range(1, len(shape) + 1))
    values = rng.normal(size=(batch, *shape))
    spectrum = np.empty(spectrum_shape(values.shape), complex)
    plan = real_plan(shape, batch=batch)
    plan.forward(values, spectrum)
    assert away(spectrum, scipy.fft.rfftn(values, axes=axes)) < 1e-14
    back = np.empty_like(values)
    plan.backward(spectrum, back)
    assert away(back, values) < 1e-14
    z = values + 1j * rng.normal(size=values.shape)
    assert away(complex_plan(shape, batch=batch).forward(z), scipy.fft.fftn(z, axes=axes)) < 1e-14


@pytest.mark.parametrize("shape", [(240,), (4096,), (40, 42), (256, 250), (20, 18, 32), (96,) * 3])
def test_what_is_done_to_the_spectrum_on_the_way(shape: tuple[int, ...]) -> None:
    # A convolution with any kernel.
    rng = np.random.default_rng(5)
    values, kernel = rng.normal(size=(2, *shape))
    expected = scipy.fft.irfftn(scipy.fft.rfftn(values) * scipy.fft.rfftn(kernel), s=shape)
    real_plan(shape).filtered(values, forward(kernel))
    assert away(values, expected) < 2e-14


@pytest.mark.parametrize("shape", [(65536,), (500, 512), (256, 3), (64, 60, 70), (3, 200, 200)])
def test_bits_do_not_depend_on_threads(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(6)
    z = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    before = _core.threads()
    found = []
    try:
        for count in (1, 2, 3):
            _core.set_threads(count)
            spectrum = forward(np.ascontiguousarray(z.real))
            filtered = np.ascontiguousarray(z.imag)
            real_plan(shape).filtered(filtered, spectrum)
            values = backward(spectrum, shape[-1])
            plan = complex_plan(shape)
            found.append([spectrum, filtered, values, plan.forward(z), plan.backward(z)])
    finally:
        _core.set_threads(before)
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_good_lengths() -> None:
    # The 7-smooth numbers, OEIS A002473.
    assert GOOD[:22] == [*range(1, 11), 12, 14, 15, 16, 18, 20, 21, 24, 25, 27, 28, 30]
    assert _core.good_length(211) == 216
    assert _core.good_length(100_001) == 100_352  # 2^11 7^2


def test_what_is_no_transform() -> None:
    for shape in ([22], [8, 13], [4, 4, 11]):
        for plan in (_core.RealTransform, _core.ComplexTransform):
            with pytest.raises(RegrainError, match=r"2, 3, 5 and 7; the next .* is (24|14|12)"):
                plan(shape)
    for shape in ([], [2, 2, 2, 2]):
        with pytest.raises(RegrainError, match="one, two or three axes"):
            _core.RealTransform(shape)
    with pytest.raises(RegrainError, match="positive, got 0"):
        _core.RealTransform([4, 0])
    with pytest.raises(RegrainError, match="batch"):
        _core.ComplexTransform([4], batch=0)
    with pytest.raises(RegrainError, match="got 15 values, expected 16"):
        _core.RealTransform([4, 4]).forward(np.zeros(15), np.zeros((4, 3), complex))
    with pytest.raises(RegrainError, match="expected 12"):
        _core.RealTransform([4, 4]).backward(np.zeros(11, complex), np.zeros(16))
    with pytest.raises(RegrainError, match="got 3 numbers, expected 4"):
        _core.ComplexTransform([4]).forward(np.zeros(3, complex))
