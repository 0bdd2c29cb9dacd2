"""Writes deploy/kubernetes from the Helm chart, with the helm that is given."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CHART, TARGET = HERE / "helm" / "encoderfile", HERE / "kubernetes"
NAME, KUBERNETES = "my-model", "1.34.0"

_LABELS = r"helm\.sh/chart|app\.kubernetes\.io/(managed-by|version|instance)"
_OF_HELM = re.compile(rf"^ +({_LABELS}|namespace): .*\n", re.MULTILINE)

_KUSTOMIZATION = """# kubectl apply --kustomize deploy/kubernetes (docs/kubernetes.md)
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
"""


def rendered(helm: str, *arguments: str, release: str = NAME, chart: Path = CHART) -> str:
    """What the chart makes of values. Raises `CalledProcessError` with Helm's reason in `stderr`."""
    command = [helm, "template", release, str(chart), "--kube-version", KUBERNETES, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def manifests(helm: str) -> dict[str, str]:
    """The text of each file by its name."""
    text = rendered(helm, "--set-string", f"nameOverride={NAME},fullnameOverride={NAME},image.tag=1")
    found = {}
    for part in text.split("---\n")[1:]:
        source, _, body = part.partition("\n")
        found[source.rpartition("/")[2]] = _OF_HELM.sub("", body)
    files = "".join(f"  - {name}\n" for name in sorted(found))
    return {**found, "kustomization.yaml": _KUSTOMIZATION + files}


if __name__ == "__main__":
    TARGET.mkdir(exist_ok=True)
    for name, text in manifests(sys.argv[1]).items():
        (TARGET / name).write_text(text, encoding="utf-8")
