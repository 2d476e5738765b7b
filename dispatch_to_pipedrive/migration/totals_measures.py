"""What is counted of the tables of `totals_tenant`, root by root? One SELECT a measure."""

from dispatch_to_pipedrive.migration.mapped_totals import MODULUS, MOST_SITES, PLAIN_NAME
from dispatch_to_pipedrive.pipedrive.plans import NOTE_BYTES


def _sum(table: str, entity: str, measure: str, value: str, where: str = "true") -> str:
    return (
        f"SELECT root, '{entity}' AS entity, '{measure}' AS measure, sum({value})::BIGINT::VARCHAR AS value "  # noqa: S608
        f"FROM {table} WHERE {where} GROUP BY root HAVING sum({value}) <> 0"
    )


def _each(table: str, entity: str, measure: str, name: str, where: str = "true") -> str:
    return (
        f"SELECT root, '{entity}', '{measure} ' || {name}, count(*)::VARCHAR FROM {table} "  # noqa: S608
        f"WHERE {name} IS NOT NULL AND {where} GROUP BY root, {name}"
    )


def _ends(table: str, entity: str, measure: str, value: str, where: str = "true") -> tuple[str, str]:
    return tuple(  # type: ignore[return-value]
        f"SELECT root, '{entity}', '{word} {measure}', {function}({value}) FROM {table} "  # noqa: S608
        f"WHERE {value} IS NOT NULL AND {where} GROUP BY root"
        for word, function in (("first", "min"), ("last", "max"))
    )


_STATUS = (
    "CASE WHEN status = 'Completed' THEN 'won' WHEN status = 'Canceled' THEN 'lost' "
    "WHEN status IN ('Scheduled', 'Dispatched', 'InProgress', 'Hold') THEN 'open' ELSE status END"
)
_STAGE = "CASE status WHEN 'InProgress' THEN 'In Progress' ELSE status END"
_SITES = (
    "(SELECT c.root, c.commercial, count(s.id) + (c.line IS NOT NULL AND NOT coalesce(bool_or("
    "folded(s.line) = folded(c.line)), false))::INT AS sites FROM customer c LEFT JOIN site s "
    "ON s.root = c.root AND coalesce(s.line, s.name) IS NOT NULL GROUP BY c.root, c.commercial, c.line)"
)
_POINTS = (
    "(SELECT c.root, p.site, NULL AS who, c.kind, c.key FROM contact c LEFT JOIN site_person p "
    "ON p.root = c.root AND p.site = c.site WHERE c.site IS NULL OR NOT c.commercial OR p.site IS NOT NULL "
    "UNION SELECT root, NULL, who, kind, key FROM named_contact)"
)
_ACTIVITIES = (
    "(SELECT root, commercial, job, CASE WHEN meets THEN 'meeting' ELSE 'task' END AS type, "
    "status IN ('Done', 'Canceled') AS done, coalesce(minutes, 0) AS minutes, due FROM act UNION ALL "
    "SELECT root, commercial, job, kind, true, minutes, left(begins, 10) || ' ' || substr(begins, 12, 5) FROM talk)"
)
_LONG = (
    "(SELECT root, kind || ' ' || id AS name, (length(bare(text)) * 0.9)::BIGINT AS letters FROM written "  # noqa: S608
    f"WHERE length(bare(text)) > {NOTE_BYTES})"
)
_ON = {
    "deal_id": "job IS NOT NULL",
    "org_id": "job IS NULL AND commercial",
    "person_id": "job IS NULL AND NOT commercial",
}
"""Edge → which files and notes have it: what belongs to no job hangs on the customer."""
_CREATED = tuple(
    (table, entity, where)
    for table, entity, where in (
        ("customer", "organizations", "commercial"),
        ("person", "persons", "true"),
        ("deal", "deals", "true"),
    )
)

