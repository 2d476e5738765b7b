"""Which addresses a customer has, and in which order: the primary site first, no site lost."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dispatch_to_pipedrive.normalize.leftovers import left, same_root

PARTS = ("street", "unit", "city", "state", "zip", "country")

LONGEST = 65_000
"""Characters that Pipedrive's text field holds."""

POINTER = "… and more in the pinned note"


@dataclass(frozen=True)
class Sites:
    """`wide`: a row a root with site_1_street … site_N_country and additional_sites.

    `locations`: a row a surviving location: id, root, name, created_at's source column, address parts.
    `primary`: each root → the id of its primary site, missing where it has no location.
    `survivor`: each location's id → the id of the location that it was merged into at the end of the chain.
    `overflow`: root and `lines`: the additional sites that do not fit the text field; they go into a note.
    """

    wide: pd.DataFrame
    locations: pd.DataFrame
    primary: pd.Series
    survivor: pd.Series
    overflow: pd.DataFrame
    leftovers: list[pd.DataFrame]


def sites(frames: Mapping[str, pd.DataFrame], customers: pd.DataFrame, count: int) -> Sites:
    """Every site of the carried customers, numbered from 1, the first `count` in columns, the others in a text.

    The primary site is the active location with the lowest id whose address is the customer's; else the active one
    with the lowest id; else the lowest id. Inactive locations follow the active ones, as their jobs still point to
    them. A customer without locations has its own address as its site; an own address that is none of the sites is
    listed as billing address. A location without any address is listed by its name.
    """
    locations = frames["locations"]
    survivor = _survivors(locations)
    merged = survivor.to_numpy() != locations["id"].to_numpy()
    homeless = ~locations["root"].isin(customers["root"])
    leftovers = [
        left(
            "locations",
            locations,
            pd.Series(merged, index=locations.index),
            pd.Series("merged into location " + survivor.astype("string").to_numpy(), index=locations.index),
        ),
        left("locations", locations, homeless & ~merged, "its customer is not in the export"),
    ]
    alive = locations[~merged & ~homeless].reset_index(drop=True)
    alive = pd.concat([alive, pd.DataFrame({"line": _line(alive)})], axis=1)
    owner = customers[["root", "name", *(f"address_{part}" for part in PARTS)]]
    owner = owner.assign(line=_line(owner))
    listed = _numbered(alive, owner)
    wide = owner[["root"]]
    for number in range(1, count + 1):
        columns = {f"address_{part}": f"site_{number}_{part}" for part in PARTS}
        here = listed.loc[listed["number"] == number, ["root", *columns]].rename(columns=columns)
        wide = wide.merge(here, on="root", how="left", validate="one_to_one")
    fitting, overflow = _fitting(_additional(listed, alive, owner, count))
    wide = wide.merge(fitting, on="root", how="left", validate="one_to_one")
    return Sites(wide, alive, _primary(listed, alive), survivor, overflow, leftovers)


def _survivors(locations: pd.DataFrame) -> pd.Series:
    """Location id → surviving id: a chain ends where the next one is not here, a circle at its lowest id."""
    ids = pd.Index(locations["id"])
    here = same_root(locations, locations["merged_to_id"], locations)
    target = locations["merged_to_id"].where(here, locations["id"])
    step = pd.Series(target.to_numpy(), index=ids)
    step = step[~step.index.duplicated()]
    here = step.copy()
    for _ in range(64):
        following = step.loc[here.to_numpy()].to_numpy()
        if (following == here.to_numpy()).all():
            return here
        here = pd.Series(following, index=step.index)
    lowest = here
    for _ in range(64):  # whoever still moves walks in a circle: its lowest id survives
        here = pd.Series(step.loc[here.to_numpy()].to_numpy(), index=step.index)
        lowest = lowest.where(lowest <= here, here)
    settled = step.loc[here.to_numpy()].to_numpy() == here.to_numpy()
    return here.where(settled, lowest)


