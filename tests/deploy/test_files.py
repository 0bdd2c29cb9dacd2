"""What deploy/ holds asks the file for nothing that it does not have, and gives it no right that it does not need."""

import json
import re
import shlex
import shutil
import subprocess
from typing import Any

import jsonschema
import pytest
import yaml

import encoderfile
from support.kubernetes import CHART, MANIFESTS, objects, of_kind, restricted
from support.models import ROOT
from support.units import accepted, variables

DEPLOY = ROOT / "deploy"
DOCKERFILE = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]["model"]
UNIT = (DEPLOY / "systemd" / "encoderfile@.service").read_text(encoding="utf-8")
STATIC = [each for path in sorted(MANIFESTS.glob("*.yaml")) for each in objects(path.read_text(encoding="utf-8"))]


def setting(name: str) -> list[str]:
    """Each value of a setting of the unit."""
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


def words(instruction: str) -> Any:
    """The words of an instruction in its JSON form."""
    (found,) = re.findall(rf"^{instruction} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    return json.loads(found)


def container() -> dict[str, Any]:
    found: dict[str, Any] = of_kind(STATIC, "Deployment")["spec"]["template"]["spec"]
    return found


def test_the_image_runs_commands_of_the_file() -> None:
    assert words("ENTRYPOINT") == ["/model"]
    for file, *command in (words("RUN"), words("HEALTHCHECK .*CMD"), ["/model", *words("CMD")]):
        assert file == "/model"
        assert accepted(command) is not None


def test_the_image_has_no_base_and_no_rights() -> None:
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["scratch", "scratch"]
    (user,) = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    assert "0" not in user


def test_compose_runs_commands_of_the_file_without_rights() -> None:
    options = accepted(COMPOSE["command"])
    assert float(COMPOSE["stop_grace_period"].removesuffix("s")) > float(str(options["drain_seconds"])) + 1
    assert COMPOSE["environment"].keys() <= variables()
    _, file, *health = COMPOSE["healthcheck"]["test"]
    assert file == "/model"
    assert accepted(health)
    assert COMPOSE["read_only"] is True
    assert COMPOSE["cap_drop"] == ["ALL"]
    assert COMPOSE["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["ports"])


def test_the_manifests_are_what_restricted_pod_security_admits() -> None:
    pod = container()
    assert list(restricted(pod)) == []
    (model,) = pod["containers"]
    assert model["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["automountServiceAccountToken"] is False


def test_the_manifests_give_flags_that_the_file_has_and_time_to_drain() -> None:
    pod = container()
    (model,) = pod["containers"]
    options = accepted(model["args"])
    needed = float(str(options["drain_seconds"])) + model["lifecycle"]["preStop"]["sleep"]["seconds"] + 1
    assert pod["terminationGracePeriodSeconds"] > needed
    ports = {port["name"]: port["containerPort"] for port in model["ports"]}
    assert ports == {"http": options["http_port"], "grpc": options["grpc_port"]}


def test_the_manifests_fit_together() -> None:
    labels = of_kind(STATIC, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        of_kind(STATIC, "Service")["spec"]["selector"],
        of_kind(STATIC, "Deployment")["spec"]["selector"]["matchLabels"],
        of_kind(STATIC, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        of_kind(STATIC, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector
        assert selector.items() <= labels
    policy = of_kind(STATIC, "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["egress"] == []
    listed = of_kind(STATIC, "Kustomization")["resources"]
    assert sorted([*listed, "kustomization.yaml"]) == sorted(path.name for path in MANIFESTS.iterdir())


def test_the_values_of_the_chart_are_those_that_its_schema_has() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(values)
    assert schema["properties"].keys() - values.keys() == {"global"}
    with pytest.raises(jsonschema.ValidationError, match="replicaCount"):
        jsonschema.Draft7Validator(schema).validate({**values, "replicaCount": 2})


def test_every_value_is_used_by_a_template() -> None:
    templates = "".join(path.read_text(encoding="utf-8") for path in (CHART / "templates").iterdir())
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    unused = [name for name in values if not re.search(rf"\.Values\.{name}\b", templates)]
    assert unused == []


def test_the_chart_has_the_version_of_the_package() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["version"] == chart["appVersion"] == encoderfile.__version__


def test_the_unit_runs_a_command_of_the_file_with_time_to_drain() -> None:
    (start,) = setting("ExecStart")
    _, *arguments = shlex.split(start)
    options = accepted(arguments)
    assert float(setting("TimeoutStopSec")[0]) > float(str(options["drain_seconds"])) + 1
    (environment,) = setting("Environment")
    assert environment == f"ENCODERFILE_CACHE_DIR=%C/{setting('CacheDirectory')[0]}"
    assert setting("Type") == ["notify"]


def test_systemd_finds_the_unit_hardened() -> None:
    """Below 2 of 10, which systemd calls OK; most units of a distribution are near 9."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    path = DEPLOY / "systemd" / "encoderfile@.service"
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "--offline" in done.stderr:
        pytest.skip("this systemd-analyze reads no unit that is not loaded")
    assert done.returncode == 0, done.stdout + done.stderr
