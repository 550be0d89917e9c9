"""What mkdocs does of its own for this site: it builds from pages that are made first.

The pages that people write lie in `docs/`. They are copied to `build/docs`, where those that come
out of the program or of other files of the repository join them, and mkdocs builds from there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pages import assemble

ROOT = Path(__file__).parents[2]
MADE = ROOT / "build" / "docs"


def on_config(config: Any) -> Any:
    """The folder of pages, made once; the second language is built from the same."""
    if Path(config.docs_dir) != MADE:
        assemble(ROOT, MADE)
        config.docs_dir = str(MADE)
    return config
