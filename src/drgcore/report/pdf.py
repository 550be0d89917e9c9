"""A page as PDF, printed by a browser that is there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from drgcore.errors import DrgcoreError
from drgcore.files import passing_folder, whole_file
from drgcore.language import _
from drgcore.progress import step

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "msedge",
    "chrome",
)
"""Names under which Chromium and its kin are installed."""

_SECONDS = 180


def find_browser() -> str | None:
    """Give the first of `BROWSERS` that is installed, or None.

    Examples
    --------
    >>> found = find_browser()
    >>> found is None or Path(found).exists()
    True
    """
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def write_pdf(page: Path, path: Path) -> None:
    """Print a page to PDF by headless Chromium.

    Parameters
    ----------
    page : Path
        The HTML file.
    path : Path
        The PDF, whole or not at all.

    Raises
    ------
    DrgcoreError
        If no browser is there, or it does not print.
    """
    browser = find_browser()
    if browser is None:
        raise DrgcoreError(
            _("no Chromium is there to make a PDF"),
            where=str(path),
            hint=_(
                "Install Chromium or Chrome, or open the page in any browser and print it to PDF."
            ),
        )
    with (
        step(_("printing {name}", name=path.name), _("steps"), 2) as printed,
        passing_folder("drgcore-pdf") as folder,
        whole_file(path) as part,
    ):
        made = folder / "page.pdf"
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={made}",
            # Chromium's sandbox does not run for root, and the page is ours and may load nothing.
            *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise DrgcoreError(
                _(
                    "{browser} did not print the page within {n} seconds",
                    browser=browser,
                    n=_SECONDS,
                ),
                where=str(path),
            ) from None
        if done.returncode or not made.is_file():
            said = done.stderr.decode(errors="replace").strip().splitlines()
            last = said[-1] if said else _("it says nothing")
            raise DrgcoreError(
                _("{browser} did not print the page: {said}", browser=browser, said=last),
                where=str(path),
                hint=_("Open the page in any browser and print it to PDF."),
            )
        printed.advance()
        part.write_bytes(made.read_bytes())
        printed.advance()
