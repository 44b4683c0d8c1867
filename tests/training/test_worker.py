import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest

from loanbook.errors import InputError, LoanbookError
from loanbook.models.artefact.mean_onnx import mean_of
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration
from loanbook.models.heads import head
from loanbook.models.log_loss import log_loss
from loanbook.settings.choice import Choice
from loanbook.settings.files import conf_folder
from loanbook.settings.model import load_model_settings
from loanbook.settings.train import TrainSettings
from loanbook.training.fit.checkpoint import load_state
from loanbook.training.fit.horovod_run import launch, task_slots
from loanbook.training.fit.request import TrainRequest, checkpoint_file
from loanbook.training.fit.trained import read_trained
from loanbook.training.fit.worker import train_rank
from loanbook.training.snapshot.predicted import predicted_rows
from loanbook.training.snapshot.read import Snapshot

pytestmark = pytest.mark.train

ROOT = Path(__file__).parents[2]
EPOCHS = 6
BASELINES = tuple(choice.name for choice in TrainSettings().baselines)
NONE = Calibration(method="none")
DEFAULT = head("default_12m")


def request(
    snapshot: Snapshot,
    work: Path,
    architecture: str = "deep_five_layer",
    baselines: tuple[str, ...] = BASELINES,
    **changes: Any,
) -> TrainRequest:
    model = load_model_settings(architecture, batch_size=128, epochs=EPOCHS)
    model = model.model_copy(update={"head": "default_12m"})
    train = TrainSettings(members=1, baselines=tuple(Choice(name=name) for name in baselines))
    given = TrainRequest(snapshot.folder, work, model, train, rate=0.05, trainable=True, resume=False)
    return replace(given, **changes)


def pruned_to(keep: int, folder: Path) -> str:
    """A file of the default architecture that keeps so many of its submodels."""
    tabm = (conf_folder() / "models" / "tabm.yaml").read_text()
    (folder / "pruned.yaml").write_text(tabm.replace("submodels: 8", f"keep: {keep}"))
    return str(folder / "pruned.yaml")


def trained_by_two(spark: Any, given: TrainRequest, snapshot: Snapshot) -> tuple[Mapping[str, Any], bytes]:
    """What one network that two processes train is said to be, and its file."""
    ranks = launch(spark, train_rank, given, workers=2, start_timeout=60)
    rows = snapshot.rows_fitted(snapshot.fold.members[0], 2)
    assert [item["rank"] for item in ranks] == [0, 1]
    assert [item["rows"] for item in ranks] == [{0: rows // 2}] * 2
    assert ranks[0]["digests"] == ranks[1]["digests"]
    trained = read_trained(given, 1)
    assert list(trained.networks) == ["model", *(choice.name for choice in given.train.baselines)]
    (facts,) = trained.facts["model"]
    losses = [epoch["tune_log_loss"] for epoch in facts["history"]]
    assert facts["tune_log_loss"] == min(losses) == losses[facts["best_epoch"]]
    assert min(losses) < losses[0] - 0.02
    return facts, trained.networks["model"][0]


def test_two_horovod_processes_train_one_network(
    spark: Any, snapshot: Snapshot, work: Path, tmp_path: Path
) -> None:
    """Its moving means are each process's own, of its own batches, until an epoch ends."""
    normalised = tmp_path / "normalised.yaml"
    normalised.write_text("backbone: {name: mlp, units: [32, 32], dropout: 0.1, normalisation: batch}\n")
    facts, _ = trained_by_two(spark, request(snapshot, work, str(normalised)), snapshot)
    assert facts["pruning"] is None


def test_two_horovod_processes_train_one_network_that_is_pruned(
    spark: Any, snapshot: Snapshot, work: Path, tmp_path: Path
) -> None:
    given = request(snapshot, work, pruned_to(3, tmp_path), baselines=("constant",))
    facts, network = trained_by_two(spark, given, snapshot)
    assert len(facts["pruning"]["kept"]) == 3
    stopping = snapshot.rows((snapshot.fold.members[0].tune,))
    pds = Predictor(network, snapshot.spec, NONE, DEFAULT).predict(*stopping.inputs)[0][:, 0]
    found = log_loss(stopping.label, pds, stopping.weight)
    assert facts["pruning"]["loss_of_kept"] == pytest.approx(found, rel=1e-4)
    assert facts["pruning"]["loss_of_all"] == pytest.approx(facts["tune_log_loss"], rel=1e-4)


def test_members_are_shared_out_as_are_baselines_and_do_not_depend_on_the_workers(
    spark: Any, crossed: Snapshot, work: Path
) -> None:
    given = request(crossed, work, "mlp_64_32")
    one, other = launch(spark, train_rank, given, workers=2, start_timeout=60, hosts="localhost:2")
    assert not set(one["digests"]) & set(other["digests"])
    digests = {**one["digests"], **other["digests"]}
    assert sorted(digests) == [0, 1, 2]
    of_fold = crossed.fold.members
    assert {**one["rows"], **other["rows"]} == {
        number: crossed.rows_fitted(member, 1) for number, member in enumerate(of_fold)
    }
    alone = finished(start(request(crossed, work / "alone", "mlp_64_32", ("constant",)), work / "alone"))
    assert alone["digests"] == {str(number): found for number, found in digests.items()}
    trained = read_trained(given, 3)
    for name in ("model", *BASELINES):
        networks = trained.networks[name]
        assert len(set(networks)) == 3
        mean, parts = (
            Predictor(mean_of(networks), crossed.spec, NONE, DEFAULT),
            crossed.fold.samples["out_of_fold"],
        )
        inputs = crossed.rows(parts).inputs
        members = [
            Predictor(content, crossed.spec, NONE, DEFAULT).predict(*inputs)[0] for content in networks
        ]
        np.testing.assert_allclose(mean.members(*inputs), np.stack(members, axis=1), atol=1e-7)
        np.testing.assert_allclose(mean.predict(*inputs)[0], np.mean(members, axis=0), atol=1e-6)
        found = predicted_rows(crossed, "out_of_fold", {name: mean})
        first = len(crossed.role_frame(parts[0]))
        np.testing.assert_allclose(found.members[name][:first, 0], members[0][:first], atol=1e-6)
        np.testing.assert_allclose(found.members[name][first:, 0][:9], members[1][first:][:9], atol=1e-6)


def test_more_workers_than_slots_are_refused(spark: Any, snapshot: Snapshot, work: Path) -> None:
    assert task_slots(spark) == 2
    with pytest.raises(InputError, match="3 Spark task slots"):
        launch(spark, train_rank, request(snapshot, work), workers=3, start_timeout=60)
    for hosts, said in (
        ("localhost:2", "localhost:2: 2"),
        ("localhost:1,b", "'b' is no host with its slots"),
    ):
        with pytest.raises(InputError, match=said):
            launch(spark, train_rank, request(snapshot, work), workers=3, start_timeout=60, hosts=hosts)


# Horovod's own thread lets the failure of its Spark job pass.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("hosts", [None, "localhost:1"])
def test_a_failing_worker_fails_the_run(
    hosts: str | None, spark: Any, snapshot: Snapshot, work: Path
) -> None:
    lost = replace(request(snapshot, work), snapshot=work / "nowhere")
    with pytest.raises(LoanbookError, match=r"^training failed in a worker: .*nowhere.*No such file.*$"):
        launch(spark, train_rank, lost, workers=1, start_timeout=60, hosts=hosts)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_fails_ends_one_that_trains_another_member(
    spark: Any, crossed: Snapshot, work: Path
) -> None:
    given = request(crossed, work, "mlp_64_32")
    endless = given.model.model_copy(update={"epochs": 100_000, "patience": 100_000})
    (work / checkpoint_file(1) / "in the way").mkdir(parents=True)
    with pytest.raises(LoanbookError, match=r"^training failed in a worker: .*checkpoint_1"):
        launch(spark, train_rank, replace(given, model=endless), workers=2, start_timeout=60)
    deadline = time.monotonic() + 60
    while workers_left() and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not workers_left()


def workers_left() -> list[int]:
    found = []
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has ended
            found += [each.pid] if "gloo_exec_fn" in " ".join(each.cmdline()) else []
    return found


def start(given: TrainRequest, folder: Path) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "request").write_bytes(pickle.dumps(given))
    command = [sys.executable, "-m", "tests.training.train_alone", str(folder / "request")]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, start_new_session=True)


