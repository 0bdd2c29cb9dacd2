"""The table of metrics in docs/serve.md is what the server counts."""

import re

from encoderfile.transports.http.sie import metrics as sie_metrics
from support.metrics import metrics_of
from support.models import ROOT

PAGE = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
OWN = metrics_of().families(0, True)


def test_the_table_has_every_metric_with_its_type_and_labels() -> None:
    rows = re.findall(r"^\| `((?:encoderfile|http|rpc)_\w+)` \| (\w+) \| (.*?) \|", PAGE, flags=re.M)
    assert rows == [(each.name, each.kind, ", ".join(f"`{label}`" for label in each.labels)) for each in OWN]


def test_the_page_names_the_metrics_that_have_no_name_of_sie() -> None:
    served_twice = {each.name.replace("sie_", "encoderfile_") for each in sie_metrics.families(OWN)}
    ours = {each.name for each in OWN if each.name.startswith("encoderfile_")} - served_twice
    (sentence,) = re.findall(r"The metrics `encoderfile_...` but (.*?) are served", " ".join(PAGE.split()))
    assert set(re.findall(r"`(\w+)`", sentence)) == ours
