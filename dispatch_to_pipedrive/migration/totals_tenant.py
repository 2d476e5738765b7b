"""What does the road have to make of the source's records? Told a second time, in SQL, one table a step.

Written from the shapes of the source and from what was promised, without a look at normalize or the maps. The tables
`winner` (feed, root, record) and `reference` (feed, record) must be there, and the macro `file_limit()` in bytes.
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
    "job_notes",
    "customer_notes",
    "location_notes",
    "job_attachments",
    "calls",
    "emails",
    "named_contacts",
)
BILLING = ("customers", "locations", "jobs", "invoices", "payments")
"""Of these, what money hangs on."""
REFERENCE = ("job_types", "technicians", "employees", "business_units", "tag_types", "job_cancel_reasons")

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
    "CREATE MACRO point(record) AS CASE lower(record->>'$.type') WHEN 'email' THEN 'emails' WHEN 'phone' THEN 'phones' "
    "WHEN 'mobilephone' THEN 'phones' WHEN 'mobile' THEN 'phones' WHEN 'fax' THEN 'phones' END",
    "CREATE MACRO alike(kind, value) AS CASE WHEN kind = 'phones' THEN "
    "coalesce(nullif(regexp_replace(value, '[^0-9]', '', 'g'), ''), lower(value)) ELSE lower(value) END",
    "CREATE MACRO items(record, path) AS CASE json_type(record->path) WHEN 'ARRAY' THEN (record->path)::JSON[] END",
    "CREATE MACRO lasts(value) AS try_cast(regexp_extract(value, '(\\d+):\\d+:\\d+', 1) AS BIGINT) * 60 "
    "+ try_cast(regexp_extract(value, ':(\\d+):', 1) AS BIGINT) "
    "+ coalesce(try_cast(regexp_extract(value, '^(\\d+)\\.\\d+:', 1) AS BIGINT), 0) * 1440",
    "CREATE MACRO seen(html) AS regexp_replace(html, '<script\\b.*?</script\\s*>|<style\\b.*?</style\\s*>"
    "|<title\\b.*?</title\\s*>|<template\\b.*?</template\\s*>|<svg\\b.*?</svg\\s*>|<math\\b.*?</math\\s*>"
    "|<!--.*?-->', '', 'gis')",
    "CREATE MACRO bare(html) AS regexp_replace(seen(html), '</?[a-z][^<>]*>', '', 'gi')",
    # A hard blank stands for itself in markup; of a plain text it is the end.
    "CREATE MACRO shows(html) AS regexp_matches(seen(html), '<img\\b', 'i') OR regexp_replace(bare(html), "
    "CASE WHEN bare(html) = html THEN '(?i)&nbsp;|&#160;|&#xa0;|[\\x00-\\x20\\x7f-\\x{a0}]' "
    "ELSE '[\\x00-\\x20\\x7f-\\x{9f}]' END, '', 'g') <> ''",
    "CREATE MACRO pictures(html) AS list_distinct(list_filter(regexp_extract_all("
    "regexp_replace(seen(html), '<(script|style|template|title|svg|math)\\b.*|<!--.*', '', 'is'), "
    "'<img src=\"((?:https?://|data:image/)[^\"''<>\\s&%?#]+)', 1), "
    "lambda url: url LIKE 'data:%' OR list_contains(hosts(), regexp_extract(url, '^https?://([^/:]+)', 1))))",
)
"""Small words for the SQL below: fields of JSON records, trimmed texts, times to the second and to the tick, the text
and the pictures of HTML."""

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
    # People by name: the first who belongs to the customer itself is the customer's own person.
    "CREATE TEMP TABLE named AS SELECT w.root, w.record->>'$.id' AS id, c.commercial, "
    "moment(w.record->>'$.createdOn') AS created, num(w.record, '$.customerId') IS NOT NULL AS own, w.record "
    "FROM winner w JOIN customer c USING (root) WHERE feed = 'named_contacts' "
    "AND NOT coalesce((w.record->>'$.isArchived')::BOOLEAN, false) "
    "AND NOT coalesce((w.record->>'$.isGone')::BOOLEAN, false)",
    "CREATE TEMP TABLE related AS SELECT n.root, n.id, min(coalesce(ticks(r->>'$.createdOn'), 0)) AS since "
    "FROM named n, unnest(items(n.record, '$.relationships')) AS u(r) WHERE lower(r->>'$.typeSlug') = 'customer' "
    "AND num(r, '$.relatedEntityId') IN (SELECT num(w.record, '$.id') FROM winner w "
    "WHERE w.feed = 'customers' AND w.root = n.root) GROUP BY n.root, n.id",
    "CREATE TEMP TABLE foremost AS SELECT n.root, arg_min(n.id, (coalesce(r.since, 9223372036854775807), n.id)) AS id "
    "FROM named n LEFT JOIN related r USING (root, id) WHERE n.own GROUP BY n.root",
    # Phones and e-mails: same key, same value.
    "CREATE TEMP TABLE contact AS WITH every AS ("
    "SELECT root, NULL::BIGINT AS site, record FROM winner WHERE feed = 'customer_contacts' UNION ALL "
    "SELECT w.root, coalesce(s.lives, num(w.record, '$.locationId')), w.record FROM winner w LEFT JOIN survivor s "
    "ON s.id = num(w.record, '$.locationId') WHERE feed = 'location_contacts'), "
    "read AS (SELECT e.root, e.site, c.commercial, point(e.record) AS kind, "
    "coalesce(word(e.record, '$.value'), word(e.record, '$.phoneSettings.phoneNumber')) AS value "
    "FROM every e JOIN customer c USING (root) WHERE alive(e.record)) "
    "SELECT *, alike(kind, value) AS key FROM read WHERE kind IS NOT NULL AND value IS NOT NULL",
    "CREATE TEMP TABLE named_contact AS SELECT n.root, CASE WHEN f.id IS NULL THEN n.id END AS who, point(m) AS kind, "
    "alike(point(m), word(m, '$.value')) AS key FROM named n, unnest(items(n.record, '$.methods')) AS u(m) "
    "LEFT JOIN foremost f ON f.root = n.root AND f.id = n.id "
    "WHERE point(m) IS NOT NULL AND word(m, '$.value') IS NOT NULL",
    "CREATE TEMP TABLE site_person AS SELECT DISTINCT c.root, c.site FROM contact c JOIN site s "
    "ON s.id = c.site AND s.root = c.root WHERE c.commercial AND NOT EXISTS (SELECT 1 FROM contact o "
    "WHERE o.root = c.root AND o.site IS NULL AND o.kind = c.kind AND o.key = c.key)",
    "CREATE TEMP TABLE person AS SELECT root, NULL::BIGINT AS site, commercial, created FROM customer UNION ALL "
    "SELECT p.root, p.site, true, s.created FROM site_person p JOIN site s ON s.id = p.site AND s.root = p.root "
    "UNION ALL SELECT root, NULL, commercial, created FROM named ANTI JOIN foremost USING (root, id)",
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
    "WHERE feed = 'tag_types' AND record->>'$.name' IS NOT NULL",
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
    # Calls and e-mails, on the job where they name one, else whose the customer's newest job is.
    "CREATE TEMP TABLE newest AS SELECT j.root, "
    "last(d.email ORDER BY coalesce(ticks(j.record->>'$.createdOn'), 0), j.id) AS email "
    "FROM job j JOIN deal d ON d.id = j.id GROUP BY j.root",
    "CREATE TEMP TABLE talk AS SELECT w.root, j.id AS job, c.commercial, "
    "CASE w.feed WHEN 'calls' THEN 'call' ELSE 'email' END AS kind, "
    "CASE WHEN j.id IS NULL THEN n.email ELSE d.email END AS email, "
    "moment(coalesce(w.record->>'$.sentAt', w.record->>'$.createdOn')) AS begins, "
    "CASE WHEN w.feed = 'calls' AND lasts(w.record->>'$.duration') IS NOT NULL "
    "THEN least(lasts(w.record->>'$.duration'), 1439) ELSE 0 END AS minutes "
    "FROM winner w JOIN customer c USING (root) LEFT JOIN job j ON j.root = w.root "
    "AND j.id = coalesce(num(w.record, '$.job.id'), num(w.record, '$.jobId')) "
    "LEFT JOIN deal d ON d.id = j.id LEFT JOIN newest n ON n.root = w.root "
    "WHERE w.feed IN ('calls', 'emails') AND alive(w.record)",
    # What the source lists for one parent at a time: a row of the newest reading is all that the parent has.
    "CREATE TEMP TABLE filed AS WITH reading AS (SELECT w.root, j.id AS job, w.record FROM winner w JOIN job j "
    "ON j.root = w.root AND j.id = num(w.record, '$.jobId') WHERE w.feed = 'job_attachments'), "
    "fact AS (SELECT num(f, '$.id') AS id, num(f, '$.size') AS size "
    "FROM (SELECT unnest(items(record, '$.facts')) AS f FROM reading)) "
    "SELECT r.root, r.job, num(r.item, '$.id') AS id, r.item->>'$.fileName' AS name, f.size, "
    "coalesce(f.size > file_limit(), false) AS oversized, r.item "
    "FROM (SELECT root, job, unnest(items(record, '$.items')) AS item FROM reading) r "
    "LEFT JOIN fact f ON f.id = num(r.item, '$.id') "
    "QUALIFY row_number() OVER (PARTITION BY r.root, num(r.item, '$.id') ORDER BY r.job DESC) = 1",
    # Everything that becomes a note, or brings pictures along.
    # After a merge both owners may list a note: the survivor's row counts, else that of the lower id.
    "CREATE TEMP TABLE written AS WITH listed AS (SELECT root, kind, record FROM (SELECT w.root, "
    "CASE w.feed WHEN 'customer_notes' THEN 'customer note' ELSE 'location note' END AS kind, "
    "coalesce(num(w.record, '$.customerId'), num(w.record, '$.locationId')) AS parent, "
    "unnest(items(w.record, '$.items')) AS record FROM winner w "
    "WHERE w.feed IN ('customer_notes', 'location_notes')) QUALIFY row_number() OVER "
    "(PARTITION BY root, kind, num(record, '$.id') ORDER BY parent <> root, parent) = 1), "
    "every AS (SELECT w.root, j.id AS job, 'job note' AS kind, w.record FROM winner w JOIN job j ON j.root = w.root "
    "AND j.id = num(w.record, '$.jobId') WHERE w.feed = 'job_notes' AND alive(w.record) UNION ALL "
    "SELECT root, NULL, kind, record FROM listed) "
    "SELECT e.root, e.job, c.commercial, e.kind, num(e.record, '$.id') AS id, e.record->>'$.text' AS text, "
    "coalesce((e.record->>'$.isPinned')::BOOLEAN, false) AS pinned, moment(e.record->>'$.createdOn') AS created, "
    "num(e.record, '$.createdById') AS author FROM every e JOIN customer c USING (root) "
    "WHERE shows(e.record->>'$.text')",
    "CREATE TEMP TABLE picture AS SELECT root, job, commercial, kind, id, unnest(pictures(text)) AS url FROM written "
    "UNION ALL SELECT root, id, commercial, 'job summary', id, unnest(pictures(record->>'$.summary')) FROM job",
    "CREATE TEMP TABLE note AS SELECT root, job, commercial, kind, id, text, pinned, created, author FROM written "
    "UNION ALL SELECT f.root, f.job, j.commercial, 'attachment', f.id, NULL, false, "
    "moment(f.item->>'$.createdOn'), num(f.item, '$.createdById') "
    "FROM filed f JOIN job j ON j.root = f.root AND j.id = f.job WHERE f.oversized",
    "CREATE TEMP TABLE file AS SELECT root, id, job, name FROM filed WHERE NOT oversized",
    # Who wrote a note is told by the id of a login.
    "CREATE TEMP TABLE login AS SELECT DISTINCT ON (id) id, email FROM (SELECT num(record, '$.userId') AS id, "
    "lower(word(record, '$.email')) AS email, feed, num(record, '$.id') AS number FROM reference "
    "WHERE feed IN ('technicians', 'employees')) WHERE id IS NOT NULL ORDER BY id, feed, number",
)
"""The tenant as the road should see it, one table a step."""
