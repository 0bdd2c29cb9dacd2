"""Bars as SVG, by hand: no library for forty rectangles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

Bar = tuple[str, float, float, float]
"""Label, middle, least and most."""

_ROW, _LEFT, _WIDTH = 22, 210, 480


def bars(title: str, rows: Sequence[Bar], mark: float = 1.0) -> str:
    """Horizontal bars with their spread as a thin line, and a dashed line at `mark`."""
    scale = _WIDTH / (1.1 * max([mark, *(most for *_, most in rows)]))
    height = _ROW * (len(rows) + 3)
    at = _LEFT + mark * scale
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 60}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT}" y="{_ROW - 6}" font-weight="bold">{escape(title)}</text>',
    ]
    for number, (label, middle, least, most) in enumerate(rows):
        top = _ROW * (number + 1) + 8
        low, high = _LEFT + least * scale, _LEFT + most * scale
        parts += [
            f'<text x="{_LEFT - 8}" y="{top + 11}" text-anchor="end">{escape(label)}</text>',
            f'<rect x="{_LEFT}" y="{top}" width="{middle * scale:.1f}" height="{_ROW - 8}" fill="#4a78b5"/>',
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{top + 7}" y2="{top + 7}" stroke="#222"/>',
            f'<text x="{high + 6:.1f}" y="{top + 11}">{middle:.2f}</text>',
        ]
    bottom = height - 1.6 * _ROW
    parts += [
        f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{_ROW}" y2="{bottom}" stroke="#c33" stroke-dasharray="4 3"/>',
        f'<text x="{at:.1f}" y="{bottom + 14}" text-anchor="middle" fill="#c33">onnxruntime alone</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
