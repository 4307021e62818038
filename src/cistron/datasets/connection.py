"""Open a url and say what kind of trouble there is: to wait out, not there, or final."""

import email.utils
import http.client
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cistron
from cistron.errors import DownloadError

LONGEST_WAIT = 60.0
_TRANSIENT = {202, 408, 425, 429, 500, 502, 503, 504}


class TransientError(Exception):
    """The connection failed in a way that a later attempt may not."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class NotThereError(DownloadError):
    """The server says that it has no such file."""


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise DownloadError(f"{req.full_url} redirects to {newurl}, which is not encrypted; not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _total(headers: Any, status: int) -> int | None:
    """Size of the whole content, from Content-Range of a partial answer or Content-Length of a whole one."""
    if status == 206:
        match = re.fullmatch(r"bytes [0-9]+-[0-9]+/([0-9]{1,18})", headers.get("Content-Range", ""))
        return int(match[1]) if match else None
    return _whole(headers.get("Content-Length", ""))


def _whole(text: str) -> int | None:
    """Number of a header; ``None`` where it is none that a file or a wait can have."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text.strip()) else None


@dataclass(frozen=True)
class Version:
    """What a server says about the content behind a url."""

    url: str
    etag: str | None
    modified: str | None
    total: int | None

    @classmethod
    def of(cls, url: str, response: Any) -> "Version":
        """Version that an answer is about."""
        headers = response.headers
        return cls(url, headers.get("ETag"), headers.get("Last-Modified"), _total(headers, response.status))

    @property
    def validator(self) -> str | None:
        """What If-Range may carry (RFC 9110, section 13.1.5): a strong ETag, else the date."""
        if self.etag is not None and not self.etag.startswith("W/"):
            return self.etag
        return self.modified

    def same_content(self, other: "Version") -> bool:
        """Whether nothing contradicts that two answers are about the same bytes."""
        pairs = ((self.etag, other.etag), (self.modified, other.modified), (self.total, other.total))
        return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)


@contextmanager
def open_url(url: str, headers: dict[str, str], timeout: float) -> Iterator[Any]:
    """Open ``url``; failures become :class:`TransientError`, :class:`NotThereError` or :class:`DownloadError`.

    Parameters
    ----------
    url
        Address.
    headers
        Headers besides the name of the program and the encoding.
    timeout
        Seconds to wait for the server.
    """
    request = urllib.request.Request(
        url,
        headers={"User-Agent": f"cistron/{cistron.__version__}", "Accept-Encoding": "identity", **headers},
    )
    try:
        response = urllib.request.build_opener(_SafeRedirects).open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:
                raise TransientError("the server cannot continue where the part ends") from error
            if error.code in _TRANSIENT:
                raise TransientError(
                    f"the server answered {error.code}", _retry_after(error.headers)
                ) from error
            kind = NotThereError if error.code in (404, 410) else DownloadError
            raise kind(
                f"{url} answered {error.code} {error.reason}; check 'cistron data list', or give --mirror"
            ) from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise DownloadError(
                f"{url}: its certificate is not valid ({reason.verify_message}); use --mirror"
            ) from error
        if isinstance(reason, socket.gaierror):
            reason = "the host name is not known (no network?)"
        raise TransientError(str(reason) or type(error).__name__) from error
    with response:
        if response.status == 202:
            raise TransientError("the server answered 202 (not ready)", _retry_after(response.headers))
        yield response


def _retry_after(headers: Any) -> float | None:
    value = headers.get("Retry-After", "").strip()
    seconds = _whole(value)
    if seconds is not None:
        return min(float(seconds), LONGEST_WAIT)
    try:
        date = email.utils.parsedate_to_datetime(value).timestamp()
    except (
        ValueError,
        TypeError,
        IndexError,
        OverflowError,
        OSError,
    ):  # it is no date, or one that no clock has
        return None
    return min(max(date - time.time(), 0.0), LONGEST_WAIT)
