// The matrix: filters, which platforms are shown, and moving about with the arrow keys.

const matrix = document.getElementById("matrix");
const form = document.getElementById("filters");
const rows = [...matrix.querySelectorAll("tr[data-case]")];
const rowOf = new Map(rows.map((row) => [row.dataset.case, row]));
const chips = [...form.querySelectorAll("button[data-platform]")];
const hiding = document.head.appendChild(document.createElement("style"));
const answered = new Map();
const searched = new Map();

// The classes of a row by column; "" where there is no answer.
function classesOf(row) {
  if (!answered.has(row)) {
    const cells = [...row.cells].slice(1);
    // What stands behind the letter (calls only) makes no other class of it.
    const letter = (cell) => /^k\d/.test(cell.className)
      ? cell.textContent.trim().match(/^[A-Z]+/)[0] : "";
    answered.set(row, cells.map(letter));
  }
  return answered.get(row);
}

// All that can be searched of a case: question, references, YAML, transcripts and statements.
function textOf(row) {
  const id = row.dataset.case;
  if (!searched.has(id)) {
    const said = ledger.filter((other) => other.dataset.case === id);
    const parts = [document.getElementById(id), ...said].map((part) => part.textContent);
    searched.set(id, [id, ...parts].join(" ").toLowerCase());
  }
  return searched.get(id);
}

const wordsOf = (field) => field.value.toLowerCase().split(/\s+/).filter((word) => word !== "");

function wanted() {
  const chosen = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true");
  return {
    words: wordsOf(form.q),
    folder: form.folder.value,
    tag: form.tag.value,
    different: form.different.checked,
    columns: (chosen.length > 0 ? chosen : chips).map((chip) => chips.indexOf(chip)),
    platforms: chosen.map((chip) => chip.dataset.platform),
  };
}

function varies(row, columns) {
  const classes = classesOf(row);
  const told = columns.map((at) => classes[at]).filter((letter) => letter !== "");
  return told.some((letter) => letter !== told[0]);
}

function apply() {
  const want = wanted();
  let [shown, different] = [0, 0];
  const folders = new Map([...matrix.tBodies].map((body) => [body, { shown: 0, different: 0 }]));
  for (const row of rows) {
    const { case: id, tags = "" } = row.dataset;
    const matches =
      (want.folder === "" || id.slice(0, id.lastIndexOf("/")) === want.folder) &&
      (want.tag === "" || tags.split(" ").includes(want.tag)) &&
      want.words.every((word) => textOf(row).includes(word));
    const differs = matches && varies(row, want.columns);
    row.hidden = !matches || (want.different && !differs);
    if (!row.hidden) tellApart(row, want.columns, differs);
    shown += row.hidden ? 0 : 1;
    different += differs ? 1 : 0;
    const folder = folders.get(row.parentNode);
    folder.shown += row.hidden ? 0 : 1;
    folder.different += differs ? 1 : 0;
  }
  for (const [body, { shown, different }] of folders) {
    body.hidden = shown === 0;
    const differ = different > 0 ? `, ${different} differ` : "";
    body.querySelector("small").textContent = `${shown}${differ}`;
  }
  hideColumns(want.columns);
  form.querySelector("output").textContent = counted(shown, different, want.columns.length);
  document.getElementById("nothing").hidden = shown > 0;
  rove(rows.find((row) => !row.hidden)?.querySelector("th a"));
  remember({
    q: want.words.join(" "),
    folder: want.folder,
    tag: want.tag,
    different: want.different ? "yes" : "",
    platforms: want.platforms.join(","),
  });
}

// How the classes differ that are shown: of what the case tells, the parts that tell them apart.
function tellApart(row, columns, differs) {
  row.querySelector("th b")?.toggleAttribute("hidden", !differs);
  const line = row.querySelector("th small");
  if (!line) return;
  const own = new Set(columns.map((at) => classesOf(row)[at]));
  const parts = document.getElementById(row.dataset.case).querySelectorAll(".how li");
  line.textContent = [...parts].filter((part) => parting(part, own)).map(told).join("; ");
}

