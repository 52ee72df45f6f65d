// The panel of one case. The case's own part of the page is moved into a dialog, and its texts are
// drawn as diagrams when it is first opened; without this script they are read where they are.

const COLUMN_MIN = 300; // px: room for the names of platforms and a button
const dialog = document.getElementById("panel");
const stage = dialog.querySelector(".stage");
const backToPage = { home: null, section: null, from: null };
let enteredByHash = true;

function caseOf(hash) {
  let id;
  try {
    id = decodeURIComponent(hash.slice(1));
  } catch {
    return null;
  }
  const section = id === "" ? null : document.getElementById(id);
  return section?.classList.contains("case") ? section : null;
}

function showCase(section, platform) {
  if (backToPage.section !== section) {
    putBack();
    const home = document.createComment("");
    section.before(home);
    Object.assign(backToPage, { home, section });
    enrich(section);
    draw(section);
    stage.append(section);
    stage.scrollTop = 0;
  }
  if (!dialog.open) {
    backToPage.from = document.activeElement;
    dialog.showModal();
  }
  const heading = section.querySelector("h3");
  dialog.setAttribute("aria-labelledby", heading.id);
  document.title = `${section.id} · sockdiff`;
  neighbours(section);
  emphasise(section, platform);
  heading.focus({ preventScroll: true });
}

function putBack() {
  const { home, section } = backToPage;
  if (!section) return;
  home.replaceWith(section);
  Object.assign(backToPage, { home: null, section: null });
}

function hideCase() {
  if (!dialog.open) return;
  const id = backToPage.section?.id;
  putBack();
  dialog.close();
  document.title = pageTitle;
  const row = id && rowOf.get(id)?.querySelector("th a");
  const from = backToPage.from;
  const target = from?.isConnected && from.hash === `#${id}` ? from : row;
  target?.focus({ preventScroll: true });
  target?.scrollIntoView({ block: "nearest" });
}

// Leaves the case as the back button would, if one came from this page.
function leave() {
  if (enteredByHash) {
    history.replaceState(null, "", location.pathname + location.search);
    hideCase();
  } else history.back();
}

// The behaviour of the platform whose cell was clicked.
function emphasise(section, platform) {
  for (const part of section.querySelectorAll("[data-platforms]")) {
    const own = platform !== undefined && part.dataset.platforms.split(" ").includes(platform);
    part.classList.toggle("chosen", own);
    if (own) part.scrollIntoView({ block: "nearest", inline: "center" });
  }
  if (platform !== undefined) stage.scrollTop = 0;
}

function neighbours(section) {
  const shown = [...rowOf.values()].filter((row) => !row.hidden);
  const at = shown.indexOf(rowOf.get(section.id));
  for (const [name, step] of [["previous", -1], ["next", 1]]) {
    const link = dialog.querySelector(`.${name}`);
    const row = at < 0 ? undefined : shown[at + step];
    link.href = row ? row.querySelector("th a").hash : `#${section.id}`;
    link.setAttribute("aria-disabled", String(row === undefined));
    link.title = row ? row.querySelector("th a").textContent : "";
  }
}

// What is added to a case once, when it is first looked at.
function enrich(section) {
  if (section.dataset.enriched) return;
  section.dataset.enriched = "yes";
  const texts = section.querySelector(".answers");
  if (texts) {
    for (const answer of texts.children) {
      answer.querySelector("h4").append(copyButton(section, answer));
    }
    const both = make("div", { className: "both" });
    texts.replaceWith(both);
    both.append(texts);
  }
  claimsOf(section);
}

// Draws the behaviours that are compared: all, or those of the platforms to which the matrix is
// narrowed.
function draw(section, everyone = false) {
  const all = [...section.querySelectorAll(".answer")];
  if (all.length === 0) return;
  const { platforms } = wanted();
  const of = (answer) => answer.dataset.platforms.split(" ");
  const own = all.filter((answer) => of(answer).some((key) => platforms.includes(key)));
  const answers = everyone || own.length === 0 ? all : own;
  const drawn = answers.map((answer) => answer.dataset.class).join(" ");
  if (section.dataset.drawn === drawn) return;
  section.dataset.drawn = drawn;
  const bodies = answers.map((answer) => answer.querySelector("pre").textContent);
  const callsOnly = answers.map((answer) => answer.hasAttribute("data-calls-only"));
  const rows = sectionRows(bodies).map(({ title, lines }) => {
    const cells = alignLines(lines);
    const marked = cells.map((row) => differs(row, callsOnly));
    return { title, lines, cells, marked, layout: layoutOf(cells) };
  });
  for (const answer of all) answer.hidden = !answers.includes(answer);
  const classes = new Set(answers.map((answer) => answer.dataset.class));
  for (const part of section.querySelectorAll(".how li")) part.hidden = !parting(part, classes);
  section.querySelector(".how")?.classList.toggle("alone", answers.length < 2);
  const both = section.querySelector(".both");
  both.classList.toggle("single", answers.length < 2);
  for (const old of both.querySelectorAll(":scope > :not(.answers)")) old.remove();
  if (answers.length < all.length) both.prepend(narrowed(section, answers.length, all.length));
  both.querySelector(".answers").before(comparison(section, answers, rows));
  markTexts(answers, rows);
}

// Says that some behaviours are left out, and brings them back.
function narrowed(section, shown, all) {
  const button = make("button", { type: "button" }, `Show all ${all}`);
  const count = `${shown} of ${all} behaviours: those of the platforms chosen in the matrix. `;
  const note = make("p", { className: "narrowed" }, count, button);
  button.addEventListener("click", () => {
    draw(section, true);
    section.querySelector("h3").focus();
  });
  return note;
}

