"""Templates of stacks, read by the parser of YAML that is in C.

MiniStack reads each by the parser in Python, three times before it deploys a stack: an eighth of
what it does until the first batch.
"""

from __future__ import annotations

import yaml
from ministack.services.cloudformation import engine


class Loader(yaml.CSafeLoader):
    """Reads a template as MiniStack's own loader does."""

    yaml_constructors = engine.CfnLoader.yaml_constructors
    yaml_implicit_resolvers = engine.CfnLoader.yaml_implicit_resolvers


def install() -> None:
    """Put it in place of MiniStack's own."""
    engine.CfnLoader = Loader
