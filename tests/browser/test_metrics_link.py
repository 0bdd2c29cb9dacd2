"""The pages have a link to the metrics where they are on the same port."""

from typing import Any

import pytest

from encoderfile.transports.http.ui.model import WaysIn
from support.servers import Servers
from support.serving import http_server


@pytest.mark.parametrize("path", ["/", "/docs"])
@pytest.mark.parametrize("here", [True, False], ids=["here", "on a port of their own"])
def test_the_link_to_the_metrics_is_there_where_it_leads_somewhere(
    here: bool, path: str, own: Servers, pages: Any
) -> None:
    service = own.service("sentiment")
    url = own.enter(http_server(service, page=WaysIn(metrics=here), metrics=here))
    page = pages.open(url, path)
    page.wait_for_function("document.title.includes('model')")
    assert page.get_by_role("link", name="Metrics").count() == here