def finished(process: Any) -> Any:
    stdout, _ = process.communicate(timeout=180)
    assert process.returncode == 0
    return json.loads(stdout.splitlines()[-1])


def test_kill_and_resume_ends_where_an_undisturbed_training_ends(snapshot: Snapshot, tmp_path: Path) -> None:
    whole_request, victim_request = (
        request(snapshot, tmp_path / name, baselines=("logistic",)) for name in ("whole", "victim")
    )
    whole = start(whole_request, tmp_path / "whole")
    victim = start(victim_request, tmp_path / "victim")
    checkpoint = tmp_path / "victim" / checkpoint_file(0)
    deadline = time.monotonic() + 120
    while (
        (state := load_state(checkpoint)) is None or state.progress.epoch < 2
    ) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.communicate()
    killed_at = load_state(checkpoint)
    assert killed_at is not None
    assert 2 <= killed_at.progress.epoch < EPOCHS

    resumed = finished(start(replace(victim_request, resume=True, attempt="second"), tmp_path / "victim"))
    undisturbed = finished(whole)
    assert (
        f"training resumes after epoch {killed_at.progress.epoch}"
        in (tmp_path / "victim" / "log").read_text()
    )
    assert resumed["digests"] == undisturbed["digests"]
    assert read_trained(whole_request, 1) == read_trained(victim_request, 1)


def test_an_untrainable_book_gets_a_constant(snapshot: Snapshot, tmp_path: Path) -> None:
    given = request(snapshot, tmp_path / "prior", pruned_to(3, tmp_path), trainable=False, rate=0.0125)
    finished(start(given, tmp_path / "prior"))
    trained = read_trained(given, 1)
    (facts,) = trained.facts["model"]
    assert (facts["epochs"], facts["pruning"]) == (0, None)
    inputs = snapshot.rows(("test",)).inputs
    for name in ("model", *BASELINES):
        predictor = Predictor(trained.networks[name][0], snapshot.spec, NONE, DEFAULT)
        assert predictor.predict(*inputs)[0] == pytest.approx(0.0125, rel=1e-5)
