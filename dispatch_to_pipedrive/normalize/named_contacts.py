"""Who are the people of a customer: its primary contact, and the further ones, each with phones and e-mails."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dispatch_to_pipedrive.normalize.addresses import Sites
from dispatch_to_pipedrive.normalize.leftovers import left
from dispatch_to_pipedrive.normalize.times import order, utc


@dataclass(frozen=True)
class People:
    """`contacts`: one row a contact that is carried: id, root, name, title, memo, created_at, primary, person_key.

    `methods`: their phones and e-mails, in order: id (of the contact), root, person_key, type, value, memo.
    """

    contacts: pd.DataFrame
    methods: pd.DataFrame
    leftovers: list[pd.DataFrame]


def people(frames: Mapping[str, pd.DataFrame], customers: pd.DataFrame, sites: Sites) -> People:
    """The named contacts that are not archived, of customers that are carried.

    The primary contact of a customer is the one related to it first (by time, then id); the customer's person is named
    after it and has its phones and e-mails. Every other one is a person of its own, and so is each contact of a
    location, whose memo says which location it is. A contact of several customers is a person at the first of them.
    """
    found = frames["named_contacts"]
    archived = found["is_archived"].fillna(False).astype(bool)
    homeless = ~found["root"].isin(customers["root"]) & ~archived
    kept = found[~archived & ~homeless].reset_index(drop=True)
    relations, elsewhere = _relations(frames, kept)
    first = relations.drop_duplicates("id").set_index("id")["key"]
    kept = kept.assign(related=kept["id"].map(first).astype("string"))
    kept = kept.sort_values(["root", "related", "id"], kind="stable", na_position="last", ignore_index=True)
    of_customer = kept["customer_id"].notna()
    primary = of_customer & ~kept[of_customer].duplicated("root").reindex(kept.index, fill_value=True)
    own = customers.set_index("root")
    customer = kept["root"].map(own["name"]).astype("string")
    name = kept["name"].astype("string").str.strip()
    contacts = pd.DataFrame(
        {
            "id": kept["id"],
            "root": kept["root"],
            "primary": primary,
            "name": name.where(name.fillna("") != "", ("Contact of " + customer).where(~primary)),
            "title": _filled(kept["title"]),
            "created_at": utc(kept, "named_contacts", "created_on"),
            "organization_key": kept["root"].map(own["organization_key"]).astype("string"),
            "person_key": ("contact:" + kept["id"].str.lower() + "/person").where(
                ~primary, kept["root"].map(own["person_key"]).astype("string")
            ),
        }
    )
    contacts = contacts.assign(memo=_memo(contacts, kept, customer, sites))
    methods, lost = _methods(frames["named_contacts.methods"], contacts)
    leftovers = [
        left("named_contacts", found, archived, "archived contact"),
        left("named_contacts", found, homeless, "its customer is not in the export"),
        *elsewhere,
        *lost,
    ]
    return People(contacts, methods, leftovers)


def _relations(
    frames: Mapping[str, pd.DataFrame], kept: pd.DataFrame
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The relations to the customer (or location) that a contact is carried with, the oldest first: id, key."""
    rows = frames["named_contacts.relationships"]
    rows = rows[rows["id"].isin(kept["id"])]
    rows = rows.assign(key=order(utc(rows, "named_contacts", "created_on")).fillna(""))
    slug = rows["type_slug"].astype("string").str.casefold()
    root = pd.Series(pd.NA, index=rows.index, dtype="Int64")
    for feed, word in (("customers", "customer"), ("locations", "location")):
        roots = frames[feed].drop_duplicates("id").set_index("id")["root"]
        root = root.mask(slug == word, rows["related_entity_id"].map(roots).astype("Int64"))
    of_customer = rows["id"].isin(kept.loc[kept["customer_id"].notna(), "id"])
    here = (root == rows["root"]).fillna(False).astype(bool)
    decides = here & ((slug == "customer") | ~of_customer).fillna(False).astype(bool)
    lost = left(
        "named_contacts.relationships",
        rows,
        ~here,
        "a contact is one person, at the first of its customers; also of "
        + slug.fillna("entity")
        + " "
        + rows["related_entity_id"].astype("string").fillna("(none)"),
    )
    return rows[decides].sort_values(["id", "key"], kind="stable"), [lost]


def _memo(contacts: pd.DataFrame, kept: pd.DataFrame, customer: pd.Series, sites: Sites) -> pd.Series:
    """What no field of a person says: title, location, and the customer where no organization names it."""
    survivor = kept["location_id"].map(sites.survivor).astype("Int64").where(kept["customer_id"].isna())
    about = sites.locations.set_index("id")
    place = survivor.map(about["name"]).astype("string").str.strip()
    line = survivor.map(about["line"]).astype("string")
    place = place.where(line.isna() | (place == ""), place + ", " + line)
    alone = contacts["organization_key"].isna() & ~contacts["primary"]
    lines = (
        ("Title: " + contacts["title"]),
        ("Contact of " + customer).where(alone),
        ("Location: " + place),
    )
    memo = pd.Series("", index=contacts.index, dtype="string")
    for text in lines:
        memo = memo + ("\n" + text).fillna("")
    return memo.str.slice(1).where(memo != "")


def _methods(found: pd.DataFrame, contacts: pd.DataFrame) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    mine = found[found["id"].isin(contacts["id"])]
    keys = contacts.set_index("id")
    mine = mine.assign(
        person_key=mine["id"].map(keys["person_key"]).astype("string"),
        organization_key=mine["id"].map(keys["organization_key"]).astype("string"),
    )
    stray = ~found["id"].isin(contacts["id"])
    lost = left("named_contacts.methods", found, stray, "its contact is not carried")
    return mine.sort_values(["person_key", "id", "position"], kind="stable", ignore_index=True), [lost]


def _filled(values: pd.Series) -> pd.Series:
    text = values.astype("string").str.strip()
    return text.where(text != "")
