"""Which values can the columns of choices and labels have? Told from the reference data and the tenant's features.

Features are rows of root and feature ("job tag 4711", "priority bucket 3"), as placement finds them.
"""

from collections.abc import Mapping

import pandas as pd

from dispatch_to_pipedrive.normalize.deals import PAYMENT_STATES

REFERENCE = ("job_types", "tag_types", "business_units", "job_cancel_reasons")
"""The reference feeds that are asked."""


def choices(features: pd.DataFrame, reference: Mapping[str, pd.DataFrame]) -> dict[str, tuple[str, ...]]:
    """Normalized column ("deals.job_type") → every value that it can have, sorted."""
    customers = _tags(features, "customer tag ", reference)
    return {
        "organizations.labels": customers,
        "persons.labels": customers,
        "deals.labels": _tags(features, "job tag ", reference),
        "deals.job_type": _texts(reference["job_types"]["name"]),
        "deals.business_unit": _texts(reference["business_units"]["name"]),
        "deals.cancel_reason": _texts(reference["job_cancel_reasons"]["name"].str.strip()),
        "deals.job_status": _texts(_after(features, "job status ")),
        "deals.payment_status": PAYMENT_STATES,
        "deals.priority": _texts(_after(features, "priority ", but="priority bucket ").str.strip()),
        "deals.priority_bucket": _texts(_after(features, "priority bucket ").str.strip()),
    }


def identities(reference: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Normalized column → value that it can have → what bears that name, by an id that no rename alters.

    Such as "deals.labels" → "VIP" → ("tag_type:7",); two tags of one name are two ids.
    """
    tags = _bearers(reference["tag_types"], "tag_type")
    reasons = reference["job_cancel_reasons"]
    return {
        "organizations.labels": tags,
        "persons.labels": tags,
        "deals.labels": tags,
        "deals.job_type": _bearers(reference["job_types"], "job_type"),
        "deals.business_unit": _bearers(reference["business_units"], "business_unit"),
        "deals.cancel_reason": _bearers(
            reasons.assign(name=reasons["name"].str.strip()), "job_cancel_reason"
        ),
    }


def _bearers(kinds: pd.DataFrame, word: str) -> dict[str, tuple[str, ...]]:
    named = kinds.drop_duplicates("id").dropna(subset=["name"])
    keys = word + ":" + named["id"].astype("string")
    return {str(name): tuple(sorted(ids)) for name, ids in keys.groupby(named["name"].astype("string"))}


def _after(features: pd.DataFrame, kind: str, *, but: str | None = None) -> pd.Series:
    """What stands after the kind of those features, each once."""
    found = pd.Series(features["feature"].unique(), dtype="string")
    mine = found.str.startswith(kind)
    if but is not None:
        mine &= ~found.str.startswith(but)
    return found[mine].str.slice(len(kind))


def _tags(features: pd.DataFrame, kind: str, reference: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    used = pd.to_numeric(_after(features, kind)).astype("Int64")
    names = reference["tag_types"].drop_duplicates("id").set_index("id")["name"]
    return _texts(used.map(names))


def _texts(values: pd.Series) -> tuple[str, ...]:
    text = values.dropna().astype("string")
    return tuple(sorted(text[text.str.strip() != ""].unique()))
