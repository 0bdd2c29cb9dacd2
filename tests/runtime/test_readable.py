"""`infer --format table`: the answer of every model type, for eyes."""

import asyncio
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from encoderfile.runtime import oneshot, process
from encoderfile.runtime.widths import width
from encoderfile.settings import InferSettings
from encoderfile.types import Text
from support.dialects import make_cross_encoder
from support.kinds import KINDS, TYPES
from support.models import DEMO, MODELS, open_model


class Terminal(io.TextIOWrapper):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        self.flush()
        kept: Any = self.buffer
        return str(kept.getvalue().decode())


@pytest.fixture
def infer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`infer(folder, texts)` is what `infer` shows on a terminal."""
    monkeypatch.setattr(process, "run", asyncio.run)  # which closes its event loop
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def run(
        folder: Path, texts: Sequence[Text], model_type: str | None = None, columns: int = 80, **settings: Any
    ) -> list[str]:
        terminal = Terminal()
        monkeypatch.setattr(oneshot, "load", lambda *_: open_model(folder, model_type))
        monkeypatch.setattr("sys.stdout", terminal)
        monkeypatch.setenv("COLUMNS", str(columns))
        oneshot.answer(Path("unused"), InferSettings(device="cpu", **settings), list(texts))
        return terminal.text.splitlines()

    return run


def test_labels_are_bars_the_best_first(infer: Any) -> None:
    assert infer(DEMO["sentiment"], ["This is great!"]) == [
        "1  This is great!",
        "   0.969  ━━━━━━━━━━━━━━━━━━━╸  POSITIVE",
        "   0.031  ╸                     NEGATIVE",
    ]


def test_a_pair_shows_both_texts(infer: Any) -> None:
    found = infer(MODELS / "bert-cls", [("a question", "an answer")])
    assert found[:2] == ["1  a question", "+  an answer"]


def test_pairs_of_a_reranker_are_ranked(infer: Any, tmp_path: Path) -> None:
    pairs = [("which bird", passage) for passage in ("a penguin", "a stone", "the bird of the south")]
    found = infer(make_cross_encoder(tmp_path / "cross"), pairs)
    scores = [float(line.split()[0]) for line in found if line.startswith("   ")][:3]
    ranked = [line.split(maxsplit=3) for line in found[found.index("best first") + 1 :]]
    assert [float(row[0]) for row in ranked] == sorted(scores, reverse=True)
    assert [scores[int(row[2]) - 1] for row in ranked] == sorted(scores, reverse=True)
    assert {row[3] for row in ranked} == {passage for _, passage in pairs}


def test_tokens_have_their_labels_and_places(infer: Any) -> None:
    found = infer(DEMO["ner"], ["John lives in Paris"])
    assert [line.split()[0:1] + line.split()[2:] for line in found[1:]] == [
        ["0.997", "B-PER", "0-4", "John"],
        ["1.000", "O", "5-10", "lives"],
        ["1.000", "O", "11-13", "in"],
        ["1.000", "B-LOC", "14-19", "Paris"],
    ]


def test_entities_are_rows_with_score_type_and_place(infer: Any) -> None:
    found = infer(DEMO["ner"], ["John Smith works for Siemens in Munich.", "Nobody."], entities="max")
    assert found == [
        "1  John Smith works for Siemens in Munich.",
        "   1.000  ━━━━━━━━━━━━━━━━━━━━  PER   0-10  John Smith",
        "   1.000  ━━━━━━━━━━━━━━━━━━━━  ORG  21-28  Siemens",
        "   1.000  ━━━━━━━━━━━━━━━━━━━━  LOC  32-38  Munich",
        "",
        "2  Nobody.",
        "   nothing found",
    ]


def test_entities_are_marked_in_the_text_in_the_colour_of_their_type(
    infer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    found = infer(DEMO["ner"], ["John and Ada went from Paris to Rome."], entities="max")
    marked = re.findall(r"\x1b\[1;4;(\d+)m(.+?)\x1b\[0m", found[0])
    assert marked[0][1] == "John"
    assert [text for _, text in marked[-2:]] == ["Paris", "Rome"]
    assert marked[-1][0] == marked[-2][0] != marked[0][0]
    assert f"\x1b[{marked[-1][0]}mLOC" in found[-1]


def test_vectors_show_their_size_and_texts_how_alike_they_are(infer: Any) -> None:
    found = infer(DEMO["embed"], ["A dog runs in the park.", "A dog runs in a park.", "Prices fell."])
    assert found[1].strip() == "128 dimensions, length 1.000"
    assert re.fullmatch(r"(\s+-?0\.\d{3})+ …", found[2])
    matrix = found[found.index("similarity (cosine)") + 1 :]
    rows = [[float(each) for each in line.split()] for line in matrix]
    assert [row[0] for row in rows[1:]] == [1, 2, 3]
    assert [rows[number][number] for number in (1, 2, 3)] == [1, 1, 1]
    assert rows[1][2] > 0.9 > rows[1][3]


def test_many_texts_show_the_nearest_pairs(infer: Any) -> None:
    found = infer(DEMO["embed"], [f"text number {number}" for number in range(20)])
    pairs = found[found.index("similarity (cosine)") + 1 :]
    assert len(pairs) == 11
    assert re.fullmatch(r"   \d\.\d{3}  [━╸]+ +\d+ and \d+", pairs[0])
    assert pairs[-1] == "   … 180 more pairs"


def test_one_text_and_very_many_are_compared_with_none(infer: Any) -> None:
    assert not any("similarity" in line for line in infer(DEMO["embed"], ["alone"]))
    assert not any("similarity" in line for line in infer(DEMO["embed"], ["text"] * 60))


def test_token_vectors_are_rows_and_a_long_text_shows_the_first(infer: Any) -> None:
    found = infer(MODELS / "bert-embed", ["word " * 30])
    assert found[1] == "   62 vectors of 48 dimensions: length, first numbers, token"
    assert re.fullmatch(r"   1\.000( +-?0\.\d{3})+ … +0-0  \[CLS\]", found[2])
    assert found[-1] == "   … 42 more vectors"


def test_a_sparse_vector_shows_the_words_that_weigh_most(infer: Any) -> None:
    found = infer(MODELS / "bert-mlm", ["a fine day"], model_type="sentence_embedding")
    assert re.fullmatch(r"   \d+ of 1200 words, length [\d.]+", found[1])
    weights = [float(line.split()[0]) for line in found[2:12]]
    assert weights == sorted(weights, reverse=True)
    assert "━" * 20 in found[2]
    assert re.fullmatch(r"   … \d+ more words", found[-1])


@pytest.mark.parametrize("name", ["gliclass", "nli"])
def test_labels_of_the_request_come_last_in_their_line(name: str, infer: Any) -> None:
    request = {"labels": ["travel", "旅行", "ספורט"]}
    found = infer(KINDS[name], ["I will see the world"], TYPES[name], request=request)
    assert {line.split()[-1] for line in found[1:]} == set(request["labels"])
    assert len({width(line[: line.rindex(" ")]) for line in found[1:]}) == 1


def test_what_the_labels_of_the_request_name_is_shown_with_its_place(infer: Any) -> None:
    request = {"labels": ["person", "city"], "threshold": 0.05}
    found = infer(KINDS["gliner-span"], ["Ada in 東京"], request=request)
    assert all(re.fullmatch(r"   0\.\d{3}  [━╸]+ +(person|city) +\d+-\d+  .+", line) for line in found[1:])


@pytest.mark.parametrize(
    "name", ["bge-m3", "colbert", "last-token", "st-dense", "gliner-token", "nli-last", "gliclass"]
)
@pytest.mark.parametrize("columns", [40, 80])
def test_no_line_of_any_kind_is_wider_than_the_terminal(name: str, columns: int, infer: Any) -> None:
    request = {"labels": ["a label " * 4, "旅行"]} if "zero_shot" in TYPES[name] else {}
    texts = ["\x1b[31m日本語 \u202e שלום 😀 " * 20, "short"]
    for line in infer(KINDS[name], texts, TYPES[name], columns, request=request):
        assert width(line) < columns
        assert "\x1b" not in line
        assert "\u202e" not in line


def test_a_file_gets_json_unless_a_table_is_asked_for(infer: Any, tmp_path: Path) -> None:
    assert infer(DEMO["sentiment"], ["fine"], output=tmp_path / "answers") == []
    assert (tmp_path / "answers").read_text().startswith('{"results":[{"logits":')
    infer(DEMO["sentiment"], ["fine"], output=tmp_path / "table", form="table")
    assert (tmp_path / "table").read_text().startswith("1  fine\n   0.")


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_on_a_terminal_is_json(form: str, infer: Any) -> None:
    assert infer(DEMO["sentiment"], ["fine"], form=form)[0].startswith("{")
