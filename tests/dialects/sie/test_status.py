"""`/ws/status`: a first frame at once, then one every 200 ms, made once for all who watch."""

from contextlib import AsyncExitStack
from typing import Any

import pytest

from encoderfile.transports.http.sie import metrics, status
from support.dialects import Sie, SieServers
from support.sockets import ClosedError, watching


def frames(client: Sie, count: int, **options: Any) -> list[dict[str, Any]]:
    async def read() -> list[dict[str, Any]]:
        async with watching(client.url, **options) as watcher:
            return [await watcher.frame() for _ in range(count)]

    return client.http.portal.call(read)


FIELDS = {
    "timestamp": float,
    "ready": bool,
    "name": str,
    "gpu": str,
    "machine_profile": str,
    "pool_name": str,
    "gpu_count": int,
    "bundle": str,
    "bundle_config_hash": str,
    "loaded_models": list,
    "max_batch_requests": int,
    "server": dict,
    "gpus": list,
    "models": list,
    "counters": dict,
    "histograms": dict,
}


@pytest.mark.proves(
    "SIE WebSocket /ws/status",
    "The fields of a frame",
    here="gpus is empty: this file measures no GPU. user and working_dir are empty: they are not disclosed.",
)
def test_a_frame_has_every_field_of_the_page(sie: SieServers) -> None:
    sie["dense"].encode("a")
    (frame,) = frames(sie["dense"], 1)
    assert {name: type(value) for name, value in frame.items()} == FIELDS
    assert set(frame["server"]) == {"version", "uptime_seconds", "user", "working_dir", "pid"}
    assert frame["loaded_models"] == ["org/dense"]
    (model,) = frame["models"]
    assert set(model) == {
        "name",
        "state",
        "device",
        "memory_bytes",
        "config",
        "queue_depth",
        "queue_pending_items",
    }
    assert (model["name"], model["state"], model["device"]) == ("org/dense", "loaded", "cpu")
    assert model["config"]["dims"] == {"dense": 128}
    assert frame["counters"]["sie_requests"]["org/dense"] >= 1
    histogram = frame["histograms"]["sie_request_duration_seconds"]["org/dense"]
    assert len(histogram["counts"]) == len(histogram["buckets"]) + 1
    assert sum(histogram["counts"]) >= 1


def test_the_host_keeps_its_secrets(dense: Sie) -> None:
    server = frames(dense, 1)[0]["server"]
    assert (server["user"], server["working_dir"]) == ("", "")


@pytest.mark.proves("SIE WebSocket /ws/status", "A frame at once, then one every 200 ms")
def test_frames_follow_each_other_with_later_times(dense: Sie) -> None:
    times = [frame["timestamp"] for frame in frames(dense, 4)]
    assert times == sorted(set(times))
    assert status.SECONDS_BETWEEN_FRAMES == 0.2


def test_what_a_watcher_says_is_ignored(dense: Sie) -> None:
    async def talk() -> None:
        async with watching(dense.url) as watcher:
            await watcher.frame()
            await watcher.say("stop")
            await watcher.frame()

    dense.http.portal.call(talk)


@pytest.mark.proves("SIE WebSocket /ws/status", "A frame at once, then one every 200 ms")
def test_many_watchers_share_one_frame(own: SieServers, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    histograms = metrics.histograms
    monkeypatch.setattr(metrics, "histograms", lambda *service: made.append(1) or histograms(*service))
    client = own.serve(own.model("dense"))

    async def watch() -> int:
        async with AsyncExitStack() as stack:
            watchers = [await stack.enter_async_context(watching(client.url)) for _ in range(20)]
            last: set[float] = set()
            for _ in range(4):
                last = {(await watcher.frame())["timestamp"] for watcher in watchers}
            return len(last)

    assert client.http.portal.call(watch) <= 2
    assert len(made) < 20


def test_no_frame_is_made_without_watchers(own: SieServers, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    histograms = metrics.histograms
    monkeypatch.setattr(metrics, "histograms", lambda *service: made.append(1) or histograms(*service))
    client = own.serve(own.model("dense"))
    assert client.encode("a").status_code == 200
    assert made == []


def test_watchers_beyond_the_limit_are_sent_away(own: SieServers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "MAX_WATCHERS", 1)
    client = own.serve(own.model("dense"))

    async def watch() -> object:
        async with watching(client.url) as first:
            await first.frame()
            async with watching(client.url) as second:
                try:
                    await second.frame()
                except ClosedError as error:
                    return error.args[0]
        return None

    assert client.http.portal.call(watch) == 1013


def test_a_watcher_needs_the_key_where_there_is_one(own: SieServers) -> None:
    client = own.serve(own.model("dense"), api_key="secret")
    with pytest.raises(ClosedError, match="403"):
        frames(client, 1)
    assert frames(client, 1, headers=[(b"authorization", b"Bearer secret")])


def test_no_other_path_speaks_websocket(dense: Sie) -> None:
    with pytest.raises(ClosedError, match="403"):
        frames(dense, 1, path="/ws/cluster-status")


def test_a_frame_says_that_the_server_stops(own: SieServers) -> None:
    client = own.serve(own.model("dense"))
    client.service.ready = False
    (frame,) = frames(client, 1)
    assert (frame["ready"], frame["models"][0]["state"]) == (False, "unloading")
