"""Does the money add up? What the source bills for its jobs against what the deals in the account hold, to the cent.

Sums by the month in which a job was created (UTC; every job has one) and by its job type. The source's side is SQL over
the raw records, without normalize or the maps; the account's side is what was read back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

SOURCE_COLUMNS = ("job_id", "month", "job_type", "cents", "credit_cents", "refund_cents")
"""Of each job that becomes a deal: what it bills (credits are negative), of that the credits, what was paid back."""
AMOUNTS = ("value_cents", "invoiced_cents")
ACCOUNT_COLUMNS = ("job_id", *AMOUNTS, "currency")
"""Of each deal that was read back: its value, its field for the invoices, and the currency of both."""
COLUMNS = ("by", "what", "jobs", "source_cents", *AMOUNTS, "credit_cents", "refund_cents", "equal")
_DIMENSIONS = {"month": "month of creation", "job_type": "job type"}
_NOTHING = {"month": "no time", "job_type": "no job type"}


@dataclass(frozen=True)
class Sums:
    """The sums side by side (`COLUMNS`), the currencies that were found, and how many jobs were left out.

    currency: the one that all money shall be in; empty where nobody named one, then it may be any, but only one.
    """

    rows: pd.DataFrame
    currency: str
    found: frozenset[str]
    left_out: int

    @property
    def strange(self) -> frozenset[str]:
        """Currencies that are not the migration's."""
        return self.found - {self.currency or min(self.found, default="")}

    @property
    def wrong(self) -> pd.DataFrame:
        """The rows whose sums differ."""
        return self.rows[~self.rows["equal"].astype(bool)]

    @property
    def equal(self) -> bool:
        """Whether every sum is the source's, in the one currency."""
        return not self.strange and self.wrong.empty


def compare_money(
    source: pd.DataFrame,
    account: pd.DataFrame,
    currency: str = "",
    *,
    aside: frozenset[int] = frozenset(),
    compared: Sequence[str] = AMOUNTS,
) -> Sums:
    """The sums of both sides (`SOURCE_COLUMNS`, `ACCOUNT_COLUMNS`).

    aside: jobs that are no matter of this sum: people edited or deleted the deal, it was set aside, or a later batch
    has changed it. A job whose deal was not read back counts with nothing on the account's side. compared: those of
    `AMOUNTS` that the map gives.
    """
    mine = source[~source["job_id"].isin(list(aside))]
    both = mine.merge(account, on="job_id", how="left", validate="one_to_one")
    summed = ["cents", *AMOUNTS, "credit_cents", "refund_cents"]
    both = both.assign(jobs=1, **{name: both[name].fillna(0).astype("int64") for name in summed})
    parts = [_by(both, name, compared) for name in _DIMENSIONS]
    currencies = frozenset(both["currency"].dropna().astype(str))
    return Sums(pd.concat(parts, ignore_index=True), currency, currencies, len(source) - len(mine))


def _by(both: pd.DataFrame, name: str, compared: Sequence[str]) -> pd.DataFrame:
    what = both[name].astype("string").fillna(_NOTHING[name])
    sums = both.groupby(what)[["jobs", "cents", *AMOUNTS, "credit_cents", "refund_cents"]].sum()
    equal = sums[list(compared)].eq(sums["cents"], axis="index").all(axis="columns")
    found = sums.rename(columns={"cents": "source_cents"}).rename_axis("what").reset_index()
    return found.assign(by=_DIMENSIONS[name], equal=equal.to_numpy())[list(COLUMNS)]
