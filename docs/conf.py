"""The documents: built by ``nox -s docs``, warnings are errors."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "example_project"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

import django  # noqa: E402 - the settings have to be named first

django.setup()

project = "Holdfast"
author = "The Holdfast authors"
copyright = "2026, the Holdfast authors"  # noqa: A001 - Sphinx's name for it
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# GitHub draws Mermaid; here the text of a diagram is shown, since its renderer would have to come from elsewhere.
# Each event has a field ``type``, so that the annotation ``type`` could mean any of them.
suppress_warnings = ["misc.highlighting_failure", "ref.python"]
html_theme = "furo"
html_title = "Holdfast"
html_static_path = ["_static"]
exclude_patterns = ["_build"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
