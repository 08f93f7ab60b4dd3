"""Hooks of the documentation's build: links to files outside of it, and notebooks as pages.

Pages link to files of the repository, which the built site does not have. Such a link must lead to
a file that is there; in the site it becomes the path as code.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add each notebook as a page."""
    for source in list(files):
        if source.src_uri.endswith(".ipynb") and source.abs_src_path:
            text = write_page(json.loads(Path(source.abs_src_path).read_text(encoding="utf-8")))
            files.remove(source)
            uri = source.src_uri.removesuffix(".ipynb") + ".md"
            files.append(File.generated(config, uri, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:  # noqa: ANN401 - mkdocs passes more
    """Check links to the repository's files, and show them as paths."""
    docs = Path(config.docs_dir)
    place = (docs / page.file.src_uri).parent

    def show(match: re.Match[str]) -> str:
        label, address = match[1], match[2]
        target = (place / address).resolve()
        if target.is_relative_to(docs) and target.suffix == ".md":
            return match[0]
        if not target.exists():
            raise PluginError(f"{page.file.src_uri}: there is no {address}")
        path = target.relative_to(docs.parent)
        return label if label.strip("`") == str(path) else f"{label} (`{path}`)"

    return _LINK.sub(show, markdown)


def write_page(notebook: dict[str, Any]) -> str:
    """A notebook as Markdown: its text, its code, and what the code printed."""
    return "\n\n".join(map(_write_cell, notebook["cells"]))


def _write_cell(cell: dict[str, Any]) -> str:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return source
    printed = [_read_text(output) for output in cell["outputs"]]
    blocks = [f"```text\n{text}\n```" for text in printed if text]
    return "\n\n".join([f"```python\n{source}\n```", *blocks])


def _read_text(output: dict[str, Any]) -> str:
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    return "".join(text).rstrip()
