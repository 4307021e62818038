"""Where genes lie: the one reader of gene places, in every form in which they are published."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cistron.errors import InputError
from cistron.genes.columns import find_columns
from cistron.genes.gene_features import GENE_COLUMNS, TRANSCRIPT_COLUMNS, read_gene_features
from cistron.genes.identity import guess_namespace
from cistron.genes.place_tables import expected_columns, places_of_frame, read_bed
from cistron.genes.start_sites import SITE_COLUMNS, UNTAGGED, choose_start_sites
from cistron.runtime.tables import read_text_table
from cistron.runtime.text_files import open_text, plain_name

ACCEPTED_FORMS = "GTF, GFF3, BED, or a table (.tsv, .csv, .parquet)"


@dataclass(frozen=True)
class GenePlaces:
    """Genes and their places.

    Attributes
    ----------
    name
        Name of the file.
    form
        ``gtf`` (GFF3 too), ``bed`` or ``table``.
    genes
        One row per gene: ``gene`` (Ensembl ids without version), and what the file has of ``symbol``, ``entrez``,
        ``biotype``, ``chromosome`` (as the file spells it), ``start``, ``end`` (0-based, half-open), ``position`` (0-based
        start site), ``strand`` (``+``, ``-``, or ``.`` where it is not known); of GTF and GFF3 the numbers of
        ``transcripts`` and ``exons``, of a table all other columns.
    transcripts
        One row per transcript: ``gene``, ``symbol``, ``biotype``, ``chromosome``, ``position``, ``strand``,
        ``transcript``, ``rank``; empty where the file says no start sites.
    comments
        Lines before the first row that begin with ``#``.
    remarks
        What was assumed or noticed, one sentence each.
    placeless
        Genes of a table that say no chromosome or no position, where others do.
    """

    name: str
    form: str
    genes: pd.DataFrame
    transcripts: pd.DataFrame
    comments: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    placeless: tuple[str, ...] = ()

    def require(self, *columns: str) -> pd.DataFrame:
        """Give :attr:`genes`, or say which of the columns the file lacks.

        Raises
        ------
        InputError
            If it lacks one.
        """
        absent = [column for column in columns if column not in self.genes]
        if absent:
            raise InputError(
                f"{self.name} has no column {absent[0]!r}; {expected_columns()}. "
                f"Given: {', '.join(map(str, self.genes.columns[:8]))[:200]}"
            )
        return self.genes

    def stranded_transcripts(self) -> tuple[pd.DataFrame, list[str]]:
        """Transcripts whose place and strand are known, and remarks on the others.

        Raises
        ------
        InputError
            If the file says no start sites, or the place or strand of more than 5% of the genes is not known.
        """
        if self.transcripts.empty:
            columns = (
                ("chromosome", "strand")
                if {"start", "end"} <= set(self.genes)
                else ("chromosome", "position", "strand")
            )
            self.require(*columns)
        table, remarks = self.transcripts, []
        if self.placeless:
            remarks.append(
                f"{self.name}: {len(self.placeless):,} genes without a chromosome or a position left out, for example {self.placeless[0]}"
            )
            if len(self.placeless) > 0.05 * len(self.genes):
                raise InputError(f"{remarks[0]}: more than 5% are not left out; correct the table")
        unknown = ~table["strand"].isin(["+", "-"])
        if not unknown.any():
            return table, remarks
        genes = table.loc[unknown, "gene"].unique()
        if len(genes) > 0.05 * table["gene"].nunique():
            raise InputError(
                f"{self.name}: strand is + or -, which a start site needs. Given: '.' for {len(genes):,} genes, for example {genes[0]}"
            )
        remark = f"{self.name}: {len(genes):,} genes without a strand left out, for example {genes[0]}"
        return table[~unknown].reset_index(drop=True), [*remarks, remark]

    def start_sites(self) -> tuple[pd.DataFrame, list[str]]:
        """Choose one start site per gene (:func:`cistron.genes.start_sites.choose_start_sites`).

        Returns
        -------
        sites
            ``gene``, ``chromosome``, ``position`` (0-based), ``strand``, and ``symbol`` where it is known.
        remarks
            What was assumed or left out, one sentence each.

        Raises
        ------
        InputError
            If the file says no start sites or strands, or a table without transcripts names a gene twice.
        """
        table, remarks = self.stranded_transcripts()
        if self.form != "gtf" and not _has_transcripts(table):
            twice = table.loc[table["gene"].duplicated(), "gene"]
            if len(twice):
                raise InputError(
                    f"{self.name}: {len(twice):,} genes occur more than once, for example {twice.iloc[0]}; keep one site each, "
                    "or say the transcripts (column transcript)"
                )
        sites = choose_start_sites(table)
        kept = [*SITE_COLUMNS, *(["symbol"] if (sites["symbol"] != "").any() else [])]
        return sites[kept], [*self.remarks, *remarks]


def read_gene_places(path: str | Path, what: str = "annotation") -> GenePlaces:
    """Read where genes lie.

    Parameters
    ----------
    path
        GTF or GFF3 (GENCODE, Ensembl, RefSeq), BED with the gene in column 4, or a table with a header (.tsv, .csv,
        .parquet; columns as BioMart, MAGMA or :data:`cistron.genes.columns.ACCEPTED_COLUMNS` name them). Plain, gzip,
        bgzip or otherwise packed. The form is told by the content.
    what
        What the file is, for messages.

    Returns
    -------
    GenePlaces
        Genes, and transcripts where the file has them.

    Raises
    ------
    InputError
        If the file cannot be read or has no genes; where a row is wrong its line is named.
    """
    path = Path(path)
    form = place_form(path, what)
    if form == "gtf":
        genes, transcripts, comments = read_gene_features(path, what)
        return GenePlaces(path.name, form, genes, transcripts, tuple(comments))
    if form == "bed":
        table, remarks = read_bed(path, what)
        table["rank"] = UNTAGGED
    elif form == "parquet":
        table, remarks = places_of_frame(read_parquet_frame(path, what), path.name)
    else:
        text = read_text_table(path, what, header=None)
        _refuse_doubled(text.columns, path.name)
        frame = text.frame
        if text.layout.headerless and guess_namespace(text.frame.iloc[:, 0]) != "ensembl":
            raise InputError(f"{what} {path.name} has no header; {expected_columns()}")
        if text.layout.headerless:  # CELLxGENE's gene list: Ensembl id, symbol, version, length, biotype
            frame = frame.iloc[:, :2].set_axis(["gene", "symbol"][: frame.shape[1]], axis=1)
        table, remarks = places_of_frame(frame, path.name, text.layout.line_of)
        remarks = [*text.remarks, *remarks]
    if table.empty:
        raise InputError(f"{what} {path.name} holds no genes; {expected_columns()}")
    transcripts = _sites_of_rows(table)
    placed = set(transcripts["gene"])
    placeless = [gene for gene in table["gene"].unique() if gene not in placed] if placed else []
    if "position" not in table and {"start", "end", "strand"} <= set(table.columns):
        table["position"] = _five_prime(table).where(table["strand"] != ".")  # no start site without a strand
    again = table.loc[table["gene"].duplicated() & ~table.duplicated()]
    if len(again) and not _has_transcripts(table):
        remarks = [
            *remarks,
            f"{path.name}: {again['gene'].nunique():,} genes stand in several rows, for example {again['gene'].iloc[0]}; the first place is taken",
        ]
    genes = table.drop(columns=["rank", "transcript"], errors="ignore").drop_duplicates(
        "gene", ignore_index=True
    )
    name = "bed" if form == "bed" else "table"
    return GenePlaces(path.name, name, genes, transcripts, (), tuple(remarks), tuple(placeless))


def _has_transcripts(table: pd.DataFrame) -> bool:
    """Whether rows are of transcripts: they are named, or a tag ranks one."""
    named = "transcript" in table and bool((table["transcript"] != "").any())
    return named or bool((table["rank"] != UNTAGGED).any())


def _sites_of_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table as transcripts, where it says a chromosome, a strand and a start site for each."""
    empty = pd.DataFrame(columns=list(TRANSCRIPT_COLUMNS))
    if not {"chromosome", "strand"} <= set(table.columns):
        return empty
    if "position" in table:
        position = table["position"]
    elif {"start", "end"} <= set(table.columns):
        position = _five_prime(table)
    else:
        return empty
    known = position.notna() & (table["chromosome"] != "")
    filled = {key: table.get(key, "") for key in ("symbol", "biotype", "transcript")}
    rows = pd.DataFrame({**table[["gene", "chromosome", "strand", "rank"]], **filled, "position": position})[
        known
    ]
    return rows[list(TRANSCRIPT_COLUMNS)].astype({"position": "int64"}).reset_index(drop=True)


