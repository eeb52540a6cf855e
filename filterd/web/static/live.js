// SPDX-License-Identifier: Apache-2.0
// Live parts of pages. A page works without it; it only puts text in: no HTML, no style.
"use strict";
(() => {
  const MOST_ROWS = 200, ATTENTION_MS = 30 * 60e3, AGAIN_MS = 5e3;
  const table = document.querySelector("[data-live]");
  if (!table) return;
  const status = document.getElementById("live-status");
  const rows = table.tBodies ? table.tBodies[0] : null;
  let source = null, seen = Date.now(), paused = false;

  function tell(word) {
    if (status) status.textContent = status.dataset[word] || "";
  }

  function addRow(texts) {
    const row = document.createElement("tr");
    texts.forEach((text, n) => {
      const cell = document.createElement("td");
      const head = table.tHead && table.tHead.rows[0].cells[n];
      if (head && head.classList.contains("number")) cell.className = "number";
      cell.textContent = text;
      row.append(cell);
    });
    row.className = "is-new";
    setTimeout(() => row.classList.remove("is-new"), 50);
    rows.prepend(row);
    while (rows.rows.length > MOST_ROWS) rows.lastElementChild.remove();
  }

  function take(event) {
    const given = JSON.parse(event.data);
    if (given.row && rows) addRow(given.row);
    for (const [id, text] of Object.entries(given.figures || {})) {
      const element = document.getElementById(id);
      if (element) element.textContent = text;
    }
  }

  function stop(word) {
    if (source) source.close();
    source = null;
    tell(word);
  }

  function start() {
    if (source || paused || document.hidden) return;
    source = new EventSource(location.href);
    source.onopen = () => tell("on");
    source.onmessage = take;
    source.addEventListener("problem", (event) => {
      stop("off");
      if (status) status.textContent = JSON.parse(event.data).detail;
    });
    source.onerror = () => {
      // Refused: the session has ended, or filterd does not answer; the page itself says which.
      if (source && source.readyState === EventSource.CLOSED) {
        stop("off");
        setTimeout(() => location.reload(), AGAIN_MS);
      } else tell("off");
    };
  }

  // A screen that is left alone must not keep its session for ever.
  for (const kind of ["keydown", "pointerdown"]) {
    addEventListener(kind, () => { seen = Date.now(); start(); });
  }
  setInterval(() => { if (Date.now() - seen > ATTENTION_MS) stop("off"); }, 60e3);
  document.addEventListener("visibilitychange", () => (document.hidden ? stop("off") : start()));
  addEventListener("pagehide", () => stop("off"));
  const button = document.getElementById("live-pause");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      button.setAttribute("aria-pressed", String(paused));
      if (paused) stop("off"); else start();
    });
  }
  start();
})();
