"use strict";
const rows = JSON.parse(document.getElementById("rows").textContent);
const [OBJECT, FIELD, KIND, RECORDS, STATE, DESTINATION, THROUGH, TABLE, WHY] = Array(9).keys();
const texts = rows.map(row => row.join("\n").toLowerCase());
const STEP = 200;
const body = document.querySelector("#every tbody");
const count = document.getElementById("count");
const more = document.getElementById("more");
const search = document.getElementById("search");
const filters = [["object", OBJECT], ["kind", KIND], ["state", STATE]]
  .map(([name, column]) => ({select: document.getElementById("by-" + name), column}));
let found = [];
let shown = 0;

for (const {select, column} of filters) {
  for (const value of [...new Set(rows.map(row => row[column]))].sort()) select.add(new Option(value, value));
  select.addEventListener("change", apply);
}

function cell(line, text, kind) {
  const value = line.insertCell().appendChild(document.createElement("div"));
  value.className = kind;
  value.dir = "auto";
  value.textContent = text === null ? "" : text;
  return value.parentElement;
}

function small(td, text) {
  if (text) td.appendChild(document.createElement("small")).textContent = text;
}

function draw() {
  const part = document.createDocumentFragment();
  for (const row of found.slice(shown, shown + STEP).map(i => rows[i])) {
    const line = part.appendChild(document.createElement("tr"));
    cell(line, row[OBJECT], "value");
    small(cell(line, row[FIELD], "value key"), row[KIND] === "field" ? "" : row[KIND]);
    cell(line, row[RECORDS] === null ? "" : row[RECORDS].toLocaleString("en"), "number");
    cell(line, row[STATE], "badge s-" + row[STATE].replaceAll(" ", "-"));
    const td = cell(line, row[DESTINATION] || row[WHY], "value");
    small(td, [row[THROUGH] && "through " + row[THROUGH], row[TABLE] && "in the table " + row[TABLE]].filter(Boolean).join("; "));
  }
  body.append(part);
  shown = Math.min(found.length, shown + STEP);
  count.textContent = found.length.toLocaleString("en") + " of " + rows.length.toLocaleString("en") +
    " rows" + (shown < found.length ? ", the first " + shown.toLocaleString("en") + " shown" : "");
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

for (const link of document.querySelectorAll("[data-state]")) {
  link.addEventListener("click", () => {
    document.getElementById("by-state").value = link.dataset.state;
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
