import pytest

from loanbook.errors import InputError
from loanbook.settings.files import conf_file, conf_folder, load_yaml
from loanbook.settings.paths import PathSettings
from loanbook.settings.settings import Settings, base_settings, load_settings
from tests.settings.keys import keys_in, keys_of


def test_the_base_file_has_every_setting_and_no_other():
    content = load_yaml(conf_folder() / "base.yaml")
    settings = Settings(paths=PathSettings(**content["paths"]))
    known = keys_of(settings)
    assert known ^ keys_in(content, known) == set()


def test_the_base_file_repeats_every_default_of_the_typed_settings():
    settings = base_settings()
    assert settings == Settings(paths=settings.paths)


def test_an_override_wins_over_the_profile_and_follows_references():
    settings = load_settings("local", ["paths.warehouse=somewhere", "book.stale_months=6"])
    assert settings.paths.models == "somewhere/_models"
    assert settings.book.stale_months == 6


def test_a_tunable_of_spark_is_text_however_it_is_written():
    conf = load_settings(
        "local", [r"spark.conf.spark\.ui\.enabled=false", r"spark.conf.spark\.x=4"]
    ).spark.conf
    assert (conf["spark.ui.enabled"], conf["spark.x"]) == ("false", "4")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("book.stale_month=6", "unknown key 'book.stale_month' (did you mean 'stale_months'?)"),
        ("boook.stale_months=6", "unknown key 'boook' (did you mean 'book'?)"),
        ("book.stale_months=often", "book.stale_months = 'often'"),
        ("book.stale_months", "--set key=value"),
        ("ingest.bounds.rows=[1", "--set ingest.bounds.rows= with a value of YAML"),
        ("train.model=${x", "--set train.model= with a value of YAML"),
    ],
)
def test_a_bad_override_names_the_key_and_the_nearest_known_one(override, words):
    with pytest.raises(InputError) as error:
        load_settings("local", [override])
    assert words in str(error.value)
    assert error.value.exit_code == 2


def test_an_unknown_profile_lists_the_known_ones():
    with pytest.raises(InputError, match=r"one of cluster, local.*\n.*'locl' \(did you mean 'local'\?\)"):
        load_settings("locl")


def test_a_missing_source_names_the_file_to_create():
    with pytest.raises(InputError, match=r"a source.*\n.*'nowhere'"):
        conf_file("sources", "nowhere", "source")


def test_a_profile_may_be_a_file_and_a_broken_one_is_named(tmp_path):
    good = tmp_path / "mine.yaml"
    good.write_text("book: {stale_months: 1}\n")
    assert load_settings(str(good)).book.stale_months == 1
    bad = tmp_path / "bad.yaml"
    bad.write_text("book: [unclosed\n")
    with pytest.raises(InputError, match="bad.yaml"):
        load_settings(str(bad))
    with pytest.raises(InputError, match="(?s)required: a YAML file of a profile.*no file .*none.yaml"):
        load_settings(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("book:\n  stale_months: 1\n  stale_months: 2\n", "the key 'stale_months' twice, in lines 2 and 3"),
        ("book: &book [*book]\n", "an alias that stands within what it names"),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_its_lines(tmp_path, text, message):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        load_yaml(tmp_path / "mine.yaml")


def test_the_hash_follows_credit_settings_and_not_places():
    base = load_settings("local").hash()
    assert load_settings("local", ["paths.warehouse=elsewhere", "spark.master=null"]).hash() == base
    assert load_settings("local", ["default_definition.cure_months=6"]).hash() != base


def test_the_default_definition_id_changes_with_every_choice():
    ids = {
        load_settings("local", [f"default_definition.{choice}"]).default_definition.id
        for choice in (
            "cure_months=3",
            "cure_months=4",
            "entry_state=dpd60",
            "cure_months_after_modification=6",
        )
    }
    assert len(ids) == 4
