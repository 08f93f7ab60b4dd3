"""Essays that are nearly the same text: copies with changes, and two versions of one essay."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from assessment.domain.essay_flags import split_words

LEAST_SIMILARITY = 0.8
"""The share of their word sequences that two texts have in common (Jaccard index)."""

_WORDS_IN_SEQUENCE = 4
_N_PERMUTATIONS = 128
# Bands and their rows. The sketch misses few pairs above the similarity when it looks for somewhat
# less, 0.7; for that these are the best ones, which datasketch would seek anew for every folder.
_N_BANDS, _N_ROWS = 14, 9


@dataclass
class _Group:
    """Texts that resemble their first."""

    sequences: frozenset[str]
    members: list[int] = field(default_factory=list)


def group_near_duplicates(texts: Sequence[str]) -> list[list[int]]:
    """The numbers of texts that are nearly the same, but not the same, in groups.

    MinHash (Broder 1997, "On the resemblance and containment of documents") with locality-sensitive
    hashing finds candidates; the index itself decides. Each text is held against the first of each
    group only, so that a class of copies costs no more than others.
    """
    # It imports scipy, which costs most of a second.
    from datasketch import MinHash, MinHashLSH

    groups: dict[int, _Group] = {}
    index = MinHashLSH(num_perm=_N_PERMUTATIONS, params=(_N_BANDS, _N_ROWS))
    # A copy of it takes its permutations over, which are drawn one by one.
    empty = MinHash(num_perm=_N_PERMUTATIONS)
    for number, text in enumerate(texts):
        sequences = _list_sequences(text)
        sketch = empty.copy()
        sketch.update_batch([sequence.encode() for sequence in sorted(sequences)])
        near = [one for one in sorted(index.query(sketch)) if _resemble(groups[one], sequences)]
        if not near:
            index.insert(number, sketch)
            groups[number] = _Group(sequences)
        groups[near[0] if near else number].members.append(number)
    return [group.members for group in groups.values() if _differ(texts, group.members)]


def _list_sequences(text: str) -> frozenset[str]:
    """The sequences of words of a text; a text of few words is one sequence."""
    words = split_words(text)
    if len(words) < _WORDS_IN_SEQUENCE:
        return frozenset({" ".join(words)})
    shifted = (words[start:] for start in range(_WORDS_IN_SEQUENCE))
    return frozenset(map(" ".join, zip(*shifted, strict=False)))


def _resemble(group: _Group, sequences: frozenset[str]) -> bool:
    n_common = len(group.sequences & sequences)
    return n_common >= LEAST_SIMILARITY * len(group.sequences | sequences)


def _differ(texts: Sequence[str], members: Sequence[int]) -> bool:
    """Whether there is more than one text among them; the same text twice is told elsewhere."""
    return len({" ".join(texts[number].split()) for number in members}) > 1
