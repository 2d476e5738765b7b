"""Which persons there are: one for each customer, each commercial site with contacts of its own, each named contact.

The named contact that a customer has first is no person of its own: it gives the customer's person its name.
"""

import pandas as pd

from dispatch_to_pipedrive.normalize.addresses import Sites
from dispatch_to_pipedrive.normalize.contacts import contact_columns
from dispatch_to_pipedrive.normalize.lists import TEXTS
from dispatch_to_pipedrive.normalize.named_contacts import People
from dispatch_to_pipedrive.normalize.times import utc


def persons(customers: pd.DataFrame, sites: Sites, points: pd.DataFrame, named: People) -> pd.DataFrame:
    """source_key, root, name, title, organization_key, location_id, emails, phones, contact_memo, labels, sites.

    `customer_id` and `site_id` name the customer and the site that the person stands for: a customer's person for
    the customer and its primary site, a site's person for the site alone, a named contact for neither.

    A residential person has the customer's sites; a commercial one none, for they are the organization's.
    """
    first = customers[["person_key", "root", "name", "organization_key", "created_at", "labels"]]
    first = first.rename(columns={"person_key": "source_key"})
    homes = sites.wide[sites.wide["root"].isin(customers.loc[~customers["commercial"], "root"])]
    first = first.merge(homes, on="root", how="left", validate="one_to_one")
    primary = named.contacts[named.contacts["primary"]].set_index("person_key")
    known_as = first["source_key"].map(primary["name"]).astype("string")
    first = first.assign(
        name=known_as.where(known_as.notna(), first["name"]),
        title=first["source_key"].map(primary["title"]).astype("string"),
        location_id=pd.Series(pd.NA, index=first.index, dtype="Int64"),
    )
    of_sites = _of_sites(customers, sites, points)
    further = named.contacts[~named.contacts["primary"]].rename(columns={"person_key": "source_key"})
    columns = ["source_key", "root", "name", "title", "organization_key", "created_at"]
    everyone = pd.concat([first, of_sites, further[columns]], ignore_index=True)
    everyone = everyone.astype({"location_id": "Int64", "labels": TEXTS, "source_key": "string"})
    of_customer = everyone["source_key"].isin(first["source_key"])
    of_site = everyone["location_id"].notna()
    home = everyone["root"].map(sites.primary).astype("Int64").where(of_customer)
    everyone = everyone.assign(
        customer_id=everyone["root"].where(of_customer),
        site_id=everyone["location_id"].where(of_site, home),
    )
    found = contact_columns(everyone["source_key"], points)
    about = everyone["source_key"].map(named.contacts.set_index("person_key")["memo"]).astype("string")
    memo = (about.fillna("") + "\n" + found["contact_memo"].fillna("")).str.strip("\n")
    return pd.concat([everyone, found.assign(contact_memo=memo.where(memo != ""))], axis=1)


def _of_sites(customers: pd.DataFrame, sites: Sites, points: pd.DataFrame) -> pd.DataFrame:
    keys = points.loc[
        points["person_key"].str.startswith("location:").fillna(False), ["location_id", "person_key"]
    ]
    found = sites.locations.merge(
        keys.drop_duplicates(), left_on="id", right_on="location_id", validate="one_to_one"
    )
    owner = customers.set_index("root")
    customer = found["root"].map(owner["name"]).astype("string")
    name = found["name"].astype("string").str.strip()
    return pd.DataFrame(
        {
            "source_key": found["person_key"].astype("string"),
            "root": found["root"],
            "name": customer.where(name.fillna("") == "", customer + " – " + name),
            "organization_key": found["root"].map(owner["organization_key"]).astype("string"),
            "created_at": utc(found, "locations", "created_on"),
            "location_id": found["location_id"],
        }
    )
