"""What help shows: required options first, those of every command last, settings only where their method is named."""

import re

import pytest

from cistron.cli.options import default_text


def test_own_options_come_before_those_of_every_command(run):
    _, text, _ = run("evaluate", "gwas", "--help")
    places = [text.index(option) for option in ("--traits", "--covariance", "--seed", "--config", "--json")]
    assert places == sorted(places)
    assert "[default: ]" not in text
    assert "False" not in text


@pytest.mark.parametrize("option", ["--regressor", "--model"])
def test_settings_of_a_regressor_are_shown_where_it_is_named(run, option):
    _, text, _ = run("evaluate", "gwas", "--help")
    assert not re.findall(r"--(ridge|xgboost|boosted)\.", text)
    _, text, _ = run("evaluate", "gwas", option, "boosted", "--help")
    assert set(re.findall(r"--(ridge|xgboost|boosted)\.", text)) == {"boosted"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (False, None),
        ((), None),
        (True, "yes"),
        (1000.0, "1000"),
        ((0.0, 2.0), "0 2"),
        (tuple(10.0**power for power in range(7)), "1 10 100 ... 1e+06"),
        ("auto", "auto"),
    ],
)
def test_defaults_are_shown_as_they_are_typed(value, text):
    assert default_text(value) == text
