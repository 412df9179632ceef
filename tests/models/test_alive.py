"""The probe of Triton's container, on a Triton that loses a model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamer.embedded.triton import EmbeddedTriton
from streamer.errors import Unavailable
from streamer_client.errors import ModelDied
from streamer_client.triton import TritonModels
from tests.e2e.processes import descendants
from tests.embedded.conftest import wait_until
from tests.servers import triton_serving

pytestmark = pytest.mark.services


def probe(triton: EmbeddedTriton) -> tuple[int, str]:
    port = triton.http_url.rpartition(":")[2]
    command = [sys.executable, "-m", "streamer.models.alive", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_model_that_died_is_found(repository: Path, tmp_path: Path) -> None:
    with triton_serving(repository, tmp_path) as triton, TritonModels(triton.url, 60) as models:
        wait_until(lambda: probe(triton) == (0, ""))  # Another test may end a model just now.
        triton.check()
        (tower,) = [pid for pid, line in descendants(triton.pid).items() if "/clip_image/" in line]
        os.kill(tower, signal.SIGKILL)
        wait_until(lambda: probe(triton) == (1, "the process of a model has died\n"))
        with pytest.raises(Unavailable, match="process of a model has ended"):
            triton.check()
        with pytest.raises(ModelDied, match="clip_image"):
            models.embed_images(np.zeros((1, 8, 8, 3), np.uint8)).result(timeout=60)
    assert probe(triton)[1].startswith("Triton does not answer on port")
