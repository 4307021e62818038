"""First lines of a model card in the form that the Hugging Face hub reads: YAML between two lines of dashes."""

import json
import re
from collections.abc import Sequence

# Names that the hub has for licences; any other is called "other" there and named beside it.
_LICENCES = {
    "apache-2.0": "apache-2.0",
    "mit": "mit",
    "gpl-3.0": "gpl-3.0",
    "cc0": "cc0-1.0",
    "cc0-1.0": "cc0-1.0",
    "cc-by-4.0": "cc-by-4.0",
    "cc-by-sa-4.0": "cc-by-sa-4.0",
    "cc-by-nc-4.0": "cc-by-nc-4.0",
}
_LONGEST_NAME = 80


def front_matter(tags: Sequence[str], licence: str = "") -> list[str]:
    """Give the lines that stand before a model card.

    Parameters
    ----------
    tags
        What the model is, for the search of the hub; ``biology`` and ``genomics`` are added.
    licence
        Licence of weights and data as the card words it; unnamed when empty.
    """
    words = dict.fromkeys(re.sub(r"[^a-z0-9]+", "-", tag.lower()).strip("-") for tag in tags)
    lines = ["---", "library_name: cistron", "tags:"]
    lines += [f"- {word}" for word in dict.fromkeys([*words, "biology", "genomics"]) if word]
    if licence:
        known = _LICENCES.get(re.sub(r"\s+", "-", licence.strip().lower()))
        lines.append(f"license: {known or 'other'}")
        if known is None:
            # JSON strings are YAML strings
            lines.append(f"license_name: {json.dumps(' '.join(licence.split())[:_LONGEST_NAME])}")
    return [*lines, "---", ""]
