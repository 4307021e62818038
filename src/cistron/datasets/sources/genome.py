"""Reference genomes, their sizes, what to mask, and how human and mouse align."""

from cistron.datasets.records import CC_BY, DataSet, Licence, RemoteFile

_UCSC = "https://hgdownload.soe.ucsc.edu/goldenPath"
_UCSC_LICENCE = Licence("free for any use (UCSC sequence)", "https://genome.ucsc.edu/license/", True)
_UCSC_CITATION = "Perez et al., Nucleic Acids Research 2025, doi:10.1093/nar/gkae974"


def _genome(name: str, build: str, md5: str, size: int | None, about: int) -> DataSet:
    """FASTA and chromosome sizes of one UCSC assembly; MD5 as in its md5sum.txt."""
    return DataSet(
        name=name,
        title=f"{build} ({name}) genome sequence and chromosome sizes, UCSC names",
        licence=_UCSC_LICENCE,
        citation=_UCSC_CITATION,
        homepage=f"{_UCSC}/{name}/bigZips/",
        used_by=("sequence", "chromatin"),
        files=(
            RemoteFile(f"{name}.fa.gz", f"{_UCSC}/{name}/bigZips/{name}.fa.gz", size, f"md5:{md5}", about),
            RemoteFile(f"{name}.chrom.sizes", f"{_UCSC}/{name}/bigZips/{name}.chrom.sizes", about=12_000),
        ),
        genome_build=build,
        note="gzip, not bgzip: unpack it, or repack with bgzip, before random access.",
    )


DATA_SETS = (
    _genome("hg38", "GRCh38", "1c9dcaddfa41027f17cd8f7a82c7293b", 983_659_424, 983_659_424),
    _genome("hg19", "GRCh37", "806c02398f5ac5da8ffd6da2d1d5d1a9", None, 948_731_000),
    _genome("mm10", "GRCm38", "db005b65828db31735f384e4c5787be5", None, 870_000_000),
    DataSet(
        name="hg38_mm10_synteny",
        title="Net of hg38 and mm10, syntenic part: regions that must share a fold",
        licence=_UCSC_LICENCE,
        citation=_UCSC_CITATION,
        homepage=f"{_UCSC}/hg38/vsMm10/",
        used_by=("sequence",),
        files=(RemoteFile("hg38.mm10.syn.net.gz", f"{_UCSC}/hg38/vsMm10/hg38.mm10.syn.net.gz"),),
        genome_build="GRCh38",
    ),
    DataSet(
        name="encode_blacklist",
        title="ENCODE blacklist 2: regions of artefact signal, human and mouse",
        licence=Licence("GPL-3.0", "https://github.com/Boyle-Lab/Blacklist/blob/master/LICENSE", True),
        citation="Amemiya et al., Scientific Reports 2019, doi:10.1038/s41598-019-45839-z",
        homepage="https://github.com/Boyle-Lab/Blacklist",
        used_by=("sequence", "chromatin"),
        files=tuple(
            RemoteFile(name, f"https://github.com/Boyle-Lab/Blacklist/raw/master/lists/{name}", about=about)
            for name, about in (("hg38-blacklist.v2.bed.gz", 5_600), ("mm10-blacklist.v2.bed.gz", 29_000))
        ),
        note="Two builds: the file name says which.",
    ),
    DataSet(
        name="jaspar_2024",
        title="JASPAR 2024: non-redundant vertebrate transcription factor motifs (MEME)",
        licence=CC_BY,
        citation="Rauluseviciute et al., Nucleic Acids Research 2024, doi:10.1093/nar/gkad1059",
        homepage="https://jaspar.elixir.no/downloads/",
        used_by=("sequence",),
        files=(
            RemoteFile(
                "JASPAR2024_CORE_vertebrates_non-redundant_pfms_meme.txt",
                "https://jaspar.elixir.no/download/data/2024/CORE/"
                "JASPAR2024_CORE_vertebrates_non-redundant_pfms_meme.txt",
            ),
        ),
    ),
)
