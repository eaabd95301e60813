"""Where the C++ library, its headers and its CMake package are installed."""

from pathlib import Path

__all__ = ["prefix"]


def prefix() -> Path:
    """The directory to give to CMake so that ``find_package(regrain)`` finds this installation.

    It is printed by ``regrain cmake-dir``; use it as ``-Dregrain_ROOT=$(regrain cmake-dir)``.
    Projects built with scikit-build-core need not: they find it through an entry point.

    Returns
    -------
    pathlib.Path
        The directory that holds ``include/regrain`` and ``lib/cmake/regrain``.

    Examples
    --------
    >>> import regrain.cmake
    >>> (regrain.cmake.prefix() / "lib" / "cmake" / "regrain" / "regrainConfig.cmake").is_file()
    True
    """
    # The extension module and not __file__ of the package: an editable install keeps the Python
    # files in the source tree and everything compiled in site-packages.
    from regrain import _core

    return Path(_core.__file__).resolve().parent
