/** Wheels of the Python registry without Python: a wheel is a ZIP file, and the index of a project a page of links. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv, exit, stderr } from "node:process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import yauzl from "yauzl";

/** What is wrong for a person to read; anything else is a fault of this script. */
export class Stop extends Error {}

export function say(text) {
  stderr.write(`${text}\n`);
}

/** The comment at the head of a script. */
export function usageOf(url) {
  const text = readFileSync(fileURLToPath(url), "utf8");
  return text
    .slice(text.indexOf("/**") + 4, text.indexOf("*/"))
    .replace(/^ \* ?/gm, "")
    .trim();
}

/** Runs it where it was started as a program; what stops it is a sentence and code 1. */
export function runScript(url, main) {
  if (argv[1] !== fileURLToPath(url)) return;
  main().catch((error) => {
    say(error instanceof Stop ? error.message : error.stack);
    exit(1);
  });
}

/** Name, address and hash of the Linux wheel of a version, from the registry's index page (PEP 503). */
export async function latestFile(project, version, otherwise) {
  for (const { file, url, sha256 } of await indexOf(project, otherwise)) {
    if (file.includes(`-${version}-`) && /linux.*x86_64\.whl$/.test(file)) return { file, url, sha256 };
  }
  throw new Stop(`The Python registry has no wheel of ${project} ${version} for Linux on x86-64.`);
}

async function indexOf(project, otherwise) {
  const page = `https://pypi.org/simple/${project}/`;
  const text = await (await fetched(page, otherwise)).text();
  return [...text.matchAll(/href="([^"#]+)#sha256=([0-9a-f]{64})"/g)].map(([, url, sha256]) => ({
    url: new URL(url, page).href,
    file: url.slice(url.lastIndexOf("/") + 1),
    sha256,
  }));
}

async function fetched(url, otherwise) {
  try {
    const answer = await fetch(url);
    if (answer.ok) return answer;
    throw new Error(`answered ${answer.status}`);
  } catch (error) {
    const why = error.cause?.message ?? error.message;
    throw new Stop(`${url}: ${why}.\n${otherwise}`);
  }
}

/** The file of a project, unless it is there; what is fetched is checked by its SHA-256. `otherwise` is what a person can do. */
export async function download({ project, file, sha256, url, to, otherwise }) {
  if (existsSync(to) && (await sha256Of(to)) === sha256) return;
  const from = url ?? (await indexOf(project, otherwise)).find((entry) => entry.file === file)?.url;
  if (from === undefined) throw new Stop(`The Python registry no longer lists ${file}.`);
  const answer = await fetched(from, otherwise);
  const size = Number(answer.headers.get("content-length") ?? 0) / 1e6;
  say(`fetching ${file} (${size.toFixed(0)} MB)`);
  await pipeline(Readable.fromWeb(answer.body), createWriteStream(to));
  const found = await sha256Of(to);
  if (found === sha256) return;
  rmSync(to);
  throw new Stop(`${file} has SHA-256 ${found}, not ${sha256}: removed. Try again, or look who answers for pypi.org.`);
}

export async function sha256Of(file) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** The entries of a ZIP file whose path is wanted, to be found below the folder by the same path. */
export async function unpack(file, folder, isWanted) {
  const zip = await new Promise((done, fail) => {
    yauzl.open(file, { lazyEntries: true }, (error, opened) => (error ? fail(error) : done(opened)));
  }).catch((error) => {
    throw new Stop(`${file} is no wheel: ${error.message}.`);
  });
  await new Promise((done, fail) => {
    zip.on("end", done);
    zip.on("error", fail);
    zip.on("entry", (entry) => {
      if (entry.fileName.endsWith("/") || !isWanted(entry.fileName)) return zip.readEntry();
      // yauzl refuses names that lead out of the folder.
      const path = join(folder, entry.fileName);
      mkdirSync(dirname(path), { recursive: true });
      zip.openReadStream(entry, (error, stream) => {
        if (error) return fail(error);
        const mode = entry.fileName.includes("/bin/") ? 0o755 : 0o644;
        pipeline(stream, createWriteStream(path, { mode })).then(() => zip.readEntry(), fail);
      });
    });
    zip.readEntry();
  });
  zip.close();
}
