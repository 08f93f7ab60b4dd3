// Word documents, as the command reads them (runner/intake/word.py): changes accepted, list items with their labels,
// text boxes after the paragraph that they are anchored in, footnotes after the text.
import { UnreadableFile } from "./unreadable.js";
import { child, parseXml } from "./xml.js";

const WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/";
const PREFIXES = {
  [WORD]: "w",
  "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
  "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
  "http://schemas.openxmlformats.org/drawingml/2006/picture": "pic",
  "urn:schemas-microsoft-com:vml": "v",
};
const SIGNS = { "w:tab": "\t", "w:br": "\n", "w:cr": "\n", "w:noBreakHyphen": "-" };
const PICTURES = new Set(["pic:pic", "v:imagedata"]);
// Settings, codes of fields, and the reading aid above a word: no text of the essay.
const SILENT = new Set(["w:pPr", "w:rPr", "w:sectPr", "w:tblPr", "w:tcPr", "w:instrText", "w:delText", "w:rt", "w:sdtPr"]);
const MOST_STYLES = 20;

const name = (element) => `${PREFIXES[element.namespaceURI] ?? "?"}:${element.localName}`;
const own = (element, ...path) => path.reduce((found, each) => child(found, WORD, each), element);
const attribute = (element, key) => element?.getAttributeNS(WORD, key) ?? null;
const list = (parent, key) => [...(parent?.children ?? [])].filter((each) => name(each) === `w:${key}`);
const isOn = (mark) => Boolean(mark) && !["0", "false", "off"].includes(attribute(mark, "val") ?? "1");

/** The text of a Word document and what was met beside it: {text, findings}. `files` has its parts by name. */
export function readWord(files) {
  const main = readRelations(files, "").find((each) => each.type === `${RELATION}officeDocument`)?.target ?? "word/document.xml";
  if (!files[main]) throw new UnreadableFile("damaged");
  const body = own(parseXml(files[main]), "body");
  if (!body) throw new UnreadableFile("damaged");
  return new TextOfWord(files, readRelations(files, main)).read(body);
}

/** The relations of a part, with the names of the parts that they lead to. */
function readRelations(files, part) {
  const cut = part.lastIndexOf("/") + 1;
  const folder = part.slice(0, cut);
  const described = files[`${folder}_rels/${part.slice(cut)}.rels`];
  if (!described) return [];
  return [...parseXml(described).children]
    .filter((each) => each.getAttribute("TargetMode") !== "External")
    .map((each) => ({ type: each.getAttribute("Type"), target: new URL(each.getAttribute("Target") ?? "", `file:///${folder}`).pathname.slice(1) }));
}

class TextOfWord {
  constructor(files, relations) {
    this.findings = { tracked: 0, comments: 0, hidden: 0, boxes: 0, footnotes: 0, pictures: 0, headers: 0 };
    this.parts = (type) => relations.filter((each) => each.type === RELATION + type && files[each.target]).map((each) => parseXml(files[each.target]));
    this.lists = new Lists(this.parts("numbering")[0], this.parts("styles")[0]);
  }

  read(body) {
    const text = this.blocks(body).replace(/\n+$/, "");
    const notes = ["footnote", "endnote"].flatMap((kind) => this.readNotes(kind)).join("\n");
    this.findings.comments = this.parts("comments").flatMap((each) => list(each, "comment")).length;
    const edges = ["header", "footer"].flatMap((kind) => this.parts(kind));
    this.findings.headers = edges.some((each) => each.textContent.trim()) ? 1 : 0;
    return { text: notes ? `${text}\n\n${notes}` : text, findings: this.findings };
  }

  /** Those with a type are separators. */
  readNotes(kind) {
    const notes = this.parts(`${kind}s`).flatMap((each) => list(each, kind)).filter((each) => [null, "normal"].includes(attribute(each, "type")));
    this.findings.footnotes += notes.length;
    return notes.map((each) => `[${attribute(each, "id")}] ${this.blocks(each).trim()}`);
  }

  blocks(parent) {
    return [...parent.children].map((each) => {
      if (name(each) === "w:p") return this.paragraph(each);
      if (name(each) === "w:tbl") return this.table(each);
      return this.isRead(each) ? this.blocks(each) : "";
    }).join("");
  }

