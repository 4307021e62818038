"""Signed LD profile regression: the equations against dense matrices, calibration, power, confounders, files of every kind."""

import numpy as np
import pandas as pd
import pytest

from cistron.cli.main import main
from cistron.errors import InputError
from cistron.evaluation.sldp import SldpSettings, evaluate_sldp, read_reference, read_trait
from cistron.evaluation.sldp.evaluate import _background
from cistron.evaluation.sldp.regression import (
    Moments,
    block_components,
    block_moments,
    chunks_of,
    estimated_heritability,
    flip_signs,
    linkage_scores,
)
from cistron.evaluation.variants import read_scored
from cistron.world.mosaic_cohort import MosaicSettings, mosaic_cohort, planted_traits

PEOPLE = 50_000
FAST = SldpSettings(flips=2_000)


@pytest.fixture(scope="module")
def cohort():
    return mosaic_cohort(seed=1)


@pytest.fixture(scope="module")
def components(cohort):
    """Each block with the planted score, its size, and the background; linkage is decomposed once for all draws."""
    genotypes, variants = cohort.standardised(), cohort.variants
    score = variants["score"].to_numpy()
    background = _background(variants["frequency"].to_numpy(), np.ones(len(variants), bool), 5)
    minor = np.where(variants["frequency"] < 0.5, 1.0, -1.0)
    together = np.column_stack([score, np.abs(score) * (score != 0), score + minor, background])
    return [
        block_components(genotypes[:, rows], together[rows], np.ones(len(rows), bool))
        for rows in cohort.block_rows()
    ]


def statistics_of(cohort, components, traits, background=5, flips=2000):
    """Statistics of [score, size of the score, score with the direction of the minor allele] on traits."""
    z = planted_traits(cohort, traits.pop("number"), 5, **traits)
    moments = [
        block_moments(block, z[rows] / np.sqrt(PEOPLE), PEOPLE, 0.3 / len(z), 5)
        for block, rows in zip(components, cohort.block_rows())
    ]
    if not background:
        moments = [Moments(one.xx, one.xb[:, :0], one.xy, one.bb[:0, :0], one.by[:0]) for one in moments]
    return flip_signs(moments, flips, 1)


def test_profiles_and_products_are_those_of_dense_matrices():
    random = np.random.default_rng(0)
    people, variants = 50, 12
    genotypes = random.standard_normal((people, variants)) @ random.standard_normal((variants, variants))
    genotypes = (genotypes - genotypes.mean(0)) / genotypes.std(0)
    annotations, effects = random.standard_normal((variants, 3)), random.standard_normal((8, 2))
    typed = np.arange(variants) < 8
    linkage = genotypes.T @ genotypes / people
    block = block_components(genotypes, annotations, typed, kept_variance=1.0)
    profile = (linkage @ annotations)[typed]
    np.testing.assert_allclose(block.vectors @ block.profile, profile, atol=1e-9)
    np.testing.assert_allclose(block.spread, np.diag(annotations.T @ linkage @ annotations), atol=1e-9)
    own = linkage[np.ix_(typed, typed)]
    covariance = 0.1 * own @ own + own / 1000
    found = block_moments(block, effects, 1000, 0.1, 1)
    np.testing.assert_allclose(found.xy, profile[:, :2].T @ np.linalg.solve(covariance, effects), rtol=1e-6)
    np.testing.assert_allclose(
        found.xb, profile[:, :2].T @ np.linalg.solve(covariance, profile[:, 2:]), rtol=1e-6
    )
    np.testing.assert_allclose(
        linkage_scores(genotypes), (linkage**2 - (1 - linkage**2) / (people - 2)).sum(0)
    )
    # more variants than people: the other decomposition
    few = block_components(genotypes[:9], annotations, typed, kept_variance=1.0)
    linkage = genotypes[:9].T @ genotypes[:9] / 9
    np.testing.assert_allclose(few.vectors @ few.profile, (linkage @ annotations)[typed], atol=1e-9)
    wide = block_components(genotypes[:5], annotations, typed, kept_variance=1.0)
    linkage = genotypes[:5].T @ genotypes[:5] / 5
    np.testing.assert_allclose(wide.vectors @ wide.profile, (linkage @ annotations)[typed], atol=1e-9)


