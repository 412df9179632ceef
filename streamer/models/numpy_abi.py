"""The NumPy that Triton's Python backend was built for."""

from __future__ import annotations

import numpy as np

from streamer.errors import UsageError

BUILT_FOR = 1


def check_numpy(version: str = np.__version__) -> None:
    """Refuse to serve under another major version of NumPy.

    Python backends up to Triton 2.51 are built for NumPy 1; under NumPy 2 they hand over wrong
    values in both directions without an error.

    Raises:
        UsageError: naming the version found and the cure.
    """
    if int(version.partition(".")[0]) != BUILT_FOR:
        raise UsageError(
            f"Triton's Python backend is built for NumPy {BUILT_FOR} and gives wrong tensors under "
            f"NumPy {version}: install 'numpy<2' where the models run"
        )
