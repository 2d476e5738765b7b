"use strict";
const rows = JSON.parse(document.getElementById("rows").textContent);
const [ENTITY, KEY, ID, FIELD, SECTION, COLUMNS, SOURCE, TRANSFORM, MAPPED, FOUND, VERDICT] = Array(11).keys();
const texts = rows.map(row => row.join("\n").toLowerCase());
const STEP = 100;
const body = document.querySelector("#every tbody");
const count = document.getElementById("count");
const more = document.getElementById("more");
const search = document.getElementById("search");
const filters = [["entity", ENTITY], ["section", SECTION], ["field", FIELD], ["verdict", VERDICT]]
  .map(([name, column]) => ({select: document.getElementById("by-" + name), column}));
let found = [];
let shown = 0;

for (const {select, column} of filters) {
  for (const value of [...new Set(rows.map(row => row[column]))].sort()) {
    select.add(new Option(value, value));
  }
  select.addEventListener("change", apply);
}

function cell(line, text, small, kind) {
  const td = line.insertCell();
  const value = td.appendChild(document.createElement("div"));
  value.className = kind || "value";
  value.dir = "auto";
  value.textContent = text === null ? "" : text;
  if (small) {
    const about = td.appendChild(document.createElement("small"));
    about.textContent = small;
  }
  return td;
}

function draw() {
  const part = document.createDocumentFragment();
  for (const row of found.slice(shown, shown + STEP).map(i => rows[i])) {
    const line = part.appendChild(document.createElement("tr"));
    const record = row[ID] === null ? row[ENTITY] : row[ENTITY] + " · Pipedrive " + row[ID];
    cell(line, row[KEY], record, "key");
    cell(line, row[FIELD], row[SECTION] === row[ENTITY] ? "" : row[SECTION], "key");
    cell(line, row[SOURCE], row[COLUMNS]);
    cell(line, row[MAPPED], row[TRANSFORM]);
    cell(line, row[FOUND]);
    cell(line, row[VERDICT], "", "verdict v-" + row[VERDICT].replace(" ", "-"));
  }
  body.append(part);
  shown = Math.min(found.length, shown + STEP);
  count.textContent = found.length.toLocaleString("en") + " of " + rows.length.toLocaleString("en") +
    " fields" + (shown < found.length ? ", the first " + shown.toLocaleString("en") + " shown" : "");
  more.hidden = shown >= found.length;
}

function apply() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = filters.filter(({select}) => select.value);
  found = [];
  for (let i = 0; i < rows.length; i++) {
    if (wanted.every(({select, column}) => rows[i][column] === select.value) &&
        words.every(word => texts[i].includes(word))) found.push(i);
  }
  body.replaceChildren();
  shown = 0;
  draw();
}

for (const link of document.querySelectorAll("[data-verdict]")) {
  link.addEventListener("click", () => {
    document.getElementById("by-verdict").value = link.dataset.verdict;
    apply();
  });
}
search.addEventListener("input", apply);
more.addEventListener("click", draw);
document.getElementById("clear").addEventListener("click", () => {
  search.value = "";
  filters.forEach(({select}) => { select.value = ""; });
  apply();
});
apply();
