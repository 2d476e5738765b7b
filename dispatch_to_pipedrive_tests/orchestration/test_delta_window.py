"""What the schedule and the sensor of the delta window ask for, and why they do not: evaluated as the daemon does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS, HORIZON
from dispatch_to_pipedrive.dispatch_pro.segments import Segment
from dispatch_to_pipedrive.migration.approval import SAMPLE
from dispatch_to_pipedrive.migration.errors import GateClosed, MigrationError
from dispatch_to_pipedrive.migration.lease import acquire
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope, door_of
from dispatch_to_pipedrive.migration.lifecycle import LOADED, UNDONE, standing
from dispatch_to_pipedrive.migration.plan import plan_delta
from dispatch_to_pipedrive.migration.values import Manifest, Poll
from dispatch_to_pipedrive.orchestration import cutover
from dispatch_to_pipedrive.orchestration.build import build_defs
from dispatch_to_pipedrive.orchestration.prepared import MATCHED, PREPARED, forget_prepared, keep_prepared
from dispatch_to_pipedrive.orchestration.reset import ACCOUNT
from dispatch_to_pipedrive.orchestration.resources import Migration, require_may_begin, writing
from dispatch_to_pipedrive.orchestration.sensors import DELIVERS, Attempts, delta_window, deltas
from dispatch_to_pipedrive.settings import Settings, load_settings

SCOPE = Scope("7", "42")
FAILED, WELL = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job
def a_job() -> None:
    nothing()


@dataclass(frozen=True)
class Landed:
    """What an advance of a feed brought."""

    feed: str
    segments: Sequence[Segment]
    cursor: str


@dataclass(frozen=True)
class Daemon:
    """One home as the daemon sees it."""

    settings: Settings
    ledger: Ledger
    instance: dg.DagsterInstance

    def ask(self) -> dg.RunRequest | str:
        """What the sensor asks for, or why it skips."""
        with dg.build_sensor_context(
            instance=self.instance, resources={"migration": Migration()}, definitions=build_defs()
        ) as context:
            return self._told(deltas(context))

    def tick(self) -> dg.RunRequest | str:
        """What the schedule asks for, or why it skips."""
        with dg.build_schedule_context(
            instance=self.instance,
            scheduled_execution_time=datetime(2026, 6, 15, 18, 1, tzinfo=UTC),
            resources={"migration": Migration()},
        ) as context:
            return self._told(delta_window(context))

    @staticmethod
    def _told(answer: Any) -> dg.RunRequest | str:
        if isinstance(answer, dg.SkipReason):
            return str(answer.skip_message)
        assert isinstance(answer, dg.RunRequest)
        return answer

    def run(self, status: dg.DagsterRunStatus, **tags: str) -> None:
        """A run that came to that."""
        self.instance.create_run_for_job(
            a_job, status=status, tags={k.replace("__", "/"): v for k, v in tags.items()}
        )

    def tried(self, what: str, status: dg.DagsterRunStatus, account: str = SCOPE.account) -> None:
        tags = {DELIVERS: what, "dispatch/lane": "load", ACCOUNT: account}
        self.instance.create_run_for_job(a_job, status=status, tags=tags)

    def mark(self, name: str, **details: Any) -> None:
        self.ledger.mark(SCOPE.account, name, "Ada", details)

    def open(self, minutes: int = 15) -> None:
        cutover.open_window(self.settings, "Ada", minutes=minutes)

    @staticmethod
    def source_shows(
        monkeypatch: pytest.MonkeyPatch,
        clock: datetime,
        newest: datetime | None = datetime(2026, 6, 14, 12, tzinfo=UTC),
    ) -> None:
        """The source's clock, and when what was read of it was changed last."""

        async def told(_settings: Settings) -> datetime:
            return clock

        monkeypatch.setattr(cutover, "source_time", told)
        monkeypatch.setattr(cutover, "_newest_change", lambda *_: newest)

    def plan(self, *keys: str) -> None:
        self.ledger.plan([Manifest(key, key[:5], 1, 2, (1,), 10, 50) for key in keys])

    def bring(self, key: str) -> None:
        for stage in (*LOADED, "reconciliation"):
            self.ledger.report_batch(SCOPE.account, key, stage, "run", {"blocking": 0})

    def land(self, feed: str, number: int) -> int:
        """A record of a feed arrives; the generation."""
        segment = Segment(feed, f"{feed}/{number}.parquet", 1, 1, "0")
        since = self.ledger.cursors()
        generation = self.ledger.commit_generation([Landed(feed, (segment,), str(number))], since)
        assert generation is not None
        return generation

    def polled(self, at: datetime, began: datetime | None = None, whole: datetime | None = None) -> None:
        """All feeds were read to their ends."""
        first, since = began or at, "" if whole is None else _text(whole)
        self.ledger.record_polls([Poll(feed, _text(first), _text(at), True, 1, since) for feed in FEEDS])


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Daemon]:
    """A migration whose wave is brought and whose sample is approved; no window is open."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("MIGRATION_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    settings.home.mkdir()
    ledger = Ledger(settings.ledger_url)
    ledger.bind(SCOPE, "Company")
    ledger.plan([Manifest("wave-0001", "wave", 0, 1, (1, 2), 10, 50)])
    ledger.approve(SCOPE.account, SAMPLE, "digest", name="Ada", document={})
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        found = Daemon(settings, ledger, instance)
        found.bring("wave-0001")
        yield found
    ledger.close()


def test_without_a_window_nothing_is_read(daemon: Daemon) -> None:
    assert "the delta window is not open" in str(daemon.tick())
    assert daemon.ask() == "no batch waits"


def test_in_the_window_the_source_is_read_on_every_so_many_minutes(daemon: Daemon) -> None:
    daemon.open(minutes=10)
    asked = daemon.tick()
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == "advance/2026-06-15T18:01"
    daemon.polled(now() - timedelta(minutes=9))
    assert "the next advance is due at" in str(daemon.tick())
    daemon.polled(now() - timedelta(minutes=10))
    assert isinstance(daemon.tick(), dg.RunRequest)


def test_a_daemon_that_was_down_reads_on_at_once(daemon: Daemon) -> None:
    daemon.open()
    daemon.polled(now() - timedelta(hours=5))
    assert isinstance(daemon.tick(), dg.RunRequest)


def test_while_an_advance_is_under_way_no_other_is_asked_for(daemon: Daemon) -> None:
    daemon.open()
    defs = build_defs()
    job = defs.resolve_job_def("advance_and_plan")
    daemon.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert "an advance is under way" in str(daemon.tick())


def test_the_window_closes_by_itself_and_by_hand(daemon: Daemon) -> None:
    closes = now() - timedelta(hours=1)
    daemon.mark("window_opened", closes_at=_text(closes), minutes=60)
    daemon.polled(closes + HORIZON)  # its last changes show later than that
    assert isinstance(daemon.tick(), dg.RunRequest)
    daemon.polled(closes + HORIZON + timedelta(seconds=1))
    assert "the delta window closed at" in str(daemon.tick())
    daemon.open()
    cutover.close_window(daemon.settings, "Ada")
    assert "is not open" in str(daemon.tick())
    with pytest.raises(GateClosed, match="no delta window is open"):
        cutover.close_window(daemon.settings, "Ada")


def test_after_a_freeze_the_source_is_read_until_all_has_arrived(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = now() - timedelta(hours=2)
    daemon.source_shows(monkeypatch, now(), None)
    cutover.freeze(daemon.settings, "Ada", at=_text(long_ago))
    daemon.polled(now() - timedelta(hours=1))
    assert isinstance(daemon.tick(), dg.RunRequest)  # read to the end after it, but never swept
    begun = long_ago + HORIZON + timedelta(seconds=1)
    daemon.polled(now() - timedelta(hours=1), began=begun, whole=begun)
    assert "everything up to the freeze" in str(daemon.tick())
    daemon.open()  # people work on: the freeze is lifted
    assert isinstance(daemon.tick(), dg.RunRequest)


@pytest.mark.parametrize("frozen", [True, False])
def test_what_arrived_last_while_a_delta_waited_is_planned_after_it(daemon: Daemon, frozen: bool) -> None:
    end = now() - timedelta(hours=2)
    if frozen:
        daemon.mark("frozen", moment=_text(end))
    else:
        daemon.mark("window_opened", closes_at=_text(end), minutes=15)
    daemon.plan("delta-0001")  # up to generation 2
    for number in (1, 2, 3):
        daemon.land("jobs", number)
    begun = now() - timedelta(hours=1)
    daemon.polled(begun, whole=begun)
    assert "what arrived while delta-0001 waited is planned once it is brought" in str(daemon.tick())
    daemon.bring("delta-0001")
    assert isinstance(daemon.tick(), dg.RunRequest)

    def nobody(_since: int, _upto: int) -> Sequence[int]:
        return ()

    assert not plan_delta(daemon.ledger, SCOPE.account, generation=3, touched=nobody, priced=pd.DataFrame)
    assert str(daemon.tick()).startswith("everything up to" if frozen else "the delta window closed at")


@pytest.mark.parametrize("name", ["paused", "rollback_begun", "signed_off"])
def test_nothing_is_asked_for_while_nothing_may_be_written(daemon: Daemon, name: str) -> None:
    daemon.plan("delta-0001")
    daemon.open()
    daemon.mark(name, batches=[])
    assert "Ada" in str(daemon.ask())
    assert isinstance(daemon.tick(), str)


def test_what_was_emptied_is_not_filled_again_before_somebody_asks_for_it(daemon: Daemon) -> None:
    """After a rollback of everything a customer changes: the account stays as it is, its schema too."""
    daemon.open()
    daemon.plan("delta-0001")
    keep_prepared(daemon.ledger, PREPARED, 0, "run")
    keep_prepared(daemon.ledger, MATCHED, 0, "run")
    daemon.ledger.report_batch(SCOPE.account, "wave-0001", UNDONE, "run", {})
    for words in (daemon.ask(), daemon.tick()):
        assert (
            words
            == "batch wave-0001 was rolled back: `reapply --as NAME` brings it again, with all that were"
        )
    with pytest.raises(GateClosed, match="wave-0001 was rolled back"):
        require_may_begin(daemon.ledger, SCOPE.account, "delta-0001")
    require_may_begin(daemon.ledger, SCOPE.account, undoing=True)
    daemon.ledger.take_up_again(SCOPE.account, ["wave-0001"])
    assert isinstance(daemon.ask(), dg.RunRequest)
    daemon.bring("delta-0001")
    daemon.land("technicians", 1)
    assert isinstance(daemon.ask(), dg.RunRequest)
    forget_prepared(daemon.ledger, SCOPE.account)
    assert daemon.ask() == "no batch waits"


async def test_who_may_not_write_does_not_wait_for_the_lease(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told without a word to the account: nothing listens at this address."""
    monkeypatch.setenv("PIPEDRIVE_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "token")
    monkeypatch.setenv("DISPATCH_PRO_TENANT_ID", "42")
    daemon.mark("rollback_begun", batches=[])
    with (
        acquire(daemon.ledger, SCOPE.account, purpose="rollback", seconds=30),
        pytest.raises(GateClosed, match="a rollback begun by Ada"),
    ):
        async with writing(daemon.ledger, load_settings(), purpose="load", run="", batch="wave-0001"):
            pass


def test_a_batch_that_waits_is_asked_for_and_known_to_dagster(daemon: Daemon) -> None:
    daemon.plan("delta-0001", "delta-0002")
    asked = daemon.ask()
    assert isinstance(asked, dg.RunRequest)
    assert (asked.job_name, asked.partition_key, asked.run_key) == ("deliver", "delta-0001", "delta-0001/1")
    assert daemon.instance.get_dynamic_partitions("batch") == ["delta-0001"]
    daemon.bring("delta-0001")
    asked = daemon.ask()
    assert isinstance(asked, dg.RunRequest)
    assert asked.partition_key == "delta-0002"


def test_one_batch_after_another_and_nobody_elses_work_is_disturbed(daemon: Daemon) -> None:
    daemon.plan("delta-0001")
    daemon.run(dg.DagsterRunStatus.STARTED, dispatch__lane="source")
    assert isinstance(daemon.ask(), dg.RunRequest)
    with acquire(daemon.ledger, SCOPE.account, purpose="load wave-0001", seconds=30):
        assert "waits for who writes to the account" in str(daemon.ask())
    daemon.run(dg.DagsterRunStatus.STARTED, dispatch__lane="load")
    assert "waits for run" in str(daemon.ask())


def test_a_run_key_counts_attempts_and_the_pause_grows(daemon: Daemon) -> None:
    daemon.plan("delta-0001")
    daemon.tried("delta-0001", FAILED, "8")  # another account's, on the same ledger
    daemon.tried("delta-0001", FAILED)
    assert "failed 1 times, so the next attempt is at" in str(daemon.ask())
    daemon.tried("delta-0001", WELL)  # and rolled back since, say
    asked = daemon.ask()
    assert isinstance(asked, dg.RunRequest)
    assert (asked.run_key, asked.tags[ACCOUNT]) == ("delta-0001/4", SCOPE.account)
    ended = datetime(2026, 6, 15, 18, 0, tzinfo=UTC)
    pauses = [Attempts(n, n, ended).next_at for n in (1, 2, 3, 6, 20)]
    assert [(at - ended).total_seconds() / 60 for at in pauses if at] == [1, 2, 4, 30, 30]
    assert Attempts(3, 0, ended).next_at is None


def test_before_the_sample_is_approved_no_delta_is_brought(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("MIGRATION_HOME", str(tmp_path / "other"))
    other = Ledger(load_settings().ledger_url)
    other.bind(SCOPE, "Company")
    other.plan([Manifest("delta-0001", "delta", 1, 2, (1,), 10, 50)])
    assert "until somebody has approved the sample" in str(daemon.ask())
    other.close()


def test_with_a_new_token_it_is_said_that_the_account_has_to_be_met(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.ledger.bind(SCOPE, "Company", door_of("http://127.0.0.1:1", "old"))
    daemon.plan("delta-0001")
    daemon.open()
    monkeypatch.setenv("PIPEDRIVE_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "new")
    for words in (daemon.ask(), daemon.tick()):
        assert "were not used here yet" in str(words)
        assert "known: 7 (Company)" in str(words)
    with pytest.raises(GateClosed, match="`match_technicians`, asks it"):
        cutover.close_window(load_settings(), "Ada")
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "old")
    assert isinstance(daemon.ask(), dg.RunRequest)


def test_a_name_that_changed_at_the_source_asks_for_the_schema_alone(daemon: Daemon) -> None:
    keep_prepared(daemon.ledger, PREPARED, 0, "run")
    keep_prepared(daemon.ledger, MATCHED, 0, "run")
    assert daemon.ask() == "no batch waits"
    generation = daemon.land("tag_types", 1)
    asked = daemon.ask()
    assert isinstance(asked, dg.RunRequest)
    assert (asked.job_name, asked.partition_key, asked.run_key) == ("prepare", None, "schema/1")
    keep_prepared(daemon.ledger, PREPARED, generation, "run")
    assert daemon.ask() == "no batch waits"


def test_a_window_and_a_freeze_need_a_name_and_times_that_mean_something(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = cutover.open_window(daemon.settings, "Ada", hours=2)
    closes = datetime.fromisoformat(opened.details["closes_at"])
    assert abs(closes - now() - timedelta(hours=2)) < timedelta(seconds=30)
    assert opened.details["minutes"] == daemon.settings.delta_minutes
    with pytest.raises(MigrationError, match="is none"):
        cutover.open_window(daemon.settings, "Ada", minutes=0)
    daemon.source_shows(monkeypatch, datetime(2026, 6, 15, 20, tzinfo=UTC))
    for at, words in (
        ("tonight", "is no moment"),
        ("0001-01-01T00:00:00+14:00", "is no moment"),
        ("2026-06-15T18:00", "names no zone"),
        ("9999-12-31T23:59:59Z", "ahead of Dispatch Pro's clock"),
        ("2025-06-15T18:00Z", "somebody worked in Dispatch Pro at 2026-06-14T12:00:00Z"),
    ):
        with pytest.raises(MigrationError, match=words):
            cutover.freeze(daemon.settings, "Ada", at=at)
    daemon.mark("rollback_begun")
    for decide in (cutover.open_window, cutover.freeze):
        with pytest.raises(GateClosed, match="run `rollback` again"):
            decide(daemon.settings, "Ada")
    daemon.mark("rollback_ended")
    frozen = cutover.freeze(daemon.settings, "Ada", at="2026-06-15T20:00:00+02:00")
    assert frozen.details["moment"] == "2026-06-15T18:00:00+00:00"
    assert standing(daemon.ledger.milestones(SCOPE.account)).freeze == frozen
    daemon.mark("signed_off")
    with pytest.raises(GateClosed, match="reopen"):
        cutover.open_window(daemon.settings, "Ada")


def test_both_are_switched_on_from_the_start(daemon: Daemon) -> None:
    assert delta_window.default_status is dg.DefaultScheduleStatus.RUNNING
    assert deltas.default_status is dg.DefaultSensorStatus.RUNNING
