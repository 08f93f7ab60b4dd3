// Texts of files that are dropped: plain text, Word, OpenDocument, PDF and RTF, single, in folders or in a zip.
import { unzip } from "fflate";
import { readOpenDocument } from "./opendocument.js";
import { readPdf } from "./pdf.js";
import { readRichText } from "./rtf.js";
import { UnreadableFile } from "./unreadable.js";
import { readWord } from "./word.js";

const PLAIN = /\.(txt|text|md)$/i;
const WORD = /\.docx$/i;
const OPEN_DOCUMENT = /\.odt$/i;
const PORTABLE = /\.pdf$/i;
const RICH = /\.rtf$/i;
const ARCHIVE = /\.zip$/i;
const MOST_BYTES = 20_000_000;
const MOST_UNPACKED = 60_000_000;
const MOST_CHARACTERS = 60_000;

/** The texts of files: {read: [{name, text}], refused: [{name, reason}]}. Nobody's text is lost in silence. */
export async function readFiles(files) {
  const read = [];
  const refused = [];
  for (const file of await unpack(files, refused)) {
    try {
      const found = await readText(file);
      const text = (found.text ?? found).trim();
      if (!text) throw new UnreadableFile(found.findings?.pictures ? "scanned" : "empty");
      if (text.length > MOST_CHARACTERS) throw new UnreadableFile("long");
      read.push({ name: nameEssay(file.name), text, emptyPages: found.emptyPages ?? [], findings: found.findings ?? {} });
    } catch (error) {
      refused.push({ name: file.name, reason: error instanceof UnreadableFile ? error.message : "damaged" });
    }
  }
  return { read: tellApart(read), refused };
}

async function unpack(files, refused) {
  const found = [];
  for (const file of files) {
    if (isHidden(file.name)) continue;
    if (file.size > MOST_BYTES) refused.push({ name: file.name, reason: "large" });
    else if (!ARCHIVE.test(file.name)) found.push({ name: file.name, bytes: () => file.arrayBuffer().then((each) => new Uint8Array(each)) });
    else {
      try {
        for (const [name, bytes] of Object.entries(await extract(new Uint8Array(await file.arrayBuffer())))) {
          const own = name.split("/").at(-1);
          if (own && !isHidden(own) && !name.startsWith("__MACOSX")) found.push({ name: own, bytes: () => Promise.resolve(bytes) });
        }
      } catch {
        refused.push({ name: file.name, reason: "damaged" });
      }
    }
  }
  return found;
}

const isPart = (name) => /\.(xml|rels)$/i.test(name);
const isHidden = (name) => name.startsWith(".") || name.startsWith("~$") || name === "Thumbs.db";

/** What an archive holds; one that unpacks to very much is refused before it is unpacked. */
function extract(bytes, wanted = () => true) {
  let total = 0;
  return new Promise((done, fail) => {
    const filter = (file) => {
      if (!wanted(file.name)) return false;
      total += file.originalSize;
      if (total > MOST_UNPACKED) throw new UnreadableFile("large");
      return true;
    };
    try {
      unzip(bytes, { filter }, (error, files) => (error ? fail(new UnreadableFile("damaged")) : done(files)));
    } catch (error) {
      fail(error);
    }
  });
}

async function readText(file) {
  const bytes = await file.bytes();
  if (PLAIN.test(file.name)) return decode(bytes);
  if (WORD.test(file.name)) return readWord(await extract(bytes, isPart));
  if (OPEN_DOCUMENT.test(file.name)) return readOpenDocument(await extract(bytes, isPart));
  if (PORTABLE.test(file.name)) return readPdf(bytes);
  if (RICH.test(file.name)) return readRichText(bytes);
  throw new UnreadableFile("format");
}

function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

const nameEssay = (name) => name.replace(/\.[^.]+$/, "").normalize("NFC").replace(/[%/\\\p{C}]/gu, " ").replace(/\s+/g, " ").trim().slice(0, 120) || "essay";

/** Two files of one name get a number. */
function tellApart(texts) {
  const seen = new Map();
  return texts.map((each) => {
    const n = (seen.get(each.name) ?? 0) + 1;
    seen.set(each.name, n);
    return n === 1 ? each : { ...each, name: `${each.name} (${n})` };
  });
}

/** All files of what is dropped, folders opened. */
export async function listDropped(transfer) {
  const entries = [...transfer.items].map((each) => each.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const found = [];
  const visit = async (entry) => {
    if (entry.isFile) found.push(await new Promise((done, fail) => entry.file(done, fail)));
    else {
      const reader = entry.createReader();
      for (let part = await list(reader); part.length; part = await list(reader)) for (const each of part) await visit(each);
    }
  };
  for (const entry of entries) await visit(entry);
  return found;
}

const list = (reader) => new Promise((done, fail) => reader.readEntries(done, fail));
