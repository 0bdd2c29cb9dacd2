"""The graph, loaded and run. The only importer of onnxruntime in a built file."""

from __future__ import annotations

import contextlib
import functools
import mmap
import os
import re
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Before the import: 1.31 otherwise opens a database below the home folder and resolves a vendor's host.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime as ort

from encoderfile.errors import ConfigError, ExhaustedError, InternalError, ModelError
from encoderfile.model.device import Device
from encoderfile.types import FloatArray

VERSION: str = ort.__version__

_DTYPES = {
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(bfloat16)": "bfloat16",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
}


@dataclass(frozen=True, slots=True)
class ValueInfo:
    """One input or output of the graph. `shape` has None where a dimension is free; `dtype` is a numpy name."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    @property
    def plain(self) -> str:
        """The name without the `:0` that TensorFlow's exports put behind it."""
        return re.sub(r"(?<=.):\d+$", "", self.name)


class Session:
    """One loaded graph. `run` may be called from several threads."""

    def __init__(self, graph: bytes, weights: Mapping[str, mmap.mmap], *, device: Device, threads: int) -> None:
        """Loads `graph`; `weights` are the mapped files that its external tensors name, used in place.

        Raises `ModelError` when onnxruntime refuses the graph, `ConfigError` when the CUDA provider does not start.
        """
        started = time.perf_counter()
        self.device = device
        self.threads = threads
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what it would log as an error it also raises
        # From one operator to the next: sleeping there would cost a short text a tenth of its time and more. By
        # default threads spin for milliseconds, on the cores that write the answers.
        options.add_session_config_entry("session.intra_op.spin_duration_us", "50")
        options.add_session_config_entry("session.use_external_initializer_file_buffers_directly", "1")
        options.add_session_config_entry("session.prepack.enable_parallel", "1")
        if weights:
            options.add_external_initializers_from_files_in_memory(
                list(weights), list(weights.values()), [len(mapped) for mapped in weights.values()]
            )
        providers: list[Any] = ["CPUExecutionProvider"]
        if device.name == "cuda":
            ort.set_default_logger_severity(4)  # the provider logs to that one, in colours, what it then raises
            providers.insert(0, ("CUDAExecutionProvider", _cuda_options(device)))
        else:
            _share_arena()
            options.add_session_config_entry("session.use_env_allocators", "1")
        try:
            with _dropping(weights.values()):
                # Its way to fall back prints to stdout, which belongs to results, and tries the same again.
                self._session = ort.InferenceSession(graph, options, providers=providers, enable_fallback=0)
        except Exception as error:  # onnxruntime's errors have no base of their own
            if _is_exhausted(error):
                raise ConfigError(
                    f"the graph cannot be loaded ({reason(error)}): allow this process more memory or threads"
                ) from error
            advice = "--device cpu runs without it" if device.name == "cuda" else "export the model again"
            raise ModelError(
                f"onnxruntime {VERSION} cannot load the graph on {device.name} ({reason(error)}): {advice}"
            ) from error
        if device.name == "cuda" and "CUDAExecutionProvider" not in self._session.get_providers():
            raise ConfigError("the CUDA provider did not start, see the log; --device cpu runs without it")
        self._weights = weights
        self.load_seconds = time.perf_counter() - started

    @property
    def inputs(self) -> tuple[ValueInfo, ...]:
        return tuple(map(_value_info, self._session.get_inputs()))

    @property
    def outputs(self) -> tuple[ValueInfo, ...]:
        return tuple(map(_value_info, self._session.get_outputs()))

    def run(self, feeds: Mapping[str, np.ndarray[Any, Any]], output: str) -> FloatArray:
        """Runs the graph once and returns `output` as float32 (fp16 and double are converted).

        Raises `InternalError` when the run fails, `ExhaustedError` for want of memory; the cause is kept.
        """
        (result,) = self._outputs(feeds, [output])
        return np.ascontiguousarray(result, dtype=np.float32)

    def run_several(self, feeds: Mapping[str, np.ndarray[Any, Any]], outputs: Sequence[str]) -> list[FloatArray]:
        """As `run`, for several outputs of one run."""
        return [np.ascontiguousarray(each, dtype=np.float32) for each in self._outputs(feeds, outputs)]

    def _outputs(self, feeds: Mapping[str, np.ndarray[Any, Any]], names: Sequence[str]) -> list[Any]:
        try:
            return list(self._session.run(list(names), dict(feeds)))
        except Exception as error:  # onnxruntime's errors have no base of their own
            if _is_exhausted(error):
                raise ExhaustedError("no memory is left for this run") from error
            raise InternalError("the model failed to run") from error


def _cuda_options(device: Device) -> dict[str, str]:
    """TF32 is off: it keeps 10 of float32's 23 bits of every factor, and PyTorch leaves it off too."""
    return {"device_id": str(device.index), "use_tf32": "0"}


@contextlib.contextmanager
def _dropping(mappings: Collection[mmap.mmap]) -> Iterator[None]:
    """Gives the pages of mapped weights back to the system, every 10 ms while the block runs and once at its end.

    onnxruntime reads each weight once, to pack it for the processor: without this a model's weights would be in
    memory twice by the end of its loading. A page that is touched again is read from the file.
    """
    done = threading.Event()

    def drop() -> None:
        for mapped in mappings:
            mapped.madvise(mmap.MADV_DONTNEED)

    def work() -> None:
        while not done.wait(0.01):
            drop()

    worker = threading.Thread(target=work, name="drop-pages", daemon=True)
    with contextlib.suppress(RuntimeError):  # no thread to be had: more memory for a moment
        worker.start()
    try:
        yield
    finally:
        done.set()
        if worker.ident is not None:
            worker.join()
        drop()


@functools.cache
def _share_arena() -> None:
    """One pool of memory for the runs of all sessions: each would else keep the most it ever needed for itself."""
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, ort.OrtArenaCfg({}))


def _is_exhausted(error: Exception) -> bool:
    """Whether the machine, and not the graph, is at fault: onnxruntime has no class of its own for it."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(
        word in text for word in ("alloc", "resource temporarily unavailable", "start new thread")
    )


def _value_info(node: Any) -> ValueInfo:
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in node.shape)
    return ValueInfo(node.name, _DTYPES.get(node.type, node.type), shape)


def reason(error: Exception) -> str:
    """What onnxruntime says, in one line and without its code."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", " ".join(str(error).split())).rstrip(".")
    return text if len(text) <= 300 else text[:300] + " ..."
