#!/usr/bin/env python3
"""Opens a report in headless Chromium and says, as JSON on standard output, what it looks like and how it behaves.

    browse.py CHROMIUM PAGE.html [--pictures DIR]

FILTERS in the environment are filters of the table to be tried, with semicolons between them.

Chromium is spoken to over a pipe (--remote-debugging-pipe), with the standard library alone. Exit status 0 whatever the
page is like: what is right is for the caller to judge.
"""
import base64, json, os, re, subprocess, sys, tempfile, time

CHECKS = r"""
(() => {
  // A small part of what accessibility checkers look for, by the WCAG's own definitions.
  const problems = [];
  const visible = (one) => one.offsetParent !== null || one.tagName === "BODY" || one.closest("svg");
  if (!document.documentElement.lang) problems.push("no language");
  if (!document.title) problems.push("no title");
  if (document.querySelectorAll("h1").length !== 1) problems.push("not one h1");
  if (document.querySelectorAll("main").length !== 1) problems.push("not one main");
  let last = 0;
  for (const head of document.querySelectorAll("h1,h2,h3,h4")) {
    const level = Number(head.tagName[1]);
    if (level > last + 1) problems.push(`heading level skipped: ${head.textContent}`);
    if (!head.textContent.trim()) problems.push("empty heading");
    last = level;
  }
  for (const input of document.querySelectorAll("input,select,textarea"))
    if (!input.labels?.length && !input.getAttribute("aria-label")) problems.push(`no label: ${input.id}`);
  for (const one of document.querySelectorAll("button,a[href],summary"))
    if (!one.textContent.trim() && !one.getAttribute("aria-label")) problems.push(`no name: ${one.outerHTML.slice(0, 80)}`);
  for (const svg of document.querySelectorAll("svg[role=img]"))
    if (!svg.getAttribute("aria-label")) problems.push("a picture without a description");
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption?.textContent.trim()) problems.push("a table without a caption");
    for (const head of table.querySelectorAll("th")) if (!head.scope) problems.push("a th without a scope");
  }
  for (const region of document.querySelectorAll(".scroll"))
    if (region.tabIndex !== 0 || !region.getAttribute("aria-label")) problems.push("a scrolling part out of reach of keys");
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push(`duplicate id ${id}`);
  for (const one of document.querySelectorAll("[aria-labelledby],[aria-describedby]"))
    for (const name of ["aria-labelledby", "aria-describedby"])
      for (const id of (one.getAttribute(name) ?? "").split(" ").filter(Boolean))
        if (!document.getElementById(id)) problems.push(`${name} of nothing: ${id}`);
  for (const link of document.querySelectorAll("a[href^='#']"))
    if (!document.getElementById(link.hash.slice(1))) problems.push(`a link to nothing: ${link.hash}`);

  const channels = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (one) => {
    for (let place = one; place; place = place.parentElement) {
      const color = channels(getComputedStyle(place).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !visible(one) || /SCRIPT|STYLE|NOSCRIPT/.test(one.tagName)) continue;
    if (one.closest("caption,.skip") || one.classList.contains("on-dark") || one.classList.contains("on-light")) continue;
    const style = getComputedStyle(one);
    const color = channels(one.closest("svg") ? style.fill : style.color);
    const [a, b] = [luminance(color), luminance(background(one))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const key = `${one.tagName}.${one.getAttribute("class") ?? ""}`;
    if (ratio < 4.5 && !seen.has(key)) problems.push(`contrast ${ratio.toFixed(2)} of ${key}`);
    seen.add(key);
  }
  return problems;
})()
"""


class Browser:
    def __init__(self, program, folder):
        ours, theirs = os.pipe(), os.pipe()
        os.set_inheritable(ours[0], True)
        os.set_inheritable(theirs[1], True)
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   "--disable-background-networking", f"--user-data-dir={folder}", "--remote-debugging-pipe",
                   "--hide-scrollbars", "about:blank"]

        def pipes():
            # Chromium reads descriptor 3 and writes 4; neither may be overwritten before it was moved.
            source, target = os.dup(ours[0]), os.dup(theirs[1])
            os.dup2(source, 3)
            os.dup2(target, 4)

        self.process = subprocess.Popen(command, preexec_fn=pipes, close_fds=False, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(ours[0])
        os.close(theirs[1])
        self.to, self.of = ours[1], os.fdopen(theirs[0], "rb", buffering=0)
        self.number, self.rest, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def message(self):
        while b"\0" not in self.rest:
            part = self.of.read(1 << 20)
            if not part:
                sys.exit("browse: Chromium ended")
            self.rest += part
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"browse: {method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def until(self, method):
        while True:
            for place, event in enumerate(self.events):
                if event.get("method") == method:
                    return self.events.pop(place)
            self.events.append(self.message())

    def run(self, script):
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            sys.exit(f"browse: {found['exceptionDetails'].get('exception', {}).get('description')}")
        return found["result"].get("value")

    def key(self, name, code):
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if name == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **text)


# What the rows in sight say, without the rows that only take space.
ROWS = """[...document.querySelectorAll('#rows tbody tr:not(.space)')].map(
    (row) => [...row.cells].map((cell) => cell.textContent))"""
