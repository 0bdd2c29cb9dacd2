// Documents by their score for a query.

import { make } from "./dom.js";
import { bars } from "./view-labels.js";

/** The documents, the best first. */
export function ranking(answer, { texts }) {
  const entries = answer.results.map((each) => ({ label: texts[each.index], score: each.relevance_score }));
  return [make("section", { class: "result long" },
    make("h3", { class: "hidden" }, "Documents, the best first"),
    bars(entries, "Documents, the best first"))];
}
