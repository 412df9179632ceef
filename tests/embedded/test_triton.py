"""The embedded Triton against a model of the test's own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput

from streamer.embedded.ports import free_ports
from streamer.embedded.triton import EmbeddedTriton
from streamer.errors import Unavailable, UsageError
from tests.embedded.conftest import StartParent, answer, has_ended, runs, wait_until, with_argument

Array = npt.NDArray[Any]

pytestmark = pytest.mark.services

CONFIG = """
backend: "python"
max_batch_size: 4
input [
  { name: "PIXELS" data_type: TYPE_UINT8 dims: [ -1, 3 ] },
  { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] }
]
output [
  { name: "PIXELS_BACK" data_type: TYPE_UINT8 dims: [ -1, 3 ] },
  { name: "TEXT_BACK" data_type: TYPE_STRING dims: [ 1 ] },
  { name: "SUM" data_type: TYPE_INT64 dims: [ 1 ] }
]
instance_group [ { kind: KIND_CPU } ]
"""
ECHO = """
import numpy as np
import triton_python_backend_utils as pb_utils
from streamer.errors import StreamerError  # The packages of the environment are there.


def tensor(request, name):
    return pb_utils.get_input_tensor_by_name(request, name).as_numpy()


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        pixels, text = tensor(request, "PIXELS"), tensor(request, "TEXT")
        total = pixels.reshape(len(pixels), -1).sum(axis=1, dtype=np.int64, keepdims=True)
        outputs = {"PIXELS_BACK": pixels, "TEXT_BACK": text, "SUM": total}
        return pb_utils.InferenceResponse([pb_utils.Tensor(*item) for item in outputs.items()])
"""
PARENT = """
import time
from pathlib import Path
from streamer.embedded.ports import free_ports
from streamer.embedded.triton import EmbeddedTriton
with EmbeddedTriton(Path({repository!r}), log_dir=Path({logs!r})) as triton:
    print(triton.pid, flush=True)
    time.sleep(600)
