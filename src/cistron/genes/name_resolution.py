"""Names of genes to identifiers by one or several tables, and what was found and lost, by kind.

Between a fifth and a half of the symbols of a published matrix are not the symbols of today: renamed genes, names of clones
(``RP11-34P13.7``), copies that were made unique (``VAMP7-1``). A current symbol is looked up first, then previous symbols
and aliases, then the further tables in their order (an older annotation knows the clones), then an Ensembl id in the name.
"""

import gzip
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cistron.errors import IdentifierError, InputError
from cistron.genes.gene_map import read_gene_map
from cistron.genes.identity import GeneMap, normalise_identifiers, without_version
from cistron.runtime.files import atomic_path

_ID_IN_NAME = re.compile(r"(?:^|[_|;:\s(])(ENS[A-Z]{0,6}G\d{11})(?:\.\d+)?\)?$")
_CLONE = re.compile(
    r"^(?:(?:RP|CT[ABCD]|KB|XX|LL[A-Z]*|GS|CH|CMB|LA|WI|HSA?|DK[A-Z]*|bP|yR|SC22CB|D|WU)[A-Za-z]*\d*-|(?:A[CDFJLPB]|AADB|B[XSCK]|CR|F[OPQ]|U|Z|L|X|Y|M|AH)\d{5,8}[.-])\S+$"
)
_COPY = re.compile(r"^(.+)[.-](\d{1,4})$")
_DATE = re.compile(r"^(?:\d{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-\d{1,2}|\d{4}-\d{2}-\d{2}.*)$")
# Kinds of loss, in the order in which a name is tried for them.
LOSSES = {
    "met in one gene with another name": "collided",
    "name several genes": "ambiguous",
    "are copies of another name": "copies",
    "are dates that a spreadsheet made of names": "dates",
    "are names of clones": "clones",
    "are unknown": "unknown",
}


@dataclass(frozen=True)
class NameMap:
    """Names of one namespace to identifiers of another.

    Attributes
    ----------
    source, target
        Namespaces.
    names
        Name to identifier.
    how
        By what each name was found: ``current name``, ``previous name or alias``, or the name of a further table.
    ambiguous
        Names that the tables give to several genes.
    origin
        Names of the tables.
    """

    source: str
    target: str
    names: Mapping[str, str]
    how: Mapping[str, str]
    ambiguous: frozenset[str] = frozenset()
    origin: str = ""

    @classmethod
    def of_tables(cls, tables: Sequence[str | Path], source: str, target: str) -> "NameMap":
        """Read tables between namespaces; what the first does not know is looked up in the next.

        Parameters
        ----------
        tables
            In a form that :func:`cistron.genes.gene_map.read_gene_map` takes.
        source, target
            Namespaces.

        Raises
        ------
        InputError
            If a table cannot be read or does not hold both namespaces.
        """
        names: dict[str, str] = {}
        how: dict[str, str] = {}
        ambiguous: set[str] = set()
        for number, path in enumerate(tables):
            table = read_gene_map(path)
            found = table.lookup(source, target)
            current = set(table.table[source])
            for name, identifier in found.items():
                if name not in names and name not in ambiguous:
                    names[name] = identifier
                    kind = "current name" if name in current else "previous name or alias"
                    how[name] = kind if number == 0 else Path(path).name
            ambiguous |= _ambiguous(table, source, target) - names.keys()
        origin = ", ".join(Path(path).name for path in tables)
        return cls(source, target, names, how, frozenset(ambiguous), origin)

    def resolve(self, genes: Sequence[str]) -> "ResolvedNames":
        """Look names up.

        Parameters
        ----------
        genes
            Names as they are in a file.

        Returns
        -------
        ResolvedNames
            An identifier for each, or ``None``, and the kinds. Where several names meet in one gene, a current name goes before
            others, then the first.
        """
        cleaned = normalise_identifiers(genes, self.source)
        given = set(cleaned)
        found: list[tuple[str | None, str]] = [self._find(name) for name in cleaned]
        owner: dict[str, int] = {}
        for place, (identifier, kind) in enumerate(found):
            if identifier is None:
                continue
            first = owner.get(identifier)
            if first is None or (kind == "current name" != found[first][1]):
                owner[identifier] = place
        identifiers: list[str | None] = []
        kinds: Counter[str] = Counter()
        lost: Counter[str] = Counter()
        examples: dict[str, str] = {}
        for place, (identifier, kind) in enumerate(found):
            if identifier is not None and owner[identifier] == place:
                identifiers.append(identifier)
                kinds[kind] += 1
                continue
            identifiers.append(None)
            loss = _COLLIDED if identifier is not None else self._loss(cleaned[place], given)
            lost[loss] += 1
            examples.setdefault(loss, str(genes[place]))
        return ResolvedNames(tuple(identifiers), dict(kinds), dict(lost), examples)

    def _find(self, name: str) -> tuple[str | None, str]:
        if name in self.names:
            return self.names[name], self.how[name]
        inside = _ID_IN_NAME.search(name) if self.target == "ensembl" else None
        if inside:
            return without_version(inside[1]), "the Ensembl id in the name"
        return None, ""

    def _loss(self, name: str, given: set[str]) -> str:
        kinds = list(LOSSES)
        copy = _COPY.match(name)
        if name in self.ambiguous:
            return kinds[1]
        if copy and (copy[1] in given or copy[1] in self.ambiguous or copy[1] in self.names):
            return kinds[2]
        if _DATE.match(name):
            return kinds[3]
        return kinds[4] if _CLONE.match(name) else kinds[5]

    def write(self, path: str | Path) -> None:
        """Write it as a table that :func:`read_name_map` and :func:`cistron.genes.gene_map.read_gene_map` read (.tsv.gz)."""
        lines = [f"# {self.origin}", f"{_COLUMNS[self.source]}\t{_COLUMNS[self.target]}\thow"]
        lines += [f"{name}\t{identifier}\t{self.how[name]}" for name, identifier in self.names.items()]
        lines += [f"{name}\t\tambiguous" for name in sorted(self.ambiguous)]
        text = "\n".join(lines) + "\n"
        with atomic_path(path) as partial:
            partial.write_bytes(gzip.compress(text.encode(), mtime=0))


