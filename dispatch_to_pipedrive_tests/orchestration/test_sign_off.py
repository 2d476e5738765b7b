"""What is signed is what the gates saw, with evidence that proves itself, whatever others do meanwhile."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from upath import UPath

from dispatch_to_pipedrive.migration.errors import GateClosed, LeaseLost, MigrationError
from dispatch_to_pipedrive.migration.evidence.check import check_pack
from dispatch_to_pipedrive.migration.lease import acquire
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.lifecycle import LOADED, signed_off
from dispatch_to_pipedrive.migration.sign_off import AFTER, DECIDED_BY, closed_gates
from dispatch_to_pipedrive.migration.values import Intent, LeaseHolder, Manifest, Outcome, OwnerRow
from dispatch_to_pipedrive.orchestration import evidence
from dispatch_to_pipedrive.orchestration import finish as finishing
from dispatch_to_pipedrive.orchestration import sign_off as module
from dispatch_to_pipedrive.orchestration.bring import Road, Wish
from dispatch_to_pipedrive.orchestration.decided_by import decided_by
from dispatch_to_pipedrive.orchestration.homes import frame_path
from dispatch_to_pipedrive.orchestration.io_managers import to_parquet
from dispatch_to_pipedrive.orchestration.prepared import PREPARED, keep_prepared
from dispatch_to_pipedrive.orchestration.road import maps_of
from dispatch_to_pipedrive.orchestration.sign_off import Signed, facts_of, signed
from dispatch_to_pipedrive.settings import Settings, load_settings

MAPPINGS = Path(__file__).parents[2] / "mappings"
REAL, REHEARSAL = Scope("8", "42"), Scope("7", "42")
INTENT = Intent(
    *("create", "deals", "job:1/deal", None, {"title": "Leak"}, None, 1, 1, "wave-0001", "run"),
    *("2026-11-23T10:00:00", None),
)


@dataclass
class Home:
    """One batch in the real account, and a rehearsal on the same ledger."""

    settings: Settings
    ledger: Ledger

    def write(self, scope: Scope, fence: int) -> None:
        (intent,), _ = self.ledger.record(scope, fence, intents=[INTENT])
        self.ledger.record(scope, fence, outcomes=[Outcome(intent, "done", 5, 100, {"id": 1})])

    def rehearse(self) -> None:
        with acquire(self.ledger, REHEARSAL.account, purpose="rehearsal", seconds=60) as lease:
            self.write(REHEARSAL, lease.fence)

    def overtake(self) -> None:
        """As another process does when the lease of this one has run out."""
        other = LeaseHolder("other", "load wave-0001", "elsewhere", 1, 0.0, 0, 60)
        self.write(REAL, self.ledger.take_lease(REAL.account, other, 0, lambda _holder: True).fence)

    def sign(self) -> Signed:
        return signed(self.ledger, self.settings, "Ada", accept={})

    def packs(self) -> list[str]:
        return sorted(path.name for path in (self.settings.home / "evidence").iterdir())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("MIGRATION_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(MAPPINGS, tmp_path / "mappings")
    settings = load_settings()
    settings.home.mkdir()
    ledger = Ledger(settings.ledger_url)
    ledger.bind(REAL, "Real")
    ledger.bind(REHEARSAL, "Rehearsal")
    ledger.bind(REAL, "Real")
    ledger.plan([Manifest("wave-0001", "wave", 0, 1, (1, 2), 10, 50)])
    found = Home(settings, ledger)
    with acquire(ledger, REAL.account, purpose="load", seconds=60) as lease:
        found.write(REAL, lease.fence)
    basis = decided_by(ledger, settings, maps_of(settings))
    for stage in (*LOADED, "reconciliation"):
        report = {AFTER: ledger.last_operation(REAL.account), DECIDED_BY: basis, "blocking": 0}
        report |= {"wanted": 1, "equal": 1, "fields": 1, "listing_begun": "2099-01-01"}
        ledger.report_batch(REAL.account, "wave-0001", stage, "run", report)
    path = frame_path(settings, ledger, "reconciliation", "wave-0001")
    path.parent.mkdir(parents=True)
    path.write_bytes(to_parquet(pd.DataFrame({"verdict": ["kept"]})))
    yield found
    ledger.close()


@pytest.fixture
def meanwhile(home: Home, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Every gate is open, and something happens while the evidence is written."""
    written = evidence._differences
    monkeypatch.setattr(module, "sign_off_gates", lambda _facts: ())

    def install(act: Callable[[], None]) -> None:
        def differences(ledger: Ledger, settings: Settings) -> Iterator[bytes]:
            act()
            yield from written(ledger, settings)

        monkeypatch.setattr(evidence, "_differences", differences)

    return install


