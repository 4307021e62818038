"""What the report of the expression task says, and what it must not claim."""

from cistron.report.expression import SHOWN, sentence

NAN = float("nan")


def _table(value=0.4, low=0.3, permuted=0.01, control=NAN):
    score = {
        "value": value,
        "low": low,
        "high": value + 0.1,
        "control_value": permuted,
        "null_value": NAN,
        "n": 5.0,
    }
    row = {"name": "ridge", "scores": dict.fromkeys(SHOWN, score), "control": dict.fromkeys(SHOWN, control)}
    return {"title": "Sequence only: knew DNA", "rows": [row]}


def test_the_best_prediction_is_named_with_interval_and_control():
    text = sentence(_table(), "unseen genes, unseen cells", "cells")
    assert text.startswith(
        "Sequence only: ridge reaches 0.400 [0.300, 0.500] doubly centred (unseen genes, unseen cells"
    )
    assert "no better" not in text


def test_a_score_that_its_controls_reach_is_not_claimed():
    assert "no better than its control" in sentence(_table(low=-0.01), "s", "cells")
    assert "no better than its control" in sentence(_table(low=0.005), "s", "cells")
    text = sentence(_table(control=0.35), "s", "cells")
    assert "its control file reaches 0.350, so the embedding explains nothing of it" in text
    assert "control file" not in sentence(_table(control=0.1), "s", "cells")


def test_undefined_is_said_and_not_zero():
    text = sentence(_table(value=NAN, low=NAN), "unseen genes, seen cells", "cells")
    assert (
        text
        == "Sequence only: no prediction is defined in unseen genes, seen cells once gene and cell means are removed."
    )
