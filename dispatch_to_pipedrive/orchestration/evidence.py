"""What goes into the evidence of a sign-off? All that the ledger knows, the maps, and what reading back found.

No setting is in it, so no secret can be: what stands there comes from the ledger, the maps' folder and the frames.
Names of files are our own, never the source's.
"""

import platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from dispatch_to_pipedrive import __version__
from dispatch_to_pipedrive.mapping import ENTITIES
from dispatch_to_pipedrive.migration.clearance import Gate
from dispatch_to_pipedrive.migration.decisions import FILE
from dispatch_to_pipedrive.migration.errors import MigrationError
from dispatch_to_pipedrive.migration.evidence.check import check_pack
from dispatch_to_pipedrive.migration.evidence.pack import CHAIN, OPERATIONS, Pack, rendered, write_pack
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope, canonical_json
from dispatch_to_pipedrive.migration.lifecycle import LOADED
from dispatch_to_pipedrive.migration.sign_off import AFTER, GO_ON
from dispatch_to_pipedrive.migration.values import TENANT
from dispatch_to_pipedrive.orchestration.homes import frame_path, home_of
from dispatch_to_pipedrive.orchestration.io_managers import from_parquet
from dispatch_to_pipedrive.orchestration.tell import status
from dispatch_to_pipedrive.settings import Settings

FOLDER = "evidence"
_UNSIGNED = ".unsigned-"
_LIBRARIES = ("dagster", "duckdb", "httpx", "pandas", "pyarrow", "sqlalchemy")


def write_evidence(ledger: Ledger, settings: Settings, scope: Scope, by: str, gates: Sequence[Gate]) -> Pack:
    """Write the pack of a sign-off below MIGRATION_HOME; nobody may write to the account meanwhile.

    Packs that no sign-off on record names, of a process that was killed before it could sign, are put aside. Raises
    MigrationError where what reading back found is not there, or where the pack would not prove itself.
    """
    folder = home_of(settings, ledger) / FOLDER
    signed = {one.details.get("evidence") for one in ledger.milestones(scope.account)}
    for left in folder.glob("????-??-??T??????.*Z"):
        if left.name not in signed:
            put_aside(left)
    # Other accounts share the chain and may write meanwhile: what is carried ends here, and so does the proof.
    last, head = ledger.last_commit()
    now = datetime.now(UTC)
    about = {
        "program": f"dispatch-to-pipedrive {__version__}",
        "account": scope.account,
        "company": ledger.bound_company() or "",
        "tenant": scope.tenant,
        "by": by,
        "made_at": now.isoformat(timespec="seconds"),
        "chain_head": head,
    }
    parts = {**_values(ledger, settings, scope, gates, head), **_maps(settings)}
    contents: dict[str, Iterable[bytes]] = {name: [part] for name, part in parts.items()}
    contents["differences.jsonl"] = _differences(ledger, settings)
    contents["links.jsonl"] = (_line(link._asdict()) for link in ledger.every_link(scope))
    contents[OPERATIONS] = (_line(row) for _, rows in ledger.commits(last) for row in rows)
    contents[CHAIN] = (_line(link) for link, _ in ledger.commits(last))
    return write_pack(folder, now.strftime("%Y-%m-%dT%H%M%S.%fZ"), contents, about, prove=_prove)


def put_aside(pack: Path) -> None:
    """Rename a pack that nobody has signed, so that it is not taken for evidence; one that is gone already is."""
    with suppress(FileNotFoundError):
        pack.rename(pack.with_name(f"{_UNSIGNED}{pack.name}"))


def _prove(folder: Path) -> None:
    if findings := check_pack(folder).findings:
        raise MigrationError(
            f"the evidence does not prove itself, so nothing is signed: {'; '.join(findings[:3])}"
        )


def _values(
    ledger: Ledger, settings: Settings, scope: Scope, gates: Sequence[Gate], head: str
) -> dict[str, bytes]:
    """What fits into memory: file → JSON for people and programs."""
    account = scope.account
    told = status(ledger, settings)
    reports = ledger.batch_reports(account)
    batches = [
        {
            **asdict(manifest),
            "reports": {stage: report for (batch, stage), report in reports.items() if batch == manifest.key},
        }
        for manifest in ledger.manifests()
    ]
    found: dict[str, Any] = {
        "gates": [gate._asdict() for gate in gates],
        "counts": {
            "state": told.state,
            "totals": {entity: asdict(totals) for entity, totals in told.totals.items()},
            "files": told.files,
            "fields_verified": told.fields_verified,
            "tokens": told.tokens,
            "floor": told.floor,
            "generation": told.generation,
        },
        "batches": batches,
        "forecast": {"compared": told.forecast, "forecast": reports.get((TENANT, "forecast"))},
        "second_pass": {
            "last_operation": ledger.last_operation(account),
            "chain_head": head,
            "run_after_operation": {
                m.key: {
                    stage: reports[m.key, stage].get(AFTER) for stage in LOADED if (m.key, stage) in reports
                }
                for m in ledger.manifests()
            },
        },
        "milestones": [asdict(one) for one in ledger.milestones(account)],
        "approvals": [asdict(one) for one in ledger.approvals(account)],
        "set_aside": [one._asdict() for one in ledger.quarantined(scope)],
        "kept_edits": [one._asdict() for one in ledger.kept_edits(scope)],
        "owners": [asdict(one) for one in ledger.owners(account)],
        "schema": [asdict(one) for one in ledger.schema_objects(account)],
        "versions": {
            "dispatch-to-pipedrive": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _LIBRARIES},
        },
    }
    return {f"{name}.json": rendered(value) for name, value in found.items()}


def _maps(settings: Settings) -> dict[str, bytes]:
    """The maps as they are, what was taken into them, and who stands for whom."""
    names = [*(f"{entity}.yaml" for entity in ENTITIES), FILE]
    files = {f"maps/{name}": settings.maps / name for name in names}
    files |= {
        f"maps/accepted-{entity}.yaml": settings.maps / "accepted" / f"{entity}.yaml" for entity in ENTITIES
    }
    return {name: path.read_bytes() for name, path in files.items() if path.is_file()}


def _differences(ledger: Ledger, settings: Settings) -> Iterator[bytes]:
    """Whatever reading back found other than equal, by batch: kept, gone, set aside."""
    for manifest in ledger.manifests():
        path = frame_path(settings, ledger, "reconciliation", manifest.key)
        if not path.is_file():
            raise MigrationError(
                f"what reading back {manifest.key} found is not at {path}: {GO_ON}, or the job `reconcile` for it"
            )
        rows = from_parquet(path.read_bytes()).astype("string").fillna("")
        for row in rows.to_dict("records"):
            yield _line({"batch": manifest.key, **{str(name): value for name, value in row.items()}})


def _line(value: dict[str, Any]) -> bytes:
    """One row, written as it was hashed."""
    return canonical_json(value).encode() + b"\n"
