"""Which genes a store holds."""

import pandas as pd
import pytest

from cistron.chromatin.build_genes import meet_expression, read_split
from cistron.chromatin.inputs import read_expression, read_start_sites
from cistron.errors import IdentifierError, InputError


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


def test_versions_are_cut_on_both_sides(tmp_path):
    """Ids with versions in the expression, in the sites, in both, and in the split."""
    plain = ["ENSG00000000001", "ENSG00000000002"]
    versioned = [f"{gene}.{number}" for number, gene in enumerate(plain, 3)]
    for sites, levels in ((plain, versioned), (versioned, plain), (versioned, versioned)):
        rows = "".join(f"{gene}\tchr1\t{number}\t+\n" for number, gene in enumerate(sites))
        (tmp_path / "genes.tsv").write_text("gene\tchromosome\tposition\tstrand\n" + rows)
        (tmp_path / "tpm.tsv").write_text("gene\tliver\n" + "".join(f"{gene}\t1.5\n" for gene in levels))
        genes = read_start_sites(tmp_path / "genes.tsv")
        kept, _ = meet_expression(
            genes, read_expression(tmp_path / "tpm.tsv"), ["liver"], "x", allow_loss=False
        )
        assert kept["gene"].tolist() == plain
    (tmp_path / "split.tsv").write_text("gene\tsplit\n" + "".join(f"{gene}\ttrain\n" for gene in versioned))
    assert read_split(tmp_path / "split.tsv", plain) == ["train", "train"]


def test_expression_of_zero_is_a_value_and_below_zero_is_refused(tmp_path):
    path = tmp_path / "tpm.tsv"
    path.write_text("gene\tliver\nENSG00000000001\t0\nENSG00000000002\t3.5\n")
    assert read_expression(path)["liver"].tolist() == [0, 3.5]
    for wrong in ("-0.5", "inf"):
        path.write_text(f"gene\tliver\nENSG00000000001\t0\nENSG00000000002\t{wrong}\n")
        with pytest.raises(InputError, match="negative or infinite"):
            read_expression(path)


def test_advice_is_what_can_help():
    ensembl = pd.DataFrame({"gene": [f"ENSG{number:011d}" for number in range(9)]})
    with pytest.raises(IdentifierError, match=r"look like.*cistron genes map") as caught:
        meet_expression(ensembl, _levels(0, 9), ["liver"], "marks", allow_loss=False)
    assert "--allow-loss" not in str(caught.value)
    with pytest.raises(IdentifierError) as caught:
        meet_expression(_genes(0, 20), _levels(50, 70), ["liver"], "marks", allow_loss=False)
    assert "genes map" not in str(caught.value)
    assert "--allow-loss" not in str(caught.value)
    with pytest.raises(IdentifierError, match="--allow-loss"):
        meet_expression(_genes(0, 20), _levels(10, 30), ["liver"], "marks", allow_loss=False)