FRAME = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"


def show_in(browser, scheme):
    """Nothing moves by itself: where something is must not depend on the time."""
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                         {"name": "prefers-reduced-motion", "value": "reduce"}])


def filter_for(browser, text):
    browser.run(f"""(() => {{ const box = document.getElementById('filter'); box.value = {json.dumps(text)};
        box.dispatchEvent(new Event('input')); return {FRAME}; }})()""")
    return browser.run("document.getElementById('shown').textContent"), browser.run(ROWS)


def picture(browser, folder, name, width=1280):
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    browser.run(FRAME)
    shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True, clip={
        "x": 0, "y": 0, "width": width, "height": min(browser.run("document.documentElement.scrollHeight"), 16000),
        "scale": 1})
    with open(f"{folder}/{name}.png", "wb") as file:
        file.write(base64.b64decode(shot["data"]))


def main():
    program, page = sys.argv[1], os.path.abspath(sys.argv[2])
    pictures = sys.argv[4] if sys.argv[3:4] == ["--pictures"] else None
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(program, folder)
        browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)
        show_in(browser, "light")
        start = time.monotonic()
        browser.call("Page.navigate", url=f"file://{page}")
        browser.until("Page.loadEventFired")
        browser.run(FRAME)
        found["seconds"] = time.monotonic() - start
        found["title"] = browser.run("document.title")
        found["sections"] = browser.run("[...document.querySelectorAll('h2')].map((one) => one.textContent)")
        found["figures"] = browser.run("document.querySelectorAll('figure svg').length")
        found["text"] = browser.run("document.querySelector('main').innerText")
        found["columns"] = browser.run(
            "[...document.querySelectorAll('#rows thead button')].map((one) => one.textContent)")
        found["shown"] = browser.run("document.getElementById('shown').textContent")
        found["rows"] = browser.run(ROWS)
        found["scripts"] = browser.run("window.hacked ?? null")
        # By keyboard: the last column's name, twice.
        browser.run("[...document.querySelectorAll('#rows thead button')].at(-1).focus()")
        browser.key("Enter", 13)
        found["ascending"] = browser.run(ROWS)
        browser.key("Enter", 13)
        found["descending"] = browser.run(ROWS)
        found["sort"] = browser.run("[...document.querySelectorAll('#rows th')].at(-1).getAttribute('aria-sort')")
        found["filters"] = {}
        for text in os.environ.get("FILTERS", "").split(";"):
            if text:
                shown, rows = filter_for(browser, text)
                found["filters"][text] = {"shown": shown, "rows": rows}
        filter_for(browser, "")
        browser.run("document.getElementById('rows').scrollTop = 1e9; " + FRAME)
        found["end"] = browser.run(ROWS)[-1:]
        browser.run("document.getElementById('rows').scrollTop = 0; " + FRAME)
        # What a mark says where one points at it.
        browser.run("document.querySelector('[data-tip]')?.scrollIntoView({block: 'center', behavior: 'instant'})")
        place = browser.run("""(() => { const mark = document.querySelector('[data-tip]'); if (!mark) return null;
            const box = mark.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()""")
        if place:
            browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
            browser.run(FRAME)
            found["tip"] = browser.run("document.querySelector('.tip:not([hidden])')?.textContent ?? ''")
            browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
        found["problems"] = {}
        for scheme in ("light", "dark"):
            show_in(browser, scheme)
            browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
            found["problems"][scheme] = browser.run(CHECKS)
            browser.run("for (const one of document.querySelectorAll('details')) one.open = false")
            found[f"paper-{scheme}"] = browser.run("getComputedStyle(document.documentElement).backgroundColor")
            if pictures:
                picture(browser, pictures, scheme)
        show_in(browser, "light")
        found["overflow"] = {}
        for width in (1280, 390):
            browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
            browser.run(FRAME)
            found["overflow"][str(width)] = browser.run("document.documentElement.scrollWidth - innerWidth")
            if pictures and width < 1280:
                picture(browser, pictures, "narrow", width)
        pdf = base64.b64decode(browser.call("Page.printToPDF")["data"])
        if pictures:
            with open(f"{pictures}/print.pdf", "wb") as file:
                file.write(pdf)
        found["pages"] = len(re.findall(rb"/Type\s*/Page\b", pdf))
        requests = [event["params"]["request"]["url"] for event in browser.events
                    if event.get("method") == "Network.requestWillBeSent"]
        found["requests"] = [url for url in requests if url != f"file://{page}"]
        found["complaints"] = [event["params"]["entry"]["text"] for event in browser.events
                               if event.get("method") == "Log.entryAdded"]
        found["complaints"] += [json.dumps(event["params"]["args"]) for event in browser.events
                                if event.get("method") == "Runtime.consoleAPICalled"]
        found["complaints"] += [event["params"]["exceptionDetails"]["text"] for event in browser.events
                                if event.get("method") == "Runtime.exceptionThrown"]
        browser.process.terminate()
        browser.process.wait()
    json.dump(found, sys.stdout)


main()
