"""What does the road have to make of the source's records? Told a second time, in SQL, one table a step.

Written from the shapes of the source and from what was promised, without a look at normalize or the maps. The tables
`winner` (feed, root, record) and `reference` (feed, record) must be there.
"""

PRIORITY_FIELD = "Dispatch Pro Priority"

BOUND = (
    "customers",
    "customer_contacts",
    "locations",
    "location_contacts",
    "jobs",
    "appointments",
    "appointment_assignments",
    "invoices",
    "payments",
    "job_canceled_logs",
)
BILLING = ("customers", "locations", "jobs", "invoices", "payments")
"""Of these, what money hangs on."""
REFERENCE = ("job_types", "technicians", "business_units", "tag_types", "job_cancel_reasons")

MACROS = (
    "CREATE MACRO num(record, path) AS (record->>path)::BIGINT",
    "CREATE MACRO clean(value) AS nullif(regexp_replace(value, '^\\s+|\\s+$', '', 'g'), '')",
    "CREATE MACRO word(record, path) AS clean(record->>path)",
    "CREATE MACRO alive(record) AS coalesce((record->>'$.active')::BOOLEAN, true)",
    "CREATE MACRO moment(value) AS CASE WHEN clean(value) LIKE '0001-01-01%' THEN NULL "
    "WHEN clean(value) LIKE '%Z' OR length(clean(value)) = 19 THEN left(clean(value), 19) "
    "ELSE strftime(make_timestamp(epoch_us(clean(value)::TIMESTAMPTZ)), '%Y-%m-%dT%H:%M:%S') END",
    "CREATE MACRO ticks(value) AS epoch_us(moment(value)::TIMESTAMP) // 1000000 * 10000000 "
    "+ rpad(coalesce(nullif(regexp_extract(value, '\\.(\\d{1,7})', 1), ''), '0'), 7, '0')::BIGINT",
    "CREATE MACRO line(address) AS nullif(concat_ws(', ', word(address, '$.street'), word(address, '$.unit'), "
    "word(address, '$.city'), nullif(concat_ws(' ', word(address, '$.state'), word(address, '$.zip')), ''), "
    "word(address, '$.country')), '')",
    "CREATE MACRO folded(value) AS lower(regexp_replace(value, '\\s+', ' ', 'g'))",
)
"""Small words for the SQL below: fields of JSON records, trimmed texts, times to the second and to the tick."""

