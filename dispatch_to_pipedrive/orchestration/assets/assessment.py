"""What is in the tenant, what will moving it take, what stands in the way? Read only, before people decide."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import CUSTOM_FIELD_DEFINITIONS
from dispatch_to_pipedrive.dispatch_pro.placement import read_reference
from dispatch_to_pipedrive.dispatch_pro.placement import source_profile as profile_of
from dispatch_to_pipedrive.dispatch_pro.store import write_whole
from dispatch_to_pipedrive.migration.assessment import Assessment, Inputs, Twins, assess
from dispatch_to_pipedrive.migration.file_checks import NAMES as FILE_NAMES
from dispatch_to_pipedrive.migration.file_checks import FileFacts, Oversized, file_checks
from dispatch_to_pipedrive.migration.forecast import Line
from dispatch_to_pipedrive.migration.preflight import FAIL, NAMES, PASS, WARN, Check, as_values
from dispatch_to_pipedrive.migration.preflight import preflight as checks_of
from dispatch_to_pipedrive.migration.values import TENANT
from dispatch_to_pipedrive.orchestration.asking import (
    BEFORE,
    Around,
    ask_account,
    ask_files,
    ask_source,
    find_twins,
    foresee,
    kept_facts,
    look_through,
    oversized_files,
    said,
)
from dispatch_to_pipedrive.orchestration.assets.common import ACCOUNT_POOL, FRAMES, SOURCE_POOL, described
from dispatch_to_pipedrive.orchestration.assets.source import RAW_KEYS, placement
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.reference import origins
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.road import committed
from dispatch_to_pipedrive.pipedrive.prices import LIST
from dispatch_to_pipedrive.reports.assessment import write_assessment
from dispatch_to_pipedrive.reports.spreadsheet import csv_text
from dispatch_to_pipedrive.reports.status import compared


@dg.asset(deps=[placement], io_manager_key=FRAMES, pool=SOURCE_POOL, **described("source", "duckdb"))
def source_profile(migration: Migration) -> dg.MaterializeResult[pd.DataFrame]:
    """For each field of the source how many records have it, how many values it has, and the most frequent ones."""
    with plain_words():
        generation = migration.ledger.latest_generation()
        found = profile_of(migration.data, committed(migration.ledger, generation), generation)
    lacking = found[found["value"].isna()]
    return dg.MaterializeResult(
        value=found,
        metadata={
            "generation": generation,
            "feeds": int(found["feed"].nunique()),
            "fields": len(lacking),
            "custom_fields": int(lacking["feed"].str.endswith(".custom_fields").sum()),
        },
    )


_NAMES = (*NAMES, *FILE_NAMES)


def _check_name(name: str) -> str:
    return name.replace("'s", "").replace(" ", "_")


@dg.asset(
    io_manager_key=FRAMES,
    pool=ACCOUNT_POOL,
    # Not blocking: the assessment is most wanted where something stands in the way. `migrate` asks the ledger.
    check_specs=[dg.AssetCheckSpec(_check_name(name), asset="preflight") for name in _NAMES],
    **described("preparation", "pipedrive"),
)
def preflight(
    migration: Migration, source_profile: pd.DataFrame
) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """Named checks of account, tenant and plan, each pass, warn or fail and what to do; a fail stops `migrate`."""
    ledger, settings = migration.ledger, migration.settings
    with plain_words():
        facts, tokens = asyncio.run(ask_account(ledger, settings, migration.structure))
        source = ask_source(settings, source_profile)
        foreseen = foresee(settings, migration.maps, source_profile, Around(facts, {}))
        files = ask_files(settings, migration.data, ledger.latest_generation(), source_profile)
        checks = [
            *checks_of(facts, source, foreseen, said(settings, migration.maps)),
            *file_checks(files, foreseen),
        ]
        listed = write_oversized(migration.home / "reports", files)
        if facts.me is not None:
            kept = {
                "checks": as_values(checks),
                "custom_fields": facts.custom_fields,
                "open_deals": facts.open_deals,
                "open_deals_at_least": facts.open_deals_at_least,
            }
            ledger.report_batch(str(facts.me.company_id), TENANT, "preflight", "", kept)
    rows = as_values(checks)
    yield dg.Output(
        pd.DataFrame(rows, columns=["name", "verdict", "found", "todo"]).astype("string"),
        metadata={
            **{f"{verdict}ed": sum(c.verdict == verdict for c in checks) for verdict in (PASS, WARN, FAIL)},
            "tokens": tokens,
            "oversized_files": len(files.oversized),
            "oversized_listed_in": dg.MetadataValue.path(str(listed)),
            "checks": dg.MetadataValue.table([dg.TableRecord(dict(row)) for row in rows]),
        },
    )
    for check in checks:
        yield _result(check)


def write_oversized(folder: Path, files: FileFacts) -> Path:
    """Every file above the limit by name and size, the largest first, in a table for people; its path."""
    rows = sorted(files.oversized, key=lambda one: (-one.size, one.attachment_id))
    frame = pd.DataFrame(rows, columns=list(Oversized._fields))
    path = folder / "oversized_files.csv"
    write_whole(UPath(path), csv_text(frame).encode())
    return path


def _result(check: Check) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=_check_name(check.name),
        passed=check.verdict == PASS,
        severity=dg.AssetCheckSeverity.WARN if check.verdict == WARN else dg.AssetCheckSeverity.ERROR,
        description=f"{check.found}: {check.todo}" if check.todo else check.found,
    )


@dg.asset(
    deps=[RAW_KEYS[feed] for feed in CUSTOM_FIELD_DEFINITIONS.values()],
    io_manager_key=FRAMES,
    pool=ACCOUNT_POOL,
    **described("preparation", "pipedrive", "pandas"),
)
def assessment(
    migration: Migration, source_profile: pd.DataFrame, preflight: pd.DataFrame
) -> dg.MaterializeResult[pd.DataFrame]:
    """How demanding this move is (A to D), what it takes, what is open and what stays; written as a page for people."""
    checks = [
        Check(str(x.check), str(x.verdict), str(x.found), str(x.todo))
        for x in preflight.rename(columns={"name": "check"}).fillna("").itertuples(index=False)
    ]
    with plain_words():
        found = _assessed(migration, source_profile, checks)
        page = write_assessment(migration.home / "reports" / "assessment", found.as_json())
    foreseen = found.inputs.forecast
    return dg.MaterializeResult(
        value=found.lines(),
        metadata={
            "grade": f"{found.grade.letter} {found.grade.name}",
            "score": found.grade.score,
            **{line.name.replace(" ", "_"): line.score for line in found.grade.lines},
            "records": foreseen.volume.records,
            "tokens": found.inputs.twins.tokens,
            "tokens_foreseen": foreseen.tokens,
            "days": round(foreseen.days, 3),
            "likely_twins": len(found.inputs.twins.rows),
            "page": dg.MetadataValue.path(str(page)),
            "lines": dg.MetadataValue.table(
                [
                    dg.TableRecord({"line": x.name, "score": x.score, "weight": x.weight, "why": x.words})
                    for x in found.grade.lines
                ]
            ),
        },
    )


def _assessed(migration: Migration, profile: pd.DataFrame, checks: list[Check]) -> Assessment:
    ledger, settings, data = migration.ledger, migration.settings, migration.data
    generation = ledger.latest_generation()
    segments = committed(ledger, generation)
    definitions = read_reference(data, segments, generation, tuple(CUSTOM_FIELD_DEFINITIONS.values()))
    kinds = {
        (feed, str(name)): str(kind)
        for feed, types in CUSTOM_FIELD_DEFINITIONS.items()
        for name, kind in definitions[types][["name", "data_type"]].dropna().itertuples(index=False)
    }
    theirs, words = asyncio.run(look_through(ledger, settings))
    rows = find_twins(data, generation, theirs)
    scope = ledger.bound_scope()
    account = scope.account if scope else ""
    looked = Line("look through what the account has already", theirs.tokens // LIST, LIST, "read")
    around = Around(
        kept_facts(ledger),
        theirs.records,
        closing_follows=ledger.capabilities(account).get("close_times_with_status") is not True,
        before=(*BEFORE, looked),
    )
    foreseen = foresee(settings, migration.maps, profile, around)
    reports = ledger.batch_reports(account)
    loaded = scope is not None and bool(ledger.link_counts(scope))
    if scope is not None and not loaded:
        ledger.report_batch(account, TENANT, "forecast", "", foreseen.as_json())
    kept = reports.get((TENANT, "forecast")) if loaded else None
    spent = reports.get((TENANT, "spent"), {}).get("by_kind") or ledger.tokens(account)
    return assess(
        Inputs(
            tenant=settings.dispatch_pro_tenant_id,
            account=account,
            generation=generation,
            profile=profile,
            kinds=kinds,
            maps=migration.maps,
            forecast=foreseen,
            twins=Twins(rows, theirs.records, theirs.tokens, words),
            checks=checks,
            file_limit_mb=settings.file_limit_mb,
            oversized=oversized_files(data, generation, settings.file_limit),
            compared=compared(kept, spent) if kept else None,
            origins=origins(),
        )
    )
