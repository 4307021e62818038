"""The name that :mod:`cistron.sequence.inputs_tracks` had before 0.2; kept until 0.3."""

from cistron.sequence.inputs_tracks import (
    cage_tracks,
    check_track_table,
    choose_tracks,
    load_track_table,
    read_track_table,
    strand_pairs,
    track_rows,
    write_track_table,
)

__all__ = [
    "cage_tracks",
    "check_track_table",
    "choose_tracks",
    "load_track_table",
    "read_track_table",
    "strand_pairs",
    "track_rows",
    "write_track_table",
]
