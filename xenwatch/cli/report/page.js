(function () {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");
  document.getElementById("theme").addEventListener("click", function () {
    const dark = root.classList.contains("dark") || (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
    root.classList.toggle("dark", !dark);
    root.classList.toggle("light", dark);
  });
  let folded = [];
  addEventListener("beforeprint", function () {
    folded = Array.from(document.querySelectorAll("details:not([open])"));
    for (const part of folded) { part.open = true; }
  });
  addEventListener("afterprint", function () {
    for (const part of folded) { part.open = false; }
  });
  const incidents = Array.from(document.querySelectorAll(".incident"));
  document.getElementById("filter").addEventListener("input", function (event) {
    const word = event.target.value.toLowerCase();
    let shown = 0;
    for (const incident of incidents) {
      incident.hidden = !incident.textContent.toLowerCase().includes(word);
      shown += incident.hidden ? 0 : 1;
    }
    document.getElementById("none").hidden = shown > 0 || incidents.length === 0;
  });
})();
