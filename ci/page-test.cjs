// The page in a browser: what a reader does with it, at a desk and on a phone, in light and dark.
// Started by ci/page-test; the pages are made by harness/tests/page.rs.
"use strict";
const { after, before, test } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const pages = process.env.PAGES;
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
// Of the first paint, the best of three. A loaded machine is slower than a reader's.
const PAINT_MS_MAX = 3000;

let browser, server, origin;

before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });
  server = http.createServer((request, response) => {
    const name = path.basename(new URL(request.url, "http://x").pathname);
    const file = path.join(pages, name);
    if (!fs.existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(fs.readFileSync(file));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(async () => {
  await browser?.close();
  server?.close();
});

// A page, and what must not have happened when the test is over.
async function visit(name, options, body) {
  const { hash = "", ...context } = options;
  const visitor = await browser.newContext({ viewport: DESK, reducedMotion: "reduce", ...context });
  const page = await visitor.newPage();
  const [errors, requests] = [[], []];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(`${origin}/${name}${hash}`);
  await body(page, visitor);
  assert.deepEqual(errors, []);
  const own = (url) => url.startsWith(`${origin}/${name}`);
  assert.deepEqual(requests.filter((url) => !own(url)), [], "a request to elsewhere");
  await visitor.close();
}

const shown = (page) => page.locator("#matrix tr[data-case]:visible");
const panel = (page) => page.locator("#panel");
const isOpen = (page) => page.evaluate(() => document.getElementById("panel").open);
const output = (page) => page.locator("#filters output").textContent();
const cellOf = (page, id, column) =>
  page.locator(`#matrix tr[data-case="${id}"] > :nth-child(${column + 1}) a`);

// Waits for a condition in the page; it says what it waited for when it does not come.
const until = (page, condition, argument) =>
  page.waitForFunction(condition, argument, { timeout: 10_000 });
const open = (page) => until(page, () => document.getElementById("panel").open);
const closed = (page) => until(page, () => !document.getElementById("panel").open);
const counts = (page, n) =>
  until(page, (n) => document.querySelector("output").textContent.startsWith(`${n} of`), n);

// A case that two of the first columns answer differently, and how many there are.
const differing = (page) =>
  page.evaluate(() => {
    const rows = [...document.querySelectorAll("#matrix tr[data-case]")];
    const letters = (row) => [...row.cells].slice(1).filter((c) => /^k\d/.test(c.className));
    const several = (row) => new Set(letters(row).map((cell) => cell.className)).size > 1;
    return rows.filter(several).map((row) => row.dataset.case);
  });

test("filters by text, folder, difference and platform", () =>
  visit("few.html", {}, async (page) => {
    const all = await shown(page).count();
    await page.getByLabel("Find").fill("epipe sigpipe");
    await until(page, () => document.querySelector("#matrix tr[data-case][hidden]") !== null);
    for (const id of await shown(page).evaluateAll((rows) => rows.map((r) => r.dataset.case))) {
      const text = await page.evaluate((id) => document.getElementById(id).textContent, id);
      assert.match(text, /EPIPE/i);
    }
    assert.match(page.url(), /\?q=epipe\+sigpipe/);
    await page.getByRole("button", { name: "Reset" }).click();
    await counts(page, all);
    await page.getByLabel("Folder").selectOption("seg");
    await until(page, () => document.querySelector("#matrix tr[data-case]:not([hidden])")
      .dataset.case.startsWith("seg/"));
    await page.getByRole("button", { name: "Reset" }).click();
    await page.getByLabel("Only differences").check();
    const different = await differing(page);
    await counts(page, different.length);
    const head = await page.locator("#count-different").textContent();
    assert.equal(parseInt(head, 10), different.length, "the head of the page counts the same");
    await page.getByRole("button", { name: "linux 5.10" }).click();
    await page.getByRole("button", { name: "linux 6.18" }).click();
    const count = await page.evaluate(() => {
      const at = (row, i) => row.cells[i];
      const told = (cell) => /^k\d/.test(cell.className);
      return [...document.querySelectorAll("#matrix tr[data-case]")]
        .filter((row) => told(at(row, 1)) && told(at(row, 4)))
        .filter((row) => at(row, 1).className !== at(row, 4).className).length;
    });
    assert.ok(count > 0 && count < different.length, `${count} of ${different.length}`);
    await counts(page, count);
    assert.equal(await page.locator("#matrix thead th:visible").count(), 3);
    await page.reload();
    await counts(page, count);
    await page.getByLabel("Find").fill("no such words");
    await until(page, () => !document.getElementById("nothing").hidden);
  }));

test("a cell opens its case, and the back button closes it", () =>
  visit("few.html", {}, async (page) => {
    const [id] = await differing(page);
    await cellOf(page, id, 1).click();
    await open(page);
    assert.equal(new URL(page.url()).hash, `#${id}`);
    const answers = await panel(page).locator(".answer").count();
    assert.ok(answers > 1);
    assert.equal(await panel(page).locator(".columns.heads > *").count(), answers);
    assert.ok((await panel(page).locator("svg.ladder").count()) >= answers);
    assert.ok((await panel(page).locator("svg .sign").count()) > 0, "marked differences");
    assert.ok((await panel(page).locator("pre mark").count()) > 0, "marked lines of text");
    assert.ok((await panel(page).locator(".statements tbody tr").count()) >= 0);
    await page.goBack();
    await closed(page);
    assert.equal(new URL(page.url()).hash, "");
    await page.goForward();
    await open(page);
    await page.keyboard.press("Escape");
    await closed(page);
    const focused = await page.evaluate(() => document.activeElement.closest("tr")?.dataset.case);
    assert.equal(focused, id);
  }));

test("a diagram tells what its transcript tells", () =>
  visit("few.html", { hash: "#rst/close-unread-data" }, async (page) => {
    await open(page);
    const { text, drawn } = await page.evaluate(() => {
      const section = document.querySelector("#panel .case");
      const squeeze = (text) => text.replace(/\s+/g, "");
      const pre = section.querySelector(".answer pre").textContent.split("\n");
      const texts = [...section.querySelectorAll(".row, .ladders > .columns:not(.heads)")]
        .map((block) => block.querySelector(".column"))
        .flatMap((column) => [...column.querySelectorAll("svg text:not(.end):not(.sign)")]);
      const packet = /^ {4}\S+ > \S+ /;
      return {
        text: squeeze(pre.filter((line) => !line.startsWith("== "))
          .map((line) => line.replace(packet, "")).join("")),
        drawn: squeeze(texts.map((node) => node.textContent).join("")),
      };
    });
    assert.equal(drawn, text);
  }));

test("the panel compares the platforms to which the matrix is narrowed", () => {
  const hash = "?different=yes&platforms=linux-5.10,linux-6.18";
  return visit("few.html", { hash }, async (page) => {
    const legends = page.locator("#matrix tr[data-case]:visible small:visible");
    const told = (legend) => [...legend.matchAll(/(?:^|: | \| )([A-Z](?: [A-Z])*) /g)].length;
    for (const legend of await legends.allTextContents()) assert.ok(told(legend) > 1, legend);
    const ids = await shown(page).evaluateAll((rows) => rows.map((row) => row.dataset.case));
    const many = (id) => document.getElementById(id).querySelectorAll(".answer").length > 2;
    let narrowed = 0;
    for (const id of ids) {
      const more = await page.evaluate(many, id);
      await page.evaluate((id) => (location.hash = `#${id}`), id);
      await until(page, (id) => document.querySelector("#panel .case")?.id === id, id);
      assert.equal(await panel(page).locator(".answer:visible").count(), 2, id);
      const button = panel(page).getByRole("button", { name: /^Show all/ });
      assert.equal(await button.count(), more ? 1 : 0, id);
      if (!more) continue;
      narrowed += 1;
      await button.click();
      assert.ok((await panel(page).locator(".answer:visible").count()) > 2, id);
      assert.equal(await button.count(), 0, id);
    }
    assert.ok(narrowed > 0, "no case has a third behaviour");
  });
});

test("an address opens its case", () =>
  visit("few.html", { hash: "#rst/connect-closed-port" }, async (page) => {
    await open(page);
    assert.equal(await panel(page).locator("h3").textContent(), "rst/connect-closed-port");
    await page.getByRole("link", { name: "Next" }).click();
    await until(page, () => location.hash !== "#rst/connect-closed-port");
    assert.ok(await isOpen(page));
    await page.getByRole("button", { name: "Close" }).click();
    await closed(page);
    assert.equal(new URL(page.url()).hash, "");
    await page.evaluate(() => (location.hash = "#claims"));
    assert.ok(!(await isOpen(page)));
  }));

test("the keyboard reaches every cell", () =>
  visit("few.html", {}, async (page) => {
    await page.locator("#matrix tbody th a").first().focus();
    const at = () => page.evaluate(() => {
      const cell = document.activeElement.closest("td, th");
      return [cell.closest("tr").dataset.case, cell.cellIndex];
    });
    const [first] = await at();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    const [second, column] = await at();
    assert.notEqual(second, first);
    assert.equal(column, 1);
    const stops = page.locator('#matrix tbody a:not([tabindex="-1"])');
    assert.equal(await stops.count(), 1, "one stop for the tab key");
    await page.keyboard.press("Enter");
    await open(page);
    assert.equal(new URL(page.url()).hash, `#${second}`);
    const inside = await page.evaluate(() => document.activeElement.closest("dialog") !== null);
    assert.ok(inside, "focus is in the panel");
  }));

test("a transcript is copied as a bug report wants it", () =>
  visit("few.html", { hash: "#rst/connect-closed-port" }, async (page, visitor) => {
    await visitor.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
    await open(page);
    await panel(page).getByRole("button", { name: /^Copy transcript/ }).first().click();
    await until(page, () => document.getElementById("said").textContent === "Transcript copied");
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const body = await panel(page).locator(".answer pre").first().textContent();
    assert.ok(copied.startsWith("rst/connect-closed-port: linux "), copied);
    assert.ok(copied.includes(`\n\`\`\`text\n${body.trimEnd()}\n\`\`\`\n`), copied);
    assert.ok(copied.trimEnd().endsWith("#rst/connect-closed-port"), copied);
  }));

test("statements lead to their cases, refuted ones first", () =>
  visit("few.html", { hash: "#refuted" }, async (page) => {
    const refuted = page.locator("#refuted + .scroll tbody tr");
    const named = await page.locator('a[href="#refuted"] b').textContent();
    assert.equal(await refuted.count(), Number(named));
    assert.equal(await refuted.locator(".verdict.refuted").count(), Number(named));
    await refuted.first().getByRole("link").click();
    await open(page);
    assert.ok((await panel(page).locator(".statements .verdict.refuted").count()) > 0);
  }));

test("statements are found by their words and by who makes them", () =>
  visit("few.html", { hash: "?by=articles" }, async (page) => {
    const rows = page.locator("#claims tr[data-case]:visible");
    const ofArticles = await rows.count();
    for (const source of await rows.locator("small").allTextContents()) {
      assert.match(source, /, [A-Z]\d+(;|$)/);
    }
    const said = page.locator("#sayings output");
    assert.ok((await said.textContent()).startsWith(`${ofArticles} of `));
    const refuted = page.locator("#refuted + .scroll tbody tr:visible");
    assert.equal(await page.locator("#refuted small").textContent(), `${await refuted.count()}`);
    await page.getByLabel("Words").fill("SO_LINGER");
    await until(page, () => location.search.includes("says=so_linger"));
    const found = await rows.count();
    assert.ok(found > 0 && found < ofArticles, `${found} of ${ofArticles}`);
    assert.ok(page.url().includes("by=articles"), page.url());
  }));

test("what the filters leave is printed, and of an open case nothing else", () =>
  visit("few.html", { hash: "?q=simultaneous" }, async (page) => {
    const left = await shown(page).count();
    await page.emulateMedia({ media: "print" });
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    assert.equal(await page.locator("#cases .case:visible").count(), left);
    await page.evaluate(() => (location.hash = "#rst/connect-closed-port"));
    await open(page);
    assert.equal(await page.locator(".case:visible").count(), 1);
    assert.ok(!(await page.locator("main").isVisible()));
  }));

test("it is read without a script", () =>
  visit("few.html", { javaScriptEnabled: false, viewport: PHONE }, async (page) => {
    assert.ok(await page.locator("#matrix").isVisible());
    assert.ok(!(await page.locator("#filters").isVisible()));
    const answer = page.locator('[id="rst/connect-closed-port"] .answer pre').first();
    assert.match(await answer.textContent(), /= -1 ECONNREFUSED/);
    assert.ok(await answer.isVisible());
    assert.ok(await page.locator('[id="rst/connect-closed-port"] h3').isVisible());
  }));

test("it is read from a file", async () => {
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${pathToFileURL(path.join(pages, "few.html"))}#rst/connect-closed-port`);
  await open(page);
  await page.keyboard.press("Escape");
  await closed(page);
  await page.getByLabel("Find").fill("epipe");
  await until(page, () => document.querySelector("tr[data-case][hidden]") !== null);
  assert.deepEqual(errors, []);
  await page.close();
});

test("hostile text stays text", () =>
  visit("hostile.html", {}, async (page) => {
    const ids = await shown(page).evaluateAll((rows) => rows.map((row) => row.dataset.case));
    for (const id of ids) {
      await page.evaluate((id) => (location.hash = `#${id}`), id);
      await until(page, (id) => document.querySelector("#panel .case")?.id === id, id);
    }
    assert.equal(await page.evaluate(() => window.owned), undefined);
    assert.equal(await page.locator("img, [onclick], [onerror], a[href^=javascript]").count(), 0);
    const steering = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f]/;
    assert.ok(!steering.test(await page.content()));
  }));

test("light and dark, by the system's wish and by the button", () =>
  visit("few.html", { colorScheme: "dark" }, async (page) => {
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await paper();
    await page.locator("#theme").click();
    const light = await paper();
    assert.notEqual(light, dark);
    await page.reload();
    assert.equal(await paper(), light, "the choice is kept");
  }));

for (const name of ["few.html", "one.html", "none.html"]) {
  for (const [size, viewport] of Object.entries({ desk: DESK, phone: PHONE })) {
    for (const colorScheme of ["light", "dark"]) {
      for (const hash of name === "none.html" ? [""] : ["", "#seg/established"]) {
        const where = hash === "" ? "page" : "panel";
        test(`axe finds nothing: ${name}, ${where}, ${size}, ${colorScheme}`, () =>
          visit(name, { viewport, colorScheme, hash }, (page) => look(page, where)));
      }
    }
  }
}

async function look(page, where) {
  if (where === "panel") await open(page);
  // What is off the screen is not rendered, and axe would not see its contrast.
  const whole = "* { content-visibility: visible !important }";
  await page.addStyleTag({ content: whole });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const tell = (node) => `${node.html.slice(0, 160)} ${node.failureSummary}`;
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(tell)}`);
  assert.deepEqual(told, []);
  const wide = await page.evaluate(() =>
    document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `the page is ${wide} px wider than the window`);
}

test("600 cases on 10 platforms are painted soon", async () => {
  const paints = [];
  for (let i = 0; i < 3; i++) {
    await visit("many.html", {}, async (page) => {
      await until(page, () => performance.getEntriesByName("first-contentful-paint").length > 0);
      const [paint] = await page.evaluate(() =>
        performance.getEntriesByName("first-contentful-paint").map((entry) => entry.startTime));
      paints.push(Math.round(paint));
      await counts(page, 600);
    });
  }
  const { size } = fs.statSync(path.join(pages, "many.html"));
  console.log(`# first paint after ${paints.join(", ")} ms, ${size} bytes`);
  assert.ok(Math.min(...paints) < PAINT_MS_MAX, `${paints} ms`);
});
