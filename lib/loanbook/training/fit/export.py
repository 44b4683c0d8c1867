"""What rank 0 leaves of a training: the network and the baselines beside it, as files."""

from typing import Any

from loanbook.models.artefact.artefact import MODEL, member_file, network_file
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.baselines import Fitted, baseline
from loanbook.models.calibration import Calibration
from loanbook.models.inputs.rows import Rows
from loanbook.models.log_loss import log_loss
from loanbook.settings.choice import Choice
from loanbook.training.fit.request import RESULT, TRAINED, TrainRequest
from loanbook.training.snapshot.read import Snapshot
from loanbook.warehouse.storage import published_folder, write_json


def export(request: TrainRequest, snapshot: Snapshot, network: Any, progress: dict[str, Any]) -> None:
    """Fit the baselines, and write them, the network and its weights into the folder ``trained``.

    Args:
        request: what the processes were told.
        snapshot: the rows.
        network: as training left it.
        progress: epochs, history and tune log loss.
    """
    from loanbook.models.artefact.export import onnx_bytes, weight_bytes
    from loanbook.models.network import mean_of

    members = [network]
    fitted = {choice.name: _baseline(choice, request, snapshot) for choice in request.train.baselines}
    tune = snapshot.rows("tune") if request.trainable else None
    losses = {name: _tune_loss(item, request, snapshot, tune) for name, item in fitted.items()}
    result = {
        **progress,
        "method": "trained" if request.trainable else "prior",
        "parameters": sum(member.parameters for member in members),
        "members": len(members),
        "baselines": {name: item.facts for name, item in fitted.items()},
        "tune_log_loss": {MODEL: progress["tune_log_loss"], **losses},
    }
    with published_folder(request.work / TRAINED) as folder:
        (folder / network_file(MODEL)).write_bytes(onnx_bytes(mean_of(members)))
        for number, member in enumerate(members):
            (folder / member_file(number)).write_bytes(weight_bytes(member))
        for name, item in fitted.items():
            (folder / network_file(name)).write_bytes(item.network)
        write_json(folder / RESULT, result)


def _baseline(choice: Choice, request: TrainRequest, snapshot: Snapshot) -> Fitted:
    if request.trainable:
        module, settings = baseline(choice)
        return module.fit(snapshot, request.target, settings)
    from loanbook.models.artefact.export import onnx_bytes
    from loanbook.models.network import constant

    return Fitted(onnx_bytes(constant(snapshot.spec, request.target, request.rate).probabilities))


def _tune_loss(item: Fitted, request: TrainRequest, snapshot: Snapshot, tune: Rows | None) -> float | None:
    """Return a baseline's log loss on the tune rows; None where nothing was fitted."""
    if tune is None:
        return None
    predictor = Predictor(item.network, snapshot.spec, Calibration(method="none"))
    raw, _ = predictor.predict(*tune.inputs)
    return log_loss(tune.label, request.target.pd(raw), tune.weight)
