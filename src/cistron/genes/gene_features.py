"""Genes and transcripts of GTF and GFF3 files of GENCODE, Ensembl, RefSeq and others."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd

from cistron.errors import InputError
from cistron.genes.identity import without_version
from cistron.genes.start_sites import UNTAGGED, tag_rank
from cistron.runtime.text_files import open_text

GENE_COLUMNS = ("gene", "symbol", "entrez", "biotype", "chromosome", "start", "end", "strand")
TRANSCRIPT_COLUMNS = ("gene", "symbol", "biotype", "chromosome", "position", "strand", "transcript", "rank")

Attributes = dict[str, list[str]]
_GTF_ATTRIBUTE = re.compile(r'([^\s;"]+)\s+(?:"([^"]*)"|([^";]+?))\s*(?:;|$)')
_GENES = frozenset(
    {"gene", "pseudogene", "ncRNA_gene", "transposable_element_gene", "tRNA_gene", "rRNA_gene"}
)
# What lies inside a transcript or beside it; anything else whose parent is a gene is a transcript.
_PARTS = frozenset(
    {"CDS", "exon", "intron", "start_codon", "stop_codon", "UTR", "Selenocysteine"}
    | {"five_prime_UTR", "three_prime_UTR", "five_prime_utr", "three_prime_utr", "biological_region"}
    | {"stop_codon_redefined_as_selenocysteine", "region", "chromosome", "scaffold", "supercontig"}
    | {"cDNA_match", "match", "match_part", "sequence_feature"}
)


def gtf_attributes(text: str) -> Attributes:
    """Read the ninth field of a GTF row: ``gene_id "A"; tag "basic"; tag "MANE_Select";``."""
    found: Attributes = {}
    for key, quoted, bare in _GTF_ATTRIBUTE.findall(text):
        found.setdefault(key, []).append(quoted or bare.strip())
    return found


def gff3_attributes(text: str) -> Attributes:
    """Read the ninth field of a GFF3 row: ``ID=gene:A;tag=basic,MANE_Select``."""
    found: Attributes = {}
    for part in text.strip().strip(";").split(";"):
        key, _, values = part.strip().partition("=")
        if key:
            found.setdefault(key, []).extend(unquote(value) for value in values.split(","))
    return found


def is_gff3(attributes: str) -> bool:
    """Tell GFF3 from GTF by the ninth field of a row."""
    return re.match(r'\s*[^\s;="]+=', attributes) is not None


def read_gene_features(
    path: str | Path, what: str = "annotation"
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Read the genes and transcripts of a GTF or GFF3 file.

    Parameters
    ----------
    path
        File, plain or packed. GTF and GFF3 are told by their attributes, not by the suffix.
    what
        What the file is, for messages.

    Returns
    -------
    genes
        One row per gene: ``gene`` (without version), ``symbol``, ``entrez``, ``biotype``, ``chromosome``, ``start``,
        ``end`` (0-based, half-open), ``strand``, and where the file has transcripts and exons ``transcripts`` and ``exons``
        (of the transcript that has most). Where the file has no rows of genes, they are made from transcripts.
    transcripts
        One row per transcript: ``gene``, ``symbol``, ``biotype``, ``chromosome``, ``position`` (0-based 5' end),
        ``strand``, ``transcript``, ``rank`` (:func:`cistron.genes.start_sites.tag_rank`). Where the file has no rows of
        transcripts, they are made from exons.
    comments
        The lines before the first row that begin with ``#``.

    Raises
    ------
    InputError
        If the file cannot be read, is no GTF or GFF3, or a row breaks the format; its line is named.
    """
    path = Path(path)
    genes: list[dict[str, Any]] = []
    transcripts: list[dict[str, Any]] = []
    exons: dict[tuple[str, str, str], dict[str, Any]] = {}
    comments: list[str] = []
    gene_of: dict[str, dict[str, Any]] = {}
    children: list[tuple[list[str], dict[str, Any]]] = []
    skipped = set(_PARTS - {"exon"})
    exons_of: Counter[str] = Counter()
    for row in _rows(path, what, comments, skipped, exons_of):
        feature, attributes = row["feature"], row["attributes"]
        if row["gff3"]:
            if feature in _GENES or (feature.endswith("gene") and "Parent" not in attributes):
                gene = _gene(row, _gff3_gene_id(attributes))
                gene_of.update(dict.fromkeys(attributes.get("ID", []), gene))
                genes.append(gene)
            elif "Parent" in attributes:
                children.append((attributes["Parent"], row))
        elif "gene_id" not in attributes:
            if feature in ("gene", "transcript"):
                raise InputError(
                    f"{path.name} line {row['line']}: no gene_id; expected one in each row of a GTF"
                )
        elif feature == "gene":
            genes.append(_gene(row, attributes["gene_id"][0]))
        elif feature == "exon":
            _widen(exons, row)
        else:
            skipped.add("exon")  # transcripts are told by rows of their own
            transcripts.append(_transcript(row, _gene(row, attributes["gene_id"][0])))
    for parents, row in children:
        found = [gene_of[parent] for parent in parents if parent in gene_of]
        transcripts += [_transcript(row, gene) for gene in found]
    if not transcripts and exons:
        transcripts = [
            _transcript(row, _gene(row, row["attributes"]["gene_id"][0])) for row in exons.values()
        ]
    if not genes and not transcripts:
        raise InputError(
            f"annotation {path.name} has no gene rows or transcript rows; expected GTF or GFF3 of GENCODE, Ensembl or RefSeq"
        )
    counted = _with_counts(_gene_frame(genes, transcripts), transcripts, exons_of)
    return counted, _transcript_frame(genes, transcripts), comments


