{% include "rows.js" %}
const [OBJECT, FIELD, KIND, RECORDS, STATE, DESTINATION, THROUGH, TABLE, WHY] = Array(9).keys();

table({object: OBJECT, kind: KIND, state: STATE}, "state", "rows", (line, row) => {
  const through = [row[THROUGH] && "through " + row[THROUGH], row[TABLE] && "in the table " + row[TABLE]];
  cell(line, row[OBJECT]);
  cell(line, row[FIELD], "value key", row[KIND] === "field" ? "" : row[KIND]);
  cell(line, row[RECORDS] === null ? "" : row[RECORDS].toLocaleString("en"), "number");
  cell(line, row[STATE], "badge s-" + row[STATE].replaceAll(" ", "-"));
  cell(line, row[DESTINATION] || row[WHY], "value", through.filter(Boolean).join("; "));
});
