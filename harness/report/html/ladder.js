// Draws one section of a transcript as a sequence diagram: a lifeline for each end of a packet, a
// call beside the lifeline of its socket, time downwards. All behaviours of a case share one
// geometry, so that the same event stands at the same height in each of them.

const FONT = 12; // px, the size of all text in a diagram
const LINE = 17; // px between two lines of text
const ARROW = 8; // px below a packet's text
const HEAD = 26; // px for the names of the lifelines
const EDGE = 22; // px at the left, where a difference is marked
const WRAP = innerWidth < 640 ? 34 : 50; // characters of a call before it is broken
const GAP_MIN = 13; // characters between two lifelines
const ENDS_MAX = 5; // lifelines of sockets without packets are left out beyond
const FAR = /^(peer\d*|router|closed-port)$/;
const NO_SOCKET = /^host\.|\.(kill|exit|wait)\(/;

let charWidth = 0;

function measure() {
  if (charWidth > 0) return charWidth;
  const probe = document.createElement("span");
  probe.className = "probe";
  probe.textContent = "m".repeat(100);
  document.body.append(probe);
  charWidth = probe.getBoundingClientRect().width / 100 || 7.3;
  probe.remove();
  return charWidth;
}

// One line of a transcript in its parts.
function eventOf(line) {
  const packet = /^ {4}(\S+) > (\S+) (.+)$/.exec(line);
  if (packet) return { kind: "packet", from: packet[1], to: packet[2], text: packet[3] };
  if (line.startsWith("    ")) return { kind: "note", text: line.trim() };
  const call = /^(\.\.\. )?([a-z][a-z0-9-]*)\.[a-z_]+\(/.exec(line);
  if (!call || NO_SOCKET.test(line)) return { kind: "note", text: line };
  const fd = / = fd ([a-z][a-z0-9-]*)/.exec(line);
  return {
    kind: "call",
    subject: call[2],
    text: line,
    made: fd ? fd[1] : null,
    begins: line.endsWith(") ..."),
    ends: call[1] !== undefined,
  };
}

// Who has a lifeline, and who shares it: what a listener accepted is seen on the wire as the
// listener.
function endsOf(events) {
  const packets = events.filter((event) => event.kind === "packet");
  const onWire = new Set(packets.flatMap((packet) => [packet.from, packet.to]));
  const calls = events.filter((event) => event.kind === "call");
  const alias = new Map();
  for (const { made, subject } of calls) {
    if (made && made !== subject && !onWire.has(made)) alias.set(made, subject);
  }
  const names = [...onWire];
  for (const { subject } of calls) {
    if (names.includes(subject) || alias.has(subject)) continue;
    if (subject === "conn" && onWire.has("server")) alias.set(subject, "server");
    else if (names.length < ENDS_MAX) names.push(subject);
  }
  // The client at the left, the far end at the right, others as they come.
  const place = (name) => (name === "client" ? 0 : FAR.test(name) ? 2 : 1);
  return { names: names.sort((a, b) => place(a) - place(b)), alias };
}

// Breaks a call before its outcome, else between flags, arguments or words.
function wrap(text) {
  const lines = [];
  let rest = text;
  while (rest.length > WRAP) {
    const outcome = rest.indexOf(" = ");
    const part = rest.slice(0, WRAP);
    const after = (mark) => part.lastIndexOf(mark) + 1;
    const at = [outcome < WRAP ? outcome : -1, after("|"), after(", "), after(" ") - 1];
    const cut = at.find((cut) => cut > 4) ?? WRAP;
    lines.push(rest.slice(0, cut));
    rest = `  ${rest.slice(cut).trimStart()}`;
  }
  return [...lines, rest];
}

// Where things stand: shared by all behaviours of a section.
function layoutOf(rows) {
  const events = rows.map((row) => row.map((line) => (line === null ? null : eventOf(line))));
  const all = events.flat().filter((event) => event !== null);
  const { names, alias } = endsOf(all);
  const index = new Map(names.map((name, at) => [name, at]));
  const unit = measure();
  const widest = (events) => Math.max(0, ...events.flatMap((e) => e.lines.map((l) => l.length)));
  for (const event of all) {
    event.lines = wrap(event.text);
    const owner = alias.get(event.subject) ?? event.subject;
    event.at = index.get(owner) ?? -1;
  }
  const gaps = Math.max(1, names.length - 1);
  const between = all.filter((e) => e.kind === "packet").map((packet) => {
    const hops = Math.abs(index.get(packet.from) - index.get(packet.to)) || 1;
    return (widest([packet]) + 5) / hops;
  });
  const longest = Math.max(0, ...names.map((name) => name.length + 2));
  const calls = widest(all.filter((event) => event.kind !== "packet")) + 4;
  const gap = unit * Math.max(GAP_MIN, longest, calls / gaps, ...between);
  const first = EDGE + (unit * (names[0]?.length ?? 0)) / 2 + 4;
  const xs = names.map((_, at) => first + at * gap);
  const right = (unit * (names.at(-1)?.length ?? 0)) / 2 + 10;
  const loop = all.some((e) => e.from && e.from === e.to) ? unit * widest(all) + 30 : 0;
  // A call that has no room at its left needs it at its right.
  const beside = all.filter((event) => event.kind === "call" && event.at >= 0).map((event) => {
    const [x, cells] = [xs[event.at], widest([event]) * unit];
    return x - 9 - cells < EDGE ? x + 13 + cells : 0;
  });
  const last = (xs.at(-1) ?? first) + Math.max(right, loop);
  const width = Math.ceil(Math.max(last, calls * unit, ...beside));
  const heights = events.map((row) => Math.max(...row.map((event) => heightOf(event))));
  return { events, names, index, xs, width, heights, unit };
}

function heightOf(event) {
  if (event === null) return 0;
  return event.lines.length * LINE + (event.kind === "packet" ? ARROW + 2 : 3);
}

function el(name, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// The diagram of one behaviour. `marked[i]` says that row i is not the same everywhere.
function drawLadder(layout, column, marked, label) {
  const { events, names, xs, width, heights } = layout;
  const height = HEAD + heights.reduce((sum, h) => sum + h, 0) + 8;
  const size = { width, height, viewBox: `0 0 ${width} ${height}` };
  const svg = el("svg", { ...size, class: "ladder", role: "img", "aria-label": label });
  const [below, above] = [el("g", {}), el("g", {})];
  names.forEach((name, at) => {
    above.append(text(xs[at], 15, name, { class: "end", "text-anchor": "middle" }));
    below.append(el("line", { class: "life", x1: xs[at], x2: xs[at], y1: HEAD - 6, y2: height }));
  });
  const pending = new Map();
  let y = HEAD;
  events.forEach((row, at) => {
    const event = row[column];
    if (marked[at]) mark(below, y, width, heights[at], event === null);
    const part = above.appendChild(el("g", marked[at] ? { class: "marked" } : {}));
    if (event?.kind === "packet") packet(part, layout, event, y);
    else if (event) call(part, layout, event, y);
    if (event?.begins) pending.set(event.subject, { x: xs[event.at], y: y + 9 });
    if (event?.ends) inside(below, pending.get(event.subject), y + 9);
    if (event?.ends) pending.delete(event.subject);
    y += heights[at];
  });
  for (const begun of pending.values()) inside(below, begun, height);
  svg.append(below, above);
  return svg;
}

function mark(group, y, width, height, missing) {
  const row = { x: 0, y, width, height: height - 1 };
  group.append(el("rect", { ...row, class: missing ? "gap" : "differs" }));
  if (!missing) group.append(text(4, y + 13, "≠", { class: "sign" }));
}

// A call is inside the kernel from here to there.
function inside(group, begun, to) {
  if (!begun || begun.x === undefined) return;
  const box = { x: begun.x - 3, y: begun.y, width: 6, height: Math.max(4, to - begun.y) };
  group.append(el("rect", { ...box, class: "inside" }));
}

function text(x, y, string, attributes) {
  return el("text", { x, y, "font-size": FONT, ...attributes }, string);
}

function call(group, { xs, width, unit }, event, y) {
  const own = xs[event.at];
  const cells = Math.max(...event.lines.map((line) => line.length)) * unit;
  const start = own === undefined ? EDGE : own + 9;
  const last = event.at > 0 && event.at === xs.length - 1;
  const left = last || (start + cells > width && own - 9 - cells >= EDGE);
  const x = left ? own - 9 : Math.max(EDGE, Math.min(start, width - cells - 4));
  const anchor = left ? "end" : "start";
  if (own !== undefined) group.append(el("circle", { class: "dot", cx: own, cy: y + 9, r: 3 }));
  let told = false;
  event.lines.forEach((line, at) => {
    const node = text(x, y + 13 + at * LINE, "", { class: event.kind, "text-anchor": anchor });
    const begins = told ? 0 : /^ {2}= |(?<=\)) = /.exec(line)?.index;
    told ||= begins !== undefined;
    const cut = begins ?? line.length;
    node.append(line.slice(0, cut), el("tspan", { class: "outcome" }, line.slice(cut)));
    group.append(node);
  });
}

function packet(group, { index, xs }, event, y) {
  const [from, to] = [xs[index.get(event.from)], xs[index.get(event.to)]];
  const line = y + event.lines.length * LINE + 4;
  const own = from === to;
  const at = own ? { x: from + 26 } : { x: (from + to) / 2 };
  const anchor = own ? "start" : "middle";
  event.lines.forEach((part, i) => {
    const [, flags = "", rest] = /^(\[[^\]]*\])?(.*)$/.exec(part);
    const node = text(at.x, y + 14 + i * LINE, "", { class: "packet", "text-anchor": anchor });
    node.append(el("tspan", { class: "flags" }, i === 0 ? flags : ""), i === 0 ? rest : part);
    group.append(node);
  });
  if (own) {
    const turn = `M${from} ${y + 6} h18 v${LINE - 4} h-12`;
    group.append(el("path", { class: "arrow", d: turn }), tip(from + 1, y + LINE + 2, -1));
    return;
  }
  const way = Math.sign(to - from);
  group.append(el("line", { class: "arrow", x1: from, x2: to - way * 6, y1: line, y2: line }));
  group.append(tip(to - way, line, way));
}

function tip(x, y, way) {
  return el("path", { class: "tip", d: `M${x} ${y} l${-7 * way} -4 v8 z` });
}
