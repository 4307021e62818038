"""Whatever a server does, a fetched file is one whole version of what it served, or there is no file."""

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cistron.datasets import FetchSettings, RemoteFile, TransferSettings, fetch_data_set
from cistron.errors import DownloadError

from .conftest import Item, noise, sha256

VERSIONS = (noise(20_000, seed=2), noise(20_000, seed=3), noise(15_000, seed=4))
_numbers = itertools.count()


@st.composite
def answers(draw):
    """What the server does on one request: which version it has, what it says about it, and where it is cut."""
    version = draw(st.integers(0, len(VERSIONS) - 1))
    label = draw(st.sampled_from(["strong", "weak", "date", "none"]))
    return Item(
        VERSIONS[version],
        etag={"strong": f'"v{version}"', "weak": f'W/"v{version}"'}.get(label),
        modified=f"Tue, 03 Mar 2026 10:00:0{version} GMT" if label == "date" else None,
        # The dangerous servers first: they send ranges, do not look at If-Range, and break off in the middle.
        ranges=draw(st.sampled_from([True, True, True, False])),
        honours_if_range=draw(st.sampled_from([False, False, True])),
        breaks_after=[draw(st.sampled_from([5000, 12_000, 14_999, 0, None]))],
        statuses=draw(st.sampled_from([[], [], [503]])),
    )


@given(script=st.lists(answers(), min_size=2, max_size=5), with_checksum=st.booleans())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_versions_are_never_glued(publisher, tmp_path, make_data_set, script, with_checksum):
    name = f"file{next(_numbers)}.bin"
    for item, following in itertools.pairwise(script):
        item.then = following
    publisher.items[f"/toy/{name}"] = script[0]
    checksum = sha256(script[-1].content) if with_checksum else None
    data_set = make_data_set(RemoteFile(name, publisher.url(f"/toy/{name}"), checksum=checksum))
    patient = TransferSettings(attempts=3, timeout_seconds=2.0, backoff_seconds=0.0)
    final = tmp_path / "toy" / name
    try:
        fetch_data_set(data_set, settings=FetchSettings(output=tmp_path, transfer=patient))
    except DownloadError:
        assert not final.exists()
    else:
        wanted = (script[-1].content,) if with_checksum else VERSIONS
        assert final.read_bytes() in wanted
        assert not final.with_name(f"{name}.part").exists()
