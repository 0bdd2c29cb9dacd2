"""Every gRPC call by its method and status: counted, logged and traced where that is asked for."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import grpc
import grpc.aio

from encoderfile.service import access_log, spans
from encoderfile.service.ended import Ended
from encoderfile.service.metrics import Metrics
from encoderfile.service.trace import current, trace_id
from encoderfile.service.work import Work, current_work

_Context = grpc.aio.ServicerContext[Any, Any]

_OF_GRPC: dict[str, Any] = {"protocol": "grpc", "seconds": 0.0, "client": ""}

_HEALTH = "grpc.health.v1.Health/"


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Notes how each call ended. The first interceptor, so that what others refuse is noted too."""

    def __init__(self) -> None:
        self.metrics: Metrics | None = None
        """Of the service, once there is one."""

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        handler = await continuation(details)
        method = str(details.method).lstrip("/")
        if handler is None:  # the library answers by itself, and tells nobody
            self._ended(Ended(**_OF_GRPC, method=method, route="", path=method, status="UNIMPLEMENTED"), Work())
            return None
        behaviour = handler.stream_stream or handler.stream_unary
        assert behaviour is not None  # all of ours read the messages themselves

        async def answer(messages: Any, context: _Context) -> Any:
            started, work, status = time.perf_counter(), Work(), ""
            headers = dict(context.invocation_metadata() or ())
            token, trace = current_work.set(work), current.set(trace_id(headers))
            try:
                result = behaviour(messages, context)
                if not inspect.isasyncgen(result):
                    return await result
                async for each in result:
                    await context.write(each)
            except asyncio.CancelledError:
                status = "CANCELLED"
                raise
            finally:
                ended = Ended(
                    **_OF_GRPC | {"seconds": time.perf_counter() - started, "client": _address(str(context.peer()))},
                    method=method,
                    route=method,
                    path=method,
                    status=status or _status(context),
                    user_agent=str(headers.get("user-agent", "")),
                    traceparent=str(headers.get("traceparent", "")),
                    tracestate=str(headers.get("tracestate", "")),
                )
                self._ended(ended, work)
                current_work.reset(token)
                current.reset(trace)

        make = (
            grpc.stream_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.stream_unary_rpc_method_handler
        )
        return make(answer, handler.request_deserializer, handler.response_serializer)

    def _ended(self, ended: Ended, work: Work) -> None:
        if self.metrics is not None:
            # What nobody serves, or is refused unread, has a name that its caller chose: no new series for it.
            chosen = not ended.route or ended.status in ("UNIMPLEMENTED", "UNAUTHENTICATED")
            self.metrics.rpc.observe(("_OTHER" if chosen else ended.route, ended.status), ended.seconds)
        is_probe = ended.method.startswith(_HEALTH) and ended.status == "OK"
        access_log.write(ended, work, logging.DEBUG if is_probe else logging.INFO)
        if not is_probe:
            spans.record(ended, work)


def _address(peer: str) -> str:
    """What gRPC calls `ipv4:127.0.0.1:5000`; empty for a socket file."""
    kind, _, address = unquote(peer).partition(":")
    return address if kind in ("ipv4", "ipv6") else ""


def _status(context: _Context) -> str:
    code: Any = context.code()  # a number, a status, or nothing where all went well
    if isinstance(code, int):
        code = next((each for each in grpc.StatusCode if each.value[0] == code), None)
    return str(code.name) if code else "OK"
