"""MkDocs' hook: what the pages say of the code, made from the code that declares it.

MkDocs runs ``on_page_markdown``: a line ``<!-- generate: NAME -->`` of a page becomes the Markdown that
``PARTS[NAME]`` returns.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# The command mkdocs, unlike python -m mkdocs, has not the root on its path.
sys.path.append(str(Path(__file__).parents[1]))

from docs.parts.commands import commands, common_options, job_options
from docs.parts.diagram import entity_diagram
from docs.parts.floors import floors
from docs.parts.mapping import canonical_columns, functions, macro_keys, mapping_keys
from docs.parts.settings import baselines, model_file, settings
from docs.parts.tables import states, tables, tables_overview, views
from loanbook.features.catalogue.registry import FEATURES
from loanbook.features.listing import page as features_page

MARK = re.compile(r"^<!-- generate: (\w+) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page with its marked places filled; MkDocs calls this for every page."""
    return MARK.sub(lambda found: PARTS[found[1]](), markdown)


def features() -> str:
    """Return the catalogue, as ``loanbook list-features --format markdown`` prints it, without its title."""
    return features_page(list(FEATURES)).split("\n", 1)[1]


PARTS: Mapping[str, Callable[[], str]] = {
    part.__name__: part
    for part in (
        tables_overview, entity_diagram, tables, features, common_options, job_options, commands, settings,
        model_file, baselines, mapping_keys, macro_keys, functions, canonical_columns, states, views, floors,
    )
}  # fmt: skip
