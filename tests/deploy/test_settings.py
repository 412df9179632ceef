"""What containers are told exists: settings, variables, command lines, files."""

import os
import tomllib
from pathlib import Path

import pytest

from streamer.config import Settings, load_settings
from streamer_client.topics import Topics
from tests.deploy.command_lines import parse_streamer, streamer_calls, unknown_triton_options
from tests.deploy.helm import VARIANTS, Object, containers, of_kind, pods, rendered


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("STREAMER_")]:
        monkeypatch.delenv(name)


def effective(variant: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What the worker of the variant loads, with the secrets that it refers to."""
    file = folder / "streamer.toml"
    file.write_text(of_kind(variant, "ConfigMap")["r-streamer"]["data"]["streamer.toml"])
    for each in pods(variant)["worker"]["containers"][0]["env"]:
        if each["name"].startswith("STREAMER_"):
            monkeypatch.setenv(each["name"], each.get("value", "secret"))
    monkeypatch.setenv("STREAMER_CONFIG", str(file))
    return load_settings()


@pytest.mark.parametrize("variant", VARIANTS)
def test_settings_load(variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = effective(variant, tmp_path, monkeypatch)
    pod = pods(variant)["worker"]
    worker = pod["containers"][0]
    port = next(each for each in worker["ports"] if each["name"] == "telemetry")
    assert settings.telemetry.port == port["containerPort"]
    assert pod["terminationGracePeriodSeconds"] > settings.worker.grace_seconds
    mounts = {each["mountPath"] for each in worker["volumeMounts"]}
    assert str(settings.acquire.temp_dir) in mounts
    if settings.kafka.ssl_cafile:
        assert str(settings.kafka.ssl_cafile.parent) in mounts


@pytest.mark.parametrize("variant", VARIANTS)
def test_slots_fit_the_pod(variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = effective(variant, tmp_path, monkeypatch)
    pod = pods(variant)["worker"]
    slots = settings.worker.slots
    memory = _bytes(pod["containers"][0]["resources"]["limits"]["memory"])
    assert slots * settings.worker.slot_memory_mb << 20 < memory
    scratch = next(each for each in pod["volumes"] if each["name"] == "scratch")
    if variant != "extras":  # its downloads are as large as the service's own default
        assert slots * settings.acquire.max_bytes <= _bytes(scratch["emptyDir"]["sizeLimit"])


def test_kafka_is_secured_as_the_values_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = effective("sasl", tmp_path, monkeypatch).kafka
    assert (kafka.security_protocol, kafka.sasl_mechanism) == ("SASL_SSL", "PLAIN")
    assert kafka.sasl_username == "secret"
    assert kafka.sasl_password
    assert kafka.sasl_password.get_secret_value() == "secret"


def test_no_secret_is_in_the_settings_file() -> None:
    text = of_kind("sasl", "ConfigMap")["r-streamer"]["data"]["streamer.toml"]
    assert "sasl_password" not in tomllib.loads(text)["kafka"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_command_lines_exist(variant: str) -> None:
    for pod in pods(variant).values():
        for container in containers(pod):
            _check(container)


def _check(container: Object) -> None:
    line: list[str] = container["command"] + container["args"]
    program, arguments = line[0], line[1:]
    match program:
        case "streamer":
            assert parse_streamer(arguments)
        case "tritonserver":
            assert unknown_triton_options(arguments) == []
        case "sh":
            for call in streamer_calls(arguments[-1]):
                assert parse_streamer(call)
        case _:
            pytest.fail(f"{program} is no program of the images")


def test_the_test_submits_and_watches() -> None:
    script = pods("default")["test"]["containers"][0]["args"][-1]
    assert [parse_streamer(call) for call in streamer_calls(script)] == ["submit", "watch"]


def test_a_renamed_option_would_fail() -> None:
    with pytest.raises(Exception, match="No such"):
        parse_streamer(["models", "build", "--output=x", "--folder=y"])
    with pytest.raises(Exception, match="No such"):
        parse_streamer(["topics", "make"])


@pytest.mark.parametrize("variant", ["default", "external triton"])
def test_workers_find_triton(variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host, _, port = effective(variant, tmp_path, monkeypatch).triton.url.partition(":")
    if variant == "external triton":
        assert (host, port) == ("triton.models", "8001")
    else:
        ports = of_kind(variant, "Service")[host]["spec"]["ports"]
        assert {"name": "grpc", "port": int(port), "targetPort": "grpc"} in ports


def test_strimzi_has_every_topic() -> None:
    topics = of_kind("strimzi", "KafkaTopic").values()
    assert {each["spec"]["topicName"] for each in topics} == set(Topics("team.").all)
    assert not [each for each in rendered("strimzi") if "-topics-" in each["metadata"]["name"]]


def _bytes(quantity: str) -> int:
    return int(quantity.removesuffix("Gi")) << 30


def test_triton_is_encrypted_as_the_values_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = effective("triton tls", tmp_path, monkeypatch).triton
    assert settings.tls
    worker, server = (pods("triton tls")[name]["containers"][0] for name in ("worker", "triton"))
    assert settings.ssl_cafile
    assert str(settings.ssl_cafile.parent) in {m["mountPath"] for m in worker["volumeMounts"]}
    assert "--grpc-use-ssl=true" in server["args"]
    folders = {m["mountPath"] for m in server["volumeMounts"]}
    files = [Path(a.split("=")[1]) for a in server["args"] if a.startswith("--grpc-server-")]
    assert len(files) == 2
    assert all(str(file.parent) in folders for file in files)
