"""The Helm chart: what it makes of values is what Kubernetes 1.34 and the other kinds' definitions allow."""

import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from make_manifests import KUBERNETES, NAME, manifests, rendered

from support.kubernetes import CHART, MANIFESTS, Schemas, objects, of_kind, restricted
from support.units import accepted

OTLP = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "otel"}}}]}
VALUES: dict[str, dict[str, Any]] = {
    "as they are": {},
    "a key of a Secret": {"apiKey": {"existingSecret": "keys", "key": "model"}, "monitor": {"kind": "pod"}},
    "a key of its own": {"apiKey": {"value": "secret"}, "monitor": {"kind": "service", "labels": {"release": "p"}}},
    "TLS": {"tls": {"existingSecret": "tls"}, "monitor": {"kind": "service"}},
    "KEDA": {"autoscaling": {"kind": "keda"}, "podDisruptionBudget": {"maxUnavailable": "25%"}},
    "HPA": {"autoscaling": {"kind": "hpa", "maxReplicas": 4}},
    "a GPU": {
        "gpu": {"enabled": True, "runtimeClassName": "nvidia"},
        "cache": {"enabled": True, "sizeLimit": "4Gi"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
    },
    "Ingress": {"ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls"}},
    "Gateway": {"gateway": {"enabled": True, "grpc": True, "parentRefs": [{"name": "g"}], "hostnames": ["m.test"]}},
    "gRPC alone": {"http": {"enabled": False}},
    "metrics on a port of their own": {
        "metricsPort": 9464,
        "monitor": {"kind": "service"},
        "apiKey": {"existingSecret": "keys"},
        "networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}]},
    },
    "gRPC alone, over TLS": {"http": {"enabled": False}, "metricsPort": 9464, "tls": {"existingSecret": "tls"}},
    "HTTP alone": {"grpc": {"enabled": False}, "http": {"mcp": False, "ui": False}},
    "traces": {
        "env": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://collector.otel:4317"}],
        "networkPolicy": {
            "egress": [OTLP],
            "from": [{"podSelector": {}}],
            "metricsFrom": [{"namespaceSelector": {}}],
        },
    },
    "everything of a Pod": {
        "args": ["--access-log", "json"],
        "envFrom": [{"configMapRef": {"name": "more"}}],
        "imagePullSecrets": [{"name": "registry"}],
        "image": {"repository": "registry.test/m", "digest": f"sha256:{'0' * 64}"},
        "podLabels": {"team": "search"},
        "podAnnotations": {"a": "b"},
        "nodeSelector": {"disk": "fast"},
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "high",
        "serviceAccount": {"annotations": {"a": "b"}},
        "service": {"type": "LoadBalancer", "annotations": {"a": "b"}},
        "topologySpread": False,
    },
}
each_set = pytest.mark.parametrize("name", list(VALUES))


@pytest.fixture
def render(helm: str, tmp_path: Any) -> Any:
    def run(values: dict[str, Any]) -> list[dict[str, Any]]:
        file = tmp_path / "values.yaml"
        file.write_text(yaml.safe_dump(values), encoding="utf-8")
        return objects(rendered(helm, "--values", str(file), "--namespace", "models"))

    return run


@each_set
def test_every_object_is_what_its_schema_allows(name: str, render: Any, schemas: Schemas) -> None:
    found = render(VALUES[name])
    for each in found:
        schemas.check(each)
    places = [(each["kind"], each["metadata"]["name"]) for each in found]
    assert len(set(places)) == len(places)


@each_set
def test_every_pod_is_admitted_as_restricted(name: str, render: Any, fetched: Path) -> None:
    found = render(VALUES[name])
    assert list(restricted(of_kind(found, "Deployment")["spec"]["template"]["spec"])) == []
    assert refused_by_kubernetes(found, fetched) == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"runAsNonRoot": False}, "runAsNonRoot"),
        ({"capabilities": {"drop": ["KILL"]}}, "capabilities"),
        ({"allowPrivilegeEscalation": True}, "allowPrivilegeEscalation"),
        ({"seccompProfile": {"type": "Unconfined"}}, "seccompProfile"),
    ],
    ids=["root", "capabilities", "escalation", "seccomp"],
)
def test_our_reading_of_restricted_is_that_of_kubernetes(
    change: dict[str, Any], says: str, render: Any, fetched: Path
) -> None:
    found = render({})
    pod = of_kind(found, "Deployment")["spec"]["template"]["spec"]
    pod["containers"][0]["securityContext"].update(change)
    assert list(restricted(pod)) == [says]
    assert says in refused_by_kubernetes(found, fetched)