def _with_counts(
    genes: pd.DataFrame, transcripts: list[dict[str, Any]], exons_of: Counter[str]
) -> pd.DataFrame:
    """Genes with their numbers of transcripts and of exons of the transcript that has most, where the file has any."""
    number: Counter[str] = Counter()
    most: dict[str, int] = {}
    for row in transcripts:
        number[row["gene"]] += 1
        most[row["gene"]] = max(most.get(row["gene"], 0), exons_of[row["key"]])
    if number:
        genes["transcripts"] = [number[gene] for gene in genes["gene"]]
    if any(most.values()):
        genes["exons"] = [most.get(gene, 0) for gene in genes["gene"]]
    return genes


_EXON_PARENT = re.compile(r'transcript_id "?([^";]+)|(?:^|;)\s*Parent=([^;]+)')


def _rows(
    path: Path, what: str, comments: list[str], skipped: set[str], exons_of: Counter[str]
) -> Iterator[dict[str, Any]]:
    """Yield the rows that may be of genes, transcripts, or (GTF without them) exons; count the exons of transcripts."""
    read: Callable[[str], Attributes] | None = None
    with open_text(path, what) as handle:
        for number, line in enumerate(handle, 1):
            if line.startswith("#"):
                if line.startswith("##FASTA"):
                    break
                if read is None:
                    comments.append(line.rstrip())
                continue
            if line.count("\t") != 8:
                if not line.strip():
                    continue
                ending = "" if line.endswith("\n") else "; the file is cut there"
                raise InputError(
                    f"{path.name} line {number}: a GTF or GFF3 row has 9 tab-separated fields. "
                    f"Given: {line.count(chr(9)) + 1}{ending}"
                )
            chromosome, _, feature, rest = line.split("\t", 3)
            if read is None:
                read = gff3_attributes if is_gff3(rest.rsplit("\t", 1)[1]) else gtf_attributes
            gff3 = read is gff3_attributes
            if feature == "exon" and (parent := _EXON_PARENT.search(rest.rsplit("\t", 1)[1])):
                exons_of.update((parent[1] or parent[2].rstrip()).split(","))
            if feature in skipped or (gff3 and feature == "exon"):
                continue
            first, last, _, strand, _, text = rest.split("\t")
            if not first.strip().isdecimal() or not last.strip().isdecimal():
                raise InputError(
                    f"{path.name} line {number}: no coordinates; expected numbers. Given: {first[:20]!r} and {last[:20]!r}"
                )
            start, end = int(first), int(last)
            if start < 1 or end < start:
                raise InputError(
                    f"{path.name} line {number}: start {start} and end {end}; GTF and GFF3 count from 1, and the end is not "
                    "before the start"
                )
            if strand not in ("+", "-", ".", "?"):
                raise InputError(f"{path.name} line {number}: strand is {strand[:20]!r}; expected +, - or .")
            yield {
                "line": number,
                "gff3": gff3,
                "feature": feature,
                "chromosome": chromosome,
                "start": start - 1,
                "end": end,
                "strand": "." if strand == "?" else strand,
                "attributes": read(text),
            }


