"""Settings: ``conf/base.yaml`` < profile < ``--set``, merged by OmegaConf into typed models."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BeforeValidator, Field

from loanbook.errors import InputError
from loanbook.evaluation.settings import EvaluateSettings
from loanbook.features.settings import BookSettings, DefaultDefinition, FeatureSettings
from loanbook.scoring.settings import ScoreSettings
from loanbook.section import Section, nearest, validated
from loanbook.sources.settings import IngestSettings
from loanbook.sources.simulate.settings import SimulationSettings
from loanbook.training.settings import TrainSettings
from loanbook.warehouse.settings import WriterSettings

PATHS = "paths."

PathText = Annotated[str, Field(min_length=1)]


class PathSettings(Section):
    """Where things live; see storage.py for the schemes it supports."""

    warehouse: PathText
    models: PathText
    snapshots: PathText
    reports: PathText
    simulated: PathText
    landing: PathText


def _spark_text(value: Any) -> Any:
    """Return a value of YAML or of the command line as Spark writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


class SparkSettings(Section):
    """What the profile asks of Spark, set only where spark-submit or the session has not set it."""

    master: str | None = None
    conf: dict[str, Annotated[str, BeforeValidator(_spark_text)]] = Field(default_factory=dict)


class Settings(Section):
    """Everything a job may be told; ``conf/base.yaml`` says what each means."""

    paths: PathSettings
    catalog: str | None = None
    log_format: Literal["text", "json"] = "text"
    spark: SparkSettings = SparkSettings()
    writers: WriterSettings = WriterSettings()
    default_definition: DefaultDefinition = DefaultDefinition()
    ingest: IngestSettings = IngestSettings()
    book: BookSettings = BookSettings()
    features: FeatureSettings = FeatureSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    score: ScoreSettings = ScoreSettings()
    simulate: SimulationSettings = SimulationSettings()

    def hash(self) -> str:
        """Return 16 hex digits over all settings but paths, log format, waiting and Spark tunables."""
        content = self.model_dump(mode="json", exclude={"paths", "catalog", "spark", "writers", "log_format"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def conf_folder() -> Path:
    """Return the folder of settings: ``$LOANBOOK_CONF``, else the checkout's, else the package's."""
    if given := os.environ.get("LOANBOOK_CONF"):
        return Path(given)
    checkout = Path(__file__).parents[2] / "conf"
    return checkout if (checkout / "base.yaml").exists() else Path(__file__).parent / "conf"


def conf_file(kind: str, name: str, what: str) -> Path:
    """Return ``conf/<kind>/<name>.yaml``, or ``name`` itself where it is a path to a YAML file.

    Raises:
        InputError: there is none; the message lists those that exist.
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
    known = sorted(file.stem for file in path.parent.glob("*.yaml") if file.stem != "base")
    raise InputError(
        required=f"a {what}: one of {', '.join(known) or 'none'}, or the path of a YAML file",
        found=repr(name) + nearest(name, known, or_all=False),
        do="name one that exists" if known else f"create {path.name} in {kind or 'conf'}",
    )


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
    """Return the line of every key of a YAML file that ``load_yaml`` can read, by its path with dots."""
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


def _from_overrides(overrides: Sequence[str]) -> DictConfig:
    """Return what ``key=value`` texts say: a value is YAML, but a path is the text as it is.

    Raises:
        InputError: a value is no YAML.
    """
    merged = OmegaConf.create()
    for override in overrides:
        key, _, value = override.partition("=")
        try:
            if override.startswith(PATHS):
                OmegaConf.update(merged, key, value)
            else:
                merged.merge_with_dotlist([override])
        except (OmegaConfBaseException, yaml.YAMLError) as error:
            reason = " ".join(str(error).split()).partition(" in ")[0]
            raise InputError(
                required=f"--set {key}= with a value of YAML",
                found=f"{override!r}: {reason}",
                do="close its brackets or quotes, or put the value in quotes",
            ) from error
    return merged


def load_settings(profile: str = "local", overrides: Sequence[str] = ()) -> Settings:
    """Return the settings of a profile (a name in ``conf/`` or a YAML file) with ``key=value`` overrides.

    Raises:
        InputError: an unknown profile or key, or a value of the wrong type; the nearest known key is named.
    """
    for override in overrides:
        if "=" not in override:
            raise InputError(
                required="--set key=value", found=repr(override), do="write the key, '=' and the value"
            )
    try:
        merged = OmegaConf.merge(
            load_yaml(conf_folder() / "base.yaml"),
            load_yaml(conf_file("", profile, "profile")),
            _from_overrides(overrides),
        )
        content = OmegaConf.to_container(merged, resolve=True)
    except (OmegaConfBaseException, yaml.YAMLError) as error:
        found = str(error).splitlines()[0]
        raise InputError(
            required="settings that merge and resolve", found=found, do="mend the named key"
        ) from error
    return validated(Settings, content, f"settings (profile {profile!r})")
