"""Who works in the account while records are moved there? Its second user, through the real API, the same by a seed.

Records are chosen by what stamps they bear, not by their ids, which another run gives otherwise.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

import httpx

from dispatch_to_pipedrive_tests.acceptance.accounts import stamp
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox

Record = dict[str, Any]
USER = 2
MERGED = ("organizations", "persons", "deals")
_V1 = ("notes", "files")


class Done(NamedTuple):
    """One thing that a user did: to the record of ours that bears the stamp, or (`made`) beside it.

    `field` and `value` say what an edit left there; of what was made `value` is its title, text or name; of a merge it
    is the id of the survivor.
    """

    kind: str
    entity: str
    id: int
    stamp: str
    field: str = ""
    value: Any = None
    made: int | None = None


@dataclass
class Users:
    """The account's people. `done` is all they did, in order; nobody touches a record that was deleted or merged."""

    sandbox: Sandbox
    seed: int = 1
    done: list[Done] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = Random(f"users {self.seed}")
        token = self.sandbox.control("pipedrive", "account")["tokens"][str(USER)]
        headers = {"x-api-token": token}
        self._http = httpx.Client(
            base_url=f"{self.sandbox.pipedrive_url}/api", headers=headers, verify=False, timeout=30
        )
        self._touched: set[tuple[str, int]] = set()
        self._ours: dict[str, list[tuple[str, Record]]] = {}

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    @property
    def counts(self) -> Counter[str]:
        """How often each kind of thing was done."""
        return Counter(one.kind for one in self.done)

    def look(self) -> None:
        """See what is in the account now; until then records are chosen among those seen before."""
        dump = self.sandbox.control("pipedrive", "dump?settle=0")
        for entity in ("organizations", "persons", "deals", "activities", "notes", "files"):
            alive = (r for r in dump["entities"][entity] if r is not None and not r.get("is_deleted"))
            bearing = ((stamp(dump, entity, record), record) for record in alive if _by_us(entity, record))
            self._ours[entity] = sorted(
                ((s, r) for s, r in bearing if s), key=lambda one: (one[0], one[1]["id"])
            )

    def change(self) -> str:
        """Do one thing of any kind; answers which."""
        self.look()
        kinds: dict[str, int] = {
            "edit": 20,
            "delete": 2,
            "merge": 2,
            "duplicate": 2,
            "note": 3,
            "file": 2,
            "add": 2,
        }
        kind = self._chance.choices(tuple(kinds), tuple(kinds.values()))[0]
        actions: Mapping[str, Callable[[], Done | None]] = {
            **{"edit": self.edit, "delete": self.delete, "merge": self.merge, "duplicate": self.duplicate},
            **{"note": self.note, "file": self.file, "add": self.add},
        }
        actions[kind]()
        return kind

    def edit(self, entity: str = "") -> Done | None:
        """Edit a field of one of our records that they show in the app; None where there is none left."""
        found = self._one(entity, "organizations", "persons", "deals", "activities", "notes")
        if found is None:
            return None
        name, key, record = found
        label, value = self._edited(name, record)
        if name == "notes":
            self._ask("PUT", f"/v1/notes/{record['id']}", json={label: value})
        else:
            self._ask("PATCH", f"/v2/{name}/{record['id']}", json={label: value})
        return self._note_down(Done("edit", name, record["id"], key, label, value))

    def delete(self, entity: str = "") -> Done | None:
        """Delete one of our records."""
        found = self._one(entity, "organizations", "persons", "deals", "activities", "notes", "files")
        if found is None:
            return None
        name, key, record = found
        self._ask("DELETE", f"/{'v1' if name in _V1 else 'v2'}/{name}/{record['id']}")
        return self._note_down(Done("delete", name, record["id"], key), gone=True)

    def merge(self, entity: str = "") -> Done | None:
        """Merge one of our records into another of ours, which survives."""
        found = self._one(entity, *MERGED)
        if found is None:
            return None
        name, key, record = found
        self._touched.add((name, record["id"]))
        other = self._one(name)
        if other is None:
            return None
        survivor = other[2]["id"]
        self._ask("PUT", f"/v1/{name}/{record['id']}/merge", json={"merge_with_id": survivor})
        return self._note_down(Done("merge", name, record["id"], key, value=survivor), gone=True)

    def merge_into_own(self, entity: str = "") -> Done | None:
        """Merge one of our records into one that they made themselves, which then bears our stamp."""
        found = self._one(entity, *MERGED)
        if found is None:
            return None
        name, key, record = found
        own = self._ask(
            "POST", f"/v2/{name}", json={"title" if name == "deals" else "name": self._text("Own")}
        )
        self._ask("PUT", f"/v1/{name}/{record['id']}/merge", json={"merge_with_id": own["id"]})
        return self._note_down(Done("merge_into_own", name, record["id"], key, value=own["id"]), gone=True)

    def duplicate(self) -> Done | None:
        """Duplicate one of our deals."""
        found = self._one("deals")
        if found is None:
            return None
        _, key, record = found
        copy = self._ask("POST", f"/v1/deals/{record['id']}/duplicate")
        return self._note_down(Done("duplicate", "deals", record["id"], key, made=copy["id"]))

    def note(self, entity: str = "") -> Done | None:
        """Write a note on one of our records."""
        found = self._one(entity, *MERGED)
        if found is None:
            return None
        name, key, record = found
        words = self._text("Their note")
        made = self._ask("POST", "/v1/notes", json={"content": words, _link(name): record["id"]})
        return self._note_down(Done("note", name, record["id"], key, value=words, made=made["id"]))

    def file(self, entity: str = "") -> Done | None:
        """Attach a file to one of our records."""
        found = self._one(entity, *MERGED)
        if found is None:
            return None
        name, key, record = found
        words = f"{self._text('their file')}.txt"
        made = self._ask(
            "POST",
            "/v1/files",
            files={"file": (words, words.encode(), "text/plain")},
            data={_link(name): str(record["id"])},
        )
        return self._note_down(Done("file", name, record["id"], key, value=words, made=made["id"]))

    def add(self) -> Done | None:
        """Make a deal of their own for one of our people, or plan an activity on one of our deals."""
        if self._chance.random() < 0.5:
            found, entity, title, link = self._one("persons"), "deals", "title", "person_id"
        else:
            found, entity, title, link = self._one("deals"), "activities", "subject", "deal_id"
        if found is None:
            return None
        name, key, record = found
        body = {title: self._text("Their own"), link: record["id"]}
        made = self._ask(
            "POST", f"/v2/{entity}", json=body | ({"type": "call"} if entity == "activities" else {})
        )
        return self._note_down(Done("add", name, record["id"], key, entity, body[title], made["id"]))

    def _edited(self, entity: str, record: Record) -> tuple[str, Any]:
        """A field and what a person would write there."""
        words = self._text("Edited")
        match entity:
            case "organizations":
                return "name", words
            case "persons":
                value = f"+1 480 {self._chance.randint(2_000_000, 9_999_999)}"
                phones = [*record.get("phones", ()), {"value": value, "label": "desk", "primary": False}]
                return ("name", words) if self._chance.random() < 0.6 else ("phones", phones)
            case "deals":
                return (
                    ("title", words)
                    if self._chance.random() < 0.5
                    else ("value", self._chance.randint(1, 9_999))
                )
            case "activities":
                return (
                    ("subject", words)
                    if self._chance.random() < 0.7
                    else ("done", not record.get("done", False))
                )
        return "content", f"{record['content']}<p>{words}</p>"

    def _one(self, entity: str, *among: str) -> tuple[str, str, Record] | None:
        """One of our records of an entity (of those among which to choose, if none is named)."""
        if not self._ours:
            self.look()
        names = [entity] if entity else [name for name in among if self._ours[name]]
        self._chance.shuffle(names)
        for name in names:
            free = [(s, r) for s, r in self._ours[name] if (name, r["id"]) not in self._touched]
            if free:
                key, record = self._chance.choice(free)
                return name, key, record
        return None

    def _note_down(self, done: Done, *, gone: bool = False) -> Done:
        self.done.append(done)
        if gone:
            self._touched.add((done.entity, done.id))
        return done

    def _text(self, what: str) -> str:
        return f"{what} {self.seed}.{len(self.done)}"

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        answer = self._http.request(method, path, **body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()["data"]


def _by_us(entity: str, record: Record) -> bool:
    """Not a copy of people's, nor a file of theirs; a note's author may be anybody."""
    return entity == "notes" or record.get("creator_user_id", record.get("user_id", 1)) == 1


def _link(entity: str) -> str:
    return {"organizations": "org_id", "persons": "person_id", "deals": "deal_id"}[entity]
