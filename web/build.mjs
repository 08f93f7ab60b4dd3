// Builds the pages into the `assessment` package: the same sources and lock file give the same bytes.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync, existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "layers", "service", "assessment", "web");
const options = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  charset: "utf8",
  target: ["es2022"],
  legalComments: "none",
  metafile: true,
  write: false,
  logLevel: "warning",
  jsx: "automatic",
  jsxImportSource: "preact",
};

function* list(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* list(path);
    else yield path;
  }
}

const sha256 = (content) => createHash("sha256").update(content).digest("hex");

mkdirSync(target, { recursive: true });
const packages = new Set();
const inputs = new Set();
for (const [entry, format] of [["app.jsx", "esm"], ["report.jsx", "iife"], ["app.css", "esm"], ["report.css", "esm"]]) {
  const made = await build({ ...options, entryPoints: [join("src", entry)], format, outfile: entry.replace("jsx", "js") });
  writeFileSync(join(target, entry.replace("jsx", "js")), made.outputFiles[0].contents);
  for (const input of Object.keys(made.metafile.inputs)) {
    inputs.add(input);
    const found = input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
    if (found) packages.add(found[1]);
  }
}
// As they are published: only whoever drops a PDF fetches them.
for (const [file, name] of [["pdf.min.mjs", "pdf.js"], ["pdf.worker.min.mjs", "pdf-worker.js"]]) {
  writeFileSync(join(target, name), readFileSync(join(here, "node_modules", "pdfjs-dist", "build", file)));
}
packages.add("pdfjs-dist");
for (const page of ["app.html", "report.html"]) writeFileSync(join(target, page), readFileSync(join(here, "src", page)));

const licences = [...packages].sort().map((name) => {
  const folder = join(here, "node_modules", name);
  const described = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = ["LICENSE", "LICENSE.md", "license", "LICENCE"].find((each) => existsSync(join(folder, each)));
  const words = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${described.license}`;
  return `${name} ${described.version} (${described.license})\n\n${words}\n`;
});
writeFileSync(join(target, "licences.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));

// What the pages were built from: a test tells without Node whether they are up to date.
const own = [...inputs].filter((path) => !path.startsWith("node_modules/")).map((path) => join(here, path));
const sources = [...new Set([...list(join(here, "src")), ...own, join(here, "build.mjs"), join(here, "package-lock.json")])].sort();
const digests = Object.fromEntries(sources.map((path) => [relative(here, path), sha256(readFileSync(path))]));
writeFileSync(join(target, "sources.json"), `${JSON.stringify(digests, null, 1)}\n`);
