"""How many examples a property is tried on, where that is not as many as is usual."""

from hypothesis import settings

from tests.present import present

THOROUGH = 100
"""Examples of a property in `make test`, unless its test says otherwise."""


def scale_examples(n_thorough: int) -> int:
    """So many examples in `make test`, in proportion fewer in `make check`; at least three."""
    return max(3, n_thorough * present(settings.default).max_examples // THOROUGH)
