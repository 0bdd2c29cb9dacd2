"""`infer` asks in chunks, and what is wrong with a text is told with its place among all of them."""

import asyncio
from pathlib import Path

import pytest

from encoderfile.errors import InputError
from encoderfile.runtime import oneshot, process
from encoderfile.settings import InferSettings
from encoderfile.types import Text
from support.models import MODELS, open_model


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty text sequence (inputs[3])"),
        ("\ud800", "inputs[3] holds a lone surrogate, which is not valid Unicode"),
        (
            ("a", "b"),
            "inputs[3] is a text pair, and a model of type embedding reads single texts: leave text_pair out",
        ),
    ],
    ids=["empty", "a lone surrogate", "a pair"],
)
def test_the_text_at_fault_is_counted_from_the_first_of_all(
    text: Text, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oneshot, "load", lambda *_: open_model(MODELS / "bert-embed"))
    monkeypatch.setattr(process, "run", asyncio.run)  # which closes its event loop
    settings = InferSettings(device="cpu", max_inputs=2, output=tmp_path / "answers")
    with pytest.raises(InputError) as refused:
        oneshot.answer(Path("unused"), settings, ["one", "two", "three", text])
    assert str(refused.value) == f"Invalid input: {sentence}"
    assert list(tmp_path.iterdir()) == []
