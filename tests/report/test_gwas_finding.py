# ruff: noqa: RUF001  (true minus signs and dashes, as a reader sees them)
"""The words of the finding follow the numbers."""

import pytest

from cistron.report.gwas_finding import finding, finding_warnings, verdict

NAN = float("nan")


def record(**changes):
    """A ranking entry that gains over covariates and control."""
    entry = {
        "label": "hpa", "embedding": "hpa", "model": "ridge", "traits": 30, "value": 0.0184, "low": 0.012, "high": 0.025,
        "interval": "95% bootstrap over chromosomes", "control": -0.0041, "shifted": -0.005, "null": 0.0089, "above": 26,
        "below": 0, "p_value": 1.2e-6, "direction": 0.0184, "odd": 0.018, "even": 0.017, "shared": NAN,
        "published": 0.019, "own": 0.015, "positional_value": 0.0184, "positional_low": 0.012, "positional_high": 0.025,
        "published_value": 0.0263, "published_low": 0.019, "published_high": 0.033,
        "differences": {"permuted": (0.0225, 0.016), "shifted": (0.0234, 0.017), "matched": (0.018, 0.011)},
    }  # fmt: skip
    return {**entry, **changes}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "better"),
        ({"low": -0.001}, "open"),
        ({"low": 0.0}, "open"),
        ({"value": -0.006, "low": -0.01, "high": -0.002}, "worse"),
        ({"value": -0.001, "low": -0.01, "high": 0.002}, "open"),
        ({"low": NAN, "high": NAN}, "open"),
        ({"value": NAN, "low": NAN, "high": NAN}, "open"),
        ({"control": 0.02}, "unfounded"),
        ({"control": 0.013}, "open"),
        ({"control": NAN}, "better"),
        ({"positional_low": -0.0002}, "unfounded"),
        ({"positional_low": NAN}, "open"),
        ({"differences": {}}, "open"),
        ({"differences": {"permuted": (0.02, 0.01), "matched": (0.002, -0.001)}}, "unfounded"),
        ({"differences": {"permuted": (0.02, NAN)}}, "unfounded"),
    ],
)
def test_verdict(changes, kind):
    assert verdict(record(**changes))[0] == kind


def test_finding_names_value_interval_null_control_and_direction():
    text = " ".join(finding([record()]))
    for part in (
        "+0.0184",
        "+0.0120 to +0.0250",
        "0.0089",
        "−0.0041",
        "26 of 30 traits",
        "lie above 0",
        "1.2×10⁻⁶",
    ):
        assert part in text
    assert "best of" not in text


def test_finding_tells_the_gain_over_both_null_models():
    text = " ".join(finding([record()]))
    assert "Over covariates that know where genes lie it is +0.0184, over the published ones +0.0263" in text
    assert "matched control" in verdict(record(differences={"matched": (0.01, 0.0)}))[1]


def test_finding_of_several_says_how_many_were_tried_and_which_are_worse():
    worse = record(label="vdtf", value=-0.005, low=-0.009, high=-0.001)
    text = " ".join(finding([record(), worse]))
    assert "hpa (the best of 2)" in text
    assert "1 of 2 embeddings gain reliably; worse than the covariates alone: vdtf." in text


def test_a_significant_loss_is_called_a_loss():
    text = " ".join(finding([record(value=-0.006, low=-0.01, high=-0.002, direction=-0.006)]))
    assert "worse than the covariates alone" in text
    assert "lie below 0" in text


def test_a_test_that_finds_nothing_is_not_told_as_a_direction():
    assert "do not clearly differ from 0" in " ".join(finding([record(p_value=0.16)]))


def test_a_control_that_scatters_around_zero_is_no_alarm():
    assert finding_warnings([record(control=0.0004)], []) == []


def test_finding_of_one_trait_without_interval_claims_nothing():
    text = " ".join(finding([record(traits=1, low=NAN, high=NAN, interval="", p_value=NAN)]))
    assert "nothing can be said" in text
    assert "one trait" in text
    assert "median" not in text


def test_warnings_of_control_coverage_and_chromosomes():
    coverage = [{"embedding": "hpa", "share": 0.4}, {"embedding": "other", "share": None}]
    other = record(label="other", value=0.01, shared=0.02)
    texts = finding_warnings([record(control=0.002, shared=0.01, even=-0.004), other], coverage)
    assert len(texts) == 4
    assert "control lies above 0 for hpa" in texts[0]
    assert "other is best, not hpa" in texts[1]
    assert "opposite signs" in texts[2]
    assert "hpa covers only 40%" in texts[3]
    assert finding_warnings([record()], [{"embedding": "hpa", "share": 0.99}]) == []
