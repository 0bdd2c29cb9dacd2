"""A caller who leaves frees his place."""

import asyncio
import threading
from typing import Any

import grpc
import pytest

from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.transports._pb import encoderfile_pb2 as pb
from encoderfile.types import Prediction, PredictRequest
from support.clients import PATIENCE, GrpcClient, RefusedError
from support.controlled_models import Gated
from support.servers import WAYS_IN, Servers


class Watched(Service):
    """A service that tells when a request was given up."""

    def __init__(self, model: Gated, limits: Limits) -> None:
        super().__init__(model, limits)
        self.left = threading.Event()

    async def predict(self, request: PredictRequest) -> Prediction[Any]:
        try:
            return await super().predict(request)
        except asyncio.CancelledError:
            self.left.set()
            raise


@pytest.mark.proves("ENC Rate limiting and performance", "Advice: timeouts that suit long texts")
@pytest.mark.proves(
    "ENC Beyond the page",
    "A client that leaves",
    here="Its place in the queue is free at once.",
)
@pytest.mark.parametrize("way", WAYS_IN)
def test_a_client_that_disconnects_while_waiting_frees_its_place_and_is_never_run(
    way: str, own: Servers, gated: Gated
) -> None:
    service = own.serve(Watched(gated, Limits(max_queue=1)))
    client = own.client(way, service)
    running = client.start(["in the run"])
    gated.wait_until_running()
    leaving = client.start(["in the queue, and gone"])
    gated.wait_until_encoded(2)
    leaving.cancel()
    assert service.left.wait(PATIENCE), "the server never noticed"
    staying = client.start(["takes the place"])
    gated.wait_until_encoded()
    gated.open()
    for answered in (running, staying):
        assert len(answered.result(PATIENCE).results) == 1
    assert gated.batches == [1, 1]


@pytest.mark.proves("ENC Rate limiting and performance", "Advice: timeouts that suit long texts")
@pytest.mark.proves("ENC Beyond the page", "A client that leaves")
@pytest.mark.parametrize("place", ["in the queue", "in the run"])
def test_a_call_whose_deadline_passes_frees_its_place(place: str, own: Servers, gated: Gated) -> None:
    service = own.serve(Watched(gated, Limits(max_queue=1)))
    client: GrpcClient = own.client("grpc", service)
    held = []
    if place == "in the queue":
        held.append(client.start(["in the run"]))
        gated.wait_until_running()
    late = pb.SequenceClassificationRequest(inputs=["too slow for its caller"])
    with pytest.raises(RefusedError) as refused:
        client.call(client.stub.Predict, late, timeout=1)
    assert refused.value.status is grpc.StatusCode.DEADLINE_EXCEEDED
    assert service.left.wait(PATIENCE), "the server never noticed"
    held.append(client.start(["takes the place"]))
    gated.open()
    for answered in held:
        assert len(answered.result(PATIENCE).results) == 1
    assert len(gated.batches) == 2
    assert own.portal.call(service.drain, PATIENCE) is True


@pytest.mark.proves("ENC Beyond the page", "A client that leaves")
@pytest.mark.parametrize("way", WAYS_IN)
def test_a_client_that_disconnects_during_the_run_disturbs_nobody(way: str, own: Servers, gated: Gated) -> None:
    service = own.serve(Watched(gated, Limits()))
    client = own.client(way, service)
    leaving = client.start(["in the run, and gone"])
    gated.wait_until_running()
    staying = client.start(["waits for the next run"])
    gated.wait_until_encoded(2)
    leaving.cancel()
    assert service.left.wait(PATIENCE), "the server never noticed"
    gated.open()
    assert len(staying.result(PATIENCE).results) == 1
    assert own.portal.call(service.drain, PATIENCE) is True
