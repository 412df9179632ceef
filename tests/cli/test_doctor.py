"""``streamer doctor`` looks at everything, quickly, with and without services."""

from __future__ import annotations

import json

import pytest

from streamer.decode.gpu import this_machine
from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.triton import EmbeddedTriton
from tests.cli.test_commands import streamer

NOWHERE = ("--bootstrap", "127.0.0.1:9", "--triton", "127.0.0.1:9")


def findings(*arguments: str) -> dict[str, tuple[bool, str]]:
    done = streamer("doctor", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["findings"]
    return {each["name"]: (each["is_good"], each["found"]) for each in found}


def test_without_services() -> None:
    found = findings(*NOWHERE)
    assert found["PyAV"][1].count("lib") == 3
    assert found["DALI"] == (True, this_machine().dali)
    assert found["Triton"] == (False, "127.0.0.1:9 does not answer")
    assert found["Kafka"] == (False, "127.0.0.1:9 does not answer")
    assert all(found[name][0] for name in ("shared memory", "temporary files", "decoding"))


def test_it_says_how_videos_will_be_decoded() -> None:
    assert findings(*NOWHERE, "--decoder", "pyav")["decoding"] == (
        *(True, "PyAV: decode.decoder is pyav"),
    )
    chosen = findings(*NOWHERE, "--decoder", "dali", "--device", "cpu")["decoding"]
    assert chosen == (True, "DALI on the CPU: decode.decoder is dali")


@pytest.mark.skipif(bool(this_machine().cards), reason="this machine has a GPU")
def test_a_machine_without_a_gpu() -> None:
    found = findings(*NOWHERE)
    assert found["GPU"] == found["NVDEC"] == (False, "none")
    assert found["decoding"][1].startswith("PyAV: this machine has no GPU")
    refused = streamer("doctor", *NOWHERE, "--decoder", "dali", "--device", "gpu")
    assert refused.returncode == 1
    assert "this machine has no GPU" in refused.stdout


@pytest.mark.services
def test_with_services(triton: EmbeddedTriton, broker: EmbeddedBroker) -> None:
    found = findings("--bootstrap", broker.bootstrap, "--triton", triton.url)
    assert found["Triton"] == (True, f"{triton.url} is ready")
    assert found["Kafka"] == (True, f"{broker.bootstrap} answers")
