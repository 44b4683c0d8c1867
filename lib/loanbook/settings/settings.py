"""Settings: ``conf/base.yaml`` < profile < ``--set``, merged by OmegaConf into typed models."""

import hashlib
import json
from collections.abc import Sequence
from typing import Literal

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from loanbook.errors import InputError
from loanbook.settings.book import BookSettings, DefaultDefinition
from loanbook.settings.evaluate import EvaluateSettings
from loanbook.settings.features import FeatureSettings
from loanbook.settings.files import conf_file, conf_folder, load_yaml
from loanbook.settings.ingest import IngestSettings
from loanbook.settings.paths import PathSettings
from loanbook.settings.score import ScoreSettings
from loanbook.settings.section import Section, validated
from loanbook.settings.simulate import SimulationSettings
from loanbook.settings.spark import SparkSettings
from loanbook.settings.tracking import TrackingSettings
from loanbook.settings.train import TrainSettings
from loanbook.settings.writers import WriterSettings

PATHS = "paths."


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
    tracking: TrackingSettings = TrackingSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    score: ScoreSettings = ScoreSettings()
    simulate: SimulationSettings = SimulationSettings()

    def hash(self) -> str:
        """Return 16 hex digits over all settings that can change a result.

        Left out are paths, the catalogue, the log's format, how runs wait for each other, what Spark is tuned
        to, and where trainings are recorded.
        """
        left_out = {"paths", "catalog", "spark", "writers", "log_format", "tracking"}
        content = self.model_dump(mode="json", exclude=left_out)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


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


def base_settings() -> Settings:
    """Return what ``conf/base.yaml`` says, the default of every setting."""
    content = OmegaConf.create(load_yaml(conf_folder() / "base.yaml"))
    return validated(Settings, OmegaConf.to_container(content, resolve=True), "conf/base.yaml")


def load_settings(profile: str = "local", overrides: Sequence[str] = ()) -> Settings:
    """Return the settings of a profile with ``key=value`` overrides.

    Args:
        profile: a name in ``conf/``, or the path of a YAML file.
        overrides: each a key with its section, such as ``book.stale_months=6``; the later one wins.

    Raises:
        InputError: an unknown profile or key, or a value of the wrong type; the nearest known key is named.

    >>> load_settings(overrides=["book.stale_months=6"]).book.stale_months
    6
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
