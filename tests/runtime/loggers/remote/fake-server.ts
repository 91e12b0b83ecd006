/** A server on this machine that notes what it is asked, and answers as a test says. */
import { createServer, type IncomingHttpHeaders } from "node:http";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON a client sends
  readonly body: any;
}

export interface FakeServer {
  readonly address: string;
  readonly port: number;
  readonly asked: Asked[];
  close(): Promise<void>;
}

export type Answer = (asked: Asked) => { readonly status?: number; readonly body?: object } | "never";

export async function fakeServer(answer: Answer, port = 0): Promise<FakeServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (part) => {
      text += part;
    });
    request.on("end", () => {
      const one = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: text === "" ? null : JSON.parse(text),
      };
      asked.push(one);
      const said = answer(one);
      if (said === "never") return;
      response.writeHead(said.status ?? 200, { "Content-Type": "application/json" });
      response.end(JSON.stringify(said.body ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const at = server.address();
  if (typeof at !== "object" || at === null) throw new Error("no port");
  return {
    address: `http://127.0.0.1:${at.port}`,
    port: at.port,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** What a tracking server of MLflow answers. */
export const asMlflow: Answer = ({ path }) => {
  if (path.includes("experiments/get-by-name")) {
    return { status: 404, body: { error_code: "RESOURCE_DOES_NOT_EXIST", message: "No Experiment with that name" } };
  }
  if (path.endsWith("experiments/create")) return { body: { experiment_id: "7" } };
  if (path.endsWith("runs/create")) return { body: { run: { info: { run_id: "run-1" } } } };
  return { body: {} };
};
