"""`/ws/status`: what the server does, as a JSON text frame every 200 ms.

One task makes each frame once, however many watch, and only while somebody does. A watcher that reads
too slowly misses frames; none is kept for it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from encoderfile.service.json_chunks import dumps
from encoderfile.service.service import Service
from encoderfile.transports.http.sie import metrics, wire
from encoderfile.transports.http.sie.models import outputs

SECONDS_BETWEEN_FRAMES = 0.2
MAX_WATCHERS = 100
"""Further ones are closed with 1013, try again later."""


class Board:
    """The newest frame, and those that wait for the next."""

    def __init__(self, frame: Callable[[], bytes]) -> None:
        self._frame = frame
        self._newest = ""
        self._next = asyncio.Event()
        self._ticking: asyncio.Task[None] | None = None
        self.watchers = 0

    async def watch(self, socket: WebSocket) -> None:
        """Sends frames until the client leaves."""
        if self.watchers >= MAX_WATCHERS:
            await socket.accept()
            await socket.close(1013, "too many watchers")
            return
        self.watchers += 1
        sending: asyncio.Task[None] | None = None
        try:
            await socket.accept()
            sending = asyncio.create_task(self._send(socket), name="status")
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass  # What a watcher says is ignored.
        finally:
            self.watchers -= 1
            if sending is not None:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, socket: WebSocket) -> None:
        if self._ticking is None or self._ticking.done():
            self._newest = self._frame().decode()
            self._ticking = asyncio.create_task(self._tick(), name="status-frames")
        try:
            while True:
                following = self._next
                await socket.send_text(self._newest)
                await following.wait()
        except WebSocketDisconnect:
            pass

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_FRAMES)
            if not self.watchers:
                return
            self._newest = self._frame().decode()
            waited, self._next = self._next, asyncio.Event()
            waited.set()


def route(service: Service) -> WebSocketRoute:
    """The route."""
    board: Board | None = None

    async def status(socket: WebSocket) -> None:
        nonlocal board
        if board is None:
            board = Board(lambda: dumps(frame(service)))
        await board.watch(socket)

    return WebSocketRoute("/ws/status", status)


def frame(service: Service) -> dict[str, Any]:
    """One frame. The user and the folder of the process are not told: their fields are empty."""
    info = service.info
    state = "loaded" if service.ready else "unloading"
    return {
        "timestamp": time.time(),
        "ready": service.ready,
        "name": info.model_id,
        "gpu": service.device,
        "machine_profile": service.device,
        "pool_name": "",
        "gpu_count": 0,
        "bundle": "default",
        "bundle_config_hash": "",
        "loaded_models": [info.model_id],
        "max_batch_requests": service.max_inputs,
        "server": {
            "version": wire.SERVER_VERSION,
            "uptime_seconds": int(time.time() - service.metrics.started),
            "user": "",
            "working_dir": "",
            "pid": os.getpid(),
        },
        "gpus": [],
        "models": [
            {
                "name": info.model_id,
                "state": state,
                "device": service.device,
                "memory_bytes": service.metrics.model_bytes,
                "config": {
                    "hf_id": info.model_id,
                    "adapter": info.model_type,
                    "inputs": ["text"],
                    "outputs": outputs(service),
                    "dims": dict(service.task.dims),
                    "max_sequence_length": info.max_length,
                },
                "queue_depth": service.waiting,
                "queue_pending_items": service.waiting,
            }
        ],
        "counters": metrics.counters(service.metrics, info.model_id),
        "histograms": metrics.histograms(service.metrics, info.model_id),
    }
