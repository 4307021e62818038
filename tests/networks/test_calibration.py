"""From evidence to log-odds: blocks, ranges, more evidence."""

import dataclasses

import numpy as np
import pytest

from cistron.networks.calibration import (
    FORMS,
    ScreenNumbers,
    calibrations,
    inputs_of,
    log_odds,
)

SCREEN = ScreenNumbers(0.5, 0.0, 0.0, -4.0, -3.5, 0.2, 0.0, 1.0)


def _pairs(form, count=6):
    middle = calibrations()[form].mean
    return {name: np.full((count, 4), middle[place]) for place, name in enumerate(FORMS[form])}


def test_every_form_is_stored_with_its_inputs():
    for form, names in FORMS.items():
        one = calibrations()[form]
        assert one.pair_inputs == names
        assert len(one.mean) == len(names) + len(dataclasses.fields(ScreenNumbers))
        assert (one.scale > 0).all()
        assert (one.low <= one.high).all()


def test_blocks_of_rows_give_what_all_rows_give(monkeypatch):
    pairs = _pairs("with direct")
    pairs["direct"] = np.random.default_rng(0).normal(0, 4, (6, 4))
    pairs["moved by source"] = pairs["moved by source"][:, :1]
    whole = log_odds("with direct", pairs, SCREEN)
    monkeypatch.setattr("cistron.networks.calibration.BLOCK", 5)
    np.testing.assert_allclose(log_odds("with direct", pairs, SCREEN), whole, rtol=1e-5)


@pytest.mark.parametrize("form", ["with direct", "total only"])
def test_more_evidence_is_more(form):
    pairs = _pairs(form)
    name = "direct" if form == "with direct" else "total"
    for other in ("direct", "total"):
        if other in pairs:
            pairs[other] = np.linspace(-6, 40, 24).reshape(6, 4)  # also beyond what was fitted on
    found = log_odds(form, pairs, SCREEN).ravel()
    assert found[-1] > found[0] + 4
    assert found[-1] >= found[len(found) // 2] - 1
    assert name in pairs


def test_numbers_of_a_screen_beyond_the_fit_are_those_of_its_edge():
    pairs = _pairs("total only")
    one = calibrations()["total only"]
    far = dataclasses.replace(SCREEN, cells=50.0)
    place = len(FORMS["total only"]) + [field.name for field in dataclasses.fields(SCREEN)].index("cells")
    edge = dataclasses.replace(SCREEN, cells=float(one.high[place]))
    np.testing.assert_allclose(log_odds("total only", pairs, far), log_odds("total only", pairs, edge))
    table = inputs_of(FORMS["total only"], {name: values.ravel() for name, values in pairs.items()}, far)
    assert table.shape == (24, len(one.mean))


def test_co_variation_alone_never_says_more_than_half_because_it_has_no_direction():
    strongest = calibrations()["unperturbed"].high[0]
    pairs = {"co-variation": np.linspace(0, 3 * strongest, 24).reshape(6, 4)}
    found = log_odds("unperturbed", pairs, SCREEN).ravel()
    assert found.max() <= 0
    assert found[-1] > found[0] + 1
