"""The process that parses documents: a line of JSON for each question and for each answer.

Whatever a hostile document does to a parser, it does to this process, whose memory is limited
here and whose time is limited by `documents.DocumentReader`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from runner.intake.document import MEGABYTE, UnreadableDocumentError
from runner.intake.reading import list_archive, read_document

MEMORY_BYTES = 1_000 * MEGABYTE


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """The text and notes of a document, the members of an archive, or what is wrong with it."""
    path, member = Path(question["path"]), question.get("member")
    try:
        if question["action"] == "list":
            return {"members": list_archive(path)}
        document = read_document(path, member)
    except UnreadableDocumentError as error:
        return {"problem": str(error)}
    except MemoryError:
        return {"problem": f"needs more than {MEMORY_BYTES / MEGABYTE:,.0f} MB to be read"}
    except RecursionError:
        return {"problem": "is nested too deeply to be read; save it again"}
    except Exception as error:  # noqa: BLE001 - parsers raise anything on what they do not expect
        return {"problem": f"is damaged ({type(error).__name__}); open it and save it again"}
    return {"text": document.text, "notes": list(document.notes)}


def limit_memory() -> None:
    """Limit this process's memory, where the system can (not Windows)."""
    try:
        import resource
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MEMORY_BYTES, most)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (wanted, most))
    except (OSError, ValueError):
        return  # macOS takes no such limit; the time limit stays


def main() -> None:
    """Answer until the questions end."""
    limit_memory()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