def _five_prime(table: pd.DataFrame) -> pd.Series:
    return table["start"].where(table["strand"] != "-", table["end"] - 1)


def place_form(path: Path, what: str) -> str:
    """Tell ``gtf``, ``bed``, ``parquet`` or ``table`` by the first row, or by the suffix where that says nothing."""
    with (
        suppress(OSError),
        path.open("rb") as raw,
    ):  # what cannot be opened is refused by the reader of the form
        if raw.read(4) == b"PAR1" or path.suffix == ".parquet":
            return "parquet"
    suffix = plain_name(path).rpartition(".")[2].lower()
    if suffix in ("gtf", "gff", "gff2", "gff3"):
        return "gtf"
    with open_text(path, what) as handle:
        lines = (line.rstrip("\r\n") for line in handle)
        first = next(
            (line for line in lines if line.strip() and not line.startswith(("#", "track ", "browser "))), ""
        )
    fields = first.split("\t") if "\t" in first else first.split()
    if len(fields) == 9 and fields[3].isdigit() and fields[4].isdigit() and fields[6] in ("+", "-", ".", "?"):
        return "gtf"
    if suffix == "bed" or (
        len(fields) > 3 and fields[1].isdigit() and fields[2].isdigit() and not find_columns(fields)
    ):
        return "bed"
    return "table"