"""


def make_repository(directory: Path, model: str) -> Path:
    version = directory / "echo" / "1"
    version.mkdir(parents=True)
    (version / "model.py").write_text(model)
    (version.parent / "config.pbtxt").write_text(CONFIG)
    return directory


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "models", ECHO)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def triton(repository: Path, logs: Path) -> Iterator[EmbeddedTriton]:
    with EmbeddedTriton(repository, log_dir=logs) as server:
        yield server


def echo(url: str, pixels: Array, text: Array) -> dict[str, Array]:
    inputs = [
        InferInput("PIXELS", list(pixels.shape), "UINT8").set_data_from_numpy(pixels),
        InferInput("TEXT", list(text.shape), "BYTES").set_data_from_numpy(text),
    ]
    with InferenceServerClient(url) as client:
        result = client.infer("echo", inputs)
    return {name: result.as_numpy(name) for name in ("PIXELS_BACK", "TEXT_BACK", "SUM")}


def assert_echoes(url: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 5000, 3), dtype=np.uint8)
    text = np.array([["naïve café".encode()], [b""]], dtype=object)
    back = echo(url, pixels, text)
    np.testing.assert_array_equal(back["PIXELS_BACK"], pixels)
    np.testing.assert_array_equal(back["TEXT_BACK"], text)
    np.testing.assert_array_equal(back["SUM"][:, 0], pixels.sum(axis=(1, 2), dtype=np.int64))


def regions_and_processes(pid: int) -> tuple[list[int], list[Path]]:
    """The stubs of the server ``pid`` and its shared memory."""
    arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    (prefix,) = [word[5:].decode() for word in arguments if word.startswith(b"--id=")]
    processes = [found for found in with_argument(prefix) if found != pid]
    return processes, [*Path("/dev/shm").glob(f"{prefix}*")]


def test_tensors_reach_the_model_as_they_are(triton: EmbeddedTriton) -> None:
    assert_echoes(triton.url)


def test_nothing_listens_beyond_this_machine(triton: EmbeddedTriton) -> None:
    loopback = {"0100007F", "0000000000000000FFFF00000100007F"}
    addresses = set(listening(triton.pid))
    assert addresses
    assert addresses <= loopback


def listening(pid: int) -> Iterator[str]:
    """Local addresses, in hexadecimal, of the TCP sockets on which the process listens."""
    sockets = set(open_files(pid))
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                yield fields[1].rpartition(":")[0]


def open_files(pid: int) -> Iterator[str]:
    """What the process has open; a file that is closed meanwhile is left out."""
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            yield str(entry.readlink())


def test_a_stop_leaves_nothing(repository: Path, logs: Path) -> None:
    with EmbeddedTriton(repository, log_dir=logs) as server:
        stubs, regions = regions_and_processes(server.pid)
        assert stubs
        assert len(regions) > 1
    assert not any(runs(pid) for pid in (server.pid, *stubs))
    assert not any(region.exists() for region in regions)


def test_two_servers_side_by_side(triton: EmbeddedTriton, repository: Path, logs: Path) -> None:
    with EmbeddedTriton(repository, log_dir=logs) as other:
        assert other.url != triton.url
        assert other.log != triton.log
        assert_echoes(triton.url)
        assert_echoes(other.url)
    assert_echoes(triton.url)


def test_a_port_that_was_taken_in_between_is_replaced(
    triton: EmbeddedTriton,
    repository: Path,
    logs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = tuple(int(url.rpartition(":")[2]) for url in (triton.url, triton.http_url))
    drawn = iter([(*taken, 19_999)])
    monkeypatch.setattr(
        "streamer.embedded.triton.free_ports", lambda count: next(drawn, None) or free_ports(count)
    )
    with EmbeddedTriton(repository, log_dir=logs / "other") as other:
        assert other.url != triton.url
        assert_echoes(other.url)


def test_a_model_that_fails_to_load_is_named_with_the_log(tmp_path: Path, logs: Path) -> None:
    broken = make_repository(tmp_path / "broken", "import no_such_module")
    with pytest.raises(Unavailable) as caught, EmbeddedTriton(broken, log_dir=logs):
        pass
    (log,) = logs.iterdir()
    assert caught.value.kind == "triton_unavailable"
    assert str(log) in caught.value.message
    assert "failed to load 'echo'" in caught.value.message
    assert "No module named 'no_such_module'" in caught.value.message


def test_a_missing_repository_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="models build"):
        EmbeddedTriton(tmp_path / "none", log_dir=tmp_path).start()


def test_a_server_that_died_is_noticed(triton: EmbeddedTriton) -> None:
    triton.check()
    os.kill(triton.pid, signal.SIGKILL)
    wait_until(lambda: not runs(triton.pid))
    wait_until(lambda: has_ended(triton.check))
    with pytest.raises(Unavailable, match="ended with status 137"):
        triton.check()


@pytest.mark.parametrize("guard_too", [False, True], ids=["parent", "parent and guard"])
def test_a_killed_parent_leaves_nothing_after_the_next_start(
    start_parent: StartParent, repository: Path, logs: Path, guard_too: bool
) -> None:
    parent = start_parent(PARENT.format(repository=str(repository), logs=str(logs)))
    (pid,) = map(int, answer(parent))
    processes, regions = regions_and_processes(pid)
    guard = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    parent.kill()
    if guard_too:
        os.kill(guard, signal.SIGKILL)
    wait_until(lambda: not any(runs(found) for found in (pid, guard, *processes)))
    with EmbeddedTriton(repository, log_dir=logs):
        assert regions
        assert not any(region.exists() for region in regions)


def test_a_failed_start_leaves_no_process(tmp_path: Path, logs: Path) -> None:
    endless = make_repository(tmp_path / "endless", "import time\ntime.sleep(600)")
    server = EmbeddedTriton(endless, log_dir=logs, start_timeout_seconds=1.0)
    with pytest.raises(Unavailable, match="not ready within 1 s"):
        server.start()
    assert not with_argument(str(endless))
