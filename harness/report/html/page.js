// Puts the parts together: the address decides what is open.

const pageTitle = document.title;
let clicked;

function announce(string) {
  document.getElementById("said").textContent = string;
}

function follow(byHash) {
  const section = caseOf(location.hash);
  if (!section) return hideCase();
  if (!dialog.open) enteredByHash = byHash;
  showCase(section, clicked);
  clicked = undefined;
}

function startPanel() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const cell = link?.closest("#matrix td");
    if (cell) clicked = chips[cell.cellIndex - 1]?.dataset.platform;
    // Going on to another case takes the place of this one, so that "back" leads to the page.
    if (link && dialog.contains(link) && caseOf(link.hash)) {
      event.preventDefault();
      if (link.hash !== location.hash) location.replace(link.hash);
    } else if (link && dialog.open) leaveFor(event, link);
  });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    leave();
  });
  dialog.querySelector(".close").addEventListener("click", leave);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) leave();
  });
  const link = dialog.querySelector(".link");
  link.addEventListener("click", async () => {
    const done = await copyText(location.href);
    announce(done ? "Link copied" : "The browser refuses to copy");
    link.textContent = done ? "Copied" : "Copy link";
    setTimeout(() => (link.textContent = "Copy link"), 2000);
  });
  addEventListener("hashchange", () => follow(false));
  follow(true);
}

// A link from the panel to a part of the page.
function leaveFor(event, link) {
  event.preventDefault();
  location.replace(link.hash);
}

function startPrint() {
  addEventListener("beforeprint", () => {
    for (const [id, row] of rowOf) {
      document.getElementById(id).classList.toggle("unasked", row.hidden);
    }
  });
}

function startTheme() {
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const now = () => document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
  const tell = () => (button.textContent = now() === "dark" ? "Light" : "Dark");
  button.addEventListener("click", () => {
    const theme = now() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("sockdiff-theme", theme);
    } catch {
      // Then the choice lasts as long as the page.
    }
    tell();
  });
  dark.addEventListener("change", tell);
  tell();
}

startTheme();
startSayings();
startMatrix();
startPanel();
startPrint();