const told = (part) => part.textContent.trim();

// Whether a part tells these classes apart: they are on more than one of its ways.
function parting(part, classes) {
  const ways = [...part.querySelectorAll("b")].map((way) => way.textContent.split(" "));
  return ways.filter((way) => way.some((letter) => classes.has(letter))).length > 1;
}

function counted(shown, different, columns) {
  const cases = `${shown} of ${rows.length} questions`;
  return columns > 1 ? `${cases}, ${different} answered differently` : cases;
}

function hideColumns(columns) {
  const away = chips.map((_, at) => at).filter((at) => !columns.includes(at));
  const rules = away.map((at) => `#matrix tr > :nth-child(${at + 2})`);
  hiding.textContent = rules.length > 0 ? `${rules.join(",")} { display: none }` : "";
}

// The filters stand in the address, so that a selection can be shared like a case.
function remember(filters) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(filters)) {
    if (value === "") query.delete(name);
    else query.set(name, value);
  }
  const search = query.size > 0 ? `?${query}` : "";
  if (search === location.search) return;
  try {
    history.replaceState(history.state, "", location.pathname + search + location.hash);
  } catch {
    // Some browsers give a page that was opened as a file no address to change.
  }
}

// A search box is not obeyed at every key, and a form is never sent.
function whenChanged(filters, apply) {
  let waiting;
  filters.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 60);
  });
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("reset", () => setTimeout(apply));
}

function recall() {
  const query = new URLSearchParams(location.search);
  form.q.value = query.get("q") ?? "";
  form.folder.value = query.get("folder") ?? "";
  form.tag.value = query.get("tag") ?? "";
  form.different.checked = query.has("different");
  const platforms = (query.get("platforms") ?? "").split(",");
  for (const chip of chips) {
    chip.setAttribute("aria-pressed", String(platforms.includes(chip.dataset.platform)));
  }
  for (const field of [form.folder, form.tag]) if (field.selectedIndex < 0) field.value = "";
}

// One stop for the tab key; the arrow keys move from there.
let stop = null;

function rove(link) {
  if (!link || link === stop) return;
  stop?.setAttribute("tabindex", "-1");
  link.removeAttribute("tabindex");
  stop = link;
}

function move(event) {
  const link = event.target.closest("a");
  const cell = link?.closest("td, th");
  const row = cell?.closest("tr[data-case]");
  if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
  const shown = rows.filter((row) => !row.hidden);
  const at = shown.indexOf(row);
  const beside = (step) => {
    let next = cell;
    do next = row.cells[next.cellIndex + step];
    while (next && next.offsetParent === null);
    return next;
  };
  const target = {
    ArrowUp: () => shown[at - 1]?.cells[cell.cellIndex],
    ArrowDown: () => shown[at + 1]?.cells[cell.cellIndex],
    ArrowLeft: () => beside(-1),
    ArrowRight: () => beside(1),
    Home: () => shown[0].cells[cell.cellIndex],
    End: () => shown.at(-1).cells[cell.cellIndex],
  }[event.key]?.();
  const next = target?.querySelector("a");
  if (!next) return;
  event.preventDefault();
  rove(next);
  next.focus();
}

function onlyDifferences() {
  form.reset();
  setTimeout(() => {
    form.different.checked = true;
    apply();
  });
}

function startMatrix() {
  for (const link of matrix.querySelectorAll("tbody a")) link.tabIndex = -1;
  recall();
  apply();
  form.addEventListener("reset", () => {
    for (const chip of chips) chip.setAttribute("aria-pressed", "false");
  });
  whenChanged(form, apply);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      const pressed = chip.getAttribute("aria-pressed") === "true";
      chip.setAttribute("aria-pressed", String(!pressed));
      apply();
    });
  }
  document.getElementById("count-different")?.addEventListener("click", onlyDifferences);
  matrix.addEventListener("keydown", move);
  matrix.addEventListener("focusin", (event) => rove(event.target.closest("tbody a")));
}