def refused_by_kubernetes(found: list[dict[str, Any]], fetched: Path) -> str:
    """What Kubernetes' own code for Pod Security says."""
    text = yaml.safe_dump_all(found)
    done = subprocess.run([fetched / "podsecurity"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == (1 if done.stdout else 0), done.stderr
    return done.stdout


@each_set
def test_every_argument_is_an_option_of_the_file(name: str, render: Any) -> None:
    pod = of_kind(render(VALUES[name]), "Deployment")["spec"]["template"]["spec"]
    assert accepted(pod["containers"][0]["args"])


@pytest.mark.parametrize("name", [path.name for path in sorted(MANIFESTS.glob("*.yaml"))])
def test_the_manifests_are_those_of_the_chart(name: str, helm: str, schemas: Schemas) -> None:
    text = (MANIFESTS / name).read_text(encoding="utf-8")
    assert text == manifests(helm)[name], "write them again: make manifests"
    for each in objects(text):
        if each["kind"] != "Kustomization":
            schemas.check(each)


@each_set
def test_helm_finds_nothing_at_fault(name: str, helm: str, tmp_path: Any) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(VALUES[name]), encoding="utf-8")
    command = [helm, "lint", "--strict", "--kube-version", KUBERNETES, "--values", str(file), str(CHART)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"http": {"enabled": False}, "grpc": {"enabled": False}}, "nothing is served"),
        ({"http": {"enabled": False}, "monitor": {"kind": "pod"}}, "set metricsPort"),
        ({"http": {"enabled": False}, "ingress": {"enabled": True}}, "set http.enabled"),
        ({"apiKey": {"existingSecret": "a", "value": "b"}}, "leave one out"),
        ({"http": {"enabled": False}, "tls": {"existingSecret": "a"}}, "set metricsPort"),
        ({"replicaCount": 3}, "replicaCount"),
        ({"http": {"port": 80}}, "port"),
        ({"autoscaling": {"kind": "vpa"}}, "kind"),
    ],
    ids=["nothing", "no metrics", "no route", "two keys", "no probe", "a typo", "a low port", "a kind"],
)
def test_values_that_contradict_each_other_are_refused(values: dict[str, Any], says: str, render: Any) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        render(values)
    assert says in refused.value.stderr


def test_the_key_reaches_the_file_and_prometheus_and_no_argument(render: Any) -> None:
    found = render(VALUES["a key of its own"])
    secret = of_kind(found, "Secret")
    assert secret["stringData"] == {"api-key": "secret"}
    assert not re.search(r"\bsecret\b", str(of_kind(found, "Deployment")["spec"]["template"]["spec"]["containers"]))
    (endpoint,) = of_kind(found, "ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["authorization"]["credentials"] == {"name": secret["metadata"]["name"], "key": "api-key"}


def test_a_gpu_is_a_limit_beside_the_others(render: Any) -> None:
    (model,) = of_kind(render(VALUES["a GPU"]), "Deployment")["spec"]["template"]["spec"]["containers"]
    assert model["resources"]["limits"] == {"cpu": "2", "memory": "1Gi", "nvidia.com/gpu": 1}


def test_where_pods_are_scaled_nothing_sets_their_number_back(render: Any) -> None:
    assert "replicas" not in of_kind(render(VALUES["KEDA"]), "Deployment")["spec"]
    (trigger,) = of_kind(render(VALUES["KEDA"]), "ScaledObject")["spec"]["triggers"]
    assert trigger["metadata"]["query"] == (
        f'sum(encoderfile_queue_depth{{namespace="models", pod=~"{NAME}-encoderfile-.*"}})'
    )


def test_a_typo_in_a_manifest_would_be_found(schemas: Schemas, render: Any) -> None:
    """The check itself: without this, a schema that allows everything would pass."""
    for kind, field in {"Deployment": "replica", "ScaledObject": "minReplicas", "NetworkPolicy": "egres"}.items():
        found = of_kind(render(VALUES["KEDA"]), kind)
        found["spec"][field] = 1
        with pytest.raises(jsonschema.ValidationError, match=field):
            schemas.check(found)
