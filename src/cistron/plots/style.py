"""One look for all figures: colours that colour-blind readers can tell apart, readable fonts, short labels."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cistron.errors import InputError

# Okabe and Ito's colours, the pale yellow left out; then a violet and a grey.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7a5195", "#6b7a8c")
TEXT = "#17263a"
AXIS = "#6b7a8c"
GRID = "#d5dbe3"
NO_VALUE = "\N{EN DASH}"  # printed where a score is missing
CONTROL = "#8a94a3"
# better than nothing: blue; worse: orange; they differ in lightness order and for all common colour blindness
_BELOW = ("#8c3f06", "#d9772b", "#f3b98a")
_ABOVE = ("#9cc4e4", "#3a87c2", "#0a4480")
_MIDDLE = "#f4f5f7"


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw inside this block with the look of cistron; settings outside are left as found."""
    import matplotlib.style

    with matplotlib.style.context(Path(__file__).with_name("cistron.mplstyle")):
        yield


def diverging_colours():  # type: ignore[no-untyped-def]  # matplotlib has no public types for this
    """Give a colour map whose middle is nearly white: orange below, blue above."""
    from matplotlib.colors import LinearSegmentedColormap

    # 41 steps: the scale beside a figure stays a drawing (matplotlib turns 50 and more into a picture)
    return LinearSegmentedColormap.from_list("cistron_diverging", [*_BELOW, _MIDDLE, *_ABOVE], N=41)


def short_labels(names: Sequence[str], length: int = 34) -> list[str]:
    """Shorten long names in the middle, so that the ends, which tell versions apart, stay; results stay unique.

    Parameters
    ----------
    names
        Unique names.
    length
        Longest label, in characters.

    Returns
    -------
    list of str
        One label a name, in the same order.
    """
    if length < 5:
        raise InputError(f"labels need at least 5 characters. Given: {length}")
    labels: list[str] = []
    for name in map(str, names):
        name = " ".join(name.split())
        label = name
        if len(name) > length:
            head = (length - 1) // 2
            label = f"{name[:head]}…{name[-(length - 1 - head) :]}"
        number = 2
        while label in labels:
            suffix = f" ({number})"
            label = f"{label[: length - len(suffix)]}{suffix}"
            number += 1
        labels.append(label)
    return labels


def signed(value: float, decimals: int = 4) -> str:
    """Write a difference with its sign, a true minus, and a dash where there is none: ``+0.0184``, ``−0.0041``."""
    if value != value:
        return NO_VALUE
    rounded = round(float(value), decimals)
    sign = "+" if rounded > 0 else "\N{MINUS SIGN}" if rounded < 0 else ""
    return f"{sign}{abs(rounded):.{decimals}f}"
