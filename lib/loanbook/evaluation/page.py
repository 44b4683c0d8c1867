"""HTML pages without any outside resource, which share their frame, their style and their end."""

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from loanbook.evaluation.wording import number


def page_of(template: str, package: str, **values: Any) -> str:
    """Return a page.

    Args:
        template: a file of the package that extends ``page.html``.
        package: of ``loanbook``.
        values: what the template shows; ``about`` is the lineage at its end, name to words.
    """
    places = dict.fromkeys((package, "evaluation"))
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(f"loanbook.{place}", ".") for place in places]),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(number=number, rate=lambda value: number(value, "rate"))
    return environment.get_template(template).render(**values)
