"""Alerts and dashboard ask for metrics that exist."""

import json
import re
from typing import Any

import pytest

from streamer.telemetry.metrics import Metrics
from tests.deploy.helm import CHART, ROOT, of_kind

DASHBOARD = json.loads((CHART / "dashboards/streamer.json").read_text())
# Of Triton's own metrics, those that the dashboard uses.
TRITON = {
    "nv_inference_pending_request_count": {"model", "version"},
    "nv_inference_queue_duration_us": {"model", "version"},
    "nv_inference_request_success": {"model", "version"},
}
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
TARGET_LABELS = {"namespace", "pod", "job", "instance"}
WORDS = {
    *("sum", "max", "min", "avg", "rate", "increase", "absent", "time", "histogram_quantile"),
    *("by", "and", "or", "offset"),
}
ALERTS = {
    rule["alert"]: rule
    for rule in of_kind("monitoring", "PrometheusRule")["r-streamer"]["spec"]["groups"][0]["rules"]
}


def exported() -> dict[str, set[str]]:
    """The labels of every metric of a worker, by the name that queries use."""
    found: dict[str, set[str]] = dict(TRITON)
    for each in vars(Metrics()).values():
        if hasattr(each, "_labelnames"):
            family = each.describe()[0]
            labels = set(each._labelnames)
            for suffix in SUFFIXES[family.type]:
                more = {"le"} if suffix == "_bucket" else set()
                found[family.name + suffix] = labels | more
    return found


EXPORTED = exported()
PANELS: list[dict[str, Any]] = [each for each in DASHBOARD["panels"] if each["type"] != "row"]
QUERIES = [
    *((panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]),
    *((name, rule["expr"]) for name, rule in ALERTS.items()),
]


@pytest.mark.parametrize(("where", "query"), QUERIES)
def test_queries_use_metrics_and_labels_that_exist(where: str, query: str) -> None:
    bare = re.sub(r'"[^"]*"|\[[^]]*\]|\b\d+[smhd]?\b|\d\.\d+', " ", query)
    grouped = {name for each in re.findall(r"by \(([^)]*)\)", bare) for name in _names(each)}
    matched = {name for each in re.findall(r"\{([^}]*)\}", bare) for name in _names(each)}
    metrics = _names(re.sub(r"by \([^)]*\)|\{[^}]*\}", " ", bare)) - WORDS
    assert metrics, where
    assert metrics <= EXPORTED.keys()
    labels = set.union(*(EXPORTED[name] for name in metrics)) | TARGET_LABELS
    assert grouped | matched <= labels


def _names(text: str) -> set[str]:
    return set(re.findall(r"[a-z_]+", text))


def test_a_metric_that_is_gone_would_fail() -> None:
    assert "streamer_jobs_total" in EXPORTED
    assert "streamer_jobs" not in EXPORTED


def test_queries_are_balanced() -> None:
    for _, query in QUERIES:
        for opening, closing in ("()", "{}", "[]"):
            assert query.count(opening) == query.count(closing)


def test_the_dashboard_asks_four_questions_in_order() -> None:
    rows = [each["title"] for each in DASHBOARD["panels"] if each["type"] == "row"]
    assert rows == [
        "Is it keeping up?",
        "Is it losing anything?",
        "Where does the time go?",
        "What fails?",
    ]


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_config_map_has_the_dashboard() -> None:
    data = of_kind("monitoring", "ConfigMap")["r-streamer-dashboard"]["data"]
    assert json.loads(data["streamer.json"]) == DASHBOARD


def test_alerts() -> None:
    assert ALERTS.keys() == {
        *("StreamerLagGrowing", "StreamerNoTerminalRecord", "StreamerDeadLetters"),
        *("StreamerTritonDown", "StreamerSlotsRestarting", "StreamerNoWorkers", "StreamerDiskLow"),
    }
    for rule in ALERTS.values():
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_slots_that_retire_are_no_alert() -> None:
    assert (
        'slot_restarts_total{reason!="retired",namespace='
        in (ALERTS["StreamerSlotsRestarting"]["expr"])
    )


def test_workers_scaled_to_none_are_no_alert() -> None:
    rules = of_kind("keda to zero", "PrometheusRule")["r-streamer"]["spec"]["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules} == ALERTS.keys() - {"StreamerNoWorkers"}


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_its_cure(alert: str) -> None:
    assert f"### {alert}\n" in (ROOT / "docs/operate.md").read_text(encoding="utf-8")
