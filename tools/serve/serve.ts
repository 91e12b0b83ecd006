/** `ijepa serve`: the pages of runs on this machine, up to date while they train. It reads run folders and writes nothing. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { hasCode, messageOf } from "../../runtime/exceptions";
import { maskSection } from "../report/masks";
import type { RunRecord } from "../report/runs";
import type { Section } from "../report/section";
import { hasMasks } from "../report/sections";
import { isOwnHost } from "./host";
import { LiveRuns, whyNot } from "./live-runs";
import { listPage, runPage } from "./pages";

export interface ServeOptions {
  /** Of runs, or one run. */
  readonly folder: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Folder that relative data paths start from. */
  readonly root: string;
  /** Between two looks at the logs. */
  readonly lookEveryMs?: number;
}

export interface Serving {
  readonly address: string;
  close(): Promise<void>;
}

/** Gives why not where the port or the host cannot be had. */
export async function serve(options: ServeOptions): Promise<Serving | { readonly why: string }> {
  const site = new Site(options);
  const server = createServer((request, response) => {
    site.answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) plain(response, 500, `This is a fault of ijepa: ${messageOf(error)}`);
      else response.destroy();
    });
  });
  const why = await listening(server, options);
  if (why !== null) return { why };
  const at = server.address();
  const port = typeof at === "object" && at !== null ? at.port : options.port;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    address: `http://${host}:${port}/`,
    close: async () => {
      site.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listening(server: Server, { host, port }: ServeOptions): Promise<string | null> {
  return new Promise((resolve) => {
    server.once("error", (error) => {
      if (hasCode(error, "EADDRINUSE")) resolve("another program listens there");
      else if (hasCode(error, "EACCES")) resolve("that port takes more rights");
      else if (hasCode(error, "EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN")) resolve("that is no address of this machine");
      else resolve(messageOf(error));
    });
    server.listen({ host, port }, () => resolve(null));
  });
}

class Site {
  readonly #runs: LiveRuns;
  /** Pictures of masks, by what they show. */
  readonly #pictures = new Map<string, Promise<readonly Section[]>>();
  readonly #watching = new Set<ReturnType<typeof setInterval>>();

  constructor(private readonly options: ServeOptions) {
    this.#runs = new LiveRuns(options.folder);
  }

  close(): void {
    for (const timer of this.#watching) clearInterval(timer);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isOwnHost(request.headers.host, this.options.host)) {
      plain(response, 421, "This server answers to its own address alone. Name another host with --host.");
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      plain(response, 405, "There is nothing to change here.");
      return;
    }
    const asked = askedFor(request.url ?? "/");
    if (asked === null) plain(response, 404, "There is no such page.");
    else if (asked.isEvents) this.watch(asked.run, response);
    else if (asked.run === null) await this.list(response);
    else await this.page(asked.run, asked.isUpdate, response);
  }

  private async list(response: ServerResponse): Promise<void> {
    const version = await this.version(null);
    html(response, listPage(this.options.folder, await this.#runs.all(), version));
  }

  private async page(name: string, isUpdate: boolean, response: ServerResponse): Promise<void> {
    // Before the log is read: what is written in between is a change that the page hears of.
    const version = await this.version(name);
    const read = await this.#runs.one(name);
    if (read === null) plain(response, 404, "There is no such run.");
    else if (!read.ok) plain(response, 404, `${whyNot(read.problem)}.`);
    else {
      const sections = await this.pictures(read.run);
      // The page has its pictures already.
      const sent = isUpdate ? sections.map((each) => ({ ...each, definitions: "", figures: [] })) : sections;
      html(response, runPage({ name, run: read.run, sections: sent, version }));
    }
  }

  private pictures({ experiment }: RunRecord): Promise<readonly Section[]> {
    const { masks, data, image } = experiment;
    const key = JSON.stringify([masks, data, image]);
    const made = this.#pictures.get(key) ?? this.drawn(experiment);
    this.#pictures.set(key, made);
    return made;
  }

  private async drawn(experiment: RunRecord["experiment"]): Promise<readonly Section[]> {
    if (!hasMasks(experiment)) return [];
    return [await maskSection({ experiment, root: this.options.root, id: "masks", of: null })];
  }

  private async version(name: string | null): Promise<string> {
    return createHash("sha256")
      .update(await this.#runs.version(name))
      .digest("hex")
      .slice(0, 16);
  }

  /** Server-sent events: the version, whenever it is another one. */
  private watch(name: string | null, response: ServerResponse): void {
    response.writeHead(200, { ...headers, "Content-Type": "text/event-stream" });
    let last = "";
    const look = async (): Promise<void> => {
      const version = await this.version(name);
      if (version === last) return;
      last = version;
      response.write(`data: ${version}\n\n`);
    };
    const timer = setInterval(() => {
      look().catch(() => response.destroy());
    }, this.options.lookEveryMs ?? 1000);
    this.#watching.add(timer);
    response.on("close", () => {
      clearInterval(timer);
      this.#watching.delete(timer);
    });
    look().catch(() => response.destroy());
  }
}

interface Asked {
  /** Null: all of them. */
  readonly run: string | null;
  readonly isEvents: boolean;
  readonly isUpdate: boolean;
}

function askedFor(target: string): Asked | null {
  let url: URL;
  let parts: readonly string[];
  try {
    url = new URL(target, "http://localhost");
    parts = url.pathname.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return null;
  }
  const isEvents = parts[0] === "events";
  const [kind, ...name] = isEvents ? parts.slice(1) : parts;
  const isUpdate = url.searchParams.has("update");
  if (kind === "run" && name.length > 0) return { run: name.join("/"), isEvents, isUpdate };
  return (kind === undefined || kind === "") && name.length === 0 ? { run: null, isEvents, isUpdate } : null;
}

const headers = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
} as const;

function html(response: ServerResponse, text: string): void {
  response.writeHead(200, { ...headers, "Content-Type": "text/html; charset=utf-8" });
  response.end(text);
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...headers, "Content-Type": "text/plain; charset=utf-8" });
  response.end(`${text}\n`);
}
