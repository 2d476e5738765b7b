"""Where do the two sides of a batch's money come from? From the raw records, and from the newest listing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.mapping import Maps
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.listing import Listing
from dispatch_to_pipedrive.migration.money import ACCOUNT_COLUMNS, AMOUNTS, Sums, compare_money
from dispatch_to_pipedrive.migration.totals import money_of_raw
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.orchestration.readback import listing_begun
from dispatch_to_pipedrive.orchestration.road import committed

INVOICED = "Invoice_Amount__c"
_HELD_IN = dict(zip(AMOUNTS, ("value", INVOICED), strict=True))
_MONEY = ("", "currency", *_HELD_IN.values())
"""Fields of a deal whose verdict says that people have touched its money; '' is the deal as a whole."""
_THEIRS = ("kept", "gone", "quarantined")


def money_of_batch(
    ledger: Ledger,
    data: UPath,
    listing: Listing,
    manifest: Manifest,
    maps: Maps,
    differences: pd.DataFrame,
    currency: str,
) -> Sums:
    """A batch's sums on both sides. differences: what reading back found, as `reconciliation` gives it."""
    generation = manifest.generation_to
    source = money_of_raw(data, generation, committed(ledger, generation), manifest.roots)
    scope = ledger.bound_scope()
    if scope is None:
        raise RuntimeError("no batch is read back before the account is known")
    keys = "job:" + source["job_id"].astype("string") + "/deal"
    links = ledger.links(scope, "deals", keys)
    later = {key for key, link in links.items() if link.generation > generation}
    touched = differences[
        (differences["entity"] == "deals")
        & differences["verdict"].isin(_THEIRS)
        & differences["field"].fillna("").isin(_MONEY)
    ]
    aside = later | set(touched["source_key"])
    wanted = {key: link.pipedrive_id for key, link in links.items() if key not in aside}
    made = ledger.schema_objects(scope.account)
    code = next((x.code for x in made if (x.kind, x.entity, x.name) == ("field", "deals", INVOICED)), "")
    records = listing.records("deals", wanted.values())
    rows = [_amounts(key, records[number], code) for key, number in wanted.items() if number in records]
    account = pd.DataFrame(rows, columns=list(ACCOUNT_COLUMNS))
    account = account.astype({"job_id": "int64", "value_cents": "Int64", "invoiced_cents": "Int64"})
    compared = [amount for amount, field in _HELD_IN.items() if field in maps["deals"].fields]
    return compare_money(source, account, currency, aside=frozenset(map(_job, aside)), compared=compared)


def listing_of(ledger: Ledger, home: Path, batch: str) -> Listing:
    """The listing that a batch was last compared with."""
    scope = ledger.bound_scope()
    reports = {} if scope is None else ledger.batch_reports(scope.account)
    began = reports.get((batch, "reconciliation"), {}).get("listing_begun", "")
    found = listing_begun(home, began) if began else None
    if found is None:
        raise RuntimeError(
            f"what {batch} was read back with is no longer kept: materialize `reconciliation` again"
        )
    return found


def _job(source_key: str) -> int:
    return int(source_key.removeprefix("job:").removesuffix("/deal"))


def _amounts(key: str, record: Mapping[str, Any], code: str) -> tuple[int, int | None, int | None, str]:
    invoiced = (record.get("custom_fields") or {}).get(code) or {}
    currency = str(record.get("currency") or "")
    other = str(invoiced.get("currency") or currency)
    return (
        _job(key),
        _cents(record.get("value")),
        _cents(invoiced.get("value")),
        currency if currency == other else f"{currency} and {other}",
    )


def _cents(amount: object) -> int | None:
    return None if amount is None else round(float(str(amount)) * 100)