def test_what_another_account_writes_meanwhile_does_not_spoil_the_evidence(
    home: Home, meanwhile: Callable[[Callable[[], None]], None]
) -> None:
    meanwhile(home.rehearse)
    done = home.sign()
    found = check_pack(done.pack.folder)
    assert (found.findings, found.operations) == ([], 2)
    assert signed_off(home.ledger, REAL.account)


def test_nothing_is_signed_where_something_was_written_read_or_decided_meanwhile(
    home: Home, meanwhile: Callable[[Callable[[], None]], None]
) -> None:
    maps = home.settings.maps / "persons.yaml"

    def change_the_map() -> None:
        maps.write_text(maps.read_text().replace("args: {value: everyone}", "args: {value: owner}"))

    def pause() -> None:
        home.ledger.mark(REAL.account, "paused", "Bob")

    for act, error in (
        (home.overtake, (GateClosed, LeaseLost)),
        (pause, GateClosed),
        (change_the_map, GateClosed),
    ):
        meanwhile(act)
        with pytest.raises(error):
            home.sign()
        assert not signed_off(home.ledger, REAL.account)
        assert all(name.startswith(".unsigned-") for name in home.packs())
        if act is pause:
            home.ledger.mark(REAL.account, "resumed", "Bob")


def test_a_pack_whose_sign_off_was_killed_is_put_aside_by_the_next(
    home: Home, meanwhile: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(lambda: None)
    mark = Ledger.mark

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Ledger, "mark", killed)
    with pytest.raises(KeyboardInterrupt):
        home.sign()
    (left,) = home.packs()
    monkeypatch.setattr(Ledger, "mark", mark)
    done = home.sign()
    assert home.packs() == sorted([f".unsigned-{left}", done.pack.folder.name])


def test_what_is_rolled_back_ends_the_finish_before_anything_is_run_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.ledger.mark(REAL.account, "frozen", "Ada", {"moment": "2026-06-15T13:00:00+00:00"})
    with acquire(home.ledger, REAL.account, purpose="rollback", seconds=60) as lease:
        home.ledger.roll_back_batch(REAL.account, "wave-0001", "run", {}, fence=lease.fence)
    monkeypatch.setattr(finishing, "held_back", lambda _ledger: [])
    wish = Wish("signoff")
    with dg.DagsterInstance.ephemeral() as instance:
        (told,) = finishing.finish(Road(home.settings, wish, home.ledger, instance), "")
    assert told.startswith("nothing_rolled_back: wave-0001: `reapply --as NAME`")


def test_without_what_reading_back_found_nothing_is_signed(
    home: Home, meanwhile: Callable[[Callable[[], None]], None]
) -> None:
    path = UPath(frame_path(home.settings, home.ledger, "reconciliation", "wave-0001"))
    meanwhile(path.unlink)
    with pytest.raises(MigrationError, match="what reading back wave-0001 found is not at"):
        home.sign()
    assert home.packs() == []


def test_another_map_other_owners_and_names_that_were_not_prepared_close_the_gates(home: Home) -> None:
    def told() -> str:
        return "\n".join(closed_gates(module.gates_of(home.ledger, home.settings)))

    again = ("wave-0001 loaded with another map", "wave-0001 read back with another map")
    assert not any(words in told() for words in again)
    maps = home.settings.maps / "persons.yaml"
    before = maps.read_text()
    maps.write_text(before.replace("args: {value: everyone}", "args: {value: owner}"))
    assert all(words in told() for words in again)
    maps.write_text(f"# Only a comment.\n{before}")
    assert not any(words in told() for words in again)
    home.ledger.save_owners(REAL.account, [OwnerRow(601, "Ann", "ann@example.com", 7, "matched")])
    assert all(words in told() for words in again)

    assert not facts_of(home.ledger, home.settings).preparing_due
    keep_prepared(home.ledger, PREPARED, -1, "run")
    assert facts_of(home.ledger, home.settings).preparing_due
