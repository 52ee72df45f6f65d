// The statements: which are shown, by their words and by who makes them.

const sayings = document.getElementById("sayings");
const ledger = [...document.querySelectorAll("#claims tr[data-case]")];
const written = new Set(
  [...sayings.by.querySelectorAll("[data-article]")].map((option) => option.value));

// Is it made by whom the filter names: anybody, a work, or one of the articles?
function isBy(row, by) {
  if (by === "articles") return written.has(row.dataset.work);
  return by === "" || row.dataset.work === by;
}

function applySayings() {
  const by = sayings.by.value;
  const words = wordsOf(sayings.q);
  for (const row of ledger) {
    const text = row.textContent.toLowerCase();
    row.hidden = !(isBy(row, by) && words.every((word) => text.includes(word)));
  }
  for (const table of document.querySelectorAll("#claims table")) {
    const box = table.parentNode;
    const left = [...table.tBodies[0].rows].filter((row) => !row.hidden).length;
    box.previousElementSibling.querySelector("small").textContent = left;
    box.hidden = left === 0;
  }
  const left = ledger.filter((row) => !row.hidden).length;
  sayings.querySelector("output").textContent = `${left} of ${ledger.length} statements`;
  remember({ says: words.join(" "), by });
}

function startSayings() {
  const query = new URLSearchParams(location.search);
  sayings.q.value = query.get("says") ?? "";
  sayings.by.value = query.get("by") ?? "";
  if (sayings.by.selectedIndex < 0) sayings.by.value = "";
  applySayings();
  whenChanged(sayings, applySayings);
}
