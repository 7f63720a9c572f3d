// The table of a report, and what its figures say where one points at them. Text is set as text, never as markup.
"use strict";
(() => {
  const rowHeight = 30, spare = 12, mostPrinted = 1000;
  const data = JSON.parse(document.getElementById("data").textContent);
  const box = document.getElementById("rows");
  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const collator = new Intl.Collator(undefined, { numeric: true });

  // MARK: Amounts, as `usweep results --where` reads them

  const sizes = {
    B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12,
  };
  const times = [86400e9, 3600e9, 60e9, 1e9, 1e6];

  // A number, a size in bytes, or a time in nanoseconds, as in 2h30m; NaN: a word.
  function amount(text) {
    if (/^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?$/i.test(text)) return Number(text);
    const size = /^([0-9]+)([a-z]+)$/i.exec(text);
    if (size && Object.hasOwn(sizes, size[2])) return Number(size[1]) * sizes[size[2]];
    const time = /^(?=.)(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?$/.exec(text);
    return time ? times.reduce((sum, factor, place) => sum + Number(time[place + 1] ?? 0) * factor, 0) : NaN;
  }

  // MARK: Text

  function short(value) {
    if (value === null) return "";
    if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en");
    const size = Math.abs(value);
    if (size >= 1e15 || size < 1e-6) return value.toPrecision(7).replace(/\.?0+e/, "e");
    return value.toLocaleString("en", { maximumSignificantDigits: 7 });
  }

  // By column: what a row shows, by what it is sorted (null: last), and whether it has a word.
  function column(source) {
    if (source.numbers) {
      const numbers = source.numbers;
      const text = source.name === "run" ? (row) => String(numbers[row]) : (row) => short(numbers[row]);
      return { ...source, isNumber: true, text, key: (row) => numbers[row], value: (row) => numbers[row] };
    }
    const { words, codes, amounts } = source;
    const order = words.map((_, place) => place);
    order.sort((a, b) => amounts ? amounts[a] - amounts[b] : collator.compare(words[a], words[b]));
    const ranks = new Array(words.length);
    order.forEach((place, rank) => { ranks[place] = words[place] === "" ? null : rank; });
    return {
      ...source, isNumber: false, text: (row) => words[codes[row]], key: (row) => ranks[codes[row]],
      value: amounts ? (row) => amounts[codes[row]] : () => NaN,
    };
  }
  const columns = data.columns.map(column);
  let rows = Uint32Array.from({ length: data.rows }, (_, row) => row);
  let sort = null;

  // MARK: Filter

  const compare = {
    "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
    "=": (a, b) => a === b, "!=": (a, b) => a !== b,
  };

  // What a word of the filter asks of a row.
  function test(word) {
    const found = /^(.+?)(!=|<=|>=|=|<|>)(.*)$/.exec(word);
    const named = found && columns.find((one) => one.name.toLowerCase() === found[1].toLowerCase());
    if (!named) return containing(word.toLowerCase());
    const [, , sign, value] = found;
    if (!named.isNumber && (sign === "=" || sign === "!=")) {
      const wanted = value.toLowerCase().split(",");
      const fits = named.words.map((one) => wanted.includes(one.toLowerCase()) === (sign === "="));
      return (row) => fits[named.codes[row]];
    }
    const bound = amount(value);
    return (row) => {
      const own = named.value(row);
      return own !== null && compare[sign](own, bound);
    };
  }

  function containing(text) {
    const tests = columns.filter((one) => !one.isNumber).map((one) => {
      const fits = one.words.map((word) => word.toLowerCase().includes(text));
      return fits.includes(true) ? (row) => fits[one.codes[row]] : null;
    }).filter((one) => one);
    const number = columns.find((one) => one.name === "run" && String(Number(text)) === text);
    if (number) tests.push((row) => number.numbers[row] === Number(text));
    return (row) => tests.some((one) => one(row));
  }

  function update() {
    const tests = (filter.value.match(/(?:"[^"]*"|\S)+/g) ?? []).map((word) => test(word.replaceAll('"', "")));
    const found = [];
    for (let row = 0; row < data.rows; row++) if (tests.every((one) => one(row))) found.push(row);
    if (sort) {
      const { key } = columns[sort.place];
      const sign = sort.isUp ? 1 : -1;
      found.sort((a, b) => {
        const [one, other] = [key(a), key(b)];
        if (one === null || other === null) return (one === null) - (other === null) || a - b;
        return one < other ? -sign : one > other ? sign : a - b;
      });
    }
    rows = Uint32Array.from(found);
    shown.textContent = `${rows.length.toLocaleString("en")} of ${data.rows.toLocaleString("en")} rows`;
    box.scrollTop = 0;
    draw();
  }

  // MARK: Rows: only those in sight are there

  const table = box.querySelector("table");
  const body = table.tBodies[0];

  function makeHeader() {
    const line = table.tHead.insertRow();
    line.setAttribute("aria-rowindex", "1");
    columns.forEach((one, place) => {
      const head = document.createElement("th");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = one.name;
      if (one.unit) button.title = one.unit;
      head.scope = "col";
      if (one.isNumber) head.className = "number";
      head.append(button);
      line.append(head);
      button.addEventListener("click", () => {
        sort = { place, isUp: !(sort && sort.place === place && sort.isUp) };
        for (const other of line.cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", sort.isUp ? "ascending" : "descending");
        update();
      });
    });
  }

  function makeRow(place) {
    const line = document.createElement("tr");
    line.setAttribute("aria-rowindex", String(place + 2));
    for (const one of columns) {
      const cell = line.insertCell();
      const text = one.text(rows[place]);
      cell.textContent = text;
      if (one.isNumber) cell.className = "number";
      if (one.name === "outcome" && /^[a-z]+$/.test(text)) cell.className = text;
    }
    return line;
  }

  function space(count) {
    const line = document.createElement("tr");
    line.className = "space";
    line.setAttribute("aria-hidden", "true");
    const cell = line.insertCell();
    cell.colSpan = columns.length;
    cell.style.height = `${count * rowHeight}px`;
    return line;
  }

  let drawn = "";
  function draw(all = false) {
    const first = all ? 0 : Math.max(0, Math.floor(box.scrollTop / rowHeight) - spare);
    const count = all ? mostPrinted : Math.ceil(box.clientHeight / rowHeight) + 2 * spare;
    const last = Math.min(rows.length, first + count);
    const parts = [];
    if (first > 0) parts.push(space(first));
    for (let place = first; place < last; place++) parts.push(makeRow(place));
    if (last < rows.length && !all) parts.push(space(rows.length - last));
    table.setAttribute("aria-rowcount", String(rows.length + 1));
    body.replaceChildren(...parts);
    drawn = `${first} ${last}`;
  }

  function drawWhereNeeded() {
    const top = Math.floor(box.scrollTop / rowHeight);
    const [first, last] = drawn.split(" ").map(Number);
    const bottom = Math.min(rows.length, top + Math.ceil(box.clientHeight / rowHeight));
    if (top < first || bottom > last) draw();
  }

  // Columns keep the width that their widest words need, whichever rows are in sight.
  function fixWidths() {
    columns.forEach((one, place) => {
      const longest = one.isNumber ? 8 : one.words.reduce((most, word) => Math.max(most, word.length), 0);
      table.tHead.rows[0].cells[place].style.minWidth = `${Math.min(Math.max(longest, one.name.length), 40) + 3}ch`;
    });
  }

  makeHeader();
  fixWidths();
  update();
  let waiting = 0;
  filter.addEventListener("input", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(update);
  });
  box.addEventListener("scroll", drawWhereNeeded, { passive: true });
  addEventListener("resize", () => draw());
  addEventListener("beforeprint", () => draw(true));
  addEventListener("afterprint", () => draw());

  // MARK: What marks of figures say

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  for (const title of document.querySelectorAll(".fig title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }
  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest?.("[data-tip]");
    tip.hidden = !mark;
    if (!mark) return;
    tip.textContent = mark.dataset.tip;
    const right = event.clientX + 14 + tip.offsetWidth > innerWidth;
    tip.style.left = `${right ? event.clientX - tip.offsetWidth - 10 : event.clientX + 14}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4)}px`;
  });
})();
