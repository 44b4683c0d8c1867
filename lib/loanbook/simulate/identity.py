"""Which book a truth is of: loan ids do not tell, as every simulated book counts them alike."""

import hashlib
import json
from pathlib import Path
from typing import Any

from loanbook.settings.simulate import SimulationSettings, SizeSettings

MANIFEST = "manifest.json"  # in the folder of the truth
ORIGINATION = "historical_data_[0-9]*.txt"  # tapes; those of performance have another name


def write_identity(out: Path, settings: SimulationSettings, size: SizeSettings, seed: int) -> None:
    """Write beside the truth what its book was made from, and the SHA-256 of its origination tapes by name.

    ``deliveries`` has the SHA-256 of every tape that was ingested, so that both can be held together.

    Args:
        out: folder of the tapes and of the truth, both complete.
        settings: of the simulation.
        size: of the book.
        seed: of every draw.
    """
    made_from = {"settings": settings.model_dump(mode="json"), "size": size.model_dump(mode="json")}
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    content: dict[str, Any] = {"settings": digest, "seed": seed, "tapes": _digests(out / "tapes")}
    path = out / "truth" / MANIFEST
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8")
    temporary.replace(path)


def _digests(tapes: Path) -> dict[str, str]:
    found = {}
    for path in sorted(tapes.glob(ORIGINATION)):
        with path.open("rb") as stream:
            found[path.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found
