"""The example of a zero-shot model chooses sensibly among labels, for the sentences that its page counts."""

import asyncio

import numpy as np

from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.types import PredictRequest
from support.models import ROOT, open_model
from support.serving import started

SENTENCES = {
    "sport": (
        "The striker scored twice in the second half.",
        "She won the marathon in two hours.",
        "Our team lost the final on penalties.",
        "He serves an ace on match point.",
        "The coach praised the goalkeeper.",
    ),
    "cooking": (
        "Bake the bread for forty minutes.",
        "Stir the soup and add some salt.",
        "Fry the onions in butter.",
        "This recipe needs three eggs.",
        "Peel the potatoes before you boil them.",
    ),
    "money": (
        "The central bank raised interest rates again.",
        "My rent goes up by ten percent.",
        "She invested her savings in shares.",
        "The company reported a loss this quarter.",
        "I cannot pay this bill.",
    ),
    "travel": (
        "The train to Berlin leaves at noon.",
        "We booked a hotel by the sea.",
        "My flight was delayed by three hours.",
        "Do not forget your passport at the airport.",
        "They toured Italy by bus.",
    ),
    "computers": (
        "My laptop crashes when I open the browser.",
        "Please reset my password.",
        "The server runs out of memory.",
        "Install the latest update of the software.",
        "The program has a bug.",
    ),
    "health": (
        "The doctor prescribed antibiotics.",
        "I have a headache and a fever.",
        "The patient recovers after surgery.",
        "Vaccines protect children from measles.",
        "Sleep well and drink water.",
    ),
    "weather": (
        "It will rain tomorrow morning.",
        "Snow fell on the mountains all night.",
        "The sun shines and the sky is blue.",
        "A storm is coming from the west.",
        "It is very cold outside today.",
    ),
    "music": (
        "The band plays its new album tonight.",
        "She sings in a choir.",
        "He practises the violin every day.",
        "The concert was sold out.",
        "I love this song.",
    ),
}
RIGHT = 38


def test_the_right_label_is_first_as_often_as_the_page_says() -> None:
    model = open_model(ROOT / "examples" / "topics" / "model")

    async def answers() -> list[tuple[str, str]]:
        async with started(Service(model, Limits())) as service:
            pairs = [(label, text) for label, texts in SENTENCES.items() for text in texts]
            request = PredictRequest([text for _, text in pairs], {"labels": list(SENTENCES)})
            found = (await service.predict(request)).results
            return [(label, each.labels[0]) for (label, _), each in zip(pairs, found, strict=True)]

    assert sum(wanted == found for wanted, found in asyncio.run(answers())) == RIGHT


def test_a_label_has_the_same_score_whatever_the_others_are() -> None:
    """Unlike a trained GLiClass model: each label is read by itself."""
    model = open_model(ROOT / "examples" / "topics" / "model")

    async def scores(labels: list[str]) -> dict[str, float]:
        async with started(Service(model, Limits())) as service:
            request = PredictRequest([SENTENCES["music"][0]], {"labels": labels, "multi_label": True})
            (found,) = (await service.predict(request)).results
            return dict(zip(found.labels, found.scores.tolist(), strict=True))

    few, many = asyncio.run(scores(["music"])), asyncio.run(scores([*SENTENCES, "a b c"]))
    np.testing.assert_allclose(few["music"], many["music"], atol=1e-5)