def test_sign_flips_are_those_of_a_loop_and_background_is_taken_out():
    random = np.random.default_rng(0)
    parts = [
        (random.standard_normal((6, 2)), random.standard_normal((6, 1)), random.standard_normal((6, 1)))
        for _ in range(12)
    ]
    chunks = [Moments((x**2).sum(0), x.T @ b, x.T @ y, b.T @ b, b.T @ y) for x, b, y in parts]
    found = flip_signs(chunks, 4096, 3)
    x, b, y = (np.concatenate(side) for side in zip(*parts))
    without = [side - b @ np.linalg.lstsq(b, side, rcond=None)[0] for side in (x, y)]
    rows = np.repeat(np.arange(12), 6)
    products = np.stack([without[0][rows == number].T @ without[1][rows == number] for number in range(12)])[
        ..., 0
    ]
    np.testing.assert_allclose(found.effect[:, 0], products.sum(0) / (without[0] ** 2).sum(0))
    every = np.array([[1 if number >> place & 1 else -1 for place in range(12)] for number in range(4096)])
    exact = (np.abs(every @ products) >= np.abs(products.sum(0)) - 1e-9).mean(0)
    np.testing.assert_allclose(found.p_value[:, 0], exact, atol=0.04)
    assert found.p_value.min() >= 1 / 4096
    np.testing.assert_array_equal(chunks_of([1] * 6, 3), [0, 0, 1, 1, 2, 2])
    assert chunks_of([5, 1, 1, 1], 300).tolist() == [0, 1, 2, 3]


def test_under_the_null_one_in_twenty_is_below_05(cohort, components):
    for traits in ({}, {"enriched": True}, {"minor_allele": 0.3}):
        found = statistics_of(cohort, components, {"number": 2000, **traits})
        share = (found.p_value[0] < 0.05).mean()
        assert 0.04 <= share <= 0.06, traits
    # large effects of either sign where the score is large: neither the score nor its size says anything
    enriched = statistics_of(cohort, components, {"number": 500, "enriched": True})
    assert (enriched.p_value[1] < 0.05).mean() < 0.08
    # an annotation that leans on the minor allele is found in such traits unless the background is taken out
    leaning = [
        (
            statistics_of(cohort, components, {"number": 200, "minor_allele": 0.1}, background=bins).p_value[
                2
            ]
            < 0.05
        ).mean()
        for bins in (5, 0)
    ]
    assert leaning[0] < 0.1
    assert leaning[1] > 0.5