def read_parquet_frame(path: Path, what: str) -> pd.DataFrame:
    """Read a Parquet file with its index as a column; a damaged one is an :class:`InputError`."""
    try:
        frame = pd.read_parquet(path)
    except OSError as error:
        raise InputError(
            f"{what} {path.name} cannot be read ({error.strerror or 'it is damaged'})"
        ) from error
    except Exception as error:  # damaged metadata makes pyarrow raise nearly anything
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise InputError(f"{what} {path.name} cannot be read as Parquet ({reason})") from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    _refuse_doubled(list(map(str, frame.columns)), path.name)
    return frame


def _refuse_doubled(columns: tuple[str, ...] | list[str], name: str) -> None:
    twice = [column for column in dict.fromkeys(columns) if list(columns).count(column) > 1]
    if twice and find_columns(twice):
        raise InputError(
            f"{name} has {list(columns).count(twice[0])} columns called {twice[0]!r}; rename all but one"
        )


def read_annotation(path: str | Path) -> pd.DataFrame:
    """Read the genes of an annotation.

    Parameters
    ----------
    path
        What :func:`read_gene_places` takes.

    Returns
    -------
    DataFrame
        Columns ``gene`` (no version), ``symbol``, ``biotype``, ``chromosome``, ``start``, ``end`` (0-based, half-open),
        ``strand``.

    Raises
    ------
    InputError
        If the file cannot be read or lacks a column.
    """
    places = read_gene_places(path)
    genes = places.require("chromosome", "start", "end").copy()
    for key in ("symbol", "biotype"):
        genes[key] = genes.get(key, "")
    genes["strand"] = genes.get("strand", ".")
    return genes[[column for column in GENE_COLUMNS if column != "entrez"]]


def read_transcription_start_sites(path: str | Path) -> pd.DataFrame:
    """Read the transcription start sites of an annotation, one row per transcript.

    The start site is the 5' end of the transcript: its start on the plus strand, its end on the minus strand. Genes
    without a strand are left out.

    Returns
    -------
    DataFrame
        Columns ``gene``, ``symbol``, ``biotype``, ``chromosome``, ``position`` (0-based), ``strand``, ``transcript``,
        ``rank`` (:func:`cistron.genes.start_sites.tag_rank`), ``canonical`` (whether a tag ranks it).

    Raises
    ------
    InputError
        If the file cannot be read or says no start sites.
    """
    table, _ = read_gene_places(path).stranded_transcripts()
    return table.assign(canonical=table["rank"] < UNTAGGED)