MEASURES = (
    _sum("customer", "organizations", "count", "1", "commercial"),
    _sum("person", "persons", "count", "1"),
    _sum("deal", "deals", "count", "1"),
    _sum(_ACTIVITIES, "activities", "count", "1"),
    _sum(_SITES, "organizations", "sites", "sites", f"commercial AND sites <= {MOST_SITES}"),
    _sum(_SITES, "persons", "sites", "sites", f"NOT commercial AND sites <= {MOST_SITES}"),
    _sum("person", "persons", "edges org_id", "1", "commercial"),
    _sum("deal", "deals", "edges org_id", "1", "commercial"),
    _sum(_ACTIVITIES, "activities", "edges org_id", "1", "commercial"),
    _sum("deal", "deals", "edges person_id", "1"),
    _sum(_ACTIVITIES, "activities", "edges deal_id", "1", "job IS NOT NULL"),
    _sum(
        "(SELECT a.root, 1 + (p.site IS NOT NULL)::INT AS n FROM act a LEFT JOIN site_person p USING (root, site) "
        "UNION ALL SELECT root, 1 FROM talk)",
        "activities",
        "participants",
        "n",
    ),
    _sum(_POINTS, "persons", "emails", "1", "kind = 'emails'"),
    _sum(_POINTS, "persons", "phones", "1", "kind = 'phones'"),
    _each("customer_tag", "organizations", "label", "name", "commercial"),
    _each("customer_tag", "persons", "label", "name"),
    _each(
        "(SELECT * FROM customer JOIN newest USING (root))", "organizations", "owner", "email", "commercial"
    ),
    _each("(SELECT p.root, n.email FROM person p JOIN newest n USING (root))", "persons", "owner", "email"),
    _each("job_tag", "deals", "label", "name"),
    *(sql for table, entity, where in _CREATED for sql in _ends(table, entity, "created", "created", where)),
    *(
        sql
        for table, entity, where in _CREATED
        for sql in _ends(table, entity, "created date", "left(created, 10)", where)
    ),
    _sum("deal", "deals", "value in cents", "value * 100"),
    _sum("deal", "deals", "invoiced in cents", "value * 100"),
    *_ends("deal", "deals", "won_time", "won"),
    *_ends("deal", "deals", "lost_time", "lost"),
    _each("deal", "deals", "status", _STATUS),
    _each("deal", "deals", "stage_id", _STAGE),
    _each("deal", "deals", "Job_Type__c", "kind"),
    _each("deal", "deals", "Dispatch_Pro_Priority__c", "priority"),
    _each("deal", "deals", "Payment_Status__c", "payment"),
    _each("deal", "deals", "lost_reason", "reason"),
    _each("deal", "deals", "technician", "technician"),
    _each("deal", "deals", "owner", "email"),
    _sum(
        "(SELECT DISTINCT d.root, d.id, u.technician FROM deal d JOIN duty u ON u.job = d.id "
        "WHERE u.technician IS DISTINCT FROM d.technician)",
        "deals",
        "other technicians",
        "1",
    ),
    *(
        _sum("job", "deals", measure, f"coalesce(num(record, '$.{field}'), 0)")
        for measure, field in (
            ("recalls", "recallForId"),
            ("warranties", "warrantyId"),
            ("projects", "projectId"),
        )
    ),
    _sum(_ACTIVITIES, "activities", "done", "1", "done"),
    _sum(_ACTIVITIES, "activities", "minutes", "minutes"),
    _sum(
        "(SELECT a.root FROM act a JOIN site s ON s.root = a.root AND s.id = a.site WHERE s.line IS NOT NULL)",
        "activities",
        "with place",
        "1",
    ),
    *_ends(_ACTIVITIES, "activities", "due", "due"),
    _each(_ACTIVITIES, "activities", "type", "type"),
    _each(
        "(SELECT root, email FROM act UNION ALL SELECT root, email FROM talk)", "activities", "owner", "email"
    ),
    _sum("file", "files", "attachments", "1"),
    _sum("file", "files", "places", f"(id % {MODULUS}) * (job % {MODULUS})"),
    _each("file", "files", "at least named", "name", f"regexp_full_match(name, '{PLAIN_NAME}')"),
    *(_sum("picture", "files", f"at least pictures {edge}", "1", where) for edge, where in _ON.items()),
    _sum("note", "notes", "records", "1"),
    _sum(
        "(SELECT DISTINCT root, id FROM picture WHERE kind = 'job summary')",
        "notes",
        "at least summaries",
        "1",
    ),
    _each("note", "notes", "stamps", "kind"),
    *(_sum("note", "notes", f"edges {edge}", "1", where) for edge, where in _ON.items()),
    _sum("note", "notes", "numbers", "id"),
    _sum("note", "notes", "places", f"(id % {MODULUS}) * (job % {MODULUS})", "job IS NOT NULL"),
    _sum("note", "notes", "pinned", "1", "pinned"),
    *_ends("note", "notes", "written", "created"),
    _each("(SELECT w.root, l.email FROM note w JOIN login l ON l.id = w.author)", "notes", "author", "email"),
    "SELECT root, 'notes', 'at least letters of ' || name, letters::VARCHAR FROM " + _LONG,  # noqa: S608
)
"""One SELECT a measure; all have the columns root, entity, measure, value."""

MONEY = (
    "SELECT d.id AS job_id, left(d.created, 7) AS month, d.kind AS job_type, (d.value * 100)::BIGINT AS cents, "
    "coalesce((sum(round(i.total, 2)) FILTER (i.total < 0) * 100)::BIGINT, 0) AS credit_cents, "
    "coalesce((any_value(r.refund) * 100)::BIGINT, 0) AS refund_cents "
    "FROM deal d LEFT JOIN invoice i ON i.job = d.id LEFT JOIN refund r ON r.job = d.id "
    "GROUP BY ALL ORDER BY 1"
)
"""What every job bills: a row a job."""
