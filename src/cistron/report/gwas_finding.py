"""The finding of a GWAS evaluation in words, and what a reader must be warned of."""

from typing import Any

from cistron.plots.style import signed
from cistron.report.page import fixed, p_value

# A permuted embedding scores about 0; a tenth of a useful gain is more than its scatter explains.
_CONTROL_TOLERANCE = 0.001


def verdict(record: dict[str, Any]) -> tuple[str, str]:
    """Judge one embedding by its interval, by where genes lie, and by its controls.

    It ``knows`` something only if the interval over the positional null model lies above 0 and so does the
    interval of its difference from every control.

    Parameters
    ----------
    record
        Entry of ``GwasScores.ranking``. What a shorter record does not name is not judged.

    Returns
    -------
    kind
        ``better``, ``worse``, ``open`` or ``unfounded``.
    sentence
        What that means, starting with a verb.
    """
    value, low, high, control = (record[name] for name in ("value", "low", "high", "control"))
    if value != value:
        return "open", "could not be scored"
    if low != low:
        return "open", "has no interval, so nothing can be said about its gain"
    if high < 0:
        return "worse", "predicts these traits worse than the covariates alone"
    if low <= 0:
        return "open", "shows no reliable gain over the covariates"
    if control == control and control >= value:
        return "unfounded", "does no better than its own permuted control, so its gain is not evidence"
    if control == control and control >= low:
        return "open", "gains over the covariates, but its permuted control lies inside the interval"
    positional = record.get("positional_low", low)
    if positional != positional:
        return "open", "gains over the covariates, but whether that is where genes lie was not measured"
    if positional <= 0:
        return "unfounded", "gains nothing reliable once the null model knows where genes lie"
    differences = record.get("differences")
    if differences is not None:
        if not differences:
            return "open", "gains over the covariates, but was not compared with a control"
        failing = [kind for kind, (_, least) in differences.items() if not least > 0]
        if failing:
            return "unfounded", f"does not reliably gain more than its {' and '.join(failing)} control"
    return "better", "knows something about these traits that covariates and places of the genes do not"


def finding(ranking: list[dict[str, Any]]) -> list[str]:
    """Write the finding as sentences: the best embedding with interval and control, then the others.

    Parameters
    ----------
    ranking
        ``GwasScores.ranking``.
    """
    best = ranking[0]
    several = len(ranking) > 1
    traits = f"{best['traits']} traits" if best["traits"] > 1 else "one trait"
    _, sentence = verdict(best)
    who = f"{best['label']} (the best of {len(ranking)})" if several else best["label"]
    sentences = [f"{who} {sentence}."]
    if best["value"] != best["value"]:
        return sentences
    interval = (
        f" ({best['interval'] or 'interval'}: {signed(best['low'])} to {signed(best['high'])})"
        if best["low"] == best["low"]
        else ""
    )
    gain = "median gain in R² over" if best["traits"] > 1 else "gain in R² on"
    null = f", where the covariates alone reach {fixed(best['null'])}" if best["null"] == best["null"] else ""
    sentences.append(f"Its {gain} {traits} is {signed(best['value'])}{interval}{null}.")
    sentences += _over_both(best)
    if best["control"] == best["control"]:
        sentences.append(f"The same embedding with its genes permuted gives {signed(best['control'])}.")
    if best["traits"] > 1 and best["low"] == best["low"]:
        sentences.append(f"The interval lies above 0 for {best['above']} of {traits}.")
    if best["p_value"] == best["p_value"]:
        sense = "above" if best["direction"] > 0 else "below"
        clear = f"lie {sense} 0" if best["p_value"] < 0.05 else "do not clearly differ from 0"
        sentences.append(
            f"Over traits the differences {clear} (Wilcoxon, Bonferroni-corrected p = {p_value(best['p_value'])}; "
            "descriptive, since traits are correlated)."
        )
    if several:
        worse = [record["label"] for record in ranking if verdict(record)[0] == "worse"]
        better = sum(verdict(record)[0] == "better" for record in ranking)
        sentences.append(
            f"{better} of {len(ranking)} embeddings gain reliably"
            + (f"; worse than the covariates alone: {', '.join(worse)}." if worse else ".")
        )
    return sentences


def _over_both(best: dict[str, Any]) -> list[str]:
    """The gain over either null model, where both were fitted."""
    positional, published = (best.get(f"{null}_value", float("nan")) for null in ("positional", "published"))
    if positional != positional or published != published:
        return []
    return [
        f"Over covariates that know where genes lie it is {signed(positional)}, over the published ones {signed(published)}."
    ]


def finding_warnings(ranking: list[dict[str, Any]], coverage: list[dict[str, Any]]) -> list[str]:
    """List what would mislead a reader who only looks at the ranking."""
    warnings = []
    above = [record["label"] for record in ranking if record["control"] > _CONTROL_TOLERANCE]
    if above:
        warnings.append(
            f"The negative control lies above 0 for {', '.join(above)}: something other than the embedding's "
            "gene-by-gene content raises the score. Find it before using these figures."
        )
    shared = [record for record in ranking if record["shared"] == record["shared"]]
    if len(shared) > 1 and max(shared, key=lambda record: record["shared"])["label"] != ranking[0]["label"]:
        leader = max(shared, key=lambda record: record["shared"])["label"]
        warnings.append(
            f"On the genes that all embeddings cover, {leader} is best, not {ranking[0]['label']}: "
            "part of the difference is coverage, not knowledge."
        )
    flipped = [
        record["label"]
        for record in ranking
        if record["odd"] * record["even"] < 0 and verdict(record)[0] in ("better", "unfounded")
    ]
    if flipped:
        warnings.append(f"The gain has opposite signs on odd and even chromosomes for {', '.join(flipped)}.")
    poor = [entry for entry in coverage if entry["share"] is not None and entry["share"] < 0.7]
    warnings += [
        f"{entry['embedding']} covers only {entry['share']:.0%} of the genes of the traits; "
        "both models are fitted and scored on these alone."
        for entry in poor
    ]
    return warnings