_COLLIDED = next(iter(LOSSES))
_COLUMNS = {"ensembl": "ensembl_gene_id", "symbol": "symbol", "entrez": "entrez_id"}


def read_name_map(path: str | Path) -> NameMap:
    """Read what :meth:`NameMap.write` wrote.

    Raises
    ------
    InputError
        If the file is absent or of another form.
    """
    path = Path(path)
    try:
        with gzip.open(path, "rt", encoding="utf-8") as handle:
            origin, header, *lines = handle.read().split("\n")
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({type(error).__name__}); it may be truncated") from error
    namespaces = {column: namespace for namespace, column in _COLUMNS.items()}
    columns = header.split("\t")
    rows = [line.split("\t") for line in lines if line]
    if (
        columns[2:] != ["how"]
        or not set(columns[:2]) <= set(namespaces)
        or any(len(row) != 3 for row in rows)
    ):
        raise InputError(f"{path} is no stored gene map; expected columns of two namespaces and 'how'")
    known = [row for row in rows if row[1]]
    return NameMap(
        namespaces[columns[0]],
        namespaces[columns[1]],
        {row[0]: row[1] for row in known},
        {row[0]: row[2] for row in known},
        frozenset(row[0] for row in rows if not row[1]),
        origin.removeprefix("# "),
    )


def _ambiguous(table: GeneMap, source: str, target: str) -> set[str]:
    """Names that a table gives to several genes."""
    pairs = table.table.loc[(table.table[source] != "") & (table.table[target] != ""), [source, target]]
    pairs = pairs.drop_duplicates()
    return set(pairs.loc[pairs[source].duplicated(), source])


@dataclass(frozen=True)
class ResolvedNames:
    """Names that were looked up.

    Attributes
    ----------
    identifiers
        One for each name; ``None`` where it was lost.
    found
        Number of names by how they were found.
    lost
        Number of names by kind of loss (:data:`LOSSES`).
    examples
        A lost name of each kind.
    """

    identifiers: tuple[str | None, ...]
    found: Mapping[str, int]
    lost: Mapping[str, int]
    examples: Mapping[str, str]

    def require_little_loss(
        self, what: str, allow_loss: bool, limit: float = 0.05, option: str = "--gene-map"
    ) -> str:
        """Say what was found and lost, or raise where more than ``limit`` is lost.

        Parameters
        ----------
        what
            What was mapped, for the message.
        allow_loss
            Go on when more is lost.
        limit
            Share of the names that may be lost.
        option
            Option by which a further table can be given.

        Raises
        ------
        IdentifierError
            If nothing is left, or more is lost without ``allow_loss``.
        """
        total, mapped = len(self.identifiers), sum(self.found.values())
        how = ", ".join(f"{number:,} by {_by(kind)}" for kind, number in self.found.items())
        message = f"{what}: {mapped:,} of {total:,} genes mapped" + (f" ({how})" if how else "")
        if mapped < total:
            ordered = [kind for kind in LOSSES if kind in self.lost]
            kinds = "; ".join(f"{self.lost[kind]:,} {kind} ({self.examples[kind]})" for kind in ordered)
            message += f"; {total - mapped:,} lost ({(total - mapped) / max(total, 1):.1%}): {kinds}"
        if not mapped:
            raise IdentifierError(f"{message}; check the species and the namespaces of the gene table")
        if total - mapped > limit * total and not allow_loss:
            clones = self.lost.get("are names of clones", 0) + self.lost.get("are unknown", 0)
            older = f"a further {option} (an annotation of the time, such as gencode_v19, knows clones and old names) or " if clones > 0.02 * total else ""  # fmt: skip
            raise IdentifierError(
                f"{message}; more than {limit:.0%} is not lost without being asked for: add {older}--allow-loss"
            )
        return message


def _by(kind: str) -> str:
    return kind if kind.startswith("the ") or "." in kind else f"their {kind}"
