"""Which phones and e-mails belong to which person, once each, with labels and memos."""

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from dispatch_to_pipedrive.normalize.leftovers import left
from dispatch_to_pipedrive.normalize.lists import POINT, arrow, listed, texts
from dispatch_to_pipedrive.normalize.named_contacts import People

PHONES = {"phone", "mobilephone", "mobile", "fax"}
LABELS = {"mobilephone": "mobile", "mobile": "mobile", "fax": "fax"}
NAMED = "named_contacts.methods"
LONGEST_LABEL = 40
"""Code points of a memo that still reads as a label; a longer one goes to the contact memo."""


def points(
    frames: Mapping[str, pd.DataFrame], customers: pd.DataFrame, survivor: pd.Series, named: People
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """One row a phone or e-mail of a carried person: person_key, location_id, kind, value, label, memo, primary.

    A customer's own contacts come first, then those of its locations, then those of its named people. A residential
    customer has them all; for a commercial one, a location with a phone or e-mail that the customer lacks becomes a
    person with all its contacts. E-mails are the same when they differ by case only, phones when their digits are the
    same.
    """
    own = frames["customer_contacts"]
    nowhere = pd.Series(pd.NA, index=own.index, dtype="Int64")
    own = own.assign(feed="customer_contacts", location_id=nowhere)
    theirs = frames["location_contacts"]
    survivors = theirs["location_id"].map(survivor).astype("Int64")
    theirs = theirs.assign(
        feed="location_contacts",
        location_id=survivors.fillna(theirs["location_id"]),
    )
    columns = [
        "feed",
        "id",
        "root",
        "location_id",
        "type",
        "value",
        "phone_settings_phone_number",
        "memo",
        "active",
    ]
    rows = pd.concat([own[columns], theirs[columns]], ignore_index=True)
    rows = _read(rows).merge(
        customers[["root", "commercial", "person_key"]], on="root", how="left", validate="many_to_one"
    )
    rows, leftovers = _usable(rows)
    rows = rows.sort_values(
        ["root", "feed", "location_id", "fax", "id"], kind="stable"
    )  # customer_… sorts first
    rows, known = _persons(rows)
    if len(named.methods):
        theirs, useless = _of_named(named, customers)
        rows = pd.concat([rows, theirs], ignore_index=True)
        leftovers += useless
    kept = ~rows.duplicated(["person_key", "kind", "key"])
    leftovers += [known, *_by_feed(rows, ~kept, "the person has the same value already")]
    label = rows["memo"].str.len() <= LONGEST_LABEL
    label &= ~rows["memo"].str.contains("[\r\n]", na=False) & ~rows["fax"] & kept
    usual = rows["type"].map(LABELS).fillna(rows["commercial"].map({True: "work", False: "home"}))
    rows = rows.assign(
        kept=kept,
        label=rows["memo"].where(label.fillna(False), usual),
        memo=rows["memo"].where(~label.fillna(False)),
    )
    first = ~rows[kept].duplicated(["person_key", "kind"])
    return rows.assign(primary=first.reindex(rows.index, fill_value=False)), leftovers


def contact_columns(person_keys: pd.Series, rows: pd.DataFrame) -> pd.DataFrame:
    """emails, phones and contact_memo for each person key."""
    kept = rows[rows["kept"]]
    memo = rows[rows["memo"].notna()]
    memo = memo.assign(line=memo["value"] + ": " + memo["memo"]).drop_duplicates(["person_key", "line"])
    lines = memo.groupby("person_key", sort=False)["line"].agg("\n".join).astype("string")
    return pd.DataFrame(
        {
            "emails": _items(person_keys, kept[kept["kind"] == "email"]),
            "phones": _items(person_keys, kept[kept["kind"] == "phone"]),
            "contact_memo": person_keys.map(lines).astype("string"),
        }
    )


def _items(person_keys: pd.Series, rows: pd.DataFrame) -> pd.Series:
    items = pa.StructArray.from_arrays(
        [
            texts(rows["value"]),
            texts(rows["label"]),
            arrow(rows["primary"].astype(bool), pa.bool_()),
        ],
        fields=list(POINT),
    )
    return listed(person_keys, rows["person_key"], items)


def _read(rows: pd.DataFrame) -> pd.DataFrame:
    """Adds kind (email, phone or missing), value without blanks around it, key (equal for equal values), memo, fax."""
    kind = rows["type"].astype("string").str.casefold()
    value = rows["value"].astype("string").str.strip()
    value = value.where(
        value.fillna("") != "", rows["phone_settings_phone_number"].astype("string").str.strip()
    )
    memo = rows["memo"].astype("string").str.strip()
    phone = kind.isin(PHONES)
    digits = value.str.replace("[^0-9]", "", regex=True)
    key = value.str.casefold().where(~phone | (digits == ""), digits)
    return rows.drop(columns=["phone_settings_phone_number"]).assign(
        type=kind,
        kind=pd.Series(pd.NA, index=rows.index, dtype="string")
        .mask(kind == "email", "email")
        .mask(phone, "phone"),
        value=value.where(value != ""),
        key=key,
        memo=memo.where(memo != ""),
        fax=(kind == "fax").fillna(False).astype(bool),
    )


def _usable(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    inactive = ~rows["active"].fillna(True).astype(bool)
    empty = rows["value"].isna() & ~inactive
    strange = rows["kind"].isna() & ~inactive & ~empty
    homeless = rows["person_key"].isna() & ~inactive & ~empty & ~strange
    leftovers = [
        *_by_feed(rows, inactive, "inactive contact"),
        *_by_feed(rows, empty, "contact without a value"),
        *_by_feed(rows, strange, "contact of the unknown type " + rows["type"].fillna("(none)")),
        *_by_feed(rows, homeless, "its customer is not in the export"),
    ]
    return rows[~(inactive | empty | strange | homeless)], leftovers


def _persons(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """person_key of each row; contacts of a commercial site whose customer has them all stay behind."""
    own = rows.loc[rows["location_id"].isna(), ["root", "kind", "key"]].drop_duplicates().assign(known=True)
    rows = rows.merge(own, on=["root", "kind", "key"], how="left", validate="many_to_one")
    site = rows["location_id"].notna() & rows["commercial"]
    lacking = rows.loc[site & rows["known"].isna(), "location_id"].unique()
    person = site & rows["location_id"].isin(lacking)
    behind = left(
        "location_contacts", rows, site & ~person, "the customer has all phones and e-mails of this location"
    )
    keys = rows["person_key"].where(~person, "location:" + rows["location_id"].astype("string") + "/person")
    return rows.assign(person_key=keys)[~(site & ~person)], behind


def _of_named(named: People, customers: pd.DataFrame) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The phones and e-mails of named contacts, in the columns of the others; `contact` is the contact's id."""
    nowhere = pd.Series(pd.NA, index=named.methods.index, dtype="Int64")
    rows = named.methods.assign(
        feed=NAMED,
        contact=named.methods["id"].astype("string"),
        id=nowhere,
        location_id=nowhere,
        phone_settings_phone_number=pd.Series(pd.NA, index=nowhere.index, dtype="string"),
        active=True,
        commercial=named.methods["root"].map(customers.set_index("root")["commercial"]),
    )
    return _usable(_read(rows))


def _by_feed(rows: pd.DataFrame, where: pd.Series, reason: str | pd.Series) -> list[pd.DataFrame]:
    return [
        left(
            feed,
            rows.assign(id=rows["contact"]) if feed == NAMED else rows,
            where & (rows["feed"] == feed),
            reason,
        )
        for feed in ("customer_contacts", "location_contacts", *((NAMED,) if "contact" in rows else ()))
    ]
