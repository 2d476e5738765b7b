"""What did people change in the account, as people read it, and in as few lines as tell it?

Pure: values and names in, values out. A line is a group of edits of one field from one value to another, so an
automation that moved a thousand deals from one stage to the next is one line.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dispatch_to_pipedrive.migration.compare import canonical_value
from dispatch_to_pipedrive.migration.past import Past
from dispatch_to_pipedrive.migration.values import GONE, KEPT, KeptEdit, Link
from dispatch_to_pipedrive.pipedrive.recorded import AccountSchema

LENGTH = 300
"""Code points of a value that is kept: a note may have 90,000 of them."""
SAID_BY_CHANGELOG = ("deals", "persons", "organizations")
"""Entities of which the account tells who changed which field; of notes it names who changed them last."""
_REFERENCES = {"org_id": "organizations", "person_id": "persons", "deal_id": "deals"}


class KeptLine(NamedTuple):
    """Edits of one field from one value to another: how many, by whom, and one of them as an example.

    `by` is a name, several by commas with the most active first, or empty where nobody knows.
    """

    entity: str
    field: str
    verdict: str
    ours: str
    theirs: str
    records: int
    by: str
    first_at: str
    last_at: str
    source_key: str
    pipedrive_id: int


def lines(edits: Iterable[KeptEdit]) -> list[KeptLine]:
    """Edits grouped by (field, old → new), the most frequent first; whole records by what became of them."""
    groups: dict[tuple[str, str, str, str, str], list[KeptEdit]] = {}
    for edit in edits:
        became = edit.theirs if edit.field else edit.theirs.partition(" ")[0]
        groups.setdefault((edit.entity, edit.field, edit.verdict, edit.ours, became), []).append(edit)
    found = [_line(key, group) for key, group in groups.items()]
    return sorted(found, key=lambda line: (-line.records, line.entity, line.field, line.ours, line.theirs))


def _line(key: tuple[str, str, str, str, str], group: Sequence[KeptEdit]) -> KeptLine:
    people = Counter(edit.edited_by for edit in group if edit.edited_by)
    times = sorted(edit.edited_at for edit in group if edit.edited_at)
    first = min(group, key=lambda edit: edit.source_key)
    return KeptLine(
        *key,
        records=len(group),
        by=", ".join(name for name, _ in people.most_common()),
        first_at=times[0] if times else "",
        last_at=times[-1] if times else "",
        source_key=first.source_key,
        pipedrive_id=first.pipedrive_id,
    )


@dataclass(frozen=True)
class Reader:
    """Reads wire values as people do: names instead of ids. users: id → name."""

    schema: AccountSchema
    users: Mapping[int, str]
    batch: str
    now: str

    def name(self, entity: str, wire_name: str) -> str:
        """The logical name of a field."""
        custom = self.schema.customs(entity).get(wire_name)
        return custom[0] if custom else wire_name

    def user(self, number: object) -> str:
        """A user's name."""
        return self.users.get(int(str(number))) or f"user {number}"

    def value(self, entity: str, wire_name: str, value: Any) -> str:
        """A value of a wire body or a record; '' for none. Long ones are cut, and differ where the whole does."""
        if value is None or value == [] or value == "":
            return ""
        text = self._text(entity, wire_name, value)
        if len(text) <= LENGTH:
            return text
        whole = f"… ({len(text)} characters, {hashlib.sha256(text.encode()).hexdigest()[:8]})"
        return text[: LENGTH - len(whole)] + whole

    def _text(self, entity: str, wire_name: str, value: Any) -> str:
        if wire_name in ("owner_id", "user_id"):
            return self.user(value)
        if wire_name in _REFERENCES:
            return f"{_REFERENCES[wire_name]} {value}"
        if wire_name in ("stage_id", "pipeline_id"):
            structure = self.schema.structure
            things = structure.stages if wire_name == "stage_id" else structure.pipelines
            return next((thing.name for thing in things if thing.id == value), str(value))
        meant = canonical_value(self.schema, entity, wire_name, value)
        options = self._options(entity, wire_name)
        if options:
            return ", ".join(options.get(str(one), str(one)) for one in _several(meant))
        if isinstance(value, Mapping):
            return " ".join(str(value[part]) for part in ("value", "currency") if value.get(part) is not None)
        if isinstance(value, list):
            return ", ".join(map(_item, value))
        if isinstance(value, bool):
            return "yes" if value else "no"
        return str(value)

    def _options(self, entity: str, wire_name: str) -> Mapping[str, str]:
        custom = self.schema.customs(entity).get(wire_name)
        if wire_name == "label_ids":
            found = self.schema.structure.label_field(entity)
        elif custom is not None and custom[1] in ("enum", "set"):
            found = self.schema.field(entity, custom[0])
        else:
            return {}
        return {str(option.id): option.label for option in (found.options if found else None) or ()}

    def edit(
        self, link: Link, wire_name: str, past: Past | None, record: Mapping[str, Any], verdict: str = KEPT
    ) -> KeptEdit:
        """One field that people changed: what our last write had brought there, and what stands there now."""
        entity = link.entity
        echo = past.echo if past else {}
        changed = str(record.get("update_time") or "")
        later = changed > str(echo.get("update_time") or "")
        editor = record.get("last_update_user_id") if later else None
        asked = None if entity in SAID_BY_CHANGELOG else self.user(editor) if editor else ""
        return KeptEdit(
            entity,
            link.source_key,
            link.pipedrive_id,
            self.name(entity, wire_name),
            verdict,
            self.value(entity, wire_name, _held(past.base if past else {}, wire_name)),
            self.value(entity, wire_name, _held(record, wire_name)),
            asked,
            changed if later else "",
            self.batch,
            self.now,
        )

    def bears(self, link: Link, others: str) -> KeptEdit:
        """A record that the source wants no more, and what people hung on it, in words: for that it stays."""
        what = (link.entity, link.source_key, link.pipedrive_id, "what hangs on it", KEPT, "", others)
        return KeptEdit(*what, "", "", self.batch, self.now)

    def gone(self, link: Link, became: str, at: str = "") -> KeptEdit:
        """A record that people deleted or merged; `became` in words: deleted, or merged into which."""
        what = (link.entity, link.source_key, link.pipedrive_id, "", GONE, "", became)
        return KeptEdit(*what, "", at, self.batch, self.now)


def _held(body: Mapping[str, Any], wire_name: str) -> Any:
    return body[wire_name] if wire_name in body else (body.get("custom_fields") or {}).get(wire_name)


def _item(one: Any) -> str:
    """An item of a list: a phone or e-mail, or a participant."""
    if not isinstance(one, Mapping):
        return str(one)
    return f"persons {one['person_id']}" if "person_id" in one else str(one.get("value"))


def _several(meant: object) -> Iterable[object]:
    return meant if isinstance(meant, tuple | frozenset | list) else (meant,)
