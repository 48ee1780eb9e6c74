"use strict";
// Filters the list of all results. Whatever a case says is put in as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const FIELDS = ["case", "variant", "form", "engine", "mode", "target", "verdict", "seen", "reason"];
  const CHOICES = ["variant", "form", "engine", "mode", "target", "verdict"];
  const PAGE = 200;
  const form = document.getElementById("filters");
  const table = document.getElementById("results");
  const body = table.tBodies[0];
  const more = document.getElementById("more");
  const select = (name) => document.getElementById(`f-${name}`);
  const word = (row, name) => data.words[row[FIELDS.indexOf(name)]];
  let found = [];

  for (const name of CHOICES) {
    for (const each of new Set(data.rows.map((row) => word(row, name)))) {
      if (each) select(name).add(new Option(each, each));
    }
  }

  function show() {
    const start = body.rows.length;
    for (const row of found.slice(start, start + PAGE)) {
      const line = body.insertRow();
      for (const name of FIELDS) {
        const cell = line.insertCell();
        const failure = row[FIELDS.length];
        if (name === "case" && failure) {
          const link = document.createElement("a");
          link.href = `#f${failure}`;
          link.textContent = word(row, name);
          cell.append(link);
        } else {
          cell.textContent = word(row, name);
        }
        if (name === "verdict") cell.className = `v-${word(row, name)}`;
      }
    }
    more.hidden = body.rows.length >= found.length;
    document.getElementById("count").textContent =
      `${found.length} of ${data.rows.length} results; ${body.rows.length} shown`;
  }

  function filter() {
    const part = select("case").value.toLowerCase();
    found = data.rows.filter((row) =>
      word(row, "case").toLowerCase().includes(part) &&
      CHOICES.every((name) => !select(name).value || word(row, name) === select(name).value));
    body.replaceChildren();
    show();
  }

  function release() {
    for (const cell of document.querySelectorAll(".matrix button")) {
      cell.setAttribute("aria-pressed", "false");
    }
  }

  function clear() {
    release();
    for (const name of ["case", ...CHOICES]) select(name).value = "";
  }

  function has(name, value) {
    return [...select(name).options].some((option) => option.value === value);
  }

  for (const button of document.querySelectorAll(".matrix button")) {
    button.addEventListener("click", () => {
      const { row, column, target } = button.dataset;
      clear();
      button.setAttribute("aria-pressed", "true");
      if (has("variant", row)) select("variant").value = row;
      const name = has("mode", column) ? "mode" : "engine";
      if (has(name, column)) select(name).value = column;
      if (has("target", target)) select("target").value = target;
      filter();
      document.getElementById("results-title").scrollIntoView();
      select("case").focus({ preventScroll: true });
    });
  }

  // A link to a failure, or to a step in one, opens what it lies in.
  function open() {
    const target = document.getElementById(location.hash.slice(1));
    for (let each = target; each; each = each.parentElement) {
      if (each.tagName === "DETAILS") each.open = true;
    }
    if (target) target.scrollIntoView();
  }

  form.addEventListener("input", () => { release(); filter(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("f-all").addEventListener("click", () => { clear(); filter(); });
  more.addEventListener("click", show);
  window.addEventListener("hashchange", open);
  form.hidden = false;
  table.hidden = false;
  if (has("verdict", "mismatch")) select("verdict").value = "mismatch";
  filter();
  open();
})();
