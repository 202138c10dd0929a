// "Check it in this browser" on the page of an entry. The page does its whole work without this.
import { Refused, fromBase64, isGrowth, openHead, openProof } from "./proof.js";

const WAIT_MS = 20_000;
const place = document.querySelector("[data-verify]");
const MEMORY = "folkmoot:head:";

class Unchecked extends Error {}

async function read(url) {
  let answer;
  try {
    answer = await fetch(url, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(WAIT_MS) });
  } catch {
    throw new Unchecked("This site did not answer.");
  }
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Unchecked(`This site could not give what was asked for (it answered ${answer.status}).`);
  try {
    // Not text(): it would mend what is no text, and drop a mark that stands before it.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await answer.arrayBuffer());
  } catch (fault) {
    if (fault instanceof TypeError) throw new Refused("What this site gave is not text.");
    throw new Unchecked("This site did not answer to the end.");
  }
}

function when(instant) {
  const { lang } = document.documentElement;
  return new Date(instant).toLocaleString(lang && lang !== "en" ? lang : "en-GB", { dateStyle: "long", timeStyle: "short" });
}

function count(size) {
  return size === 1n ? "1 entry" : `${size.toLocaleString("en-GB")} entries`;
}

// What this browser saw last of the log: {note, vkey, seenAt, head}, or null.
async function recall(origin) {
  try {
    const held = JSON.parse(localStorage.getItem(MEMORY + origin));
    return held && { ...held, head: await openHead(held.note, [held.vkey]) };
  } catch {
    return null; // no storage, or what is in it is not ours: as on the first visit
  }
}

function remember(head) {
  try {
    localStorage.setItem(MEMORY + head.origin, JSON.stringify({ note: head.note, vkey: head.vkey, seenAt: Date.now() }));
    return true;
  } catch {
    return false;
  }
}

// Why a log that showed `before` cannot show `after`; empty where it can.
async function findRewriting(before, after) {
  if (after.size < before.size) {
    return `It had ${count(before.size)} and now shows ${count(after.size)}: ${count(before.size - after.size)} gone.`;
  }
  if (after.size === before.size) {
    const same = await isGrowth(before.size, after.size, before.root, after.root, []);
    return same ? "" : `It showed two different records of ${count(after.size)}.`;
  }
  if (before.size === 0n) return "";
  const text = await read(`${place.dataset.consistency}?from=${before.size}&to=${after.size}`);
  const proof = text === null ? null : text.split("\n").filter(Boolean).map(fromBase64);
  if (proof && await isGrowth(before.size, after.size, before.root, after.root, proof)) return "";
  return `It cannot show that its ${count(after.size)} begin with the ${count(before.size)} it had: one of them was changed or replaced.`;
}

class Rewritten extends Error {
  constructor(sentence, before, after, seenAt) {
    super(sentence);
    Object.assign(this, { before, after, seenAt });
  }
}

async function checkHistory(proved, vkeys, said) {
  const note = await read(place.dataset.checkpoint);
  if (note === null) throw new Refused("This site publishes no head of its record.");
  const newest = await openHead(note, vkeys);
  const held = await recall(newest.origin);
  if (held) {
    if (!vkeys.includes(held.vkey)) {
      throw new Rewritten("The record was signed with a key that this site does not name any more.", held.note, note, held.seenAt);
    }
    const wrong = await findRewriting(held.head, newest);
    if (wrong) throw new Rewritten(wrong, held.note, note, held.seenAt);
  }
  const wrong = await findRewriting(proved, newest);
  if (wrong) throw new Rewritten(wrong, proved.note, note, Date.now());
  const kept = remember(newest);
  if (held) said.push(`The record still begins with all that this browser saw of it on ${when(held.seenAt)}.`);
  else if (kept) said.push("This browser has not seen this record before. It remembers the head and compares it the next time.");
  else said.push("This browser keeps nothing, so it cannot tell whether the record was rewritten since an earlier visit.");
}

// Whether the page shows the texts that the proof discloses.
function checkPage(says, said) {
  const texts = document.querySelectorAll("[data-says]");
  for (const shown of texts) {
    const label = shown.dataset.says;
    const text = says.get(label)?.replaceAll(/\r\n?/g, "\n");
    if (text === undefined || shown.textContent !== text) {
      throw new Refused(`What this page shows as ${label} is not what the entry was sealed with.`);
    }
  }
  if (texts.length) said.push("The text that this page shows is what the entry was sealed with.");
}

async function check() {
  if (!globalThis.crypto?.subtle) {
    throw new Unchecked("This browser checks nothing on a page that does not come over https.");
  }
  const vkeys = place.dataset.keys.split(" ");
  const said = [];
  const text = await read(place.dataset.proof);
  if (text === null) throw new Unchecked("There is no proof of this entry yet.");
  const { entry, index, says, head } = await openProof(text, vkeys);
  if (entry.id !== place.dataset.entry) throw new Refused("It is the proof of another entry.");
  said.push(`This is entry number ${index} (counted from 0) of the ${count(head.size)} in the record, unchanged since its head was signed.`);
  checkPage(says, said);
  if (head.signed) said.push("The head was signed with the key that this site publishes.");
  else said.push("Who signed could not be checked: this browser does not know Ed25519 signatures. Download the proof, and check it with folkmoot ledger verify.");
  await checkHistory(head, vkeys, said);
  return { signed: head.signed, said };
}

// Showing it: text alone, whatever is in it.

function add(parent, name, text, ...classes) {
  const element = document.createElement(name);
  element.textContent = text;
  element.classList.add(...classes);
  parent.append(element);
  return element;
}

function show(title, sentences, colour, evidence = []) {
  const result = place.querySelector("[data-result]");
  result.replaceChildren();
  const box = add(result, "div", "", "desk-finding", `desk-finding--${colour}`);
  add(box, "h3", title, "govuk-heading-s");
  for (const sentence of sentences) add(box, "p", sentence, "govuk-body");
  for (const [name, text] of evidence) {
    add(box, "p", name, "govuk-body");
    const shown = add(box, "pre", text, "desk-proof");
    shown.tabIndex = 0;
    shown.setAttribute("role", "region");
    shown.setAttribute("aria-label", name);
  }
}

let busy = false;

async function act() {
  if (busy) return;
  busy = true;
  place.querySelector("[data-result]").textContent = "Checking.";
  try {
    const { signed, said } = await check();
    show(signed ? "True" : "True, as far as this browser can check", said, signed ? "true" : "advise");
  } catch (fault) {
    if (fault instanceof Rewritten) {
      show("This record told two histories", [
        fault.message,
        "Save both heads below: together they are the proof, and this site cannot take them back. Show them to the body that keeps the record, to its witnesses, and to whoever supervises it.",
      ], "stop", [[`What this browser saw on ${when(fault.seenAt)}`, fault.before], ["What this site shows now", fault.after]]);
    } else if (fault instanceof Refused) {
      show("False", [fault.message, "The proof does not hold. Tell the body that keeps the record."], "stop");
    } else if (fault instanceof Unchecked) {
      show("Not checked", [fault.message, "Download the proof, and check it with folkmoot ledger verify."], "advise");
    } else {
      show("Not checked", ["Something went wrong in this check; nothing is said about the proof."], "advise");
      throw fault;
    }
  } finally {
    busy = false;
  }
}

if (place) {
  place.hidden = false;
  place.querySelector("button").addEventListener("click", act);
}