def _line(rows: pd.DataFrame) -> pd.Series:
    """`123 Main St, Unit 4, Phoenix, AZ 85001, USA`; missing where no part is filled."""
    parts = {part: rows[f"address_{part}"].astype("string").str.strip().fillna("") for part in PARTS}
    region = (parts["state"] + " " + parts["zip"]).str.strip()
    line = pd.Series("", index=rows.index, dtype="string")
    for part in (parts["street"], parts["unit"], parts["city"], region, parts["country"]):
        line = line + part.where(part == "", ", " + part)
    line = line.str.slice(2)
    return line.where(line != "")


def _same(line: pd.Series) -> pd.Series:
    return line.str.casefold().str.replace(r"\s+", " ", regex=True)


def _numbered(alive: pd.DataFrame, owner: pd.DataFrame) -> pd.DataFrame:
    """All sites with an address: root, number, name, line, address parts."""
    rows = alive.merge(
        owner[["root", "line"]].rename(columns={"line": "own_line"}),
        on="root",
        how="left",
        validate="many_to_one",
    )
    rows = rows[rows["line"].notna()]
    active = rows["active"].fillna(True).astype(bool)
    home = (active & (_same(rows["line"]) == _same(rows["own_line"]).fillna(""))).fillna(False).astype(bool)
    rows = rows.assign(by_home=~home, by_active=~active)
    rows = rows.sort_values(["root", "by_home", "by_active", "id"], kind="stable")
    alone = owner[~owner["root"].isin(rows["root"]) & owner["line"].notna()]
    rows = pd.concat([rows, alone], ignore_index=True)
    return rows.assign(number=rows.groupby("root", sort=False).cumcount() + 1)


def _primary(listed: pd.DataFrame, alive: pd.DataFrame) -> pd.Series:
    """Root → location id: the first site, or where no location has an address the first location."""
    first = listed.loc[(listed["number"] == 1) & listed["id"].notna(), ["root", "id"]]
    inactive = ~alive["active"].fillna(True).astype(bool)
    others = alive.assign(by_active=inactive).sort_values(["root", "by_active", "id"], kind="stable")
    both = pd.concat([first, others[["root", "id"]]], ignore_index=True).drop_duplicates("root")
    return both.set_index("root")["id"].astype("Int64")


def _additional(listed: pd.DataFrame, alive: pd.DataFrame, owner: pd.DataFrame, count: int) -> pd.DataFrame:
    """root, line: one for each site beyond `count`, each location without an address, and the billing address."""
    names = owner.set_index("root")["name"]
    further = listed[listed["number"] > count]
    blank = alive[alive["line"].isna()]
    known = _same(listed["line"]) + listed["root"].astype("string")
    own = owner[owner["line"].notna() & ~(_same(owner["line"]) + owner["root"].astype("string")).isin(known)]
    return pd.concat(
        [
            pd.DataFrame({"root": further["root"], "line": _named(further, names)}),
            pd.DataFrame(
                {"root": blank["root"], "line": blank["name"].astype("string") + " (no address)"}
            ).dropna(),
            pd.DataFrame({"root": own["root"], "line": "Billing address: " + own["line"]}),
        ],
        ignore_index=True,
    ).astype({"root": "Int64", "line": "string"})


def _fitting(lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """root, additional_sites: the lines that the text field holds; root, lines: those that it does not."""
    sizes = lines["line"].str.len() + 1
    whole = sizes.groupby(lines["root"]).transform("sum") - 1
    before = sizes.groupby(lines["root"]).cumsum()
    fits = (whole <= LONGEST) | (before + len(POINTER) <= LONGEST)
    pointers = lines[~fits].drop_duplicates("root").assign(line=POINTER)
    texts = [
        rows.groupby("root", sort=False)["line"].agg("\n".join).astype("string")
        for rows in (pd.concat([lines[fits], pointers]), lines[~fits])
    ]
    return texts[0].rename("additional_sites").reset_index(), texts[1].rename("lines").reset_index()


def _named(rows: pd.DataFrame, customer_names: pd.Series) -> pd.Series:
    own_name = rows["root"].map(customer_names).astype("string")
    name = rows["name"].astype("string").str.strip()
    plain = name.isna() | (name == "") | (name == own_name).fillna(False)
    return rows["line"].where(plain.fillna(True), name.fillna("") + ": " + rows["line"])
