"""Who wrote it: the name and e-mail of the employee or technician behind a user id of the source."""

from collections.abc import Mapping

import pandas as pd


def written_by(user_ids: pd.Series, reference: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """For each user id `author` and `author_email`, missing where nobody has that id; by the index of `user_ids`."""
    columns = ["user_id", "name", "email"]
    staff = pd.concat([reference[feed][columns] for feed in ("employees", "technicians")], ignore_index=True)
    staff = staff[staff["user_id"].notna()].drop_duplicates("user_id").set_index("user_id")
    found = {"author": "name", "author_email": "email"}
    texts = {column: user_ids.map(staff[of]).astype("string").str.strip() for column, of in found.items()}
    return pd.DataFrame({column: text.where(text != "") for column, text in texts.items()})
