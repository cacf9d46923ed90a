// Compares each line of the page with what an Ethereum node of the reader's choice has on record.
// Asks the node alone: no request goes to the service that made the page.
"use strict";

(() => {
  const section = document.getElementById("checking");
  const form = document.getElementById("check-form");
  const summary = document.getElementById("check-summary");
  if (!section || !form || !summary) return;
  form.hidden = false;

  const OUTCOMES = { 1: "permitted", 2: "refused", 3: "waits for a human review" };

  async function rpc(node, method, params) {
    const response = await fetch(node, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    if (!response.ok) throw new Error(`the node answered ${response.status}`);
    const answer = await response.json();
    if (answer.error) throw new Error(`the node refused: ${answer.error.message}`);
    return answer.result;
  }

  const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;
  const requests = (number) => count(number, "request", "requests");
  const lower = (text) => String(text).toLowerCase();

  // The second word of a decision's data is the verdict: its number in the low 40 bits, the outcome from bit 80.
  function verdictOf(data) {
    const word = BigInt(`0x${data.slice(66, 130)}`);
    return { seq: Number(word & 0xffffffffffn), outcome: Number((word >> 80n) & 0xffn) };
  }

  function differences(line, log, ledger) {
    const wrong = [];
    if (lower(log.address) !== lower(ledger)) wrong.push("it was written by another contract");
    if (lower(log.topics.join(" ")) !== line.topics)
      wrong.push("it names another record, consent or institution");
    if (lower(log.data) !== line.data) wrong.push("the answer is another one");
    if (lower(log.blockHash) !== line.blockHash) wrong.push("it stands in another block");
    const verdict = verdictOf(log.data);
    if (String(verdict.seq) !== line.seq) wrong.push(`it is number ${verdict.seq} there`);
    if (String(verdict.outcome) !== line.outcome) {
      wrong.push(`the chain says: ${OUTCOMES[verdict.outcome] || "something unknown"}`);
    }
    return wrong;
  }

  async function checkLine(node, element, ledger) {
    const line = element.dataset;
    if (line.sealed) return [];
    const receipt = await rpc(node, "eth_getTransactionReceipt", [line.transaction]);
    if (!receipt) return ["the node does not know this transaction"];
    const log = receipt.logs.find((item) => Number(item.logIndex) === Number(line.logIndex));
    return log ? differences(line, log, ledger) : ["the transaction has no such entry"];
  }

  function tell(element, good, text) {
    const result = element.querySelector(".check-result");
    result.className = `check-result ${good ? "permit" : "deny"}`;
    result.textContent = `${good ? "✓" : "✕"} ${text}`;
    result.hidden = false;
  }

  function conclude(good, sentences) {
    summary.className = `notice ${good ? "permit" : "deny"}`;
    summary.replaceChildren(
      ...sentences.map((text) => {
        const paragraph = document.createElement("p");
        paragraph.textContent = text;
        return paragraph;
      }),
    );
    summary.hidden = false;
  }

  // Newest first, the numbers must go down one by one; the first page starts at the newest, the last ends at 0.
  function gaps(lines, total) {
    const numbers = lines.map((line) => Number(line.dataset.seq));
    const wrong = [];
    if (numbers.some((number, index) => index > 0 && number !== numbers[index - 1] - 1)) {
      wrong.push("Lines are missing between the ones shown.");
    }
    const newest = numbers.length ? numbers[0] : -1;
    if (section.dataset.first === "yes" && newest !== total - 1)
      wrong.push("The newest lines are not shown.");
    const oldest = numbers.length ? numbers[numbers.length - 1] : 0;
    if (section.dataset.last === "yes" && oldest !== 0) wrong.push("The oldest lines are not shown.");
    return wrong;
  }

  async function check(node) {
    const { ledger, chainId, sizeCall } = section.dataset;
    const chain = Number(await rpc(node, "eth_chainId", []));
    if (chain !== Number(chainId))
      throw new Error(`the node is on chain ${chain}, this ledger on chain ${chainId}`);
    const lines = [...document.querySelectorAll("[data-check]")];
    let bad = 0;
    for (const element of lines) {
      const wrong = await checkLine(node, element, ledger);
      const same = element.dataset.sealed
        ? "Counted; not compared while it is sealed."
        : "The same on the chain.";
      tell(
        element,
        wrong.length === 0,
        wrong.length ? `Not as the chain has it: ${wrong.join("; ")}.` : same,
      );
      bad += wrong.length ? 1 : 0;
    }
    const total = Number(await rpc(node, "eth_call", [{ to: ledger, data: sizeCall }, "latest"]));
    const wrong = gaps(lines, total);
    if (total !== Number(section.dataset.total)) {
      wrong.push(`The chain counts ${requests(total)} for this record, this page ${section.dataset.total}.`);
    }
    if (bad) wrong.push(`${bad} of ${lines.length} lines are not as the chain has them.`);
    const asked = `Asked: ${node}, chain ${chain}, contract ${ledger}.`;
    if (wrong.length) conclude(false, ["✕ This page is not what the chain says.", ...wrong, asked]);
    else {
      conclude(true, [
        `✓ ${count(lines.length, "line", "lines")} on this page: all on the chain, and none left out.`,
        ...(lines.some((line) => line.dataset.sealed)
          ? [
              "What is sealed is counted, and not compared. `passport verify` checks that the seal is on the chain.",
            ]
          : []),
        `The chain counts ${requests(total)} for this record in all.`,
        asked,
      ]);
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const node = form.elements.namedItem("node").value.trim();
    button.disabled = true;
    conclude(true, ["Asking the node…"]);
    try {
      await check(node);
    } catch (error) {
      conclude(false, [`✕ The check could not be done: ${error.message}.`, `Asked: ${node}.`]);
    } finally {
      button.disabled = false;
    }
  });
})();
