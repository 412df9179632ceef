"""The chart lints, renders in every variant, and every object fits the schema of Kubernetes."""

import re
from collections import Counter

import kubernetes_validate
import pytest
import yaml

from tests.deploy.helm import CHART, ROOT, VARIANTS, rendered, run

KUBERNETES = "1.34"
# Resources of operators: their schemas are not Kubernetes' own.
CUSTOM = {
    "keda.sh/v1alpha1": {"ScaledObject", "TriggerAuthentication"},
    "kafka.strimzi.io/v1beta2": {"Kafka", "KafkaNodePool", "KafkaTopic"},
    "monitoring.coreos.com/v1": {"PrometheusRule", "ServiceMonitor"},
}


@pytest.mark.parametrize("values", sorted(path.name for path in CHART.glob("values*.yaml")))
def test_lint(values: str) -> None:
    done = run("lint", "--strict", ".", "-f", values)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_values_file_is_a_variant() -> None:
    named = {argument.removeprefix("-f=") for each in VARIANTS.values() for argument in each}
    assert {path.name for path in CHART.glob("values-*.yaml")} <= named


@pytest.mark.parametrize("variant", VARIANTS)
def test_objects_fit_their_schemas(variant: str) -> None:
    for each in rendered(variant):
        if each["apiVersion"] in CUSTOM:
            assert each["kind"] in CUSTOM[each["apiVersion"]]
            assert each["spec"]
        else:
            kubernetes_validate.validate(each, KUBERNETES, strict=True)


@pytest.mark.parametrize("variant", VARIANTS)
def test_objects_are_named_once_and_labelled(variant: str) -> None:
    objects = rendered(variant)
    names = Counter((each["kind"], each["metadata"]["name"]) for each in objects)
    assert [name for name, count in names.items() if count > 1] == []
    for each in objects:
        if not each["metadata"]["name"].endswith("-more"):
            assert each["metadata"]["labels"]["app.kubernetes.io/instance"] == "r"
        assert len(each["metadata"]["name"]) <= 63


def test_every_template_is_rendered_by_some_variant() -> None:
    sources = set()
    for arguments in VARIANTS.values():
        out = run("template", "r", ".", *arguments).stdout
        sources |= set(re.findall(r"^# Source: streamer/templates/(.*)$", out, re.M))
    assert sources == {path.name for path in (CHART / "templates").glob("*.yaml")}


def test_extra_objects_are_templates() -> None:
    assert any(each["metadata"]["name"] == "r-more" for each in rendered("extras"))


def test_notes_name_the_next_three_commands() -> None:
    done = run("install", "r", ".", "--dry-run=client", "--namespace=video")
    assert done.returncode == 0, done.stderr
    notes = done.stdout.partition("NOTES:")[2]
    commands = re.findall(r"^ {3}((?:kubectl|helm) .*)$", notes, re.M)
    assert [command.split()[0] for command in commands] == ["kubectl", "helm", "kubectl"]


def test_versions_are_the_package_s() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert project
    assert chart["appVersion"] == project[1]
