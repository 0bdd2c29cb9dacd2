from support.models import DEMO, open_model


def test_a_demo_model_tells_praise_from_blame() -> None:
    model = open_model(DEMO["sentiment"])
    praise, blame = model.run(model.encode(["What a wonderful film!", "What a terrible film!"]))
    assert praise.predicted_label == "POSITIVE"  # type: ignore[union-attr]
    assert blame.predicted_label == "NEGATIVE"  # type: ignore[union-attr]
