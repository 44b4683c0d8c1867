"""The command: report, result line, exit codes; and the real files."""

import gzip
import json
import random
import subprocess
import sys

import pytest
import yaml

from loanbook.cli import main
from loanbook.settings.section import validated
from loanbook.sources.inspect.arrived import arrived_files
from loanbook.sources.inspect.report import as_text
from loanbook.sources.inspect.starter import starter_mapping
from loanbook.sources.mapping.mapping import TapeMapping
from tests.sources.inspect.samples import inspected, panel, write

ODD_TEXTS = [
    "1", "-2.5", "999", "202401", "01/02/2024", "Dec-2011", "", " ", '"a, b"', "O'Brien", 'say "x"', "NA",
    "é", "1,5", "12%", "no", "#", "a: b", "{x}", "\r", "0" * 30, "1e309", "a.b", "\u2028", "٣",
]  # fmt: skip


def run(capsys, *arguments):
    code = main(["inspect-tape", *map(str, arguments)])
    out = capsys.readouterr().out
    return code, out, json.loads(out.splitlines()[-1])


def test_the_report_is_text_and_the_last_line_one_object(tmp_path, capsys):
    file = write(tmp_path, "feed_202401.csv", panel())
    mapping = tmp_path / "feed.yaml"
    code, out, result = run(capsys, file.path, "--lines", 13, "--write-mapping", mapping)
    assert (code, result["status"], result["mapping"]) == (0, "inspected", str(mapping))
    assert result["files"][0]["fields"]["month"] == "date yyyyMM"
    assert not result["files"][0]["whole_file"]
    assert "the first 13 lines" in out
    assert "loan_id + month" in out
    assert mapping.read_text().startswith("# A mapping begun by inspect-tape from feed_202401.csv.")
    code, _, result = run(capsys, file.path, "--write-mapping", mapping)
    assert code == 2
    assert "a file of that name" in result["error"]


def test_a_bad_file_does_not_hide_the_others_and_exits_2(tmp_path, capsys):
    write(tmp_path, "a.csv", panel())
    write(tmp_path, "b.csv", [])
    code, out, result = run(capsys, tmp_path, tmp_path / "nothing")
    assert code == 2
    assert "== a.csv" in out
    assert "key        loan_id + month" in out
    assert "an empty file" in result["error"]
    assert "nothing of that name" in result["error"]


def test_an_archive_cut_short_is_reported_and_exits_2(tmp_path, capsys):
    content = "".join(f"{line}\n" for line in panel(2000)).encode()
    packed = gzip.compress(content)
    (tmp_path / "a.csv.gz").write_bytes(packed[: len(packed) * 3 // 4])
    code, out, result = run(capsys, tmp_path / "a.csv.gz")
    assert code == 2
    assert "up to where the archive is cut short" in out
    assert "fetch the file again" in result["error"]


def test_no_jvm_is_started(tmp_path):
    file = write(tmp_path, "a.csv", panel())
    script = (
        "import sys; from loanbook.cli import main; code = main(['inspect-tape', sys.argv[1]]); "
        "from pyspark import SparkContext; assert SparkContext._gateway is None; sys.exit(code)"
    )
    subprocess.run([sys.executable, "-c", script, str(file.path)], check=True, capture_output=True)


REAL = {
    "credit_card_status": {("credit_card_status", "loans"), ("credit_card_status", "performance")},
    "fannie_mae_2007q3": {("fannie_mae", "loans"), ("fannie_mae", "performance")},
    "macro": {("macro_us", "macro")},
}


@pytest.mark.parametrize("folder", REAL)
def test_real_files_are_known_by_their_layout(shared_data, folder):
    files, _ = arrived_files(str(shared_data / folder))
    found = [inspected(file, 20_000) for file in files]
    assert {(match.source, match.kind) for findings in found for match in findings.known} == REAL[folder]
    assert all(match.reads == 1 for findings in found for match in findings.known)


def test_real_keys_months_and_sentinels(shared_data):
    files, _ = arrived_files(str(shared_data / "credit_card_status"))
    applications, record = (inspected(file, 20_000) for file in files)
    assert record.keys[0].fields == ("ID", "MONTHS_BALANCE")
    assert next(f for f in applications.fields if f.name == "DAYS_EMPLOYED").missing.keys() == {"365243"}
    (file,), _ = arrived_files(str(shared_data / "fannie_mae_monthly_2015_2019"))
    panel_found = inspected(file, 0)
    assert panel_found.keys[0].fields == ("loan_id", "monthly_reporting_period")
    assert panel_found.months[0].found == 54
    status = next(f for f in panel_found.fields if f.name == "delinquency_status")
    assert status.exceptions == {"D": 607, "X": 272}


@pytest.mark.parametrize("limit", [0, 7])
def test_any_delimited_text_has_a_report_and_a_mapping_that_loads(tmp_path, limit):
    draw = random.Random(7)  # noqa: S311 - test data
    for number in range(30):
        delimiter, width = draw.choice(",;|\t"), draw.randint(1, 5)
        rows = [
            delimiter.join(draw.choice(ODD_TEXTS) for _ in range(width)) for _ in range(draw.randint(1, 30))
        ]
        findings = inspected(write(tmp_path, f"f_{number}.csv", [*rows, "1" + delimiter]), limit)
        assert findings.sample.file.name in as_text(findings)
        mapping = validated(TapeMapping, yaml.safe_load(starter_mapping([findings], "x")), "mapping")
        assert len(mapping.files) == 1
