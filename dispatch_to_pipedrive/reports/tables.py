"""How status and verdicts look in a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dispatch_to_pipedrive.reports.forecast import comparison, size
from dispatch_to_pipedrive.reports.status import Status

SHOWN = 20


def summary(status: Status) -> RenderableType:
    """By entity what came of the source's records, the tokens against the floor, and what reading back found."""
    table = Table(title="Migration", title_justify="left")
    table.add_column("entity")
    for name in ("source", "created", "updated", "skipped", "retired", "quarantined"):
        table.add_column(name, justify="right")
    for entity, t in status.totals.items():
        row = (t.source, t.created, t.updated, t.skipped, t.retired, t.quarantined)
        table.add_row(entity, *map(str, row))
    spent = sum(count for kind, count in status.tokens.items() if kind != "schema")
    ratio = f" ({spent / status.floor:.3f} × the floor of {status.floor})" if status.floor else ""
    lines = [
        f"tokens: {spent} for records{ratio}, {status.tokens.get('schema', 0)} for schema and preparation",
        f"fields verified: {status.fields_verified}, differences: {status.differences}",
    ]
    if status.files.get("files"):
        lines.append(
            "files sent: {files} with {bytes}, the bytes of {read_back} read back ({bytes_read_back})".format(
                **{k: size(v) if k.startswith("bytes") else f"{v:,}" for k, v in status.files.items()}
            )
        )
    if status.forecast is not None:
        lines.append(comparison(status.forecast))
    return Group(table, Text("\n".join(lines)))


def overview(status: Status) -> RenderableType:
    """Everything that `status` tells."""
    head = [f"state: {', '.join([status.state, *status.flags])}", *status.in_force]
    if status.account:
        name = f" ({status.company})" if status.company else ""
        head.append(f"account: {status.account}{name}, tenant: {status.tenant}")
    day = f" of {status.tokens_per_day}" if status.tokens_per_day else ""
    head.append(f"tokens on {status.day or 'no day yet'}: {sum(status.tokens_today.values())}{day}")
    lease = status.lease
    head.append(
        f"written to by: {lease['purpose']} (process {lease['pid']} on {lease['host']})"
        if lease
        else "written to by: nobody"
    )
    if status.in_doubt:
        head.append(f"in doubt: {status.in_doubt} requests without an outcome; the next load settles them")
    head += _behind(status)
    newest = {one["subject"]: one for one in status.approvals}
    head.extend(f"{one['subject']} approved by {one['name']} at {one['at'][:19]}" for one in newest.values())
    head.extend(f"signed off: {s['stage']} by {s['name']} at {s['at'][:19]}" for s in status.sign_offs)
    parts: list[RenderableType] = [Text("\n".join(head)), _batches(status), summary(status)]
    if status.quarantined:
        parts.append(_quarantined(status.quarantined))
    if status.edits:
        parts.append(_edits(status.edits))
    if status.gone:
        parts.append(_gone(status.gone))
    return Group(*parts)


def _behind(status: Status) -> list[str]:
    """How far the account may be behind the source."""
    if status.held_back is not None:
        words = [f"not drained: {one['feed']} {one['words']}" for one in status.held_back[:1]]
        more = f" (and {len(status.held_back) - 1} more feeds)" if len(status.held_back) > 1 else ""
        return [words[0] + more] if words else ["drained: everything up to the freeze has arrived"]
    if status.lag_seconds is None:
        return []
    minutes = status.lag_seconds / 60
    age = f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
    return [f"read from the source: all but what changed in the last {age}"]


def _batches(status: Status) -> Table:
    table = Table(title="Batches", title_justify="left")
    table.add_column("batch")
    table.add_column("state")
    for name in ("customers", "records", "tokens forecast", "tokens spent"):
        table.add_column(name, justify="right")
    for batch in status.batches:
        row = (batch.roots, batch.records, batch.tokens_forecast, batch.tokens_spent)
        table.add_row(batch.key, batch.state, *map(str, row))
    return table


def _quarantined(rows: Sequence[Mapping[str, str]]) -> Table:
    more = f", the first {SHOWN}" if len(rows) > SHOWN else ""
    table = Table(title=f"Quarantined ({len(rows)}{more})", title_justify="left")
    for name in ("entity", "source key", "reason", "words"):
        table.add_column(name, overflow="fold")
    # What was refused comes before what only waits for it.
    for row in sorted(rows, key=lambda row: row["reason"] == "held")[:SHOWN]:
        table.add_row(*(Text(row[k]) for k in ("entity", "source_key", "reason", "words")))
    return table


def _edits(rows: Sequence[Mapping[str, Any]]) -> Table:
    total = sum(row["records"] for row in rows)
    more = f", the first {SHOWN} lines of {len(rows)}" if len(rows) > SHOWN else ""
    table = Table(title=f"Changed by people ({total}{more})", title_justify="left")
    table.add_column("records", justify="right")
    for name in ("entity", "field", "was written", "stands there", "verdict", "by", "when"):
        table.add_column(name, overflow="fold")
    for row in rows[:SHOWN]:
        days = " … ".join(dict.fromkeys(str(row[at])[:10] for at in ("first_at", "last_at") if row[at]))
        texts = (row["entity"], row["field"] or "(the record)", row["ours"], row["theirs"], row["verdict"])
        table.add_row(str(row["records"]), *map(Text, texts), Text(row["by"] or "not known"), days)
    return table


def _gone(rows: Sequence[Mapping[str, Any]]) -> Table:
    more = f", the first {SHOWN}" if len(rows) > SHOWN else ""
    table = Table(title=f"Gone in Pipedrive ({len(rows)}{more})", title_justify="left")
    for name in ("entity", "source key", "id", "became", "by"):
        table.add_column(name, overflow="fold")
    for row in rows[:SHOWN]:
        texts = (row["entity"], row["source_key"], str(row["pipedrive_id"]), row["theirs"])
        table.add_row(*map(Text, texts), Text(row["edited_by"] or "not known"))
    return table


def verdicts(
    records: Mapping[str, int], fields: int, differences: Sequence[Mapping[str, Any]]
) -> RenderableType:
    """What reading back found."""
    counts = ", ".join(f"{count} {name}" for name, count in sorted(records.items()) if count)
    head = Text(f"records: {counts or 'none'}; fields compared: {fields}; differences: {len(differences)}")
    if not differences:
        return head
    more = f" (the first {SHOWN} of {len(differences)})" if len(differences) > SHOWN else ""
    table = Table(title=f"Differences{more}", title_justify="left")
    names = ("verdict", "entity", "source_key", "pipedrive_id", "field", "expected", "found")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in differences[:SHOWN]:
        table.add_row(*(Text("" if row[name] is None else str(row[name])) for name in names))
    return Group(head, table)
