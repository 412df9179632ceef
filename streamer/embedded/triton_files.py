"""The Triton server of the ``nvidia-pytriton`` wheel, laid out to run here (Linux only)."""

from __future__ import annotations

import contextlib
import ctypes.util
import importlib.metadata
import importlib.util
import os
import shutil
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamer.errors import UsageError

MINIMUM_GLIBC: Final = (2, 35)
PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
INSTALL: Final = "install streamer[embedded], or use a running server with --triton HOST:PORT"


@dataclass(frozen=True)
class TritonFiles:
    """What it takes to start a server."""

    server: Path
    backends: Path
    environment: dict[str, str]


def prepare(cache_dir: Path) -> TritonFiles:
    """Check this environment and lay out the Python backend below ``cache_dir``.

    Raises :class:`UsageError` if a package or library is missing or does not fit.
    """
    wheel = _wheel()
    _check_glibc()
    _check_numpy()
    version = importlib.metadata.version("nvidia-pytriton")
    backends = cache_dir / "triton" / f"{version}-py{PYTHON}" / "backends"
    try:
        _lay_out(wheel / "tritonserver", backends)
    except OSError as error:
        raise UsageError(f"cannot write the Triton backend to {backends}: {error}") from error
    return TritonFiles(wheel / "tritonserver/bin/tritonserver", backends, _environment(wheel))


def default_cache_dir() -> Path:
    """``$XDG_CACHE_HOME/streamer``, else ``~/.cache/streamer``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "streamer"


def _wheel() -> Path:
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        raise UsageError(f"the embedded Triton is not installed: {INSTALL}")
    return Path(spec.origin).parent


def _check_glibc() -> None:
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (OSError, ValueError):
        name, version = "", ""
    found = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if name != "glibc" or found < MINIMUM_GLIBC:
        raise UsageError(
            f"the embedded Triton needs glibc 2.35 or newer, this system has "
            f"{f'{name} {version}'.strip() or 'another C library'}: use --triton HOST:PORT"
        )


def _check_numpy() -> None:
    """Under NumPy 2 this backend serves wrong tensors without an error."""
    version = importlib.metadata.version("numpy")
    if int(version.partition(".")[0]) >= 2:
        raise UsageError(
            f"the embedded Triton computes wrong tensors with NumPy {version}: "
            "pip install 'numpy<2', or use --triton HOST:PORT"
        )


def _lay_out(server: Path, backends: Path) -> None:
    """Copy the backend with the stub of this Python beside it; safe when several start at once."""
    if backends.is_dir():
        return
    backends.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=backends.parent, prefix="new-") as scratch:
        made = Path(scratch) / "backends"
        shutil.copytree(server / "backends", made, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy2(_stub(server), made / "python")
        with contextlib.suppress(FileExistsError):
            _rename(made, backends)


def _rename(made: Path, backends: Path) -> None:
    """Put a finished copy in place; ``FileExistsError`` if another start was first."""
    try:
        made.rename(backends)
    except OSError as error:  # A directory that is not empty has an error number of its own.
        if backends.is_dir():
            raise FileExistsError(error.errno, str(backends)) from error
        raise


def _stub(server: Path) -> Path:
    stub = server / "python_backend_stubs" / PYTHON / "triton_python_backend_stub"
    if not stub.exists():
        raise UsageError(f"the embedded Triton has no backend for Python {PYTHON}: use 3.11")
    return stub


def _environment(wheel: Path) -> dict[str, str]:
    """This process's environment, in which the stubs find this Python and its packages.

    A stub starts Python isolated: it ignores PYTHONPATH and PYTHONHOME, and takes its
    site-packages, editable installs included, from the first ``python3`` on PATH.
    """
    directory = Path(sys.executable).parent
    python3 = directory / "python3"
    if not (python3.exists() and python3.samefile(sys.executable)):
        raise UsageError(f"the embedded Triton needs {sys.executable} to be python3 in {directory}")
    libraries = [*_python_libraries(), str(wheel.parent / "nvidia_pytriton.libs")]
    return {
        **os.environ,
        "LD_LIBRARY_PATH": _before(libraries, "LD_LIBRARY_PATH"),
        "PATH": _before([str(directory)], "PATH"),
    }


def _before(directories: list[str], variable: str) -> str:
    inherited = os.environ.get(variable)
    return os.pathsep.join([*directories, *([inherited] if inherited else [])])


def _python_libraries() -> list[str]:
    """Where the shared library of this very Python is: the stub embeds it."""
    directory = Path(sysconfig.get_config_var("LIBDIR") or "")
    name = f"libpython{PYTHON}.so.1.0"
    if (directory / name).exists():
        return [str(directory)]
    if ctypes.util.find_library(f"python{PYTHON}"):
        return []
    raise UsageError(f"the embedded Triton needs {name}: install libpython{PYTHON}")
