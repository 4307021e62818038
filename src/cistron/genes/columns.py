"""Names under which public tables give genes and their places."""

import re
from collections.abc import Sequence

# Names under which tables give each column, without case and signs, in order of preference.
ACCEPTED_COLUMNS = {
    "gene": "gene gene_id ensembl_gene_id ensembl ensembl_id gene_stable_id gene_stable_id_version ensembl_gene_id_version "
    "geneid",
    "symbol": "symbol gene_name gene_symbol hgnc_symbol approved_symbol external_gene_name",
    "entrez": "entrez entrez_id entrezgene entrezgene_id ncbi_gene_id ncbi_gene_formerly_entrezgene_id",
    "chromosome": "chromosome chr chrom seqname seqnames seqid chromosome_name chromosome_scaffold_name contig",
    "start": "start gene_start gene_start_bp start_position chromstart chrom_start txstart tx_start start_bp",
    "end": "end stop gene_end gene_end_bp end_position chromend chrom_end txend tx_end end_bp",
    "strand": "strand",
    "position": "position tss transcription_start_site transcription_start_site_tss",
    "transcript": "transcript transcript_id transcript_stable_id transcript_stable_id_version ensembl_transcript_id "
    "ensembl_transcript_id_version",
    "biotype": "biotype gene_type gene_biotype",
    "tag": "tag tags",
}


def plain_column(name: object) -> str:
    """Name of a column without case and signs: ``Gene start (bp)`` is ``gene_start_bp``."""
    return re.sub(r"[^a-z0-9]+", "_", str(name).strip().lower()).strip("_")


def find_columns(columns: Sequence[object]) -> dict[str, object]:
    """Which column of a table is which of :data:`ACCEPTED_COLUMNS`; absent ones are left out."""
    plain: dict[str, object] = {}
    for column in columns:
        plain.setdefault(plain_column(column), column)
    found = {}
    for meaning, names in ACCEPTED_COLUMNS.items():
        name = next((name for name in names.split() if name in plain), None)
        if name is not None:
            found[meaning] = plain[name]
    return found
