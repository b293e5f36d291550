// What a page does beyond its HTML: it looks again when the agent says that something changed, copies, and searches.
"use strict";

const live = document.getElementById("live");

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

function isBusy() { // somebody types, or has typed what is not sent yet
  const fields = [...document.querySelectorAll("main input:not([type=hidden]), main textarea")];
  return document.activeElement?.matches("input, select, textarea") || fields.some((field) => field.value !== field.defaultValue);
}

async function lookAgain() {
  if (isBusy()) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = fresh.getElementById("main");
  document.getElementById("main").replaceWith(main);
  document.title = fresh.title;
  dress(main);
}

function follow() {
  const changes = new EventSource("/changes");
  changes.addEventListener("open", () => { live.textContent = "live"; });
  changes.addEventListener("error", () => { live.textContent = "not connected, trying again"; });
  changes.addEventListener("change", lookAgain);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input, select, textarea")) {
    event.preventDefault();
    document.querySelector("input[type=search]")?.focus();
  }
});

dress(document);
follow();