function make(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

// One column for each behaviour, one block for each section of the transcript.
function comparison(section, answers, rows) {
  const grid = make("div", { className: "ladders", tabIndex: 0 });
  grid.setAttribute("role", "region");
  grid.setAttribute("aria-label", "Behaviours side by side");
  const widest = Math.max(...rows.map((row) => row.layout.width), COLUMN_MIN);
  grid.style.setProperty("--columns", `repeat(${answers.length}, ${widest}px)`);
  const heads = answers.map((answer) => {
    const own = answer.querySelector("h4").cloneNode(true);
    own.querySelector("button").replaceWith(copyButton(section, answer));
    const name = make("div", { className: "head" }, ...own.childNodes);
    name.dataset.platforms = answer.dataset.platforms;
    return name;
  });
  const several = answers.length > 1;
  // A single behaviour has its text beside it, which says whose it is.
  if (several) grid.append(make("div", { className: "columns heads" }, ...heads));
  const telling = (row) => !several || row.marked.includes(true) || row.lines.includes(null);
  const alike = rows.filter((row) => !telling(row));
  for (const row of rows.filter(telling)) grid.append(block(row, answers, true, several));
  if (alike.length > 0) grid.append(together(alike, answers));
  return grid;
}

// The rows that are the same in all, out of the way of those that are not.
function together(rows, answers) {
  const blocks = rows.map((row) => block(row, answers, false, true));
  if (rows.length === 1) return blocks[0];
  const summary = make("summary", {}, `${rows.length} rows are the same in all`);
  return make("details", { className: "alike" }, summary, ...blocks);
}

function block(row, answers, open, several) {
  const columns = make("div", { className: "columns" });
  const fill = () => {
    if (columns.childNodes.length > 0) return;
    answers.forEach((answer, at) => columns.append(column(row, answer, at, several)));
  };
  if (row.title === "") {
    fill();
    return columns;
  }
  const summary = make("summary", {}, make("code", {}, row.title));
  if (several && !open) summary.append(make("span", { className: "same" }, "the same in all"));
  const details = make("details", { className: "row", open }, summary, columns);
  if (open) fill();
  details.addEventListener("toggle", fill);
  return details;
}

function column(row, answer, at, several) {
  const cell = make("div", { className: "column" });
  cell.dataset.platforms = answer.dataset.platforms;
  if (row.lines[at] === null) {
    cell.append(make("p", { className: "none" }, `no ${row.title || "such part"} here`));
    return cell;
  }
  const of = row.title === "" ? "" : `, ${row.title}`;
  const label = `Sequence diagram of behaviour ${answer.dataset.class}${of}; its text is below`;
  const marked = several ? row.marked : [];
  cell.append(drawLadder(row.layout, at, marked, label));
  return cell;
}

// The same marks in the text: whole lines that not all behaviours share.
function markTexts(answers, rows) {
  answers.forEach((answer, at) => {
    const pre = answer.querySelector("pre");
    const lines = [];
    for (const { title, lines: own, cells, marked } of rows) {
      if (own[at] === null) continue;
      if (title !== "") lines.push(`== ${title}\n`);
      cells.forEach((row, i) => {
        if (row[at] === null) return;
        const line = `${row[at]}\n`;
        lines.push(marked[i] ? make("mark", {}, line) : line);
      });
    }
    pre.replaceChildren(...lines);
  });
}

// What can be pasted into a bug report: who answers so, and the transcript in a fence.
function report(section, answer) {
  const body = answer.querySelector("pre").textContent.trimEnd();
  const keys = answer.dataset.platforms.split(" ");
  const own = chips.filter((chip) => keys.includes(chip.dataset.platform));
  const who = own.map((chip) => `${chip.textContent} (${chip.dataset.kernel.trim()})`).join(", ");
  const ticks = Math.max(2, ...[...body.matchAll(/`+/g)].map((run) => run[0].length)) + 1;
  const fence = "`".repeat(ticks);
  const link = location.protocol.startsWith("http")
    ? `\n${location.origin}${location.pathname}#${section.id}\n`
    : "";
  return `${section.id}: ${who}\n\n${fence}text\n${body}\n${fence}\n${link}`;
}

function copyButton(section, answer) {
  const name = `Copy transcript ${answer.dataset.class}`;
  const button = make("button", { type: "button", className: "copy" }, name);
  button.addEventListener("click", async () => {
    const done = await copyText(report(section, answer));
    button.textContent = done ? "Copied" : "Select the text and copy it";
    announce(done ? "Transcript copied" : "The browser refuses to copy");
    setTimeout(() => (button.textContent = name), 2000);
  });
  return button;
}

async function copyText(string) {
  try {
    await navigator.clipboard.writeText(string);
    return true;
  } catch {
    // A page that was opened as a file may have no clipboard of its own.
    const field = make("textarea", { value: string, className: "hidden" });
    dialog.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

// A row of the ledger, whatever its filter hides there.
function copied(row) {
  return Object.assign(row.cloneNode(true), { hidden: false });
}

// The rows of the ledger that are about this case.
function claimsOf(section) {
  const place = section.querySelector(".statements");
  if (!place) return;
  const rows = ledger.filter((row) => row.dataset.case === section.id);
  const table = make("table", { className: "claims" });
  const [head] = document.querySelectorAll("#claims thead");
  const body = make("tbody", {}, ...rows.map(copied));
  const caption = make("caption", { className: "hidden" }, `Statements about ${section.id}`);
  table.append(caption, head.cloneNode(true), body);
  place.append(table);
}
