"use strict";
// A table of many rows: searched, filtered, and drawn a step at a time.
const rows = JSON.parse(document.getElementById("rows").textContent);
const texts = rows.map(row => row.join("\n").toLowerCase());
const STEP = 100;
const body = document.querySelector("#every tbody");
const count = document.getElementById("count");
const more = document.getElementById("more");
const search = document.getElementById("search");

function cell(line, text, kind = "value", small = "") {
  const td = line.insertCell();
  const value = td.appendChild(document.createElement("div"));
  value.className = kind;
  value.dir = "auto";
  value.textContent = text === null ? "" : text;
  if (small) td.appendChild(document.createElement("small")).textContent = small;
}

// columns: name of a filter → the number of its column; links: the filter that the page's own links set; fill: makes a
// row's cells.
function table(columns, links, unit, fill) {
  const filters = Object.entries(columns)
    .map(([name, column]) => ({select: document.getElementById("by-" + name), column}));
  let found = [];
  let shown = 0;

  function draw() {
    const part = document.createDocumentFragment();
    for (const i of found.slice(shown, shown + STEP)) fill(part.appendChild(document.createElement("tr")), rows[i]);
    body.append(part);
    shown = Math.min(found.length, shown + STEP);
    count.textContent = found.length.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " " + unit +
      (shown < found.length ? ", the first " + shown.toLocaleString("en") + " shown" : "");
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

  for (const {select, column} of filters) {
    for (const value of [...new Set(rows.map(row => row[column]))].sort()) select.add(new Option(value, value));
    select.addEventListener("change", apply);
  }
  for (const link of document.querySelectorAll("[data-" + links + "]")) {
    link.addEventListener("click", () => {
      document.getElementById("by-" + links).value = link.dataset[links];
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
}
