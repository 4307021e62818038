"""Which genes a store holds."""

import pandas as pd
import pytest

from cistron.chromatin.build_genes import meet_expression
from cistron.errors import IdentifierError


def _genes(first, last):
    return pd.DataFrame({"gene": [f"g{number}" for number in range(first, last)]})


def _levels(first, last):
    return pd.DataFrame({"liver": 1.0}, index=[f"g{number}" for number in range(first, last)])


def test_the_smaller_side_decides_whether_too_much_is_lost():
    for genes, levels in ((_genes(0, 20), _levels(0, 100)), (_genes(0, 100), _levels(0, 20))):
        kept, found = meet_expression(genes, levels, ["liver"], "marks", allow_loss=False)
        assert kept["gene"].tolist() == found.index.tolist() == [f"g{number}" for number in range(20)]


def test_genes_that_hardly_meet_are_an_error_unless_allowed():
    with pytest.raises(IdentifierError, match="10 of 20 genes of the expression table are not in marks"):
        meet_expression(_genes(0, 20), _levels(10, 30), ["liver"], "marks", allow_loss=False)
    kept, _ = meet_expression(_genes(0, 20), _levels(10, 30), ["liver"], "marks", allow_loss=True)
    assert len(kept) == 10
    with pytest.raises(IdentifierError):
        meet_expression(_genes(0, 20), _levels(50, 70), ["liver"], "marks", allow_loss=True)
