"""Every gRPC call by its method and status: counted, and logged where `--access-log` asks for it."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import grpc
import grpc.aio

from encoderfile.service import access_log
from encoderfile.service.metrics import Metrics
from encoderfile.service.work import Work, current_work

_Context = grpc.aio.ServicerContext[Any, Any]


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Notes how each call ended. The first interceptor, so that what others refuse is noted too."""

    def __init__(self) -> None:
        self.metrics: Metrics | None = None
        """Of the service, once there is one."""

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        handler = await continuation(details)
        if handler is None:  # the library answers by itself, and tells nobody
            self._ended(str(details.method), "UNIMPLEMENTED", 0.0, Work(), "", known=False)
            return None
        behaviour = handler.stream_stream or handler.stream_unary
        assert behaviour is not None  # all of ours read the messages themselves

        async def answer(messages: Any, context: _Context) -> Any:
            started, work, status = time.perf_counter(), Work(), ""
            token = current_work.set(work)
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
                current_work.reset(token)
                status = status or _status(context)
                self._ended(str(details.method), status, time.perf_counter() - started, work, str(context.peer()))

        make = (
            grpc.stream_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.stream_unary_rpc_method_handler
        )
        return make(answer, handler.request_deserializer, handler.response_serializer)

    def _ended(self, method: str, status: str, seconds: float, work: Work, peer: str, known: bool = True) -> None:
        if self.metrics is not None:
            self.metrics.rpc.observe((method if known else "_OTHER", status), seconds)
        if access_log.is_on():
            access_log.write(
                access_log.Request(
                    protocol="grpc",
                    method="gRPC",
                    route=method if known else "",
                    path=method,
                    status=status,
                    seconds=seconds,
                    client=_address(peer),
                ),
                work,
            )


def _address(peer: str) -> str:
    """What gRPC calls `ipv4:127.0.0.1:5000`; empty for a socket file."""
    kind, _, address = unquote(peer).partition(":")
    return address if kind in ("ipv4", "ipv6") else ""


def _status(context: _Context) -> str:
    code: Any = context.code()  # a number, a status, or nothing where all went well
    if isinstance(code, int):
        code = next((each for each in grpc.StatusCode if each.value[0] == code), None)
    return str(code.name) if code else "OK"
