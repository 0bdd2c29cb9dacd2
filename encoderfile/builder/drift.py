"""How far answers move when the graph is changed, measured on texts: the user's, or the ones here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from encoderfile.builder.trial_runs import example
from encoderfile.errors import ConfigError, InternalError, ModelError
from encoderfile.model.model import Model
from encoderfile.tasks.results import Result, numbers
from encoderfile.types import FloatArray

MAX_FLIPS = 0.02
"""The share of labels that may change."""
MIN_COSINE = 0.9
"""The smallest cosine allowed between a vector before and after."""

TEXTS = (
    "The film was wonderful. I would happily watch it again tomorrow.",
    "I fell asleep halfway through; the plot was weak and the acting worse.",
    "The parcel arrived two days late, but the seller answered at once and was very kind.",
    "Not bad at all, though I expected more for the price.",
    "Anna Schmidt works for Siemens in Munich.",
    "Kofi Mensah and Julia Brown met in New York; Acme Holdings paid 3.5 million dollars.",
    "How do I reset my password?",
    "What is the capital of Australia, and how many people live there?",
    "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.",
    "In 1969 Apollo 11 landed on the Moon; Neil Armstrong stepped out first.",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
    "Please cancel my order #48213 and refund the amount to my card ending in 0042.",
    "def add(a, b):\n    return a + b  # adds two numbers",
    "The court held that the contract was void because neither party had signed it.",
    "Take one tablet twice a day with food, and call your doctor if the pain does not stop.",
    "Interest rates rose by a quarter point, and shares of small banks fell sharply.",
    "Zürich ist schön, aber teuer; die Züge sind fast immer pünktlich.",
    "Le conseil municipal de Saint-Étienne a voté le budget hier soir.",
    "El perro de mi vecino ladra toda la noche y no puedo dormir.",
    "東京の寿司は世界一です。",
    "Москва и Санкт-Петербург связаны скоростным поездом.",
    "lol that's hilarious 😂😂 can't believe u did that",
    "Yes.",
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
    "it was the epoch of belief, it was the epoch of incredulity, it was the season of light, it was the season "
    "of darkness, it was the spring of hope, it was the winter of despair.",
)


@dataclass(frozen=True, slots=True)
class Drift:
    """Differences between answers before and after, over all texts. `flips` is the share of labels that changed."""

    texts: int
    largest_difference: float
    mean_difference: float
    least_cosine: float
    mean_cosine: float
    flips: float | None = None

    def to_json(self) -> Mapping[str, float | None]:
        """The values with two digits, cosines with four places: more depend on the processor that measured them."""
        rounded = {
            "largest_difference": _two_digits(self.largest_difference),
            "mean_difference": _two_digits(self.mean_difference),
            "least_cosine": round(self.least_cosine, 4),
            "mean_cosine": round(self.mean_cosine, 4),
            "flips": None if self.flips is None else round(self.flips, 4),
        }
        return {**asdict(self), **rounded}

    def words(self) -> str:
        """One line for people."""
        labels = "" if self.flips is None else f", {self.flips:.1%} of labels changed"
        return (
            f"answers to {self.texts} texts moved by {self.mean_difference:.2g} on average and "
            f"{self.largest_difference:.2g} at most, cosine {self.mean_cosine:.4f} on average and "
            f"{self.least_cosine:.4f} at least{labels}"
        )


def _two_digits(value: float) -> float:
    """At most two digits, and six places: what is left behind those is noise."""
    return round(float(f"{value:.2g}"), 6)


def read_texts(file: Path | None) -> tuple[str, ...]:
    """The texts of a file, one per line, or our own. Raises `ConfigError`."""
    if file is None:
        return TEXTS
    try:
        found = tuple(line for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"cannot read {file}: {reason}; --calibrate needs one text per line") from error
    if not found:
        raise ConfigError(f"{file} has no text: --calibrate needs one text per line")
    return found


def measure(before: Model, after: Model, texts: Sequence[str]) -> Drift:
    """Answers every text with both models. Raises `ModelError` when one of them fails."""
    differences: list[FloatArray] = []
    cosines: list[FloatArray] = []
    flips: list[FloatArray] = []
    for text in texts:
        encoded = before.encode([before.task.as_input(text)], example(before))
        old, new = (_rows(model.run(encoded)[0]) for model in (before, after))
        if not len(old):
            continue  # nothing but special tokens
        differences.append(np.abs(old - new).ravel())
        norms = np.linalg.norm(old, axis=1) * np.linalg.norm(new, axis=1)
        cosines.append(np.einsum("ij,ij->i", old, new) / np.maximum(norms, 1e-12))
        # One logit has no other label to change to; it flips where its sign does, and its sigmoid passes 0.5.
        flips.append(((old > 0) != (new > 0)).any(axis=1) if old.shape[1] == 1 else old.argmax(1) != new.argmax(1))
    if not differences:
        raise ConfigError("the model gives no answer to any of the texts: give others with --calibrate")
    moved, cosine = np.concatenate(differences), np.concatenate(cosines)
    return Drift(
        texts=len(differences),
        largest_difference=float(moved.max()),
        mean_difference=float(moved.mean()),
        least_cosine=float(cosine.min()),
        mean_cosine=float(cosine.mean()),
        flips=float(np.concatenate(flips).mean()) if before.task.decides else None,
    )


def refuse(drift: Drift, max_flips: float) -> None:
    """Raises `ModelError` when a larger share of labels than `max_flips` changes, or vectors are too far off."""
    if drift.flips is not None and drift.flips > max_flips:
        raise ModelError(
            f"{drift.flips:.1%} of labels changed, at most {max_flips:.1%} are allowed ({drift.words()}): "
            "leave out --quantize and --optimize, or allow more with --max-flips"
        )
    if drift.flips is None and drift.least_cosine < MIN_COSINE:
        raise ModelError(
            f"a vector changed to a cosine of {drift.least_cosine:.3f}, at least {MIN_COSINE} is needed "
            f"({drift.words()}): leave out --quantize and --optimize"
        )


def _rows(result: Result | InternalError) -> FloatArray:
    """The numbers of an answer, [rows, n]: one row per token, or one."""
    if isinstance(result, InternalError):
        raise ModelError(f"the changed graph fails: {str(result).removeprefix('Internal error: ')}")
    return numbers(result)
