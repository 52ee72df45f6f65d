// Lays the lines of several transcripts side by side: one row holds the line that each of them has
// there, or nothing. Equal lines meet first; between them, lines that tell of the same call or of
// a packet between the same ends meet, so that a changed outcome stands beside the old one.

const CELLS_MAX = 4_000_000; // of one comparison; beyond, lines meet by their number

// The parts of a transcript: what `== how=rd` names, and the lines below it.
function sectionsOf(body) {
  const sections = [];
  for (const line of body.split("\n")) {
    if (line.startsWith("== ")) sections.push({ title: line.slice(3), lines: [] });
    else if (line !== "") {
      if (sections.length === 0) sections.push({ title: "", lines: [] });
      sections.at(-1).lines.push(line);
    }
  }
  return sections;
}

// Sections of all transcripts by their title, in the order of their first appearance. A section
// that a transcript does not have is null, which is not the same as an empty one.
function sectionRows(bodies) {
  const all = bodies.map(sectionsOf);
  const titles = [...new Set(all.flat().map((section) => section.title))];
  return titles.map((title) => ({
    title,
    lines: all.map((sections) => sections.find((s) => s.title === title)?.lines ?? null),
  }));
}

// Rows of cells, one cell for each list; a cell is a line or null.
function alignLines(lists) {
  let rows = (lists[0] ?? []).map((line) => [line]);
  for (let at = 1; at < lists.length; at++) {
    const empty = new Array(at).fill(null);
    const list = lists[at] ?? [];
    const pairs = pairUp(rows, list);
    rows = pairs.map(([row, line]) => [...(row ?? empty), line ?? null]);
  }
  return rows;
}

function pairUp(rows, list) {
  const has = (row, line) => row.includes(line);
  const alike = (row, line) => row.some((cell) => cell !== null && shape(cell) === shape(line));
  const out = [];
  const anchors = [...common(rows, list, has), [rows.length, list.length]];
  let i = 0;
  let j = 0;
  for (const [a, b] of anchors) {
    out.push(...hunk(rows.slice(i, a), list.slice(j, b), alike));
    if (a < rows.length) out.push([rows[a], list[b]]);
    [i, j] = [a + 1, b + 1];
  }
  return out;
}

function hunk(rows, list, alike) {
  const out = [];
  let i = 0;
  let j = 0;
  for (const [a, b] of [...common(rows, list, alike), [rows.length, list.length]]) {
    for (; i < a; i++) out.push([rows[i], null]);
    for (; j < b; j++) out.push([null, list[j]]);
    if (a < rows.length) out.push([rows[i++], list[j++]]);
  }
  return out;
}

// What a line is about, whatever came of it.
function shape(line) {
  const packet = /^ {4}(\S+ > \S+) /.exec(line);
  return packet ? packet[1] : line.split(") ")[0];
}

// The longest common subsequence, as pairs of indices.
function common(rows, list, same) {
  const [n, m] = [rows.length, list.length];
  if (n * m > CELLS_MAX) return [];
  const width = m + 1;
  const best = new Uint32Array((n + 1) * width);
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      best[i * width + j] = same(rows[i], list[j])
        ? best[(i + 1) * width + j + 1] + 1
        : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < n && j < m; ) {
    if (same(rows[i], list[j])) pairs.push([i++, j++]);
    else if (best[(i + 1) * width + j] >= best[i * width + j + 1]) i++;
    else j++;
  }
  return pairs;
}

// Whether the cells of a row differ. A record without packets says nothing of packets.
function differs(row, callsOnly) {
  const telling = row.filter((line, at) => !(line === null && callsOnly[at] && isPacketRow(row)));
  return telling.some((line) => line !== telling[0]);
}

function isPacketRow(row) {
  return row.some((line) => line?.startsWith("    "));
}
