"""The table of metrics in docs/serve.md is what the server counts."""

import re

from encoderfile.service.metrics import Metrics
from encoderfile.transports.http.sie import metrics as sie_metrics
from support.models import ROOT

PAGE = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
OWN = Metrics("model", "cpu", 0).families(0, True)


def test_the_table_has_every_metric_with_its_type_and_labels() -> None:
    rows = re.findall(r"^\| `(encoderfile_\w+)` \| (\w+) \| (.*?) \|", PAGE, flags=re.M)
    assert rows == [(each.name, each.kind, ", ".join(f"`{label}`" for label in each.labels)) for each in OWN]


def test_the_page_names_the_one_metric_that_has_no_name_of_sie() -> None:
    served_twice = {each.name.replace("sie_", "encoderfile_") for each in sie_metrics.families(OWN)}
    (only_ours,) = {each.name for each in OWN} - served_twice
    assert f"All but `{only_ours}` are served a second time" in " ".join(PAGE.split())
