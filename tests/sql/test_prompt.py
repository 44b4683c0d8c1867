import io
import json
import subprocess
import sys
from argparse import Namespace
from decimal import Decimal

import pytest

from loanbook.errors import InputError
from loanbook.maintenance.every_table import TABLES
from loanbook.sql import prompt as sql_prompt
from loanbook.sql.answers import MAX_TABLE_ROWS, as_csv, as_json, as_table
from loanbook.sql.duckdb import Answer, Warehouse
from loanbook.sql.prompt import contents, main, statements
from loanbook.sql.refusals import MADE_BY, refusal
from loanbook.sql.view_definitions import VIEWS
from loanbook.tables.scores import SCORES

QUERY = "SELECT loan_id, state, pd_12m, upb, quality_flags FROM latest_scores WHERE loan_id = 'L007'"


def options(folder, query=None, form="table"):
    return Namespace(profile="local", set=[f"paths.warehouse={folder}"], query=query, format=form)


def test_an_answer_comes_as_table_csv_or_json(scored, tmp_path, capsys):
    answers = {}
    for form in ("table", "csv", "json"):
        main(options(tmp_path / "warehouse", QUERY, form))
        answers[form] = capsys.readouterr().out
    assert answers["table"].splitlines()[0].split() == ["loan_id", "state", "pd_12m", "upb", "quality_flags"]
    assert answers["table"].splitlines()[2].split() == ["L007", "dpd90", "1", "251.75", "[]"]
    assert answers["table"].endswith("(1 row)\n")
    assert answers["csv"] == "loan_id,state,pd_12m,upb,quality_flags\nL007,dpd90,1.0,251.75,[]\n"
    assert json.loads(answers["json"]) == [
        {"loan_id": "L007", "state": "dpd90", "pd_12m": 1.0, "upb": 251.75, "quality_flags": []}
    ]


def test_statements_are_read_from_stdin_where_no_query_is_given(scored, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("select count(*) as n\nfrom scores;\nselect 1 as one"))
    main(options(tmp_path / "warehouse", form="csv"))
    assert capsys.readouterr().out == "n\n40\none\n1\n"


def test_every_statement_of_a_query_is_answered_and_a_query_there_must_be(
    scored, tmp_path, capsys, monkeypatch
):
    main(options(tmp_path / "warehouse", "select 1 as one; select ';' as two -- the last", "csv"))
    assert capsys.readouterr().out == "one\n1\ntwo\n;\n"
    for query in ("", " ;; ", "-- nothing"):
        with pytest.raises(InputError, match="a query, as an argument or on stdin"):
            main(options(tmp_path / "warehouse", query))
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(InputError, match="found:    none"):
        main(options(tmp_path / "warehouse"))


@pytest.mark.parametrize(
    "query", ["select * from latest_score", "select nothing from scores", "selec", "select 1/'a' from scores"]
)
def test_a_bad_query_is_refused_and_tables_and_views_are_named(scored, tmp_path, query):
    with pytest.raises(InputError, match=r"the tables features, runs, scores or the views run_history, .*"):
        main(options(tmp_path / "warehouse", query))


def test_an_empty_warehouse_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="no table runs"):
        main(options(tmp_path / "nothing", "select 1"))


def test_tables_are_read_at_their_published_version(make_run, scored):
    run = make_run("crashing")
    run.replace(SCORES, SCORES.empty(run.spark), "true")  # and no runs row
    assert Warehouse(run.storage).ask("select count(*) from scores").rows == [(40,)]


def test_before_the_first_scores_the_other_tables_can_be_queried(make_run, scored, tmp_path):
    run = make_run()
    log = tmp_path / "other"
    (tmp_path / "warehouse" / "runs").rename(log)
    run.inputs = {"features": 0}
    run.finish({})
    warehouse = Warehouse(run.storage)
    assert (warehouse.tables, warehouse.views) == (["runs"], ["run_history", "model_runs"])
    assert warehouse.ask("select count(*) from run_history").rows == [(1,)]


def test_the_prompt_answers_goes_on_after_an_error_and_leaves_on_exit(scored, tmp_path, capsys, monkeypatch):
    lines = iter(
        ["help", "select nope;", "select 1 +", None, "select 41 + 1 as n;", "exit", "select 7 as never;"]
    )
    monkeypatch.setattr(sql_prompt, "_typed_lines", lambda: lines)
    monkeypatch.setattr(sys, "stdin", Namespace(isatty=lambda: True))
    main(options(tmp_path / "warehouse"))
    out = capsys.readouterr().out
    assert "pd_by_vintage" in out
    assert "required: a query over the tables" in out
    assert "\n42\n" in out.replace(" ", "")
    assert "never" not in out


def test_statements_end_with_a_semicolon_or_the_input():
    assert list(statements(["a", "b;", "", "c;", "help", "d"])) == ["a\nb", "c", "help", "d"]


def test_contents_name_every_view_with_its_question(make_run, scored):
    text = contents(Warehouse(make_run().storage))
    assert text.startswith("Tables: features, runs, scores\n")
    assert "latest_scores               What is the latest score of each loan" in text


def test_long_answers_are_cut_in_a_table_only():
    answer = Answer(["n"], [(k,) for k in range(MAX_TABLE_ROWS + 1)])
    assert as_table(answer).endswith("(201 rows, the first 200 shown; --format csv gives all)\n")
    assert len(as_csv(answer).splitlines()) == 202
    assert len(json.loads(as_json(answer))) == 201


def test_numbers_that_json_has_no_word_for_are_text_and_equal_names_are_told_apart():
    answer = Answer(["a", "a", "a_1"], [(float("nan"), [float("-inf"), 1.5], {"b": Decimal("NaN")})])
    assert json.loads(as_json(answer)) == [{"a": "NaN", "a_2": ["-Infinity", 1.5], "a_1": {"b": "NaN"}}]
    assert as_csv(Answer(["a"], [([float("inf")],)])) == 'a\n"[""Infinity""]"\n'


def test_what_no_job_has_made_yet_is_told_with_the_job_that_makes_it():
    assert {*TABLES, *VIEWS} - {"runs"} == set(MADE_BY)
    error = refusal(
        "Catalog Error: Table with name Current_Scores does not exist!", ["runs"], ["run_history"]
    )
    assert (error.required, error.do) == (
        "current_scores, which score-portfolio makes",
        "run score-portfolio first",
    )
    assert refusal("Table with name current_score does not exist!", ["runs"], []).do == "correct the query"


def test_an_answer_without_rows_is_a_header():
    assert as_table(Answer(["a", "b"], [])) == "a  b\n-  -\n(0 rows)\n"


def test_the_prompt_loads_no_spark_and_no_pandas():
    heavy = ("pyspark", "pandas", "numpy", "tensorflow", "pyarrow")
    code = f"import sys, loanbook.cli, loanbook.sql.prompt; print(sys.modules.keys() & {heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
