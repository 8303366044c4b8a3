// The account's money of a day, as the statement has it.

import { get } from "../lib/api.js";
import { element } from "../lib/dom.js";
import { fill } from "../lib/tables.js";
import { sayCode, say, yuan } from "../lib/words.js";

/** Show the statement of the chosen day, or of the present one. */
export async function showStatement() {
  const chosen = element("statement-day");
  chosen.onchange ??= showStatement;
  const asked = chosen.value;
  const { day, opening_cash_fen, lines, closing_cash_fen } = await get(`/v1/statements${asked && `?day=${asked}`}`);
  if (chosen.value !== asked) return; // another day was chosen meanwhile
  element("statement-of").textContent = day;
  fill("statement", ["what", "contract", "amount"], [
    [say("opening_cash"), "", yuan(opening_cash_fen)],
    ...lines.map((line) => [sayCode("money_of", line.kind), line.symbol ?? "", yuan(line.amount_fen)]),
    [say("closing_cash"), "", yuan(closing_cash_fen)],
  ]);
}
