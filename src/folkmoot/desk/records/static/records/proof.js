// Checking a proof of the record with nothing but the browser's own cryptography: C2SP tlog-proof,
// signed-note and tlog-checkpoint, RFC 6962 section 2.1, RFC 9162 sections 2.1.3.2 and 2.1.4.2.
// As strict as `folkmoot ledger verify`; touches no page. Every refusal is a Refused.

export class Refused extends Error {}

const MAGIC = "c2sp.org/tlog-proof@v1";
const MOST_BYTES = 1 << 20;
const MOST_HASHES = 63;
const MOST_SIGNATURES = 64;
const MOST_ENTRY_BYTES = 65_535;
const MOST_ENTRIES = 2n ** 63n - 1n;
const LOG_KEY = 1;
const CUT = "It was cut short on the way.";
const utf8 = new TextEncoder();

// Bytes and texts

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

function same(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
}

function toBase64(bytes) {
  let characters = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    characters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(characters);
}

export function fromBase64(text) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new Refused("A part of it is not base64.");
  }
  // Another text for the same bytes would let a file be changed without its proof noticing.
  if (toBase64(bytes) !== text) {
    throw new Refused("A part of it is base64 in another form than was written.");
  }
  return bytes;
}

function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function readNumber(text) {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text) || BigInt(text) > MOST_ENTRIES) {
    throw new Refused("A number in it is not a whole number in plain digits.");
  }
  return BigInt(text);
}

// JSON in the one form that is signed: keys sorted, no spaces, whole numbers alone.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${canonical(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  // Half a character: as bytes it would be the sign for an unknown one, and pass for that.
  if (/\p{Surrogate}/u.test(value)) throw new Refused("A text in it holds half a character.");
  return JSON.stringify(value);
}

function readCanonical(text, what) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused(`${what} is not JSON.`);
  }
  if (canonical(value) !== text) throw new Refused(`${what} is not in the form that is signed; it was changed.`);
  return value;
}

