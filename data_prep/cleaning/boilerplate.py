"""Text that many problems of a source share: wording that says nothing about which problem it is.

Template-made puzzles have most of their text in common, and so have rows with an instruction nobody has listed yet.
Without its boilerplate, a problem is like another only where what is asked is alike.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from data_prep.cleaning.shingles import Hashes, is_in, shingle_set

_SAMPLE = 4096
_SHARE = 0.005
_FEWEST = 8
# What must be left of a text, in shingles, for the rest to stand for it.
LEFT = 16


def boilerplate(texts: Sequence[str], sources: Sequence[str]) -> Hashes:
    """Shingles that 0.5 % or more of the different problems of some source have, and 8 at least, sorted.

    Args:
        texts: Letters and digits.
        sources: Of each text. Of large sources 4,096 texts are looked at, chosen by content alone.
    """
    by_source: dict[str, set[str]] = {}
    for text, source in zip(texts, sources, strict=True):
        by_source.setdefault(source, set()).add(text)
    found = [np.empty(0, np.uint64)]
    for members in by_source.values():
        sample = sorted(members, key=_rank)[:_SAMPLE]
        values, counts = np.unique(np.concatenate([shingle_set(text) for text in sample]), return_counts=True)
        found.append(values[counts >= max(_FEWEST, _SHARE * len(sample))])
    return np.unique(np.concatenate(found))


def _rank(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()


def own_shingles(text: str, common: Hashes) -> Hashes:
    """The text's shingles without boilerplate, sorted; all of them if next to nothing would be left."""
    everything = shingle_set(text)
    own = everything[~is_in(everything, common)]
    return own if len(own) >= LEFT else everything
