"""Which organizations there are: one for each commercial customer."""

import pandas as pd

from dispatch_to_pipedrive.normalize.addresses import Sites


def organizations(customers: pd.DataFrame, sites: Sites) -> pd.DataFrame:
    """source_key, root, name, created_at, labels, additional_sites, site_id, and its sites' address columns."""
    commercial = customers[customers["commercial"]].reset_index(drop=True)
    frame = commercial[["organization_key", "root", "name", "created_at", "labels"]]
    frame = frame.rename(columns={"organization_key": "source_key"})
    frame = frame.assign(site_id=frame["root"].map(sites.primary).astype("Int64"))
    return frame.merge(sites.wide, on="root", how="left", validate="one_to_one")
