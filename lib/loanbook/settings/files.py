"""The folder of settings and its YAML files."""

import os
from pathlib import Path
from typing import Any

import yaml

from loanbook.errors import InputError
from loanbook.settings.section import nearest


def conf_folder() -> Path:
    """Return the folder of settings: ``$LOANBOOK_CONF``, else ``conf`` of the checkout or of the package."""
    if given := os.environ.get("LOANBOOK_CONF"):
        return Path(given)
    package = Path(__file__).parents[1]
    checkout = package.parents[1] / "conf"
    return checkout if (checkout / "base.yaml").exists() else package / "conf"


def conf_file(kind: str, name: str, what: str) -> Path:
    """Return ``conf/<kind>/<name>.yaml``, or ``name`` itself where it is a path to a YAML file.

    Args:
        kind: folder below ``conf``; empty for ``conf`` itself.
        name: as a user gave it.
        what: what the file is of, in the words of the error.

    Raises:
        InputError: there is none; the message lists those that exist.

    >>> conf_file("sources", "freddie_mac", "source").name
    'freddie_mac.yaml'
    >>> try:
    ...     conf_file("sources", "freddie", "source")
    ... except InputError as error:
    ...     print(error.found)
    'freddie' (did you mean 'freddie_mac'?)
    """
    given = name.endswith((".yaml", ".yml"))
    path = Path(name) if given else conf_folder() / kind / f"{name}.yaml"
    if path.is_file():
        return path
    if given:
        raise InputError(
            required=f"a YAML file of a {what}",
            found=f"a folder {name}" if path.is_dir() else f"no file {name}",
            do="correct the path",
        )
    known = conf_names(kind)
    raise InputError(
        required=f"a {what}: one of {', '.join(known) or 'none'}, or the path of a YAML file",
        found=repr(name) + nearest(name, known, or_all=False),
        do="name one that exists" if known else f"create {path.name} in {kind or 'conf'}",
    )


def conf_names(kind: str) -> list[str]:
    """Return the names of the files of a folder of ``conf``.

    >>> "mlp_64_32" in conf_names("models")
    True
    """
    return sorted(file.stem for file in (conf_folder() / kind).glob("*.yaml") if file.stem != "base")


class _OnceLoader(yaml.SafeLoader):
    """A safe loader that refuses a key which a mapping has twice, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                line = key.start_mark.line + 1
                if key.value in seen:
                    raise yaml.YAMLError(
                        f"the key {key.value!r} twice, in lines {seen[key.value]} and {line}"
                    )
                seen[key.value] = line
        return dict(super().construct_mapping(node, deep))


def _is_endless(content: Any, above: tuple[int, ...] = ()) -> bool:
    if not isinstance(content, dict | list):
        return False
    inside = content.values() if isinstance(content, dict) else content
    return id(content) in above or any(_is_endless(item, (*above, id(content))) for item in inside)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file into plain containers.

    Raises:
        InputError: it cannot be read, is no YAML, has a key twice, or holds no mapping.
    """
    try:
        content = yaml.load(path.read_text("utf-8"), Loader=_OnceLoader)  # noqa: S506 - a SafeLoader
        if _is_endless(content):
            raise yaml.YAMLError("an alias that stands within what it names")
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(required=f"a YAML file {path}", found=reason, do="mend the file") from error
    if not isinstance(content, dict):
        raise InputError(
            required=f"a mapping of keys in {path}", found=repr(content)[:80], do="mend the file"
        )
    return {str(key): value for key, value in content.items()}


def yaml_lines(path: Path) -> dict[str, int]:
    r"""Return the line of every key of a YAML file that ``load_yaml`` can read, by its path with dots.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile("w", suffix=".yaml") as file:
    ...     _ = file.write("files:\n  - kind: loans\n    header: true\n")
    ...     file.flush()
    ...     yaml_lines(Path(file.name))
    {'files': 1, 'files.0': 2, 'files.0.kind': 2, 'files.0.header': 3}
    """
    found: dict[str, int] = {}

    def walk(node: yaml.Node | None, place: tuple[str, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            children = [(key.value, key, value) for key, value in node.value if isinstance(key.value, str)]
        elif isinstance(node, yaml.SequenceNode):
            children = [(str(number), item, item) for number, item in enumerate(node.value)]
        else:
            return
        for name, start, value in children:
            found[".".join([*place, name])] = start.start_mark.line + 1
            walk(value, (*place, name))

    walk(yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader), ())
    return found
