"""``cistron sequence folds``: files, report, what is refused; folds of two genomes and of one."""

import json

import numpy as np
import pandas as pd
import pytest

from cistron.cli.main import main
from cistron.sequence.folds import read_folds, read_orthologs
from cistron.sequence.settings_data import FoldSettings

SIZES = {"chr1": 9_000_000, "chr2": 7_000_000, "chr2_KI270_alt": 400_000}
OTHER = {"chr1": 8_000_000, "chr5": 6_000_000}


@pytest.fixture
def genomes(tmp_path):
    """Two genomes, a net of 40 blocks, gaps, a region that cannot be mapped, orthologs in the middle of the blocks."""
    (tmp_path / "human.fai").write_text(
        "".join(f"{name}\t{size}\t0\t60\t61\n" for name, size in SIZES.items())
    )
    (tmp_path / "mouse.sizes").write_text("".join(f"{name}\t{size}\n" for name, size in OTHER.items()))
    random = np.random.default_rng(5)
    lines, pairs = [], ["gene\tchrom_h\tchrom_m\ttss_h\ttss_m\n"]
    places = {"chr1": 0, "chr5": 0}
    for name in ("chr1", "chr2"):
        lines.append(f"net {name} {SIZES[name]}\n")
        for start in range(0, SIZES[name] - 700_000, 700_000):
            size = int(random.integers(110_000, 500_000))
            other = "chr1" if random.random() < 0.55 else "chr5"
            if places[other] + size > OTHER[other]:
                continue
            lines.append(f" fill {start} {size} {other} - {places[other]} {size} id 1\n")
            pairs.append(f"g{start}\t{name}\t{other}\t{start + size // 2}\t{places[other] + size // 2}\n")
            places[other] += size + 150_000
    (tmp_path / "a.net").write_text("".join(lines))
    (tmp_path / "orthologs.tsv").write_text("".join(pairs))
    (tmp_path / "gaps.bed").write_text("chr1\t0\t10000\nchr1\t4000000\t4050000\n")
    (tmp_path / "unmappable.bed").write_text("chr2\t1000000\t1700000\n")
    return tmp_path


def run(folder, *arguments):
    return main(
        ["sequence", "folds", "--human", str(folder / "human.fai"), "--no-report", *map(str, arguments)]
    )


def both(folder):
    return [
        "--mouse",
        folder / "mouse.sizes",
        "--alignment",
        folder / "a.net",
        "--length",
        "65536",
        "--input-length",
        "98304",
    ]


def test_two_genomes(genomes, capsys):
    common = [*both(genomes), "--folds", "3", "--human-gaps", genomes / "gaps.bed"]
    common += ["--human-unmappable", genomes / "unmappable.bed", "--orthologs", genomes / "orthologs.tsv"]
    assert run(genomes, *common, "--output", genomes / "folds") == 0
    told = capsys.readouterr()
    assert "chr2_KI270_alt" in told.err  # another copy of a part of chr2
    report = json.loads((genomes / "folds" / "report.json").read_text())
    assert report["divided_blocks"] == 0
    assert report["aligned_blocks"] > 15
    assert report["orthologs"]["same_fold"] == 1.0
    assert report["orthologs"]["chance"] < 0.7
    assert report["dropped_unmappable"]["human"] >= 9
    assert report["leaks"]["total"] > 0  # neighbours, which --leak-margin keeps apart
    human = read_folds(genomes / "folds" / "human.bed")
    assert ((human["end"] - human["start"]) == 65_536).all()
    assert not (
        (human["chromosome"] == "chr1") & (human["start"] < 4_050_000) & (human["end"] > 4_000_000)
    ).any()
    assert human["fold"].tolist() == sorted(human["fold"])
    assert report["sequences"]["human"] == human["fold"].value_counts().sort_index().to_dict()
    # the same seed, the same bytes; another seed, others
    assert run(genomes, *common, "--output", genomes / "again") == 0
    assert run(genomes, *common, "--seed", 1, "--output", genomes / "other") == 0
    same, other = ((genomes / name / "human.bed").read_bytes() for name in ("again", "other"))
    assert same == (genomes / "folds" / "human.bed").read_bytes() != other
    scores = pd.read_parquet(genomes / "folds" / "scores.parquet")
    assert scores.set_index("metric").loc["divided_blocks", "value"] == 0


