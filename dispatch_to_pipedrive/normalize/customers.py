"""Who is a customer here: the roots, after merges; a merged customer gives no record of its own."""

from collections.abc import Mapping

import pandas as pd

from dispatch_to_pipedrive.normalize.leftovers import left
from dispatch_to_pipedrive.normalize.lists import listed, texts
from dispatch_to_pipedrive.normalize.times import utc

COMMERCIAL = "commercial"


def roots(
    frames: Mapping[str, pd.DataFrame], reference: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The customers that are carried, one row a root, and the leftovers.

    Columns: root, name, commercial, created_at, labels, organization_key (missing for a residential customer),
    person_key, address parts. Inactive customers are carried: their history belongs to them.
    """
    customers = frames["customers"]
    own = (customers["id"] == customers["root"]).fillna(False)
    gone = left("customers", customers, ~own, "merged into customer " + customers["root"].astype("string"))
    kept = customers[own].reset_index(drop=True)
    commercial = kept["type"].str.casefold() == COMMERCIAL
    number = kept["id"].astype("string")
    name = kept["name"].astype("string").str.strip()
    labels, unknown = tags(kept, frames["customers.tag_type_ids"], reference["tag_types"], "customers")
    carried = pd.DataFrame(
        {
            "root": kept["root"],
            "name": name.where(name.fillna("") != "", "Customer " + number),
            "commercial": commercial.fillna(False).astype(bool),
            "created_at": utc(kept, "customers", "created_on"),
            "labels": labels,
            "organization_key": ("customer:" + number + "/organization").where(commercial),
            "person_key": "customer:" + number + "/person",
        }
    )
    parts = kept[[column for column in kept.columns if column.startswith("address_")]]
    return pd.concat([carried, parts], axis=1), [gone, *unknown]


def tags(
    owners: pd.DataFrame, tag_ids: pd.DataFrame, tag_types: pd.DataFrame, feed: str
) -> tuple[pd.Series, list[pd.DataFrame]]:
    """For each row of `owners` (by id) its tags' names, each once, in the source's order; and tags nobody knows.

    A tag without a name, or of blanks alone, can be no label.
    """
    names = tag_types.drop_duplicates("id").set_index("id")["name"].astype("string")
    names = names[names.str.strip().fillna("") != ""]
    mine = tag_ids[tag_ids["id"].isin(owners["id"])]
    mine = mine.assign(name=mine["value"].map(names).astype("string")).sort_values(
        ["id", "position"], kind="stable"
    )
    unknown = left(
        f"{feed}.tag_type_ids",
        mine,
        mine["name"].isna(),
        "tag " + mine["value"].astype("string") + " is not among the tag types that have a name",
    )
    mine = mine[mine["name"].notna()].drop_duplicates(["id", "name"])
    return listed(owners["id"], mine["id"], texts(mine["name"])), [unknown]
