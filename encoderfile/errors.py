"""The one exception tree, and the kinds of failure: each transport has a table from `Kind` to its own status."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What went wrong, as a caller sees it, in gRPC's words."""

    INVALID_ARGUMENT = "invalid_argument"
    """The request itself is at fault; the same request will fail again."""
    UNAUTHENTICATED = "unauthenticated"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    """The queue is full; the same request may succeed in a moment."""
    UNAVAILABLE = "unavailable"
    """The server is draining; another instance may answer."""
    INTERNAL = "internal"
    """Our fault or the model's; the log has the cause."""
    FAILED_PRECONDITION = "failed_precondition"
    """Settings, a model folder or a built file that cannot be used as it is."""


class EncoderfileError(Exception):
    """Base of every error this package raises on purpose. `str(error)` is fit for the caller."""

    kind: Kind = Kind.INTERNAL


class InputError(EncoderfileError):
    """The caller's request is at fault."""

    kind = Kind.INVALID_ARGUMENT
    listed = "inputs"
    """What the caller calls the list that `index` counts in."""

    def __init__(self, message: str, index: int | None = None) -> None:
        """`index` is the input at fault, which the sentence then begins with."""
        super().__init__(message)
        self.index = index

    def __str__(self) -> str:
        which = "" if self.index is None else f"{self.listed}[{self.index}] "
        return f"Invalid input: {which}{super().__str__()}"


class EmptyRequestError(InputError):
    """A request holds no inputs."""


class RequestTooLargeError(InputError):
    """A request holds more than the server takes at a time: inputs, characters, numbers of the answer."""


class UnableError(InputError):
    """The model of this file cannot do what the request asks."""


class EmptyTextError(InputError):
    """A text has no characters."""

    def __init__(self, index: int) -> None:
        super().__init__("empty text sequence", index)

    def __str__(self) -> str:
        return f"Invalid input: empty text sequence ({self.listed}[{self.index}])"


class TokenIdsError(InputError):
    """Token ids that this model's tokenizer does not give."""


class TooLongError(InputError):
    """A text is longer than the model takes, and the caller or `--overflow error` refuses truncated ones."""

    observed: tuple[int, int] | None = None
    """Tokens of all that the model would read, and of the text alone, where they were counted."""


class NoRoomError(InputError):
    """What is read together with a text is never truncated, and leaves no room for it."""


class InternalError(EncoderfileError):
    """Something failed that no caller can change. The message has no paths and none of the caller's text."""

    @classmethod
    def unforeseen(cls) -> InternalError:
        """A failure that has no message for callers; the log has the cause."""
        return cls("the server failed, its log has the cause")

    def __str__(self) -> str:
        return f"Internal error: {super().__str__()}"


class ExhaustedError(InternalError):
    """The machine has no memory, thread or file left for this; a smaller or later request may succeed."""


class TransformError(InternalError):
    """The script of the file failed; `reason` is for its author and the log, not for callers."""

    def __init__(self, reason: str) -> None:
        super().__init__("the transform failed")
        self.reason = reason
        self.add_note(f"The transform: {reason}")


class UnauthenticatedError(EncoderfileError):
    """A key is required and the request brought none, or a wrong one."""

    kind = Kind.UNAUTHENTICATED


class QueueFullError(EncoderfileError):
    """The request was refused at once because it does not fit into the queue now."""

    kind = Kind.RESOURCE_EXHAUSTED


class DrainingError(EncoderfileError):
    """The server is stopping and takes no new work."""

    kind = Kind.UNAVAILABLE


class ConfigError(EncoderfileError):
    """A flag, an environment variable or a line of a config file that cannot be followed."""

    kind = Kind.FAILED_PRECONDITION


class ModelError(EncoderfileError):
    """A model folder that cannot become a file: says what is wrong and what to do."""

    kind = Kind.FAILED_PRECONDITION


class MissingError(ModelError):
    """A model folder, or a file of it, that is not there."""


class ContainerError(EncoderfileError):
    """An executable whose payload is missing, cut or damaged."""

    kind = Kind.FAILED_PRECONDITION
