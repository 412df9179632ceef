"""Values: strict, documented where they stand, refused by name."""

import json
import re
from typing import Any

import pytest
import yaml

from streamer.config import Settings
from tests.deploy.helm import CHART, run

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
# Sections and settings that the chart itself decides.
DECIDED = {"kafka", "telemetry", "triton.url", "acquire.temp_dir"} | {
    f"triton.{name}" for name in ("tls", "ssl_cafile", "ssl_certfile", "ssl_keyfile")
}


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("worker.replicas=many", "/worker/replicas"),
        ("worker.replica=3", "'replica'"),
        ("workers.replicas=3", "'workers'"),
        ("keda.enabled=yes please", "/keda/enabled"),
        ("kafka.securityProtocol=TLS", "/kafka/securityProtocol"),
        ("kafka.bootstrap=broker", "/kafka/bootstrap"),
        ("worker.telemetryPort=70000", "/worker/telemetryPort"),
        ("worker.image.digest=latest", "/worker/image/digest"),
        ("triton.resources.limits.memory=a lot", "/triton/resources/limits/memory"),
        ("settings.worker.slot=3", "'slot'"),
        ("settings.worker.slots=0", "/settings/worker/slots"),
        ("settings.split.preset=best", "/settings/split/preset"),
        ("settings.kafka.bootstrap=b:1", "'kafka'"),
        ("models.volume.type=disk", "/models/volume/type"),
        ("networkPolicy.fetchPorts={http}", "/networkPolicy/fetchPorts"),
        ("kafka.securityProtocol=SASL_SSL", "kafka.existingSecret"),
        ("triton.enabled=false", "triton.externalUrl"),
        ("keda.enabled=true,keda.maxReplicas=13", "kafka.topics.partitions"),
        ("triton.replicas=2", "models.build: job"),
        ("models.build=job,models.volume.type=emptyDir", "persistentVolumeClaim"),
    ],
)
def test_bad_values_are_refused_by_name(setting: str, says: str) -> None:
    done = run("template", "r", ".", f"--set={setting}")
    assert done.returncode != 0
    assert says in done.stderr


def _objects(schema: Any) -> list[dict[str, Any]]:
    found = [schema] if isinstance(schema, dict) and "properties" in schema else []
    for each in schema.values() if isinstance(schema, dict) else ():
        found += _objects(each)
    return found


def test_unknown_names_are_refused_everywhere() -> None:
    assert all(each["additionalProperties"] is False for each in _objects(SCHEMA))


def test_the_schema_knows_exactly_the_settings() -> None:
    known = {
        f"{section}.{name}"
        for section, each in SCHEMA["properties"]["settings"]["properties"].items()
        for name in each["properties"]
    }
    real = {
        f"{section}.{name}"
        for section, field in Settings.model_fields.items()
        for name in field.annotation.model_fields  # type: ignore[union-attr]
        if section not in DECIDED
    }
    assert known == real - DECIDED


def test_every_part_has_a_comment() -> None:
    text = (CHART / "values.yaml").read_text()
    top = [name for name in yaml.safe_load(text) if not name.endswith("Override")]
    for name in top:
        block = re.search(rf"((?:^#.*\n)*)^{name}:(?:.*\n)(?:^[ #].*\n)*", text, re.M)
        assert block, name
        assert "#" in block[0], name
