"""The keys of settings, as the typed models and as a file have them."""

from typing import Any

from loanbook.settings.section import Section


def keys_of(section: Section, above: str = "") -> set[str]:
    """Return every key of settings with its path; a mapping is one, and the keys of sections in it too."""
    found = set()
    for name in type(section).model_fields:
        value, key = getattr(section, name), above + name
        if isinstance(value, Section):
            found |= keys_of(value, f"{key}.")
        elif isinstance(value, dict):
            parts = [(of, item) for of, item in value.items() if isinstance(item, Section)]
            found |= {key, *(inner for of, item in parts for inner in keys_of(item, f"{key}.{of}."))}
        else:
            found.add(key)
    return found


def keys_in(content: dict[str, Any], leaves: set[str], above: str = "") -> set[str]:
    """Return every key of a file with its path, in the depth in which the settings have it."""
    found = set()
    for name, value in content.items():
        key = above + name
        if not isinstance(value, dict) or key in leaves:
            found.add(key)
        if isinstance(value, dict):
            found |= keys_in(value, leaves, f"{key}.")
    return found
