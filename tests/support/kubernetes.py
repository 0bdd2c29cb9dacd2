"""Manifests of Kubernetes: what the API server would refuse of them, as far as it can be told without one."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from support.models import ROOT

CHART = ROOT / "deploy" / "helm" / "encoderfile"
MANIFESTS = ROOT / "deploy" / "kubernetes"


def objects(text: str) -> list[dict[str, Any]]:
    """Each object of a stream of YAML."""
    return [each for each in yaml.safe_load_all(text) if each]


def of_kind(found: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The one object of a kind."""
    (one,) = [each for each in found if each["kind"] == kind]
    return one


def restricted(pod: dict[str, Any]) -> Iterator[str]:
    """What the Pod Security standard `restricted` (Kubernetes 1.34) refuses of the spec of a Pod."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield name
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    for volume in pod.get("volumes", []):
        if not volume.keys() - {"name"} <= allowed:
            yield f"volume {volume['name']}"
    whole = pod.get("securityContext", {})
    if whole.keys() & {"seLinuxOptions", "sysctls", "windowsOptions", "appArmorProfile"}:
        yield "settings of the host in the Pod's securityContext"
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        yield from _of_container(container, {**whole, **container.get("securityContext", {})})


def _of_container(container: dict[str, Any], security: dict[str, Any]) -> Iterator[str]:
    if security.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if security.get("privileged") or security.get("procMount", "Default") != "Default":
        yield "privileged"
    capabilities = security.get("capabilities", {})
    if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
        yield "capabilities"
    if security.get("runAsNonRoot") is not True or security.get("runAsUser") == 0:
        yield "runAsNonRoot"
    if security.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "seccompProfile"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "hostPort"


class Schemas:
    """The schemas of Kubernetes and of kinds that others add, in which an unknown field is an error."""

    def __init__(self, swagger: Path, definitions: list[Path]) -> None:
        """`swagger` is Kubernetes' api/openapi-spec/swagger.json, `definitions` are CustomResourceDefinitions."""
        self._known = json.loads(swagger.read_text(encoding="utf-8"))["definitions"]
        for schema in self._known.values():
            _close(schema)
        # A quantity and a port may be numbers too, and a time is a string.
        for name in ("api.resource.Quantity", "util.intstr.IntOrString"):
            self._known[f"io.k8s.apimachinery.pkg.{name}"] = {"type": ["string", "integer", "number"]}
        self._kinds: dict[tuple[str, str], dict[str, Any]] = {}
        for name, schema in self._known.items():
            for kind in schema.get("x-kubernetes-group-version-kind", []):
                version = f"{kind['group']}/{kind['version']}".lstrip("/")
                self._kinds[version, kind["kind"]] = {"$ref": f"#/definitions/{name}"}
        for path in definitions:
            for each in objects(path.read_text(encoding="utf-8")):
                self._add(each["spec"])

    def _add(self, spec: dict[str, Any]) -> None:
        for version in spec["versions"]:
            schema = copy.deepcopy(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {
                "$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
            }
            _close(schema)
            self._kinds[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema

    def check(self, found: dict[str, Any]) -> None:
        """Raises `ValidationError`, or `KeyError` for a kind that is not known."""
        schema = {**self._kinds[found["apiVersion"], found["kind"]], "definitions": self._known}
        jsonschema.Draft4Validator(schema).validate(found)


def _close(schema: Any) -> None:
    """Refuses fields that a schema does not name, at any depth."""
    if isinstance(schema, list):
        for each in schema:
            _close(each)
    if not isinstance(schema, dict):
        return
    if schema.get("x-kubernetes-int-or-string"):
        schema.pop("type", None)
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)
    for key, each in schema.items():
        # Properties may be called `properties`; they are looked at one by one. The others say what a value is.
        if key == "properties":
            for inner in each.values():
                _close(inner)
        elif key in ("items", "additionalProperties"):
            _close(each)
