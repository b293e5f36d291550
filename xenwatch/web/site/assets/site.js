// What a page does beyond its HTML: it looks again when the agent says that something changed, copies, and searches.
"use strict";

const live = document.getElementById("live");
const EVERY = 30000; // milliseconds: ages and numbers go on without a change
const SILENCE = 5000; // a stream ends now and then by itself, and the browser opens the next one
let isLooking = false, isStale = false, connection = "";

function dress(root) {
  for (const button of root.querySelectorAll(".copy")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.previousElementSibling.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
}

function isBusy() { // somebody types, has typed what is not sent yet, or selects text to copy it
  const fields = [...document.querySelectorAll("main input:not([type=hidden]), main textarea")];
  return document.activeElement?.matches("input, select, textarea") || !getSelection().isCollapsed
    || fields.some((field) => field.value !== field.defaultValue);
}

function say() {
  const words = isStale && isBusy() ? "paused while you type or select" : connection;
  if (live.textContent !== words) live.textContent = words;
}

function keyOf(element) { // by which the same element is found in the page that comes
  return `${element.localName} ${element.getAttribute("href") ?? (element.closest(".command") ?? element).textContent}`;
}

function show(fresh) {
  const focused = document.activeElement?.closest("main a, main button, main summary") ? keyOf(document.activeElement) : null;
  const scrolled = [...document.querySelectorAll("main .wide")].map((one) => one.scrollLeft);
  const unfolded = [...document.querySelectorAll("main details")].map((one) => one.open);
  const main = fresh.getElementById("main");
  document.getElementById("main").replaceWith(main);
  document.querySelector("footer").replaceWith(fresh.querySelector("footer"));
  document.title = fresh.title;
  dress(main);
  main.querySelectorAll(".wide").forEach((one, number) => { one.scrollLeft = scrolled[number] ?? 0; });
  main.querySelectorAll("details").forEach((one, number) => { one.open = unfolded[number] ?? false; });
  if (focused) [...main.querySelectorAll("a, button, summary")].find((one) => keyOf(one) === focused)?.focus({ preventScroll: true });
}

async function lookAgain() { // one at a time, and a page that is costly to make is asked for less often
  isStale = true;
  if (isLooking || isBusy()) return say();
  isLooking = true;
  isStale = false;
  const began = performance.now();
  let pause = 100;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const text = await answer.text();
    if (!answer.headers.get("Content-Type")?.startsWith("text/html")) throw new Error(`answered ${answer.status}`);
    if (isBusy()) isStale = true;
    else show(new DOMParser().parseFromString(text, "text/html"));
  } catch {
    isStale = true;
    pause = SILENCE;
  }
  say();
  setTimeout(() => { isLooking = false; if (isStale) lookAgain(); }, pause + 3 * (performance.now() - began));
}

function follow() {
  const changes = new EventSource("/changes");
  let lost = 0;
  changes.addEventListener("open", () => {
    clearTimeout(lost);
    lost = 0;
    if (connection) lookAgain(); // something may have changed in between
    connection = "live";
    say();
  });
  changes.addEventListener("error", () => {
    lost ||= setTimeout(() => {
      connection = changes.readyState === EventSource.CLOSED ? "updated every 30 s" : "not connected, trying again";
      say();
    }, SILENCE);
  });
  changes.addEventListener("change", lookAgain);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input, select, textarea")) {
    event.preventDefault();
    document.querySelector("input[type=search]")?.focus();
  }
});
for (const name of ["focusout", "selectionchange"]) {
  document.addEventListener(name, () => { if (isStale && !isLooking) setTimeout(() => isStale && !isBusy() && lookAgain()); });
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) lookAgain(); });
setInterval(() => { if (!document.hidden) lookAgain(); }, EVERY);

dress(document);
follow();