VIEWS = (
    "CREATE TEMP TABLE customer AS SELECT root, lower(record->>'$.type') = 'commercial' AS commercial, "
    "moment(record->>'$.createdOn') AS created, line(record->'$.address') AS line, record FROM winner "
    "WHERE feed = 'customers' AND num(record, '$.id') = root",
    # Locations: who survives a chain of merges; in a circle its lowest id.
    "CREATE TEMP TABLE place_of AS SELECT root, num(record, '$.id') AS id, num(record, '$.mergedToId') AS target, "
    "record FROM winner WHERE feed = 'locations'",
    "CREATE TEMP TABLE step AS SELECT a.root, a.id, a.target FROM place_of a "
    "JOIN place_of b ON b.id = a.target AND b.root = a.root",
    "CREATE TEMP TABLE survivor AS WITH RECURSIVE reach(root, id, here) AS (SELECT root, id, target FROM step "
    "UNION SELECT r.root, r.id, s.target FROM reach r JOIN step s ON s.root = r.root AND s.id = r.here), "
    "circle AS (SELECT root, id FROM reach WHERE id = here) "
    "SELECT p.root, p.id, coalesce(min(r.here) FILTER (r.here NOT IN (SELECT id FROM step)), "
    "min(r.here) FILTER (r.here IN (SELECT id FROM circle)), p.id) AS lives "
    "FROM place_of p LEFT JOIN reach r ON r.root = p.root AND r.id = p.id GROUP BY p.root, p.id",
    "CREATE TEMP TABLE site AS SELECT p.root, p.id, word(p.record, '$.name') AS name, "
    "line(p.record->'$.address') AS line, moment(p.record->>'$.createdOn') AS created "
    "FROM place_of p JOIN survivor s USING (root, id) JOIN customer c USING (root) WHERE s.lives = p.id",
    # Phones and e-mails: same key, same value.
    "CREATE TEMP TABLE contact AS WITH every AS ("
    "SELECT root, NULL::BIGINT AS site, record FROM winner WHERE feed = 'customer_contacts' UNION ALL "
    "SELECT w.root, coalesce(s.lives, num(w.record, '$.locationId')), w.record FROM winner w LEFT JOIN survivor s "
    "ON s.id = num(w.record, '$.locationId') WHERE feed = 'location_contacts'), "
    "read AS (SELECT e.root, e.site, c.commercial, CASE lower(e.record->>'$.type') WHEN 'email' THEN 'emails' "
    "WHEN 'phone' THEN 'phones' WHEN 'mobilephone' THEN 'phones' WHEN 'fax' THEN 'phones' END AS kind, "
    "coalesce(word(e.record, '$.value'), word(e.record, '$.phoneSettings.phoneNumber')) AS value "
    "FROM every e JOIN customer c USING (root) WHERE alive(e.record)) "
    "SELECT *, CASE WHEN kind = 'phones' THEN "
    "coalesce(nullif(regexp_replace(value, '[^0-9]', '', 'g'), ''), lower(value)) "
    "ELSE lower(value) END AS key FROM read WHERE kind IS NOT NULL AND value IS NOT NULL",
    "CREATE TEMP TABLE site_person AS SELECT DISTINCT c.root, c.site FROM contact c JOIN site s "
    "ON s.id = c.site AND s.root = c.root WHERE c.commercial AND NOT EXISTS (SELECT 1 FROM contact o "
    "WHERE o.root = c.root AND o.site IS NULL AND o.kind = c.kind AND o.key = c.key)",
    "CREATE TEMP TABLE person AS SELECT root, NULL::BIGINT AS site, commercial, created FROM customer UNION ALL "
    "SELECT p.root, p.site, true, s.created FROM site_person p JOIN site s ON s.id = p.site AND s.root = p.root",
    # Jobs, what they are billed, who did them.
    "CREATE TEMP TABLE job AS SELECT w.root, num(w.record, '$.id') AS id, w.record->>'$.jobStatus' AS status, "
    "s.lives AS site, moment(w.record->>'$.createdOn') AS created, c.commercial, w.record "
    "FROM winner w JOIN customer c USING (root) LEFT JOIN survivor s "
    "ON s.root = w.root AND s.id = num(w.record, '$.locationId') WHERE feed = 'jobs' AND alive(w.record)",
    "CREATE TEMP TABLE invoice AS SELECT w.root, num(w.record, '$.id') AS id, j.id AS job, "
    "coalesce((w.record->>'$.total')::DECIMAL(18, 4), 0) AS total FROM winner w JOIN job j "
    "ON j.root = w.root AND j.id = num(w.record, '$.job.id') WHERE feed = 'invoices' AND alive(w.record)",
    "CREATE TEMP TABLE paid AS SELECT i.job, sum(coalesce((a->>'$.appliedAmount')::DECIMAL(18, 4), 0)) AS paid "
    "FROM (SELECT root, unnest((record->'$.appliedTo')::JSON[]) AS a FROM winner "
    "WHERE feed = 'payments' AND alive(record) AND json_type(record->'$.appliedTo') = 'ARRAY') p "
    "JOIN invoice i ON i.root = p.root AND i.id = num(p.a, '$.appliedTo') GROUP BY i.job",
    "CREATE TEMP TABLE refund AS SELECT i.job, sum((a->>'$.appliedAmount')::DECIMAL(18, 4)) AS refund "
    "FROM (SELECT root, unnest((record->'$.appliedTo')::JSON[]) AS a FROM winner "
    "WHERE feed = 'payments' AND alive(record) AND json_type(record->'$.appliedTo') = 'ARRAY') p "
    "JOIN invoice i ON i.root = p.root AND i.id = num(p.a, '$.appliedTo') "
    "WHERE (a->>'$.appliedAmount')::DECIMAL(18, 4) < 0 GROUP BY i.job",
    "CREATE TEMP TABLE bill AS SELECT job, sum(total) AS total FROM invoice GROUP BY job",
    "CREATE TEMP TABLE visit AS SELECT w.root, num(w.record, '$.id') AS id, j.id AS job, j.site, j.commercial, "
    "w.record->>'$.status' AS status, w.record->>'$.start' AS begins, w.record->>'$.end' AS ends, "
    "NOT coalesce((w.record->>'$.unused')::BOOLEAN, false) "
    "AND NOT (lower(j.status) = 'hold' AND lower(w.record->>'$.status') = 'hold') AS stands "
    "FROM winner w JOIN job j ON j.root = w.root AND j.id = num(w.record, '$.jobId') "
    "WHERE feed = 'appointments' AND alive(w.record)",
    "CREATE TEMP TABLE duty AS SELECT v.job, v.id AS visit, num(w.record, '$.technicianId') AS technician, "
    "(coalesce(ticks(w.record->>'$.assignedOn'), 0), num(w.record, '$.id')) AS rank FROM winner w JOIN visit v "
    "ON v.root = w.root AND v.id = num(w.record, '$.appointmentId') WHERE feed = 'appointment_assignments' "
    "AND alive(w.record) AND num(w.record, '$.technicianId') IS NOT NULL",
    # Who has no e-mail is known by his id.
    "CREATE TEMP TABLE mail AS SELECT num(record, '$.id') AS id, "
    "coalesce(lower(word(record, '$.email')), record->>'$.id') AS email FROM reference WHERE feed = 'technicians'",
    "CREATE TEMP TABLE lead AS SELECT j.id AS job, coalesce(arg_max(d.technician, d.rank), "
    "any_value(nullif(num(j.record, '$.soldById'), 0))) AS technician FROM job j LEFT JOIN duty d ON d.job = j.id "
    "GROUP BY j.id",
    "CREATE TEMP TABLE visit_lead AS SELECT visit, arg_max(technician, rank) AS technician FROM duty GROUP BY visit",
    "CREATE TEMP TABLE canceled AS SELECT num(record, '$.jobId') AS job, "
    "arg_max(record, (coalesce(ticks(record->>'$.createdOn'), 0), num(record, '$.id'))) AS record "
    "FROM winner WHERE feed = 'job_canceled_logs' AND alive(record) GROUP BY 1",
    "CREATE TEMP TABLE tag AS SELECT num(record, '$.id') AS id, record->>'$.name' AS name FROM reference "
    "WHERE feed = 'tag_types' AND regexp_matches(record->>'$.name', '\\S')",
    "CREATE TEMP TABLE customer_tag AS SELECT DISTINCT c.root, c.commercial, t.name FROM (SELECT root, commercial, "
    "unnest((record->'$.tagTypeIds')::BIGINT[]) AS id FROM customer) c JOIN tag t USING (id)",
    "CREATE TEMP TABLE job_tag AS SELECT DISTINCT j.root, j.job, t.name FROM (SELECT root, id AS job, "
    "unnest((record->'$.tagTypeIds')::BIGINT[]) AS id FROM job) j JOIN tag t USING (id)",
    "CREATE TEMP TABLE deal AS SELECT j.root, j.id, j.created, j.commercial, j.status, "  # noqa: S608
    "round(coalesce(b.total, (j.record->>'$.total')::DECIMAL(18, 4), 0), 2) AS value, "
    "CASE WHEN b.total IS NULL THEN 'No invoice' WHEN b.total < 0 THEN 'Credit' "
    "WHEN b.total > 0 AND coalesce(p.paid, 0) <= 0 THEN 'Unpaid' "
    "WHEN b.total > 0 AND p.paid < b.total THEN 'Partially paid' ELSE 'Paid' END AS payment, "
    "CASE j.status WHEN 'Completed' THEN moment(j.record->>'$.completedOn') END AS won, "
    "CASE j.status WHEN 'Canceled' THEN moment(c.record->>'$.createdOn') END AS lost, "
    "CASE j.status WHEN 'Canceled' THEN coalesce(word(r.record, '$.name'), word(c.record, '$.memo')) END AS reason, "
    "word(k.record, '$.name') AS kind, l.technician, m.email, "
    "coalesce((SELECT clean(f->>'$.value') FROM (SELECT unnest((j.record->'$.customFields')::JSON[]) AS f) "
    f"WHERE lower(clean(f->>'$.name')) = lower('{PRIORITY_FIELD}') AND clean(f->>'$.value') IS NOT NULL LIMIT 1), "
    "word(j.record, '$.priority')) AS priority FROM job j LEFT JOIN bill b ON b.job = j.id "
    "LEFT JOIN paid p ON p.job = j.id LEFT JOIN canceled c ON c.job = j.id LEFT JOIN lead l ON l.job = j.id "
    "LEFT JOIN mail m ON m.id = l.technician "
    "LEFT JOIN reference k ON k.feed = 'job_types' AND num(k.record, '$.id') = num(j.record, '$.jobTypeId') "
    "LEFT JOIN reference r ON r.feed = 'job_cancel_reasons' AND num(r.record, '$.id') = num(c.record, '$.reasonId')",
    "CREATE TEMP TABLE act AS SELECT v.*, stands AND begins IS NOT NULL AND ends IS NOT NULL AS meets, "
    "CASE WHEN stands AND ticks(ends) >= ticks(begins) "
    "THEN least((ticks(ends) - ticks(begins)) // 600000000, 1439) ELSE 0 END AS minutes, "
    "replace(left(moment(begins), 10), 'T', ' ') || ' ' "
    "|| CASE WHEN stands THEN substr(moment(begins), 12, 5) ELSE '-' END AS due, "
    "CASE WHEN o.technician IS NOT NULL THEN m.email ELSE d.email END AS email FROM visit v "
    "LEFT JOIN visit_lead o ON o.visit = v.id LEFT JOIN mail m ON m.id = o.technician LEFT JOIN deal d ON d.id = v.job",
)
"""The tenant as the road should see it, one table a step."""
