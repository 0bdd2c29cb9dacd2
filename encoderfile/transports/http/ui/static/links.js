// Links to what needs the key. A link sends none: so the page asks with it, and shows what it gets as text.

import { askForText, key } from "./server.js";

for (const link of document.querySelectorAll("a[data-key]")) {
  link.addEventListener("click", async (event) => {
    if (!key.get()) return;
    event.preventDefault();
    try {
      const { text } = await askForText(link.getAttribute("href"));
      location.assign(URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" })));
    } catch {
      location.assign(link.href); // shows the refusal
    }
  });
}