def test_a_margin_leaves_no_leak(genomes, capsys):
    common = [*both(genomes), "--folds", "3", "--leak-margin"]
    for margin in ("100", "16384", "40000"):
        assert run(genomes, *common, margin, "--output", genomes / margin) == 0
        report = json.loads((genomes / margin / "report.json").read_text())
        assert report["leaks"]["total"] == 0
    assert "--leak-margin 100 would leave leaks; 16,384 bp" in capsys.readouterr().err
    assert (genomes / "100" / "human.bed").read_bytes() == (genomes / "16384" / "human.bed").read_bytes()
    assert len(read_folds(genomes / "40000" / "human.bed")) < len(read_folds(genomes / "16384" / "human.bed"))


def test_one_organism_alone(genomes):
    assert run(genomes, "--length", 65_536, "--stride", 32_768, "--output", genomes / "one") == 0
    report = json.loads((genomes / "one" / "report.json").read_text())
    assert not (genomes / "one" / "mouse.bed").exists()
    assert report["components"]["number"] == report["contigs"]["human"]["number"] == 24
    assert report["components"]["largest_base_pairs"] <= 1_000_000
    assert set(report["sequences"]["human"]) == {"train", "valid", "test"}


def test_the_page(genomes):
    arguments = ["sequence", "folds", "--human", str(genomes / "human.fai"), "--output", str(genomes / "out")]
    assert (
        main([*arguments, "--fractions", ".6", ".2", ".2", "--blacklist", str(genomes / "unmappable.bed")])
        == 0
    )
    page = (genomes / "out" / "report.html").read_text()
    assert "Folds of genomes" in page
    assert "pairs of sequences of different folds share input" in page
    assert (genomes / "out" / "figures" / "folds_human.png").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mouse", "{}/mouse.sizes"], "two organisms need --alignment"),
        (["--alignment", "{}/a.net"], "needs a second genome"),
        (["--mouse-gaps", "{}/gaps.bed"], "need --mouse"),
        (["--mouse-unmappable", "{}/gaps.bed"], "need --mouse"),
        (["--fractions", ".5", ".5"], "three shares"),
        (["--fractions", ".5", ".5", ".2"], "sum to 1"),
        (["--folds", "4", "--fractions", ".8", ".1", ".1"], "not both"),
        (["--length", "2000000"], "at most 1,000,000"),
        (["--input-length", "1000"], "--input-length must be 131,072 or more"),
        (["--blacklist", "{}/gaps.bed", "{}/gaps.bed"], "one BED an organism"),
        (["--human-gaps", "{}/mouse.sizes"], "line 1"),
        (["--unmappable-share", "0"], "unmappable-share"),
    ],
)
def test_what_is_refused(arguments, words, genomes, capsys):
    assert run(genomes, *(word.format(genomes) for word in arguments), "--output", genomes / "out") == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.strip().splitlines()[-1].startswith("cistron: error: ")
    assert "Traceback" not in error
    assert not (genomes / "out" / "human.bed").exists()


def test_names_and_shares():
    assert FoldSettings().names == ("train", "valid", "test")
    assert FoldSettings(folds=8).shares == (0.125,) * 8
    assert FoldSettings(leak_margin=1).margin == 32_768
    assert FoldSettings().margin == 0


def test_tables_of_others(tmp_path):
    frame = pd.DataFrame({"chrom": ["chr1"], "position": [5], "mouse_chrom": ["chr2"], "mouse_position": [7]})
    frame.to_parquet(tmp_path / "a.parquet")
    assert read_orthologs(tmp_path / "a.parquet").to_numpy().tolist() == [["chr1", 5, "chr2", 7]]
    frame.assign(position="x").to_csv(tmp_path / "b.tsv", sep="\t", index=False)
    with pytest.raises(Exception, match="row 1: position is 'x'"):
        read_orthologs(tmp_path / "b.tsv")
    frame.drop(columns="mouse_chrom").to_csv(tmp_path / "c.tsv", sep="\t", index=False)
    with pytest.raises(Exception, match="two columns of chromosomes"):
        read_orthologs(tmp_path / "c.tsv")
    (tmp_path / "folds.bed").write_text("chr1\t0\t100\n")
    with pytest.raises(Exception, match="no fourth column"):
        read_folds(tmp_path / "folds.bed")
