"""The kinds of error a caller can act on.

Every message is one line and says what was given, what was expected and what to do. The command line prints
it and exits with 2; a traceback means a defect of cistron, never a bad input.
"""


class CistronError(Exception):
    """Base of all errors that cistron raises on purpose."""


class InputError(CistronError):
    """A file, a value or a combination of options that cannot be used."""


class IdentifierError(InputError):
    """Gene identifiers that do not match, are ambiguous, or were lost in mapping."""


class LeakageError(CistronError):
    """Something held out (a gene, a cell, a chromosome) was handed to code that fits."""


class DownloadError(CistronError):
    """A data set could not be fetched whole and unchanged."""


class MissingDependencyError(CistronError):
    """An optional package is needed; the message names the pip command."""


class LostProcessError(CistronError):
    """Another process of a training on several devices has ended before the training had."""
