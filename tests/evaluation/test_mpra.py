"""The variant task on reporter assays: joins, a planted relation, baselines, control, loci held out, bad tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cistron.cli.main import main
from cistron.errors import InputError
from cistron.evaluation.variants import MpraSettings, evaluate_mpra, read_measured, read_scored
from cistron.evaluation.variants.features import base_changes, gc_change, kmer_changes
from cistron.evaluation.variants.inputs import join_measured
from cistron.formats.variant_scores import VariantScoreWriter

QUICK = MpraSettings(penalties=6, draws=20)
CAGI5 = "sequence/CAGI5_regulation_saturation/cagi5_variants.parquet"


def made(elements=3, size=60, columns=4, seed=0):
    """Effects that follow the second of the score columns; every base to every other."""
    random = np.random.default_rng(seed)
    rows: list[tuple] = []
    for number in range(elements):
        dna = random.choice(list("ACGT"), size)
        rows += [
            (f"E{number}", str(number + 1), 1000 + offset, dna[offset], alt, offset % 30 < 10)
            for offset in range(size)
            for alt in "ACGT"
            if alt != dna[offset]
        ]
    frame = pd.DataFrame(rows, columns=["element", "chrom", "pos_grch37_1based", "ref", "alt", "train"])
    scores = random.standard_normal((len(frame), columns))
    frame["value"] = scores[:, 1] + 0.5 * random.standard_normal(len(frame))
    frame["confidence"] = random.random(len(frame))
    frame["split"] = np.where(frame.pop("train"), "train", "challenge")
    return frame, scores


def write_scores(path, frame, scores, build="GRCh37"):
    names = [f"sad:t{number}" for number in range(scores.shape[1])]
    header = {"organism": "human", "genome_build": build, "model": "", "length": 128}
    columns = {
        "chromosome": "chr" + frame["chrom"],
        "position": frame["pos_grch37_1based"],
        "ref": frame["ref"],
        "alt": frame["alt"],
        "id": ".",
    }
    columns["id"] = ["."] * len(frame)
    columns |= {name: scores[:, place].astype(np.float32) for place, name in enumerate(names)}
    with VariantScoreWriter(path, ["chromosome", "position", "ref", "alt", "id", *names], header) as writer:
        writer.write(columns)


@pytest.fixture
def place(tmp_path):
    frame, scores = made()
    frame.to_parquet(tmp_path / "mpra.parquet", index=False)
    write_scores(tmp_path / "ours.parquet", frame, scores)
    return tmp_path, frame, scores


def values(result, stratum="tested rows"):
    rows = result.scores[
        result.scores["target"].str.startswith("mean of") & (result.scores["stratum"] == stratum)
    ]
    return rows.set_index(["embedding", "model"])


def test_a_planted_relation_is_found_and_the_control_finds_nothing(place):
    folder, _, _ = place
    frame, scores = made(elements=8, columns=12)
    frame.to_parquet(folder / "mpra.parquet", index=False)
    write_scores(folder / "ours.parquet", frame, scores)
    result = evaluate_mpra(
        read_measured(folder / "mpra.parquet", "GRCh37"), [read_scored(folder / "ours.parquet")], QUICK
    )
    rows = values(result)
    assert rows.loc[("ours", "lasso"), "value"] > 0.8  # the ceiling is .89
    assert abs(rows.loc[("ours", "lasso"), "control_value"]) < 0.2
    assert rows.loc[("ours", "lasso of other loci"), "value"] > 0.8
    assert 0.1 < rows.loc[("ours", "mean score"), "value"] < 0.5  # one of twelve columns
    for name in ("k-mer changes", "base change", "GC change"):
        assert abs(rows.loc[(name, "lasso"), "value"]) < 0.3
    assert (
        rows.loc[("ours", "lasso"), "low"]
        < rows.loc[("ours", "lasso"), "value"]
        < rows.loc[("ours", "lasso"), "high"]
    )
    assert "tested rows, confidence 0.1 or more" in set(result.scores["stratum"])
    tested = result.predictions.query("embedding == 'ours' and model == 'lasso'")
    assert len(tested) == (frame["split"] == "challenge").sum()


def test_training_rows_of_other_loci_never_share_dna(place):
    folder, frame, _ = place
    both = pd.concat([frame, frame[frame["element"] == "E0"].assign(element="E0-other-cells")])
    both.to_parquet(folder / "mpra.parquet", index=False)
    measured = read_measured(folder / "mpra.parquet")
    loci = measured.frame.groupby("element")["locus"].first()
    assert loci["E0"] == loci["E0-other-cells"]
    assert loci.nunique() == 3


def test_alleles_are_joined_whatever_their_form(tmp_path):
    frame = pd.DataFrame(
        {
            "Element": "E",
            "Chrom": ["chrX", "X", "X", "X"],
            "Pos": [10, 11, 12, 13],
            "Ref": ["A", "C", "G", "T"],
            "Alt": ["T", "-", "C", "A"],
            "Coefficient": [1.0, 2.0, 3.0, np.nan],
            "Release": ["GRCh38", "GRCh38", "GRCh37", "GRCh38"],
        }
    )
    frame.to_csv(tmp_path / "m.tsv", sep="\t", index=False)
    measured = read_measured(tmp_path / "m.tsv", "hg38")
    assert measured.build == "GRCh38"
    assert "1 of 3 rows are set aside: they have no position or no value" in measured.remarks[0]
    (tmp_path / "s.tsv").write_text(
        "chromosome\tposition\tref\talt\tmine\n23\t10\tA\tT\t1\nchrX\t10\tAC\tA\t2\n"
    )
    scored = read_scored(tmp_path / "s.tsv")
    assert scored.columns == ["mine"]
    assert measured.frame["key"].iloc[1] == scored.keys[1]
    with pytest.raises(InputError, match="holds positions of GRCh37 and GRCh38"):
        read_measured(tmp_path / "m.tsv")


def test_scores_of_another_build_or_of_other_variants_are_refused(place):
    folder, frame, scores = place
    with pytest.raises(InputError, match="positions of GRCh37, the scores are of GRCh38"):
        read_measured(folder / "mpra.parquet", "hg38")
    write_scores(
        folder / "moved.parquet", frame.assign(pos_grch37_1based=frame["pos_grch37_1based"] + 1000), scores
    )
    with pytest.raises(InputError, match="0 of 540 measured variants have scores"):
        evaluate_mpra(read_measured(folder / "mpra.parquet"), [read_scored(folder / "moved.parquet")], QUICK)
    (folder / "n.tsv").write_text("chromosome\tposition\tref\talt\n1\t1\tA\tC\n")
    with pytest.raises(InputError, match="no column of scores"):
        read_scored(folder / "n.tsv")
    frame.drop(columns="value").to_parquet(folder / "m.parquet")
    with pytest.raises(InputError, match="no column for the value"):
        read_measured(folder / "m.parquet")
    (folder / "cut.parquet").write_bytes((folder / "mpra.parquet").read_bytes()[:200])
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_measured(folder / "cut.parquet")


def test_what_needs_no_model_is_what_it_says():
    frame = pd.DataFrame(
        {"position": [5, 6, 7, 8, 9], "ref": list("ACGTA"), "alt": ["G", "-", "A", "C", "T"]}
    )
    np.testing.assert_array_equal(gc_change(frame)[:, 0], [1, -1, -1, 1, 0])
    assert base_changes(frame).sum(1).tolist() == [1, 1, 1, 1, 1]
    found = kmer_changes(frame)
    # ACGTA with its middle changed: three 3-mers, two of the 4-mers and one 5-mer lie within, lost and gained
    assert np.abs(found[2]).sum() <= 12
    assert found[2].sum() == 0
    np.testing.assert_array_equal(np.abs(found).sum(1) > 0, np.ones(5, bool))


def test_without_a_split_stretches_are_held_out(place):
    folder, frame, _ = place
    frame.drop(columns=["split", "confidence"]).to_parquet(folder / "mpra.parquet", index=False)
    result = evaluate_mpra(
        read_measured(folder / "mpra.parquet"), [read_scored(folder / "ours.parquet")], QUICK
    )
    rows = result.predictions.query("embedding == 'ours' and model == 'lasso'")
    assert (rows["position"] // 10 % 2 == 1).all()
    assert values(result).loc[("ours", "lasso"), "value"] > 0.8


@pytest.mark.real_data
def test_the_public_table_is_read_whole(test_data):
    measured = read_measured(test_data / CAGI5)
    assert len(measured.frame) == 18_463
    assert measured.frame["element"].nunique() == 15
    assert measured.frame["locus"].nunique() == 14  # TERT was measured in two kinds of cells
    assert measured.build == "GRCh37"


def test_the_command_writes_a_report(place, capsys):
    folder, _, _ = place
    words = f"evaluate variants {folder}/ours.parquet --mpra {folder}/mpra.parquet --penalties 6 --draws 20 --least-confidence 0.2 --output {folder}/r"
    assert main(words.split()) == 0, capsys.readouterr().err
    assert "ours (lasso): Pearson" in capsys.readouterr().out
    page = (folder / "r" / "report.html").read_text()
    assert "k-mer changes" in page
    assert (folder / "r" / "figures" / "variants_elements.png").exists()


def test_several_tables_hold_out_by_locus_across_all(place):
    folder, frame, _ = place
    frame.drop(columns=["split", "confidence"]).assign(pValue=1e-6).to_parquet(
        folder / "full.parquet", index=False
    )
    tables = [read_measured(folder / f"{name}.parquet") for name in ("mpra", "full")]
    joined = join_measured(tables)
    loci = joined.frame.groupby("element")["locus"].first()
    assert sorted(loci.index) == sorted(
        f"E{number} ({name})" for number in range(3) for name in ("mpra", "full")
    )
    assert loci["E0 (mpra)"] == loci["E0 (full)"]
    assert loci.nunique() == 3
    # the full table holds the tested rows of the other one: a lasso of other loci never sees them
    result = evaluate_mpra(joined, [read_scored(folder / "ours.parquet")], QUICK)
    rows = values(result)
    assert set(rows["dataset"]) == {"mpra", "full"}  # a mean for each table
    assert (rows["n"] == 3).all()
    assert "tested rows, p 1e-05 or less" in set(result.scores["stratum"])
    strict = evaluate_mpra(joined, [], MpraSettings(penalties=2, draws=20, largest_p_value=1e-8))
    assert not strict.scores["stratum"].str.contains("p 1e").any()
    with pytest.raises(InputError, match="give tables of one build"):
        join_measured([tables[0], replace(tables[1], build="GRCh38")])


def test_the_build_of_a_table_with_several_can_be_given(place, capsys):
    folder, frame, _ = place
    both = pd.concat([frame.assign(Release="GRCh37"), frame.assign(Release="GRCh38")])
    both.to_parquet(folder / "both.parquet", index=False)
    words = f"evaluate variants --mpra {folder}/both.parquet {folder}/mpra.parquet --penalties 2 --draws 20 --no-report --output {folder}/r"
    assert main(words.split()) == 2
    assert "or --build" in capsys.readouterr().err
    assert main([*words.split(), "--build", "hg19"]) == 0, capsys.readouterr().err
    assert "mean of 3 elements" in capsys.readouterr().out


@pytest.mark.real_data
def test_the_full_tables_are_read_whole(test_data):
    full = read_measured(test_data / "sequence/kircherlab_satMutMPRA/elements.tsv.gz", "GRCh37")
    assert len(full.frame) == 44_647
    assert full.frame["element"].nunique() == 29
    joined = join_measured([full, read_measured(test_data / CAGI5)])
    # the same DNA is one locus in both, and the challenge rows are in the full table
    assert joined.frame["locus"].nunique() == full.frame["locus"].nunique() == 21
    assert read_measured(test_data / CAGI5).frame["key"].isin(set(full.frame["key"])).mean() > 0.95
