// Texts of files that are dropped: plain text, Word, OpenDocument, PDF and RTF, single, in folders or in a zip.
import { unzip } from "fflate";
import { readPdf } from "./pdf.js";
import { readRichText } from "./rtf.js";
import { UnreadableFile } from "./unreadable.js";

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
      if (!text) throw new UnreadableFile("empty");
      if (text.length > MOST_CHARACTERS) throw new UnreadableFile("long");
      read.push({ name: nameEssay(file.name), text, emptyPages: found.emptyPages ?? [] });
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
  if (WORD.test(file.name)) return readDocument(bytes, "word/document.xml", "w");
  if (OPEN_DOCUMENT.test(file.name)) return readDocument(bytes, "content.xml", "text");
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

async function readDocument(bytes, part, prefix) {
  const files = await extract(bytes, (name) => name === part);
  if (!files[part]) throw new UnreadableFile("damaged");
  const parsed = new DOMParser().parseFromString(decode(files[part]), "application/xml");
  if (parsed.querySelector("parsererror")) throw new UnreadableFile("damaged");
  const pieces = [];
  (prefix === "w" ? walkWord : walkOpenDocument)(parsed.documentElement, pieces);
  return pieces.join("").replace(/\n{3,}/g, "\n\n");
}

// What a Word document holds beside its text as it reads with every change accepted: what was deleted or moved away,
// copies for old readers, and settings.
const WORD_LEFT_OUT = new Set(["w:del", "w:moveFrom", "w:delText", "w:instrText", "mc:Fallback", "w:pPr", "w:sectPr", "w:tblPr"]);
const WORD_SIGNS = { "w:tab": "\t", "w:br": "\n", "w:cr": "\n", "w:noBreakHyphen": "\u2011" };

function walkWord(element, pieces) {
  for (const each of element.children) {
    const name = each.tagName;
    if (WORD_LEFT_OUT.has(name) || (name === "w:r" && isHiddenRun(each))) continue;
    if (name === "w:t") pieces.push(each.textContent);
    else if (name in WORD_SIGNS) pieces.push(WORD_SIGNS[name]);
    else {
      if (name === "w:txbxContent") pieces.push("\n");
      walkWord(each, pieces);
      if (name === "w:p" && !isJoined(each)) pieces.push("\n\n");
    }
  }
}

const child = (element, name) => [...(element?.children ?? [])].find((each) => each.tagName === name);

function isHiddenRun(run) {
  const mark = child(child(run, "w:rPr"), "w:vanish");
  return Boolean(mark) && !["0", "false", "off"].includes(mark.getAttribute("w:val"));
}

/** A paragraph whose mark is deleted goes on in the next. */
const isJoined = (paragraph) => Boolean(child(child(child(paragraph, "w:pPr"), "w:rPr"), "w:del"));

const OPEN_LEFT_OUT = new Set(["text:tracked-changes", "office:annotation", "office:automatic-styles", "text:note-citation", "text:hidden-text", "office:forms", "text:sequence-decls"]);

function walkOpenDocument(element, pieces) {
  for (const each of element.childNodes) {
    const name = each.nodeName;
    if (each.nodeType === Node.TEXT_NODE) pieces.push(each.data.replace(/\s+/g, " "));
    else if (name === "text:s") pieces.push(" ".repeat(Math.min(1000, Number(each.getAttribute("text:c") ?? 1) || 1)));
    else if (name === "text:tab") pieces.push("\t");
    else if (name === "text:line-break") pieces.push("\n");
    else if (each.nodeType === Node.ELEMENT_NODE && !OPEN_LEFT_OUT.has(name)) {
      walkOpenDocument(each, pieces);
      if (name === "text:p" || name === "text:h") pieces.push("\n\n");
    }
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
