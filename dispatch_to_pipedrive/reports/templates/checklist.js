"use strict";
const place = JSON.parse(document.getElementById("place").textContent);
const lines = [...document.querySelectorAll("li[data-key]")];
const count = document.getElementById("count");
const progress = document.getElementById("progress");
const open = document.getElementById("open");
let done = {};

try {
  done = JSON.parse(localStorage.getItem(place)) || {};
} catch {
  document.getElementById("kept").hidden = false;
}

function show() {
  let ticked = 0;
  for (const line of lines) {
    const at = done[line.dataset.key];
    line.querySelector("input").checked = Boolean(at);
    line.classList.toggle("done", Boolean(at));
    line.hidden = Boolean(at) && open.checked;
    if (at) ticked += 1;
  }
  progress.value = ticked;
  count.textContent = ticked.toLocaleString("en") + " of " + lines.length.toLocaleString("en") + " done";
}

for (const line of lines) {
  line.querySelector("input").addEventListener("change", event => {
    if (event.target.checked) done[line.dataset.key] = new Date().toISOString();
    else delete done[line.dataset.key];
    try {
      localStorage.setItem(place, JSON.stringify(done));
    } catch {
      document.getElementById("kept").hidden = false;
    }
    show();
  });
}

function cell(text) {
  const guarded = /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
  return '"' + guarded.replaceAll('"', '""') + '"';
}

document.getElementById("export").addEventListener("click", () => {
  const rows = lines.map(line => [
    line.querySelector("input").checked ? "done" : "open",
    done[line.dataset.key] || "",
    line.closest("section").querySelector("h2").firstChild.textContent.trim(),
    line.querySelector(".what").textContent,
    [...line.querySelectorAll(".more")].map(part => part.textContent).join("\n"),
  ]);
  const text = [["state", "at", "section", "item", "details"], ...rows].map(row => row.map(cell).join(",")).join("\r\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff" + text + "\r\n"], {type: "text/csv"}));
  link.download = "rebuild-checklist.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});
open.addEventListener("change", show);
show();
