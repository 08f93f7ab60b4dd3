// OpenDocument texts, as the command reads them (runner/intake/opendocument.py).
import { UnreadableFile } from "./unreadable.js";
import { parseXml } from "./xml.js";

const SPACE = "urn:oasis:names:tc:opendocument:xmlns:";
const PREFIXES = Object.fromEntries(Object.entries({ office: "office", text: "text", style: "style", draw: "drawing", table: "table" }).map(([prefix, each]) => [`${SPACE}${each}:1.0`, prefix]));
const SIGNS = { "text:tab": "\t", "text:line-break": "\n" };
const HIDDEN = new Set(["text:hidden-text", "text:hidden-paragraph"]);
const SILENT = new Set(["office:annotation-end", "text:note-citation", "office:forms"]);
// ODF 1.3, 6.1.3: text:c counts the blanks; no essay has more than a line of them.
const MOST_BLANKS = 200;

const name = (element) => `${PREFIXES[element.namespaceURI] ?? "?"}:${element.localName}`;
const attribute = (element, space, key) => element.getAttributeNS(`${SPACE}${space}:1.0`, key);
const all = (element, space, key) => [...element.getElementsByTagNameNS(`${SPACE}${space}:1.0`, key)];
// ODF 1.3, 6.1.2: any white space is one blank.
const collapse = (text) => text.replace(/[\t\n\r ]+/g, " ");

/** The text of an OpenDocument text and what was met beside it: {text, findings}. */
export function readOpenDocument(files) {
  const manifest = files["META-INF/manifest.xml"];
  if (manifest && all(parseXml(manifest), "manifest", "encryption-data").length) throw new UnreadableFile("locked");
  if (!files["content.xml"]) throw new UnreadableFile("damaged");
  const root = parseXml(files["content.xml"]);
  const [body] = all(root, "office", "body");
  if (!body) throw new UnreadableFile("damaged");
  return new TextOfOdt(root).read(body);
}

class TextOfOdt {
  constructor(root) {
    this.findings = { tracked: 0, comments: 0, hidden: 0, boxes: 0, footnotes: 0, pictures: 0, headers: 0 };
    this.footnotes = [];
    this.numbered = new Set(all(root, "text", "list-style").flatMap((style) => all(style, "text", "list-level-style-number").map((each) => `${attribute(style, "style", "name")}/${attribute(each, "text", "level")}`)));
  }

  read(body) {
    const text = this.blocks(body).replace(/\n+$/, "");
    return { text: this.footnotes.length ? `${text}\n\n${this.footnotes.join("\n")}` : text, findings: this.findings };
  }

  blocks(parent) {
    return [...parent.children].map((each) => {
      const tag = name(each);
      if (tag === "text:p" || tag === "text:h") return this.paragraph(each, "");
      if (tag === "text:list") return this.list(each, 1, null);
      if (tag === "table:table-row") return `${[...each.children].map((cell) => this.blocks(cell).trim()).join("\t")}\n`;
      if (tag === "draw:text-box") return this.box(each);
      return this.isRead(each) ? this.blocks(each) : "";
    }).join("");
  }

  paragraph(paragraph, prefix) {
    const boxes = [];
    const text = this.inline(paragraph, boxes);
    return [prefix, text, "\n", ...boxes.map((each) => this.box(each))].join("");
  }

  box(box) {
    this.findings.boxes += 1;
    return this.blocks(box);
  }

  list(element, level, outer) {
    const style = attribute(element, "text", "style-name") || outer;
    const isNumbered = this.numbered.has(`${style}/${level}`);
    let nItems = 0;
    return [...element.children].map((item) => {
      if (name(item) === "text:list-item") nItems += 1;
      let label = isNumbered ? `${nItems}. ` : "- ";
      return [...item.children].map((part) => {
        if (name(part) === "text:list") return this.list(part, level + 1, style);
        const text = this.paragraph(part, `${"  ".repeat(level - 1)}${label}`);
        label = " ".repeat(label.length);
        return text;
      }).join("");
    }).join("");
  }

  inline(parent, boxes) {
    return [...parent.childNodes].map((each) => {
      if (each.nodeType === Node.TEXT_NODE) return collapse(each.data);
      if (each.nodeType !== Node.ELEMENT_NODE) return "";
      const tag = name(each);
      if (tag in SIGNS) return SIGNS[tag];
      if (tag === "text:s") return blanks(each);
      if (tag === "draw:text-box") {
        boxes.push(each);
        return "";
      }
      return this.isRead(each) ? this.inline(each, boxes) : "";
    }).join("");
  }

  /** Whether an element's content is part of the running text; counts what is not. */
  isRead(element) {
    const tag = name(element);
    if (tag === "text:tracked-changes") this.findings.tracked += all(element, "text", "changed-region").length;
    else if (tag === "office:annotation") this.findings.comments += 1;
    else if (HIDDEN.has(tag)) this.findings.hidden += 1;
    else if (tag === "text:note") this.readNote(element);
    else if (tag === "draw:image") this.findings.pictures += 1;
    else return !SILENT.has(tag);
    return false;
  }

  readNote(note) {
    this.findings.footnotes += 1;
    const number = this.findings.footnotes;
    for (const body of all(note, "text", "note-body")) this.footnotes.push(`[${number}] ${this.blocks(body).trim()}`);
  }
}

function blanks(element) {
  const count = attribute(element, "text", "c") || "1";
  return " ".repeat(Math.min(/^\d+$/.test(count) ? Number(count) : 1, MOST_BLANKS));
}
