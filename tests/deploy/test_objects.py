"""What the chart promises of its objects."""

import ipaddress
from typing import Any

import pytest

from streamer.models import alive
from tests.deploy.helm import VARIANTS, Object, containers, of_kind, pods, rendered, run

WORKER, TRITON = "r-streamer-worker", "r-streamer-triton"


@pytest.mark.parametrize("variant", VARIANTS)
def test_pods_have_no_rights(variant: str) -> None:
    for pod in pods(variant).values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert not any("hostPath" in volume for volume in pod["volumes"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_containers_have_no_rights(variant: str) -> None:
    for pod in pods(variant).values():
        for container in containers(pod):
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["privileged"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert {"requests", "limits"} <= container["resources"].keys()
            assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_mounts_have_volumes(variant: str) -> None:
    for pod in pods(variant).values():
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in containers(pod):
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


@pytest.mark.parametrize("variant", VARIANTS)
def test_probes_ask_the_health_endpoints(variant: str) -> None:
    parts = pods(variant)
    worker = parts["worker"]["containers"][0]
    assert _paths(worker) == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    if "triton" in parts:
        triton = parts["triton"]["containers"][0]
        ready, probe = "/v2/health/ready", triton["livenessProbe"]["exec"]["command"]
        assert _paths(triton) == {"startup": ready, "readiness": ready}
        assert probe == ["python3", "-m", alive.__name__, "--port=8000"]


def _paths(container: Object) -> dict[str, str]:
    ports = {port["name"] for port in container["ports"]}
    of_kinds = {kind: container[f"{kind}Probe"].get("httpGet") for kind in _KINDS}
    probes = {kind: probe for kind, probe in of_kinds.items() if probe}
    assert {probe["port"] for probe in probes.values()} <= ports
    return {kind: probe["path"] for kind, probe in probes.items()}


_KINDS = ("startup", "liveness", "readiness")


@pytest.mark.parametrize("variant", VARIANTS)
def test_replicas_are_left_to_what_scales(variant: str) -> None:
    scaled = {
        each["spec"]["scaleTargetRef"]["name"]
        for each in rendered(variant)
        if each["kind"] in ("ScaledObject", "HorizontalPodAutoscaler")
    }
    for name, deployment in of_kind(variant, "Deployment").items():
        assert ("replicas" in deployment["spec"]) == (name not in scaled)


def test_keda_scales_workers_on_their_topics_and_group() -> None:
    triggers = of_kind("sasl", "ScaledObject")[WORKER]["spec"]["triggers"]
    topics = {trigger["metadata"].pop("topic") for trigger in triggers}
    assert topics == {"videos", "videos.priority", "videos.retry"}
    assert all(trigger == triggers[0] for trigger in triggers)
    trigger, metadata = triggers[0], triggers[0]["metadata"]
    assert (trigger["type"], metadata["consumerGroup"]) == ("kafka", "streamer")
    assert (metadata["tls"], metadata["sasl"]) == ("enable", "plaintext")
    authentication = of_kind("sasl", "TriggerAuthentication")[trigger["authenticationRef"]["name"]]
    named = {each["parameter"] for each in authentication["spec"]["secretTargetRef"]}
    assert named == {"username", "password", "ca"}


def test_triton_s_pods_share_models_that_a_job_builds() -> None:
    job = pods("hpa")["models"]["containers"][0]
    output = next(each for each in job["args"] if each.startswith("--output="))
    repository = output.removeprefix("--output=")
    triton = pods("hpa")["triton"]
    assert f"{repository}/manifest.json" in triton["initContainers"][0]["args"][0]
    assert f"--model-repository={repository}" in triton["containers"][0]["args"]


def test_triton_s_pod_builds_the_models_that_it_serves() -> None:
    triton = pods("default")["triton"]
    output = next(a for a in triton["initContainers"][0]["args"] if a.startswith("--output="))
    served = f"--model-repository={output.removeprefix('--output=')}"
    assert served in triton["containers"][0]["args"]


def test_triton_has_shared_memory_and_its_gpu() -> None:
    triton = pods("default")["triton"]
    shm = next(volume for volume in triton["volumes"] if volume["name"] == "shm")
    assert shm["emptyDir"]["medium"] == "Memory"
    mounts = triton["containers"][0]["volumeMounts"]
    assert {"name": "shm", "mountPath": "/dev/shm"} in mounts
    assert triton["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    limits = pods("cpu")["triton"]["containers"][0]["resources"]["limits"]
    assert limits.keys() == {"memory"}


def test_placing_and_mig() -> None:
    parts = pods("mig and placing")
    worker = parts["worker"]
    assert worker["containers"][0]["resources"]["limits"]["nvidia.com/mig-1g.10gb"] == 1
    assert worker["containers"][0]["image"].endswith("@sha256:" + "0" * 64)
    assert worker["priorityClassName"] == "batch"
    assert worker["nodeSelector"] == {"pool": "video"}
    assert parts["triton"]["runtimeClassName"] == "nvidia"


@pytest.mark.parametrize(
    ("setting", "deployment"),
    [
        ("settings.caption.frames=4", WORKER),
        ("kafka.group=other", WORKER),
        ("models.profile=small", TRITON),
        ("triton.image.tag=other", TRITON),
    ],
)
def test_a_change_that_pods_read_restarts_them(setting: str, deployment: str) -> None:
    before = _annotations("", deployment)
    assert before
    assert _annotations(setting, deployment) != before


def _annotations(setting: str, deployment: str) -> str:
    template = f"templates/{deployment.removeprefix('r-streamer-')}.yaml"
    arguments = (f"--set={setting}",) if setting else ()
    out = run("template", "r", ".", f"--show-only={template}", *arguments).stdout
    return "\n".join(line for line in out.splitlines() if "checksum/" in line)


def test_an_outside_change_restarts_nothing() -> None:
    before = _annotations("", WORKER)
    assert _annotations("keda.lagThreshold=3", WORKER) == before


@pytest.mark.parametrize("variant", sorted(VARIANTS.keys() - {"bare", "extras", "other dns"}))
def test_workers_reach_no_private_range_but_kafka_and_triton(variant: str) -> None:
    rules = of_kind(variant, "NetworkPolicy")[WORKER]["spec"]["egress"]
    reached = [block for rule in rules for block in _blocks(rule)]
    assert {block["cidr"] for block in reached} == {"0.0.0.0/0", "::/0"}
    for address in _PRIVATE:
        block = next(b for b in reached if (":" in b["cidr"]) == (address.version == 6))
        assert any(address in ipaddress.ip_network(each) for each in block["except"]), address
    anywhere = [rule for rule in rules if "to" not in rule]
    ports = {port["port"] for rule in anywhere for port in rule["ports"]}
    assert ports <= {9092, 9093}


_PRIVATE = [
    ipaddress.ip_address(each)
    for each in (
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1"),
        *("169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fd00::1", "fe80::1"),
    )
]


def _blocks(rule: Object) -> list[dict[str, Any]]:
    return [peer["ipBlock"] for peer in rule.get("to", ()) if "ipBlock" in peer]


@pytest.mark.parametrize("variant", sorted(VARIANTS.keys() - {"bare"}))
def test_every_pod_has_a_network_policy(variant: str) -> None:
    policies = of_kind(variant, "NetworkPolicy").values()
    selectors = [policy["spec"]["podSelector"] for policy in policies]
    for part in pods(variant):
        assert any(_selects(selector, part) for selector in selectors), part


def _selects(selector: Object, part: str) -> bool:
    chosen = selector["matchLabels"].get("app.kubernetes.io/component")
    listed = [value for each in selector.get("matchExpressions", ()) for value in each["values"]]
    return part == chosen or part in listed


@pytest.mark.parametrize("variant", VARIANTS)
def test_selectors_select(variant: str) -> None:
    labels = [
        each["spec"]["template"]["metadata"]["labels"].items()
        for each in of_kind(variant, "Deployment").values()
    ]
    selectors = [each["spec"]["selector"] for each in of_kind(variant, "Service").values()]
    selectors += [
        each["spec"]["selector"]["matchLabels"]
        for kind in ("PodDisruptionBudget", "ServiceMonitor")
        for each in of_kind(variant, kind).values()
    ]
    for selector in selectors:
        assert any(selector.items() <= each for each in labels)


def test_only_what_is_asked_for_is_rendered() -> None:
    kinds = {each["kind"] for each in rendered("default")}
    assert kinds == {
        *("ConfigMap", "Deployment", "Job", "NetworkPolicy", "PersistentVolumeClaim"),
        *("Pod", "PodDisruptionBudget", "Service", "ServiceAccount"),
    }
