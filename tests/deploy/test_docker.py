"""Dockerfiles and compose name files, packages, programs and settings that exist."""

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer.config import load_settings
from tests.deploy.command_lines import parse_streamer, streamer_calls, unknown_triton_options
from tests.deploy.helm import CHART, ROOT, containers, pods

DOCKER = ROOT / "deploy/docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILES = ("worker.Dockerfile", "triton.Dockerfile")
Instruction = tuple[str, str]


def instructions(name: str) -> list[Instruction]:
    """The Dockerfile's instructions with their arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DOCKER / name).read_text(), flags=re.M)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(line.split()[0], line.partition(" ")[2]) for line in lines if line.strip()]


def given(name: str, instruction: str) -> list[str]:
    """The arguments of one kind of instruction."""
    return [argument for each, argument in instructions(name) if each == instruction]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_copied_files_exist_and_are_sent(name: str) -> None:
    sent = (DOCKER / f"{name}.dockerignore").read_text().split()
    stages = [each.partition(" AS ")[2] for each in given(name, "FROM")]
    for copy in given(name, "COPY"):
        *sources, _ = copy.split()
        if sources[0].startswith("--from="):
            assert sources[0].removeprefix("--from=") in stages
            continue
        for source in sources:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in sent, source


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_the_build_reads_is_copied(name: str) -> None:
    copied = " ".join(given(name, "COPY"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [*wheel["packages"], *wheel["force-include"], project["project"]["readme"]]
    for each in (*needed, *project["project"]["license-files"]):
        assert each.split("/")[0] in copied.split(), each


@pytest.mark.parametrize("name", DOCKERFILES)
def test_bases_are_pinned_by_digest(name: str) -> None:
    stages = [each.partition(" AS ")[2] for each in given(name, "FROM")]
    for base in (each.partition(" AS ")[0] for each in given(name, "FROM")):
        assert base in stages or re.search(r"@\$\{\w+_DIGEST\}$", base), base
    digest = next(each for each in given(name, "ARG") if "DIGEST" in each)
    assert "=" not in digest


@pytest.mark.parametrize("name", DOCKERFILES)
def test_images_have_stages_and_no_root(name: str) -> None:
    assert len(given(name, "FROM")) >= 2
    assert given(name, "USER") == ["10001:10001"]
    chart = pods("default")["worker"]["securityContext"]
    assert f"{chart['runAsUser']}:{chart['runAsGroup']}" == "10001:10001"


@pytest.mark.parametrize(
    ("name", "extras"), [("worker.Dockerfile", {"gpu"}), ("triton.Dockerfile", {"models", "hub"})]
)
def test_extras_exist(name: str, extras: set[str]) -> None:
    text = " ".join(given(name, "RUN"))
    named = {each for found in re.findall(r"'\.\[([\w,]+)\]'", text) for each in found.split(",")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert named == extras
    assert extras <= project["optional-dependencies"].keys()


def test_the_sample_is_made_by_code_that_exists_and_lies_where_it_is_read() -> None:
    from streamer.sample_reel import make_sample_reel

    made = next(each for each in given("worker.Dockerfile", "RUN") if "sample_reel" in each)
    assert make_sample_reel.__name__ in made
    assert "/samples/reel.mp4" in made
    assert "--from=sample /samples /opt/streamer/samples" in given("worker.Dockerfile", "COPY")
    test = pods("default")["test"]["containers"][0]["args"][0]
    assert "file:///opt/streamer/samples/reel.mp4" in test


@pytest.mark.parametrize("name", DOCKERFILES)
def test_default_commands_exist(name: str) -> None:
    (command,) = given(name, "CMD")
    program, *arguments = json.loads(command)
    if program == "streamer":
        assert parse_streamer(arguments)
    else:
        assert unknown_triton_options(arguments) == []


def test_variables_of_the_image_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = " ".join(given("worker.Dockerfile", "ENV"))
    _load(dict(re.findall(r"(STREAMER_\w+)=(\S+)", variables)), monkeypatch)


def test_variables_of_compose_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("worker", "topics"):
        settings = _load(SERVICES[service]["environment"], monkeypatch)
        assert settings.kafka.bootstrap == "kafka:19092"
        assert settings.triton.url == "triton:8001"
        assert [str(each) for each in settings.acquire.allowed_roots] == ["/opt/streamer/samples"]


def _load(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    assert all(name.startswith("STREAMER_") for name in variables)
    for name, value in variables.items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value))
    return load_settings()


@pytest.mark.parametrize("service", SERVICES)
def test_commands_of_compose_exist(service: str) -> None:
    program, *arguments = SERVICES[service].get("command", [""])
    if program == "streamer":
        assert parse_streamer(arguments)
    elif program == "tritonserver":
        assert unknown_triton_options(arguments) == []
    else:
        assert not program


def test_compose_starts_what_the_chart_starts() -> None:
    chart = pods("default")
    compose = SERVICES["triton"]["command"][2:]
    assert set(compose) <= set(containers(chart["triton"])[-1]["args"])
    assert SERVICES["worker"]["command"] == ["streamer", *containers(chart["worker"])[-1]["args"]]


def test_files_and_volumes_of_compose_exist() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            known = (DOCKER / source).exists() if source[0] == "." else source in COMPOSE["volumes"]
            assert known, mount
        if "build" in service:
            assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
            assert (DOCKER / service["build"]["context"]).resolve() == ROOT


def test_services_wait_for_services_that_exist() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= SERVICES.keys()


def test_grafana_and_prometheus_find_what_they_show() -> None:
    prometheus = yaml.safe_load((DOCKER / "prometheus.yml").read_text())
    targets = [each["static_configs"][0]["targets"][0] for each in prometheus["scrape_configs"]]
    port = SERVICES["worker"]["environment"]["STREAMER_TELEMETRY__PORT"]
    assert targets == [f"worker:{port}", "triton:8002"]
    provider = yaml.safe_load((DOCKER / "grafana/dashboards.yaml").read_text())["providers"][0]
    mounts = [mount.split(":")[:2] for mount in SERVICES["grafana"]["volumes"]]
    (folder,) = [source for source, place in mounts if place == provider["options"]["path"]]
    assert (DOCKER / folder).resolve() == CHART / "dashboards"


def test_commands_in_the_comment_of_compose_exist() -> None:
    text = (DOCKER / "compose.yaml").read_text()
    calls = [call for line in text.splitlines() if "#" in line for call in streamer_calls(line)]
    assert [parse_streamer(call) for call in calls] == ["submit"]
    for argument in shlex.split(re.findall(r"docker compose (-f \S+)", text)[0])[1:]:
        assert (ROOT / Path(argument)).is_file()