function isMap(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function isObject(value, ...keys) {
  return isMap(value) && Object.keys(value).sort().join() === keys.join();
}

// Keys, notes and heads

export async function readKey(vkey) {
  // Base64 has plus signs of its own: only the first two part the key's name and id from it.
  const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(vkey) ?? [];
  const data = fromBase64(encoded ?? "");
  if (!name || data.length !== 33 || data[0] !== LOG_KEY) {
    throw new Refused("The log's key cannot be read.");
  }
  const right = (await sha256(utf8.encode(`${name}\n`), data)).subarray(0, 4);
  if (toHex(right) !== id) throw new Refused("The id within the log's key does not fit it.");
  return { vkey, name, id: right, raw: data.subarray(1) };
}

// true, false, or null where this browser does not know Ed25519.
async function isSignature(key, signature, text) {
  let held;
  try {
    held = await crypto.subtle.importKey("raw", key.raw, { name: "Ed25519" }, false, ["verify"]);
  } catch (fault) {
    if (fault.name === "NotSupportedError") return null;
    throw new Refused("The log's key is no key.");
  }
  return crypto.subtle.verify({ name: "Ed25519" }, held, signature, utf8.encode(text));
}

// The name may hold what is no space to Python: a proof is read alike here and there.
const SIGNATURE = /^\u2014 ([^+ \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+) (\S+)$/;

// A head that one of `vkeys` signed: {origin, size, root, vkey, signed, note}. `vkey` is the first
// of them that did; `signed` is null where the browser could not check the signature.
export async function openHead(note, vkeys) {
  const gap = note.lastIndexOf("\n\n");
  if (gap < 0 || !note.endsWith("\n")) throw new Refused(`The head ends before its signatures. ${CUT}`);
  const text = note.slice(0, gap + 1);
  if (/[\x00-\x09\x0b-\x1f]/.test(note)) throw new Refused("The head holds control characters.");
  const lines = note.slice(gap + 2, -1).split("\n");
  const keys = await Promise.all(vkeys.map(readKey));
  let signed = false;
  const seen = new Set();
  if (lines.length > MOST_SIGNATURES) throw new Refused(`The head has more than ${MOST_SIGNATURES} signatures.`);
  for (const line of lines) {
    const found = SIGNATURE.exec(line);
    if (!found) throw new Refused("A line below the head is not a signature.");
    const bytes = fromBase64(found[2]);
    if (bytes.length < 5) throw new Refused("A signature is too short to be one.");
    const key = keys.find((one) => one.name === found[1] && same(one.id, bytes.subarray(0, 4)));
    if (!key) continue; // a witness's, which this page does not judge
    if (seen.has(key)) throw new Refused("The same key signed the head twice.");
    seen.add(key);
    signed = await isSignature(key, bytes.subarray(4), text);
    if (signed === false) throw new Refused("The signature does not fit the head: one of them was changed.");
  }
  const signer = keys.find((one) => seen.has(one));
  if (!signer) {
    throw new Refused("The head was not signed with the key that this site publishes. It may come from another log, or from somebody who made it up.");
  }
  const [origin, size, root, ...more] = text.slice(0, -1).split("\n");
  if (!root || more.some((line) => !line)) throw new Refused("The head is not that of a log.");
  const hash = fromBase64(root);
  if (hash.length !== 32) throw new Refused("The head's root is not 32 bytes.");
  if (origin !== signer.name) throw new Refused("The key of this log signed for another.");
  return { origin, size: readNumber(size), root: hash, vkey: signer.vkey, signed, note };
}

// The tree

function bitLength(number) {
  return number === 0n ? 0 : number.toString(2).length;
}

function bitCount(number) {
  return number.toString(2).replaceAll("0", "").length;
}

function areHashes(...hashes) {
  return hashes.every((hash) => hash.length === 32);
}

function nodeHash(left, right) {
  return sha256(Uint8Array.of(1), left, right);
}

// Whether `proof` leads from the leaf at `index` to the root over `size` entries.
export async function isIncluded(leaf, index, size, proof, root) {
  if (index >= size || !areHashes(leaf, root, ...proof)) return false;
  const inner = bitLength(index ^ (size - 1n));
  if (proof.length !== inner + bitCount(index >> BigInt(inner))) return false;
  let node = leaf;
  for (let level = 0; level < proof.length; level += 1) {
    const left = level >= inner || (index >> BigInt(level)) & 1n;
    node = await (left ? nodeHash(proof[level], node) : nodeHash(node, proof[level]));
  }
  return same(node, root);
}

// Whether `proof` shows that the log of `newSize` entries begins with that of `oldSize`.
export async function isGrowth(oldSize, newSize, oldRoot, newRoot, proof) {
  if (!areHashes(oldRoot, newRoot, ...proof)) return false;
  if (oldSize === newSize) return proof.length === 0 && same(oldRoot, newRoot);
  if (oldSize < 1n || oldSize > newSize) return false;
  let at = oldSize - 1n;
  let end = newSize - 1n;
  while (at & 1n) { at >>= 1n; end >>= 1n; }
  const rest = [...proof];
  let old = oldRoot;
  if (oldSize & (oldSize - 1n)) old = rest.shift();
  if (old === undefined) return false;
  let fresh = old;
  for (const sibling of rest) {
    if (end === 0n) return false;
    if (at & 1n || at === end) {
      old = await nodeHash(sibling, old);
      fresh = await nodeHash(sibling, fresh);
      while (at && !(at & 1n)) { at >>= 1n; end >>= 1n; }
    } else {
      fresh = await nodeHash(fresh, sibling);
    }
    at >>= 1n;
    end >>= 1n;
  }
  return end === 0n && same(old, oldRoot) && same(fresh, newRoot);
}

// Entries and proofs

const OPAQUE = /^[A-Za-z0-9._:/#-]{0,128}$/;
const HASH = /^[0-9a-f]{64}$/;
const LABEL = /^[a-z][a-z0-9_.-]{0,63}$/;
const FORMS = {
  id: /^[0-9a-f]{32}$/,
  kind: /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/,
  at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
  organisation: OPAQUE,
  actor: OPAQUE,
  role: OPAQUE,
  subject: OPAQUE,
  retention: /^[A-Za-z0-9._-]{1,64}$/,
};

function sized(text) {
  const data = utf8.encode(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(data.length));
  return join(length, data);
}

async function commitment(context, label, salt, value) {
  return toHex(await sha256(Uint8Array.of(2), sized(context), sized(label), salt, sized(value)));
}

function isText(value, form) {
  return typeof value === "string" && form.test(value);
}

// The last day of a month that there is not is another day to Date.
function isTime(text) {
  const at = new Date(text);
  return !Number.isNaN(at.getTime()) && !text.startsWith("0000") && at.toISOString().slice(0, 19) === text.slice(0, 19);
}

function readEntry(text) {
  const entry = readCanonical(text, "The entry");
  const { at, commitments, links, version } = isMap(entry) ? entry : {};
  const right = isMap(entry) && utf8.encode(text).length <= MOST_ENTRY_BYTES
    && Object.keys(entry).sort().join() === [...Object.keys(FORMS), "commitments", "links", "version"].sort().join()
    && Object.entries(FORMS).every(([name, form]) => isText(entry[name], form)) && isTime(at) && version === 1
    && Array.isArray(links) && links.every((one) => isText(one, FORMS.id)) && isMap(commitments)
    && Object.entries(commitments).every(([label, one]) => LABEL.test(label) && isText(one, HASH));
  if (!right) throw new Refused("The entry is not one of this record: a part of it is not in its form.");
  return entry;
}

async function readExtra(text) {
  const extra = readCanonical(text, "What the proof discloses");
  if (!isObject(extra, "disclosed", "entry", "vkey") || typeof extra.entry !== "string"
    || typeof extra.vkey !== "string") {
    throw new Refused("The proof must hold exactly an entry, what is disclosed and a key.");
  }
  const entry = readEntry(extra.entry);
  if (!isMap(extra.disclosed)) throw new Refused("What the proof discloses must be fields by their labels.");
  const says = new Map();
  for (const [label, opening] of Object.entries(extra.disclosed)) {
    if (!isObject(opening, "salt", "value") || !isText(opening.salt, HASH) || typeof opening.value !== "string") {
      throw new Refused(`The field ${label} must hold exactly a salt and a value.`);
    }
    const right = await commitment(entry.id, label, fromHex(opening.salt), opening.value);
    if (!Object.hasOwn(entry.commitments, label) || entry.commitments[label] !== right) {
      throw new Refused(`The field ${label} is not what the entry was sealed with: its text or salt was changed.`);
    }
    says.set(label, opening.value);
  }
  return { entry, leaf: utf8.encode(extra.entry), vkey: extra.vkey, says };
}

// What a proof file proves: {entry, index, says, head}. `vkeys` are the keys to believe.
export async function openProof(text, vkeys) {
  if (text.length > MOST_BYTES || utf8.encode(text).length > MOST_BYTES) throw new Refused("A proof of more than 1 MiB is not read.");
  const gap = text.indexOf("\n\n");
  if (gap < 0 || !text.endsWith("\n")) throw new Refused(`The proof ends before the signed head. ${CUT}`);
  const [magic, extraLine, indexLine, ...hashes] = text.slice(0, gap).split("\n");
  if (magic !== MAGIC || !extraLine?.startsWith("extra ") || !indexLine?.startsWith("index ")) {
    throw new Refused("This is not a proof of a record like this one.");
  }
  if (hashes.length > MOST_HASHES) throw new Refused("The proof has more hashes than any has.");
  const path = hashes.map(fromBase64);
  if (path.some((hash) => hash.length !== 32)) throw new Refused("A hash of the proof is not 32 bytes.");
  const index = readNumber(indexLine.slice("index ".length));
  let extraText;
  try {
    extraText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(fromBase64(extraLine.slice("extra ".length)));
  } catch (fault) {
    throw fault instanceof Refused ? fault : new Refused("What the proof discloses is not text.");
  }
  const { entry, leaf, vkey, says } = await readExtra(extraText);
  if (!vkeys.includes(vkey)) {
    throw new Refused("The proof names a key that this site does not publish. It may come from another log, or from somebody who made it up.");
  }
  const head = await openHead(text.slice(gap + 2), [vkey, ...vkeys.filter((one) => one !== vkey)]);
  if (vkey !== head.vkey) throw new Refused("The proof names another key than the one that signed.");
  const hash = await sha256(Uint8Array.of(0), leaf);
  if (!await isIncluded(hash, index, head.size, path, head.root)) {
    throw new Refused("The proof leads to another root: this entry is not in the record at its head.");
  }
  return { entry, index, says, head };
}
