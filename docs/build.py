"""Write the API reference into a folder; fail where a public name has no entry, or anything warns.

Usage: python docs/build.py site
"""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path

import pdoc
import pdoc.render

MODULES = ("isthmus", "isthmus.errors", "isthmus.limits", "isthmus.testing")


def main(output: Path) -> None:
    """Render what people import; the command line has its reference in `--help`."""
    pdoc.render.configure(docformat="google")
    for module in MODULES:
        resolve_lazy_names(module)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pdoc.pdoc(*MODULES, output_directory=output)
    for module in MODULES:
        page = (output / module.replace(".", "/")).with_suffix(".html")
        if missing := names_without_entry(module, page.read_text()):
            sys.exit(f"The API reference has no entry for {', '.join(missing)} of {module}.")
    print(f"Open {output}/index.html")


def resolve_lazy_names(module: str) -> None:
    """Import what a module imports on first use, since pdoc looks at what is there."""
    loaded = importlib.import_module(module)
    for name in public_names(module):
        setattr(loaded, name, getattr(loaded, name))


def public_names(module: str) -> list[str]:
    """What a module offers; only what it lists counts."""
    return [name for name in getattr(sys.modules[module], "__all__", ()) if name != "__version__"]


def names_without_entry(module: str, page: str) -> list[str]:
    """Those of its public names that its page does not describe."""
    return [name for name in public_names(module) if f'id="{name}"' not in page]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
