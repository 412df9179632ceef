"""What the values add to what pods may read and reach, beside what the chart needs itself."""

import tomllib

from tests.deploy.helm import of_kind, rendered

SAMPLES = "/opt/streamer/samples"


def test_folders_of_the_values_keep_the_test_s_film_readable() -> None:
    text = of_kind("extras", "ConfigMap")["r-streamer"]["data"]["streamer.toml"]
    assert tomllib.loads(text)["acquire"]["allowed_roots"] == ["/films", SAMPLES]


def test_every_pod_with_a_policy_resolves_names() -> None:
    for policy in of_kind("default", "NetworkPolicy").values():
        rule = next(
            r for r in policy["spec"]["egress"] if {"protocol": "UDP", "port": 53} in r["ports"]
        )
        assert rule["to"] == [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
        ]


def test_names_may_be_resolved_elsewhere() -> None:
    for policy in of_kind("other dns", "NetworkPolicy").values():
        rule = policy["spec"]["egress"][0]
        assert {port["port"] for port in rule["ports"]} == {5353}
        assert rule["to"] == [{"ipBlock": {"cidr": "169.254.20.10/32"}}]
    assert rendered("other dns")
