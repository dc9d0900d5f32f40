"""The JavaScript of others that the dashboard and its tests use: where it is from, and whole.

`python -m tests.browser.vendored` takes each package from the npm registry at its pinned version,
checks the archive against the pinned hash, and writes the files anew. A new version is pinned by
changing `PACKAGES` and running it with `--pin`, which records the hashes that it finds.

Three things are changed in a file: an import becomes one of the file as it is named here, for an
import map would have to stand in the page, uPlot's script becomes a module (`EXPORTS`), and xterm
takes the document that it is given, where an error in the order of two operators has it take its
window's, and sets no attribute `style`: the page's policy refuses the styles that it writes. Each
package's own declarations stand beside its module, for the check of types; they are not shipped.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from tests.checkout import ROOT

WEB = ROOT / "http" / "web" / "vendor"
TESTS = ROOT / "tests" / "browser" / "vendor"
RECORD = "vendored.json"


@attrs.frozen(kw_only=True)
class Package:
    """One package: which of its files become which of ours."""

    name: str
    version: str
    licence: str
    folder: Path
    files: Mapping[str, str]
    edits: Mapping[str, str] = attrs.field(factory=dict)

    def edited(self, text: str) -> str:
        """A file as it is kept."""
        for old, new in self.edits.items():
            text = text.replace(old, new)
        lines = text.removesuffix("\n").split("\n")  # what else ends one may stand in a text
        kept = [line for line in lines if not line.startswith("//# sourceMappingURL")]
        return "\n".join(kept) + "\n"


PACKAGES = (
    Package(
        name="preact",
        version="11.2.0",
        licence="MIT",
        folder=WEB,
        files={
            "dist/preact.mjs": "preact.js",
            "hooks/dist/hooks.mjs": "hooks.js",
            "src/index.d.ts": "preact.d.ts",
            "src/dom.d.ts": "dom.d.ts",
            "src/jsx.d.ts": "jsx.d.ts",
            "hooks/src/index.d.ts": "hooks.d.ts",
            "LICENSE": "preact.LICENSE.txt",
        },
        edits={
            'from"preact"': 'from"./preact.js"',
            "from './index'": "from './preact.js'",
            "from '../../src/index'": "from './preact.js'",
        },
    ),
    Package(
        name="htm",
        version="3.1.1",
        licence="Apache-2.0",
        folder=WEB,
        files={
            "dist/htm.module.js": "htm.js",
            "dist/htm.d.ts": "htm.d.ts",
            "LICENSE": "htm.LICENSE.txt",
        },
    ),
    Package(
        name="uplot",
        version="1.6.32",
        licence="MIT",
        folder=WEB,
        files={
            "dist/uPlot.iife.min.js": "uplot.js",
            "dist/uPlot.d.ts": "uplot.d.ts",
            "dist/uPlot.min.css": "uplot.css",
            "LICENSE": "uplot.LICENSE.txt",
        },
        edits={"export = uPlot;": "export default uPlot;"},
    ),
    Package(
        name="@highlightjs/cdn-assets",
        version="11.12.0",
        licence="BSD-3-Clause",
        folder=WEB,
        files={"es/highlight.min.js": "highlight.js", "LICENSE": "highlight.LICENSE.txt"},
    ),
    Package(
        name="markdown-it",
        version="15.0.3",
        licence="MIT",
        folder=WEB,
        files={
            "dist/browser/markdown-it.esm.min.mjs": "markdown-it.js",
            "LICENSE": "markdown-it.LICENSE.txt",
        },
    ),
    Package(
        name="@xterm/xterm",
        version="6.0.0",
        licence="MIT",
        folder=WEB,
        files={
            "lib/xterm.mjs": "xterm.js",
            "css/xterm.css": "xterm.css",
            "LICENSE": "xterm.LICENSE.txt",
        },
        edits={
            'this._document??typeof window<"u"?window.document:null': "this._document",
            't.setAttribute("style",`${t.getAttribute("style")||""}${e};`)': "t.style.cssText+=e",
        },
    ),
    Package(
        name="@xterm/addon-fit",
        version="0.11.0",
        licence="MIT",
        folder=WEB,
        files={"lib/addon-fit.mjs": "xterm-fit.js", "LICENSE": "xterm-fit.LICENSE.txt"},
    ),
    Package(
        name="axe-core",
        version="4.14.1",
        licence="MPL-2.0",
        folder=TESTS,
        files={"axe.min.js": "axe.min.js", "LICENSE": "axe-core.LICENSE.txt"},
    ),
)

EXPORTS = {"uplot.js": "export default uPlot;\n"}
"""Text that is added at the end of a script that becomes a module."""


def archive_of(package: Package) -> bytes:
    """The package's archive, through npm."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"{package.name}@{package.version}"],  # noqa: S607 - whichever npm there is
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (archive,) = Path(folder).glob("*.tgz")
        return archive.read_bytes()


def digest(data: bytes) -> str:
    """A hash as the records write it."""
    return hashlib.sha256(data).hexdigest()


def record_of(folder: Path) -> dict[str, Any]:
    """Return what a folder's record says, by package."""
    path = folder / RECORD
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def files_of(package: Package, archive: bytes) -> dict[str, str]:
    """The texts of the package's files as they are kept, by name."""
    kept = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for source, name in package.files.items():
            member = opened.extractfile(f"package/{source}")
            assert member is not None
            text = member.read().decode()
            if name.endswith((".js", ".ts", ".css")):
                text = package.edited(text) + EXPORTS.get(name, "")
            kept[name] = text
    return kept


def refresh(package: Package, *, pin: bool) -> None:
    """Write the package's files anew, and record their hashes."""
    archive = archive_of(package)
    record = record_of(package.folder)
    pinned = record.get(package.name, {}).get("archiveSha256")
    if not pin and pinned != digest(archive):
        sys.exit(f"{package.name} {package.version} is not the archive that was pinned.")
    files = files_of(package, archive)
    for name, text in files.items():
        (package.folder / name).write_text(text, encoding="utf-8", newline="\n")
    record[package.name] = {
        "version": package.version,
        "licence": package.licence,
        "archiveSha256": digest(archive),
        "files": {name: digest(text.encode()) for name, text in files.items()},
    }
    ordered = json.dumps(dict(sorted(record.items())), indent=2) + "\n"
    (package.folder / RECORD).write_text(ordered, encoding="utf-8")


if __name__ == "__main__":
    for wanted in PACKAGES:
        refresh(wanted, pin="--pin" in sys.argv)