def _first(attributes: Attributes, *keys: str) -> str:
    for key in keys:
        if attributes.get(key, [""])[0]:
            return attributes[key][0]
    return ""


def _gff3_gene_id(attributes: Attributes) -> str:
    return _first(attributes, "gene_id") or re.sub(r"^gene[:-]", "", _first(attributes, "ID", "Name"))


def _gene(row: dict[str, Any], gene: str) -> dict[str, Any]:
    attributes = row["attributes"]
    if not gene:
        raise InputError(f"line {row['line']}: a gene without an id")
    references = [*attributes.get("db_xref", []), *attributes.get("Dbxref", [])]
    entrez = next((value.partition(":")[2] for value in references if value.startswith("GeneID:")), "")
    return {
        "gene": without_version(gene),
        "symbol": _first(attributes, "gene_name", "gene", "Name")
        if row["gff3"]
        else _first(attributes, "gene_name", "gene"),
        "entrez": entrez,
        "biotype": _first(attributes, "gene_type", "gene_biotype", *(["biotype"] if row["gff3"] else [])),
        **{key: row[key] for key in ("chromosome", "start", "end", "strand")},
    }


def _transcript(row: dict[str, Any], gene: dict[str, Any]) -> dict[str, Any]:
    attributes = row["attributes"]
    name = _first(attributes, "transcript_id") or re.sub(r"^(transcript:|rna-)", "", _first(attributes, "ID"))
    return {
        **{key: gene[key] for key in ("gene", "symbol", "entrez", "biotype")},
        **{key: row[key] for key in ("chromosome", "start", "end", "strand")},
        "transcript": name,
        "rank": tag_rank(attributes.get("tag", ())),
        "key": _first(attributes, "ID") if row["gff3"] else name,  # what its exons call it
    }


def _widen(exons: dict[tuple[str, str, str], dict[str, Any]], row: dict[str, Any]) -> None:
    """Add an exon to its transcript."""
    attributes = row["attributes"]
    key = (row["chromosome"], attributes["gene_id"][0], _first(attributes, "transcript_id"))
    known = exons.setdefault(key, row)
    known["start"], known["end"] = min(known["start"], row["start"]), max(known["end"], row["end"])


def _gene_frame(genes: list[dict[str, Any]], transcripts: Iterable[dict[str, Any]]) -> pd.DataFrame:
    if genes:
        frame = pd.DataFrame(genes, columns=list(GENE_COLUMNS))
        return frame.drop_duplicates("gene", ignore_index=True)
    frame = pd.DataFrame(transcripts)
    frame = frame[frame["chromosome"] == frame.groupby("gene", sort=False)["chromosome"].transform("first")]
    ends = frame.groupby("gene", sort=False).agg({"start": "min", "end": "max"})
    frame = frame.drop_duplicates("gene").drop(columns=["start", "end"]).join(ends, on="gene")
    return frame[list(GENE_COLUMNS)].reset_index(drop=True)


def _transcript_frame(genes: list[dict[str, Any]], transcripts: list[dict[str, Any]]) -> pd.DataFrame:
    """Transcripts with their 5' end, and what their own rows leave out taken from their gene."""
    known = {gene["gene"]: gene for gene in reversed(genes)}
    seen = {row["gene"] for row in transcripts}
    # a gene without rows of transcripts begins where it begins
    rows = [
        *transcripts,
        *({**gene, "transcript": "", "rank": UNTAGGED} for gene in genes if gene["gene"] not in seen),
    ]
    frame = pd.DataFrame(rows)
    for key in ("symbol", "biotype"):
        filled = [value or known.get(gene, {}).get(key, "") for value, gene in zip(frame[key], frame["gene"])]
        frame[key] = filled
    frame["position"] = frame["start"].where(frame["strand"] != "-", frame["end"] - 1)
    return frame[list(TRANSCRIPT_COLUMNS)]