def test_power_rises_with_the_signed_effect(cohort, components):
    power, size = [], []
    for signed in (0.02, 0.05, 0.1):
        found = statistics_of(cohort, components, {"number": 100, "signed": signed})
        power.append((found.p_value[0] < 0.05).mean())
        size.append(found.effect[0].mean())
    assert power[0] < power[1] < power[2]
    assert power[1] > 0.6
    assert size[2] == pytest.approx(2 * size[1], rel=0.1)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Files of a small cohort: reference as .npz and PLINK, scores of four columns, summary statistics of a trait that follows one."""
    folder = tmp_path_factory.mktemp("sldp")
    cohort = mosaic_cohort(MosaicSettings(blocks=110, variants=30, people=200), 2)
    variants = cohort.variants
    np.savez(
        folder / "panel.npz",
        genotypes=cohort.genotypes,
        **{name: variants[name].to_numpy(str) for name in ("chromosome", "ref", "alt", "id")},
        position=variants["position"],
        block=variants["block"],
    )
    z = planted_traits(cohort, 2, 0, signed=0.3)
    table = pd.DataFrame({"SNP": variants["id"], "CHR": variants["chromosome"], "BP": variants["position"]})
    table["A1"], table["A2"], table["N"] = variants["alt"], variants["ref"], PEOPLE
    table.assign(Z=z[:, 0]).to_csv(folder / "height.sumstats.gz", sep="\t", index=False)
    random = np.random.default_rng(0)
    scores = variants[["chromosome", "position", "ref", "alt"]].copy()
    scores["known"] = variants["score"]
    scores["against"] = -variants["score"]
    scores["noise"] = random.permutation(variants["score"])
    scores["empty"] = 0.0
    scores.to_parquet(folder / "model.parquet")
    return folder, cohort, table, z


@pytest.fixture(scope="module")
def plink(place):
    """The reference as PLINK files, with missing genotypes, and a BED of its blocks."""
    bed_reader = pytest.importorskip("bed_reader", reason="the optional extra 'linkage' is not installed")
    folder, cohort, _, _ = place
    variants = cohort.variants
    holes = cohort.genotypes.astype(np.float32)
    holes[0, ::7] = np.nan
    bed_reader.to_bed(
        folder / "panel.bed",
        holes,
        properties={
            "chromosome": variants["chromosome"].to_numpy(str),
            "bp_position": variants["position"].to_numpy(),
            "allele_1": variants["alt"].to_numpy(str),
            "allele_2": variants["ref"].to_numpy(str),
            "sid": variants["id"].to_numpy(str),
        },
        num_threads=1,
    )
    spans = variants.groupby("block").agg(
        chromosome=("chromosome", "first"), low=("position", "min"), high=("position", "max")
    )
    (folder / "blocks.bed").write_text(
        "chr\tstart\tstop\n"
        + "".join(f"chr{row.chromosome}\t{row.low - 1}\t{row.high}\n" for row in spans.itertuples())
    )
    return folder


def found_in(folder, reference, trait=None, settings=FAST, **options):
    panel = read_reference(folder / reference, **options)
    traits = [trait or read_trait(folder / "height.sumstats.gz", panel)]
    return evaluate_sldp(panel, traits, [read_scored(folder / "model.parquet")], settings)


def test_files_give_what_was_planted_and_all_annotations_at_once(place):
    folder, _, _, _ = place
    result = found_in(folder, "panel.npz")
    rows = result.scores.set_index("stratum")
    assert rows.loc["known", "p_value"] == 1 / FAST.flips
    assert 0.2 < rows.loc["known", "value"] < 0.4
    assert rows.loc["known", "low"] > 0.1
    assert rows.loc["against", "value"] == pytest.approx(-rows.loc["known", "value"])
    assert abs(rows.loc["known", "control_value"]) < 0.12
    assert rows.loc["noise", "p_value"] > 0.01
    assert "empty" not in rows.index
    assert any("1 of 4 columns of scores are 0 everywhere" in text for text in result.warnings)
    assert any("1 block of the MHC" in text for text in result.warnings)
    assert any("A/T and C/G" in text for text in result.warnings)
    assert result.facts["dropped"] == 1
    assert result.facts["chunks"] == result.facts["blocks"] == 109
    kept = found_in(
        folder, "panel.npz", settings=SldpSettings(flips=100, keep_mhc=True, chunks=20, kept_variance=0.9)
    )
    assert kept.facts["blocks"] == 110
    assert kept.facts["chunks"] == 20


def test_plink_files_blocks_and_npz_agree(plink):
    folder = plink
    whole = found_in(folder, "panel.npz").scores["value"]
    plink = found_in(folder, "panel", blocks=folder / "blocks.bed").scores["value"]
    np.testing.assert_allclose(plink, whole, atol=0.02)  # one person lacks every seventh variant
    stretches = found_in(folder, "panel.bed", block_length=500_000)
    np.testing.assert_allclose(stretches.scores["value"], plink, atol=1e-9)


def test_effect_alleles_identifiers_and_effects_of_every_form_are_one(place, tmp_path):
    folder, _, table, z = place
    panel = read_reference(folder / "panel.npz")
    plain = read_trait(folder / "height.sumstats.gz", panel)
    ambiguous = [
        {first, second} in ({"A", "T"}, {"C", "G"}) for first, second in zip(table["A1"], table["A2"])
    ]
    np.testing.assert_array_equal(np.isnan(plain.z), ambiguous)
    np.testing.assert_allclose(plain.z[~np.isnan(plain.z)], z[~np.isnan(plain.z), 0])
    turned = table.rename(columns={"A1": "A2", "A2": "A1"}).assign(BETA=-z[:, 0] / 100, SE=0.01)
    other = str.maketrans("ACGT", "TGCA")
    complement = table.assign(
        A1=table["A1"].str.translate(other), A2=table["A2"].str.translate(other), Z=z[:, 0]
    )
    plink2 = table.drop(columns="A2").assign(REF=table["A2"], ALT=table["A1"], Z=z[:, 0])
    for frame in (turned, complement, plink2, table.drop(columns=["CHR", "BP"]).assign(Z=z[:, 0])):
        frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
        np.testing.assert_allclose(read_trait(tmp_path / "t.tsv", panel).z, plain.z, rtol=1e-9)
    table.drop(columns="N").assign(Z=z[:, 0]).to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    assert read_trait(tmp_path / "t.tsv", panel, 900).people == 900
    for frame, message in (
        (table, "no column for the z"),
        (table.drop(columns="A1").assign(Z=1), "no column for the effect allele"),
        (table.drop(columns="N").assign(Z=1), "give --people"),
        (table.assign(Z=1, BP=table["BP"] + 1), "are identifiers or the build others"),
    ):
        frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
        with pytest.raises(InputError, match=message):
            read_trait(tmp_path / "t.tsv", panel)


def test_heritability_is_estimated_from_ld_scores(place):
    folder, cohort, _, _ = place
    genotypes = cohort.standardised()
    scores = np.concatenate([linkage_scores(genotypes[:, rows]) for rows in cohort.block_rows()])
    z = planted_traits(cohort, 50, 4, heritability=0.4)
    found = [estimated_heritability(one**2, scores, PEOPLE, len(z)) for one in z.T]
    assert np.mean(found) == pytest.approx(0.4, abs=0.03)
    fixed = found_in(
        folder, "panel.npz", settings=SldpSettings(flips=100, heritability=0.3, background_bins=0)
    )
    assert set(fixed.facts["heritability"].values()) == {0.3}


def test_bad_references_are_refused(place, plink, tmp_path):
    folder, cohort, _, _ = place
    size = cohort.genotypes.shape[1]
    np.savez(tmp_path / "a.npz", genotypes=cohort.genotypes, position=np.arange(size))
    with pytest.raises(InputError, match="no array 'chromosome'"):
        read_reference(tmp_path / "a.npz")
    np.savez(
        tmp_path / "a.npz", genotypes=cohort.genotypes, position=np.arange(5), chromosome=np.array(["1"])
    )
    with pytest.raises(InputError, match="one value of each other array a variant"):
        read_reference(tmp_path / "a.npz")
    (tmp_path / "a.npz").write_bytes((folder / "panel.npz").read_bytes()[:1000])
    with pytest.raises(InputError, match="is not a readable"):
        read_reference(tmp_path / "a.npz")
    for suffix in (".bed", ".bim"):
        (tmp_path / f"p{suffix}").write_bytes((folder / f"panel{suffix}").read_bytes())
    with pytest.raises(InputError, match=r"p\.fam does not exist"):
        read_reference(tmp_path / "p")
    (tmp_path / "p.fam").write_bytes((folder / "panel.fam").read_bytes())
    (tmp_path / "p.bed").write_bytes((folder / "panel.bed").read_bytes()[:5000])
    with pytest.raises(InputError, match="may be cut"):
        read_reference(tmp_path / "p")
    (tmp_path / "b.bed").write_text("nothing\n")
    with pytest.raises(InputError, match="not a BED of linkage blocks"):
        read_reference(folder / "panel", blocks=tmp_path / "b.bed")
    (tmp_path / "b.bed").write_text("chr1\t1\t2\n")
    with pytest.raises(InputError, match="lies in a block"):
        read_reference(folder / "panel", blocks=tmp_path / "b.bed")
    few = "".join(f"chr{number}\t1\t60000000\n" for number in range(1, 6))
    (tmp_path / "b.bed").write_text(few)
    with pytest.raises(InputError, match="signs of at least 10"):
        found_in(folder, "panel", blocks=tmp_path / "b.bed")


def test_a_reference_without_alleles_is_joined_by_place_and_said_so(place, tmp_path):
    folder, cohort, _, _ = place
    names = {name: cohort.variants[name].to_numpy() for name in ("position", "block")}
    np.savez(
        tmp_path / "bare.npz",
        genotypes=cohort.genotypes,
        chromosome=cohort.variants["chromosome"].to_numpy(str),
        **names,
    )
    panel = read_reference(tmp_path / "bare.npz")
    trait = read_trait(folder / "height.sumstats.gz", panel)
    assert "does not tell its alleles" in trait.remarks[0]
    result = evaluate_sldp(panel, [trait], [read_scored(folder / "model.parquet")], FAST)
    assert result.scores.set_index("stratum").loc["known", "value"] > 0.2


def test_the_command_writes_a_report(plink, capsys):
    folder = plink
    words = f"evaluate sldp {folder}/model.parquet --summary {folder}/height.sumstats.gz --ld {folder}/panel --blocks {folder}/blocks.bed --people 5 --flips 500 --output {folder}/r"
    assert main(words.split()) == 0, capsys.readouterr().err
    assert "height, model known: correlation +0." in capsys.readouterr().out
    page = (folder / "r" / "report.html").read_text()
    assert "The control gives each variant a random sign" in page.replace(
        "the control gives", "The control gives"
    )
    assert (folder / "r" / "figures" / "sldp_forest1.png").exists()
    table = pd.read_parquet(folder / "r" / "annotations.parquet")
    assert {"z", "q_value", "control_p_value"} <= set(table)
    assert (
        main(
            f"evaluate sldp --summary {folder}/height.sumstats.gz --ld {folder}/panel --output {folder}/r2".split()
        )
        == 2
    )
    assert "give one table of scores or more" in capsys.readouterr().err
