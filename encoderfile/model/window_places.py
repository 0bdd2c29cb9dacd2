"""Where the windows of a long text lie: each as long as the limit, overlapping by a stride, all in tokens."""

from __future__ import annotations

from encoderfile.errors import ConfigError, RequestTooLargeError


def check_stride(stride: int, room: int) -> None:
    """Raises `ConfigError` for a stride as large as a window, which has `room` for so many tokens."""
    if not 0 <= stride < room:
        raise ConfigError(f"a stride of {stride} tokens is not possible: a window has {room}, give less")


def window_places(tokens: int, room: int, stride: int, side: str, most: int | None) -> list[slice]:
    """The windows of a text, from the side on which texts are not truncated, which is the other one than `side`.

    Raises `RequestTooLargeError` where they are more than `most`; None: any number.
    """
    starts = range(0, max(1, tokens - stride), room - stride)
    if most is not None and len(starts) > most:
        raise RequestTooLargeError(
            f"a text takes {len(starts)} windows with a stride of {stride}, at most {most} are read: send a smaller "
            "stride, or split the text"
        )
    if side == "left":
        return [slice(max(0, tokens - start - room), tokens - start) for start in starts]
    return [slice(start, start + room) for start in starts]
