"""How many examples a property is tried on, where that is not as many as is usual."""

from hypothesis import settings

THOROUGH = 100
"""Examples of a property in `make test`, unless its test says otherwise."""


def scale_examples(n_thorough: int) -> int:
    """So many examples in `make test`, in proportion fewer in `make check`; at least three."""
    usual: int = settings.default.max_examples
    return max(3, n_thorough * usual // THOROUGH)