  /** A paragraph whose mark is deleted goes on in the next. */
  paragraph(paragraph) {
    const boxes = [];
    const text = this.inline(paragraph, boxes);
    const label = text.trim() ? this.lists.label(paragraph) : "";
    const end = own(paragraph, "pPr", "rPr", "del") ? "" : "\n";
    this.findings.boxes += boxes.length;
    return [label, text, end, ...boxes.map((each) => this.blocks(each))].join("");
  }

  inline(parent, boxes) {
    return [...parent.children].map((each) => {
      const tag = name(each);
      if (tag === "w:t" || tag === "m:t") return each.textContent;
      if (tag in SIGNS) return SIGNS[tag];
      if (tag === "w:txbxContent") {
        boxes.push(each);
        return "";
      }
      // The same box or picture in the words of a new and of an old Word.
      if (tag === "mc:AlternateContent") return this.inline(each.firstElementChild ?? each, boxes);
      if (!this.isRead(each)) return "";
      if (PICTURES.has(tag)) this.findings.pictures += 1;
      return this.inline(each, boxes);
    }).join("");
  }

  /** Whether an element's content is part of the text. */
  isRead(element) {
    const tag = name(element);
    const isRemoved = tag === "w:del" || tag === "w:moveFrom";
    if (isRemoved || tag === "w:ins" || tag === "w:moveTo") this.findings.tracked += 1;
    const isHidden = tag === "w:r" && isOn(own(element, "rPr", "vanish"));
    if (isHidden) this.findings.hidden += 1;
    return !isRemoved && !isHidden && !SILENT.has(tag);
  }

  /** A line for each row; tabs part its cells. */
  table(table) {
    return list(table, "tr").map((row) => {
      if (own(row, "trPr", "del")) {
        this.findings.tracked += 1;
        return "";
      }
      const cells = [...row.getElementsByTagNameNS(WORD, "tc")].map((each) => this.blocks(each).trim());
      return `${cells.join("\t")}\n`;
    }).join("");
  }
}

/** The labels of list items: a dash for a bullet, else the number that Word would count. */
class Lists {
  constructor(numbering, styles) {
    this.counts = new Map();
    this.formats = readFormats(numbering);
    this.styles = new Map(list(styles, "style").map((each) => [attribute(each, "styleId"), each]));
  }

  label(paragraph) {
    const [id, level] = this.find(paragraph);
    const format = this.formats.get(`${id}/${level}`);
    if (!format || format === "none") return "";
    const counts = this.counts.get(id) ?? [];
    counts[level] = (counts[level] ?? 0) + 1;
    counts.length = level + 1;
    this.counts.set(id, counts);
    return `${"  ".repeat(level)}${format === "bullet" ? "-" : `${counts[level]}.`} `;
  }

  /** The list's id and the level: the paragraph's own, or those of its style or its base. */
  find(paragraph) {
    let [id, level] = readList(paragraph);
    let style = own(paragraph, "pPr", "pStyle");
    for (let round = 0; round < MOST_STYLES && id === null && style; round += 1) {
      const definition = this.styles.get(attribute(style, "val"));
      if (!definition) break;
      const [ofStyle, levelOfStyle] = readList(definition);
      id = ofStyle;
      level ??= levelOfStyle;
      style = own(definition, "basedOn");
    }
    return [id ?? "", level ?? 0];
  }
}

function readList(element) {
  const properties = own(element, "pPr", "numPr");
  const level = attribute(own(properties, "ilvl"), "val") ?? "";
  return [attribute(own(properties, "numId"), "val"), /^\d+$/.test(level) ? Number(level) : null];
}

/** The format of every level of every list, by `list/level`. */
function readFormats(numbering) {
  const abstract = new Map(list(numbering, "abstractNum").map((each) => [attribute(each, "abstractNumId"), list(each, "lvl")]));
  const formats = new Map();
  for (const each of list(numbering, "num")) {
    for (const level of abstract.get(attribute(own(each, "abstractNumId"), "val")) ?? []) {
      const format = attribute(own(level, "numFmt"), "val");
      if (format !== null) formats.set(`${attribute(each, "numId")}/${Number(attribute(level, "ilvl") ?? 0)}`, format);
    }
  }
  return formats;
}
