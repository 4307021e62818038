"""The one rule for the transcription start site of a gene.

Ensembl canonical, else MANE Select, else MANE Plus Clinical, else RefSeq Select, else APPRIS principal 1 to 5, else any
transcript. Of several transcripts of the best rank, the site that most transcripts of the gene share; of equally common
sites the most upstream one in the direction of transcription.
"""

import re
from collections.abc import Iterable

import pandas as pd

# Lower is better. RefSeq writes blanks where GENCODE and Ensembl write underscores.
_RANKS = {
    "ensembl_canonical": 0,
    "mane_select": 1,
    "mane_plus_clinical": 2,
    "refseq_select": 3,
    "appris_principal": 4,
    **{f"appris_principal_{number}": 3 + number for number in range(1, 6)},
}
UNTAGGED = 9
SITE_COLUMNS = ("gene", "chromosome", "position", "strand")


def tag_rank(tags: Iterable[str]) -> int:
    """Rank of a transcript by its tags: 0 for Ensembl canonical to 8 for APPRIS principal 5, 9 without any of them."""
    names = (re.sub(r"[^a-z0-9]+", "_", tag.strip().lower()) for tag in tags)
    return min((_RANKS.get(name, UNTAGGED) for name in names), default=UNTAGGED)


def choose_start_sites(transcripts: pd.DataFrame) -> pd.DataFrame:
    """Choose one start site per gene.

    Parameters
    ----------
    transcripts
        One row per transcript: ``gene``, ``chromosome``, ``position`` (0-based), ``strand``, and ``rank`` of
        :func:`tag_rank` (or ``canonical``, true for rank 0; without either no transcript is tagged).

    Returns
    -------
    DataFrame
        The rows that were chosen, one per gene, in the order in which genes first occur. A gene on several chromosomes
        (pseudoautosomal) keeps the chromosome that comes first.
    """
    table = transcripts.reset_index(drop=True)
    if "rank" not in table:
        tagged = table["canonical"].astype(bool) if "canonical" in table else pd.Series(False, table.index)
        table["rank"] = (~tagged).astype(int) * UNTAGGED
    table = table[table["chromosome"] == table.groupby("gene", sort=False)["chromosome"].transform("first")]
    order = pd.DataFrame(
        {
            "gene": table["gene"],
            "rank": table["rank"],
            "shared": -table.groupby(["gene", "position"])["position"].transform("size"),
            "upstream": table["position"].where(table["strand"] != "-", -table["position"]),
        }
    )
    best = order.sort_values(["rank", "shared", "upstream"], kind="stable").drop_duplicates("gene")
    return table.loc[best.sort_index().index].set_index("gene").loc[table["gene"].unique()].reset_index()
