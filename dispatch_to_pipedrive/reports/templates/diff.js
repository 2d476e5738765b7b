{% include "rows.js" %}
const [ENTITY, KEY, ID, FIELD, SECTION, COLUMNS, SOURCE, TRANSFORM, MAPPED, FOUND, VERDICT] = Array(11).keys();

table({entity: ENTITY, section: SECTION, field: FIELD, verdict: VERDICT}, "verdict", "fields", (line, row) => {
  cell(line, row[KEY], "key", row[ID] === null ? row[ENTITY] : row[ENTITY] + " · Pipedrive " + row[ID]);
  cell(line, row[FIELD], "key", row[SECTION] === row[ENTITY] ? "" : row[SECTION]);
  cell(line, row[SOURCE], "value", row[COLUMNS]);
  cell(line, row[MAPPED], "value", row[TRANSFORM]);
  cell(line, row[FOUND]);
  cell(line, row[VERDICT], "verdict v-" + row[VERDICT].replace(" ", "-"));
});
