// Rich text (.rtf) as it reads when every tracked change is accepted, under the rules of the command's intake
// (runner/intake/rich_text.py). Rich Text Format Specification 1.9.1.
import { UnreadableFile } from "./unreadable.js";

const TOKEN = /[{}]|\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\([^a-z])|([^\\{}\r\n]+)|[\r\n]|\\/gis;
// Groups that hold no running text, and groups that any reader may leave out but ours do not need.
const SILENT = new Set("fonttbl colortbl stylesheet info pict object themedata colorschememapping latentstyles datastore listtable listoverridetable rsidtbl generator header headerl headerr headerf footer footerl footerr footerf footnote annotation atnid atnauthor atnref atntime atnicn xmlnstbl fldinst bkmkstart bkmkend filetbl revtbl sp shprslt nonshppict pgptbl mmathPr wgrffmtfilter".split(" "));
const SHAPES = new Set(["shp", "shpinst", "shptxt"]);
const SIGNS = { par: "\n", sect: "\n\n", page: "\n\n", line: "\n", row: "\n", tab: "\t", cell: "|", nestcell: "|", emdash: "\u2014", endash: "\u2013", emspace: "\u2003", enspace: "\u2002", qmspace: "\u2005", bullet: "\u2022", lquote: "\u2018", rquote: "\u2019", ldblquote: "\u201c", rdblquote: "\u201d" };
const CODE_PAGES = { 437: "ibm866", 708: "iso-8859-6", 932: "shift_jis", 936: "gbk", 949: "euc-kr", 950: "big5", 10000: "macintosh", 65001: "utf-8" };

export function readRichText(bytes) {
  const source = new TextDecoder("windows-1252").decode(bytes);
  if (!source.trimStart().startsWith("{\\rtf")) throw new UnreadableFile("damaged");
  const reader = new Reader();
  for (const token of source.matchAll(TOKEN)) reader.take(token);
  return reader.finish();
}

class Reader {
  constructor() {
    this.groups = [{ isLeftOut: false, isDeleted: false, isHidden: false, nSkipped: 1 }];
    this.text = [];
    this.bytes = [];
    this.decoder = new TextDecoder("windows-1252");
    this.toSkip = 0;
    this.isStarred = false;
  }

  get group() {
    return this.groups.at(-1);
  }

  take([part, word, number, hex, symbol, plain]) {
    if (hex !== undefined) this.write(null, Number.parseInt(hex, 16));
    else {
      this.flush();
      if (part === "{") this.groups.push({ ...this.group });
      else if (part === "}") { if (this.groups.length > 1) this.groups.pop(); }
      else if (word !== undefined) this.meet(word.toLowerCase(), number === undefined ? null : Number(number));
      else if (symbol !== undefined) this.meetSymbol(symbol);
      else if (plain !== undefined) this.write(plain);
      if (part !== "\\*") this.isStarred = false;
    }
  }

  meetSymbol(symbol) {
    if (symbol === "*") this.isStarred = true;
    else if (symbol === "~") this.write("\u00a0");
    else if (symbol === "_") this.write("\u2011");
    else if (symbol === "\n" || symbol === "\r") this.write("\n");
    else if ("\\{}".includes(symbol)) this.write(symbol);
  }

  meet(word, number) {
    if (SHAPES.has(word)) return;
    if (SILENT.has(word) || this.isStarred) this.group.isLeftOut = true;
    else if (word === "deleted") this.group.isDeleted = number !== 0;
    else if (word === "v") this.group.isHidden = number !== 0;
    else if (word === "plain") Object.assign(this.group, { isDeleted: false, isHidden: false });
    else if (word === "ansicpg") this.choosePage(number);
    else if (word === "mac") this.choosePage(10000);
    else if (word === "uc") this.group.nSkipped = Math.max(0, number ?? 1);
    else if (word === "u" && number !== null) {
      this.toSkip = 0;
      this.write(String.fromCharCode(number < 0 ? number + 65536 : number));
      this.toSkip = this.group.nSkipped;
    } else if (word in SIGNS) this.write(SIGNS[word]);
  }

  choosePage(number) {
    try {
      this.decoder = new TextDecoder(CODE_PAGES[number] ?? `windows-${number}`);
    } catch {
      // a code page that browsers do not know: the commonest one stays
    }
  }

  write(text, byte) {
    if (this.toSkip > 0) {
      // What stands for a Unicode sign in readers that know none.
      const n = text === null ? 1 : Math.min(this.toSkip, text.length);
      this.toSkip -= n;
      if (text === null || n === text.length) return;
      text = text.slice(n);
    }
    if (this.group.isLeftOut || this.group.isDeleted || this.group.isHidden) return;
    if (text === null) this.bytes.push(byte);
    else this.text.push(text);
  }

  /** Bytes of a code page may belong together. */
  flush() {
    if (!this.bytes.length) return;
    this.text.push(this.decoder.decode(new Uint8Array(this.bytes)));
    this.bytes = [];
  }

  finish() {
    this.flush();
    return this.text.join("").replaceAll("\u0000", "").trim();
  }
}
